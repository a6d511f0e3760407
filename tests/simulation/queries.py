"""Queries over documents in memory, with the types and the order that the real stores have."""

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from shared.ports import Data, Document, Order, Query, Where

_ABSENT = object()


def select(documents: Iterable[Document], query: Query) -> list[Document]:
    """The documents that match, in order, up to the limit."""
    equal = [(where.field, where.value) for where in query.where if where.op == "=="]
    others = [where for where in query.where if where.op != "=="]
    compared = {where.field for where in query.where}
    ordered = [order.field for order in query.order if order.field not in compared]
    found = []
    for document in documents:
        data = document.data
        if data is None:
            continue
        for name, wanted in equal:
            if not _is_equal(data.get(name, _ABSENT), wanted):
                break
        else:
            if _is_found(data, ordered, others):
                found.append(document)
    if query.after is not None:
        after = query.after
        found = [document for document in found if _is_after(document, query.order, after)]
    _sort(found, query.order)
    return found[: query.limit]


def _is_found(data: Data, ordered: Sequence[str], others: Sequence[Where]) -> bool:
    """Whether it has what it is ordered by, and holds what is more than equality."""
    for name in ordered:
        if name not in data:
            return False
    return not others or all(_holds(data, where) for where in others)


def _sort(found: list[Document], orders: Sequence[Order]) -> None:
    """By the last key first, since sorting is stable; the id goes the way of the last key."""
    if len(found) < 2:
        return
    descends = bool(orders) and orders[-1].descending
    found.sort(key=lambda document: document.key.id, reverse=descends)
    for order in reversed(orders):
        name = order.field
        found.sort(key=lambda document: _rank(_value(document, name)), reverse=order.descending)


def _holds(data: Data, where: Where) -> bool:
    value = data.get(where.field, _ABSENT)
    if value is _ABSENT:
        return False
    if where.op == "in":
        return any(_is_equal(value, each) for each in where.value)
    return _rank(value)[0] == _rank(where.value)[0] and _COMPARE[where.op](value, where.value)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _is_equal(value: Any, wanted: Any) -> bool:
    """True is not 1."""
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


def _rank(value: Any) -> tuple[int, Any]:
    """Values of one type compare with each other: nulls first, then numbers, then texts."""
    if value is None:
        return 0, 0
    if isinstance(value, bool):
        return 1, value
    if isinstance(value, int | float):
        return 2, value
    return 3, value


def _value(document: Document, name: str) -> Any:
    assert document.data is not None
    return document.data[name]


def _is_after(document: Document, orders: Sequence[Order], after: tuple[Any, ...]) -> bool:
    """Whether a document comes after the cursor: its ordered values, then its id."""
    descends = False
    for order, last in zip(orders, after, strict=False):
        descends = order.descending
        here, there = _rank(_value(document, order.field)), _rank(last)
        if here != there:
            return here < there if descends else here > there
    last_id: str = after[-1]
    return document.key.id < last_id if descends else document.key.id > last_id
