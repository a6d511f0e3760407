"""Queries over JSON documents as SQL, and the expression indexes that serve them.

Fields and collections are checked names and stand in the SQL itself, because SQLite only uses an
expression index for the same expression, and a partial one for a literal condition. Values are
bound.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.adapters.store.indexes import Index, serving_index
from shared.ports import Order, Query, Where

_NULL = "-9e999"  # minus infinity, which JSON cannot spell


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL that selects (id, data, version), and its values.

    `served` when an index gives the rows in order, so that it touches about as many as it returns.
    """

    sql: str
    values: tuple[Any, ...]
    served: bool


def define_index(index: Index) -> str:
    """The statement that makes the index, if it is not there."""
    columns = [_directed(_value(order.field), order.descending) for order in index.fields]
    columns.append(_directed("id", _last_descends(index.fields)))
    return (
        f"CREATE INDEX IF NOT EXISTS {_name(index)} ON documents ({', '.join(columns)})"
        f" WHERE {_member(index.collection)}"
    )


def build(query: Query, indexes: Sequence[Index]) -> Statement:
    """Translate a checked query. Raises ValueError when it needs an index that is not there."""
    terms = [f"collection = '{query.collection}'", _member(query.collection)]
    values: list[Any] = []
    for where in query.where:
        term, bound = _compare(where)
        terms.append(term)
        values += bound
    compared = {where.field for where in query.where}
    terms += [f"{_type(o.field)} IS NOT NULL" for o in query.order if o.field not in compared]
    if query.after is not None:
        term, bound = _continue(query.order, query.after)
        terms.append(term)
        values += bound
    order = [_directed(_value(o.field), o.descending) for o in query.order]
    order.append(_directed("id", _last_descends(query.order)))
    index = serving_index(query, indexes)
    sql = (
        f"SELECT id, data, version FROM documents{f' INDEXED BY {_name(index)}' if index else ''}"  # noqa: S608 - checked names, see above
        f" WHERE {' AND '.join(terms)} ORDER BY {', '.join(order)} LIMIT ?"
    )
    # Several values of one field are several stretches of the index, to be sorted.
    several = any(where.op == "in" for where in query.where)
    return Statement(sql, (*values, query.limit), served=index is not None and not several)


def _compare(where: Where) -> tuple[str, list[Any]]:
    """One condition. The type counts too: to SQLite, JSON true is 1, and any text is above 9."""
    value, kind = _value(where.field), _type(where.field)
    if where.op in ("==", "in"):
        by_types: dict[str, list[Any]] = {}
        for each in where.value if where.op == "in" else (where.value,):
            by_types.setdefault(_types(each), []).append(_bound(each))
        terms = [
            f"{value} {_one_of(some)} AND {kind} IN {types}" for types, some in by_types.items()
        ]
        sql = terms[0] if len(terms) == 1 else f"({' OR '.join(terms)})"
        return sql, [each for some in by_types.values() for each in some]
    # Below a value, but not the many nulls that come first in the index.
    floor = f"{value} > {_NULL} AND " if where.op in ("<", "<=") else ""
    term = f"{floor}{value} {where.op} ? AND {kind} IN {_types(where.value)}"
    return term, [_bound(where.value)]


def _continue(order: tuple[Order, ...], after: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """Everything after a cursor: a later first field, or the same and a later second, and so on.

    A range on the first field comes before, which is what lets an index start at the cursor.
    """
    last_values = [_bound(value) for value in after]
    expressions = [_value(each.field) for each in order] + ["id"]
    later = ["<" if each.descending else ">" for each in order]
    later.append("<" if _last_descends(order) else ">")
    terms: list[str] = []
    values: list[Any] = [last_values[0]]
    for depth, expression in enumerate(expressions):
        same = [f"{each} = ?" for each in expressions[:depth]]
        terms.append(" AND ".join([*same, f"{expression} {later[depth]} ?"]))
        values += last_values[: depth + 1]
    return f"{expressions[0]} {later[0]}= ? AND ({' OR '.join(terms)})", values


def _member(collection: str) -> str:
    """The condition of a partial index, spelled unlike any other.

    Were it `collection = 'x'`, SQLite would compile every point read anew, to see whether this time
    the index fits the bound value.
    """
    return f"collection || '' = '{collection}'"


def _last_descends(order: Sequence[Order]) -> bool:
    return bool(order) and order[-1].descending


def _directed(expression: str, descending: bool) -> str:
    return f"{expression} DESC" if descending else expression


def _value(field: str) -> str:
    """Null, which is below every value in Firestore, is below every number here: a null of SQLite
    could not be in one range with the values."""
    return f"ifnull(json_extract(data, '$.{field}'), {_NULL})"


def _one_of(values: Sequence[Any]) -> str:
    return "= ?" if len(values) == 1 else f"IN ({', '.join('?' * len(values))})"


def _types(value: str | float | None) -> str:
    """The JSON types that a value may equal or be compared with."""
    match value:
        case None:
            return "('null')"
        case bool():
            return "('true', 'false')"
        case str():
            return "('text')"
    return "('integer', 'real')"


def _bound(value: Any) -> Any:
    return -math.inf if value is None else value


def _type(field: str) -> str:
    return f"json_type(data, '$.{field}')"


def _name(index: Index) -> str:
    spelled = ",".join(f"{order.field} {order.descending}" for order in index.fields)
    return f"documents_{index.collection}_{hashlib.sha256(spelled.encode()).hexdigest()[:12]}"
