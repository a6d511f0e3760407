"""Queries on SQLite: they use the product's indexes, and mean what a plain reading says."""

import contextlib
import itertools
import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from shared.adapters.store import sqlite as store
from shared.adapters.store.indexes import Index
from shared.adapters.store.sqlite_queries import build, define_index
from shared.ports import Operator, Order, Query, Where
from shared.records import INDEXES, Index as Composite


def opened(indexes: tuple[Index, ...]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in (*store._TABLES, *(define_index(index) for index in indexes)):
        connection.execute(statement)
    return connection


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    with contextlib.closing(opened(INDEXES)) as connection:
        yield connection


def plan(connection: sqlite3.Connection, query: Query) -> list[str]:
    statement = build(query, INDEXES)
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", statement.values)
    return [row[3] for row in rows.fetchall()]


def queries_of(index: Index) -> list[Query]:
    """What an index is for: the first fields equal, the last ordered, from the top, from a cursor,
    and as a range."""
    *equal, last = index.fields
    where = tuple(Where(field.field, "==", "x") for field in equal)
    plain = Query(index.collection, where, (last,))
    return [
        plain,
        Query(index.collection, where, (last,), after=(5, "id")),
        Query(index.collection, (*where, Where(last.field, "<=", 5)), (last,)),
        Query(index.collection, (*where, Where(last.field, ">", 5)), (last,), after=(7, "id")),
    ]


def spelled(index: Index) -> str:
    return "-".join([index.collection, *(field.field for field in index.fields)])


@pytest.mark.parametrize("index", INDEXES, ids=spelled)
def test_every_index_of_the_product_gives_its_queries_their_rows_in_order(
    database: sqlite3.Connection, index: Index
) -> None:
    for query in queries_of(index):
        steps = plan(database, query)
        assert len(steps) == 1, steps
        assert f" documents USING INDEX documents_{index.collection}_" in steps[0]
        assert build(query, INDEXES).served


def test_a_range_is_searched_between_its_ends(database: sqlite3.Connection) -> None:
    """Not from the many documents where nothing is due, which come first."""
    query = Query("jobs", (Where("due_at_ms", "<=", 5),), (Order("due_at_ms"),))
    assert plan(database, query)[0].endswith("(<expr>>? AND <expr><?)")


def test_making_the_indexes_twice_makes_them_once(database: sqlite3.Connection) -> None:
    for index in INDEXES:
        database.execute(define_index(index))
    names = database.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE 'documents%'"
    ).fetchall()
    assert len(names) == len(INDEXES)


def test_an_index_that_is_not_there_is_missed(database: sqlite3.Connection) -> None:
    with pytest.raises(ValueError, match="no index"):
        build(Query("jobs", (Where("pool", "==", "p"),), (Order("created_at_ms"),)), INDEXES)


# ---------------------------------------------------------------- against a plain reading

FIELDS = ("a", "b")
RANGES: tuple[Operator, ...] = ("<", "<=", ">", ">=")
VALUES = (None, False, True, -1, 0, 1, 1.5, "", "0", "x", "é")


def _orders() -> Iterator[tuple[Order, ...]]:
    yield ()
    for count in (1, 2):
        for names in itertools.permutations(FIELDS, count):
            for ways in itertools.product((False, True), repeat=count):
                yield tuple(map(Order, names, ways))


ORDERS = tuple(_orders())
ALL_INDEXES = tuple(
    Composite("c", (*(Order(field) for field in FIELDS if field in equal), *order))
    for equal in ((), ("a",), ("b",), ("a", "b"))
    for order in ORDERS
    if not {each.field for each in order} & set(equal) and (equal or order)
)

documents = st.dictionaries(
    st.sampled_from([f"d{n}" for n in range(12)]),
    st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(VALUES), max_size=2),
    max_size=12,
)


@st.composite
def queries(draw: st.DrawFn) -> Query:
    order = draw(st.sampled_from(ORDERS))
    where: list[Where] = []
    for field in FIELDS:
        match draw(st.sampled_from(("none", "none", "==", "in", "range"))):
            case "==":
                where.append(Where(field, "==", draw(st.sampled_from(VALUES))))
            case "in":
                values = draw(st.lists(st.sampled_from(VALUES[1:]), min_size=1, max_size=4))
                where.append(Where(field, "in", tuple(values)))
            case "range" if any(each.field == field for each in order):
                op = draw(st.sampled_from(RANGES))
                where.append(Where(field, op, draw(st.sampled_from(VALUES[1:]))))
    after = draw(
        st.none()
        | st.tuples(
            *(st.sampled_from([v for v in VALUES if type(v) is not bool]) for _ in order),
            st.sampled_from(["d0", "d5", "d7x"]),
        )
    )
    return Query("c", tuple(where), order, draw(st.integers(1, 12)), after)


def kind(value: Any) -> str:
    match value:
        case None | bool() | str():
            return type(value).__name__
    return "number"


def holds(where: Where, data: dict[str, Any]) -> bool:
    if where.field not in data:
        return False
    value = data[where.field]
    if where.op == "in":
        return any(kind(value) == kind(each) and value == each for each in where.value)
    if kind(value) != kind(where.value):
        return False
    comparisons = {
        "==": lambda: value == where.value,
        "<": lambda: value < where.value,
        "<=": lambda: value <= where.value,
        ">": lambda: value > where.value,
        ">=": lambda: value >= where.value,
    }
    return bool(comparisons[where.op]())


def rank(value: Any) -> tuple[int, Any]:
    """Null, then booleans among the numbers, then text by its bytes."""
    if value is None:
        return (0, 0)
    return (2, value.encode()) if isinstance(value, str) else (1, value)


def expected(query: Query, stored: dict[str, dict[str, Any]]) -> list[str]:
    found = [
        (*(data[order.field] for order in query.order), id)
        for id, data in stored.items()
        if all(order.field in data for order in query.order)
        and all(holds(where, data) for where in query.where)
    ]
    ways = [order.descending for order in query.order]
    ways.append(ways[-1] if ways else False)

    def before(left: tuple[Any, ...], right: tuple[Any, ...]) -> bool:
        for one, other, descending in zip(left, right, ways, strict=True):
            if rank(one) != rank(other):
                return (rank(one) < rank(other)) != descending
        return False

    found = [row for row in found if query.after is None or before(query.after, row)]
    for column in reversed(range(len(ways))):
        found.sort(key=lambda row: rank(row[column]), reverse=ways[column])
    return [row[-1] for row in found][: query.limit]


@settings(max_examples=300)
@given(documents, queries())
def test_sql_finds_what_a_plain_reading_finds(
    stored: dict[str, dict[str, Any]], query: Query
) -> None:
    connection = _shared()
    connection.execute("DELETE FROM documents")
    connection.executemany(
        "INSERT INTO documents VALUES ('c', ?, ?, 1)",
        [(id, json.dumps(data)) for id, data in stored.items()],
    )
    connection.execute("""INSERT INTO documents VALUES ('other', 'd0', '{"a": 1, "b": 1}', 1)""")
    statement = build(query, ALL_INDEXES)
    rows = connection.execute(statement.sql, statement.values).fetchall()
    assert [id for id, _, _ in rows] == expected(query, stored)


_OPENED: list[sqlite3.Connection] = []


def _shared() -> sqlite3.Connection:
    if not _OPENED:
        _OPENED.append(opened(ALL_INDEXES))
    return _OPENED[0]
