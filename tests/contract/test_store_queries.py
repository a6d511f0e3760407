"""What every store owes to queries: the types, orders and cursors of Firestore."""

from typing import Any

import pytest

from shared.ports import Create, Data, Key, Order, Query, Store, Where

ANIMALS: dict[str, Data] = {
    "ant": {"kind": "insect", "legs": 6, "name": "Ann", "wild": True},
    "bee": {"kind": "insect", "legs": 6, "name": "Bea", "wild": False},
    "cat": {"kind": "mammal", "legs": 4, "name": "Cat", "wild": False},
    "dog": {"kind": "mammal", "legs": 4, "name": "Dan", "wild": False},
    "eel": {"kind": "fish", "legs": 0, "name": None, "wild": True},
    "fox": {"kind": "mammal", "legs": 4, "name": "Fay", "wild": True},
    "gnu": {"kind": "mammal", "legs": 4.5, "wild": True},
    "hen": {"kind": "bird", "legs": 2, "name": "4", "wild": False},
    "ibex": {"kind": "mammal", "name": "Ida", "wild": True},
    "jay": {"kind": "bird", "legs": None, "name": "Jay", "wild": 1},
    "koi": {"kind": "fish", "legs": "none", "name": "Kim"},
}


@pytest.fixture
async def zoo(store: Store) -> Store:
    """A store with animals, and a plant that no query for animals may find."""
    await store.transact(
        [],
        lambda _: [
            Create(Key("plants", "aloe"), {"kind": "mammal", "legs": 4, "name": "Cat"}),
            *(Create(Key("animals", id), data) for id, data in ANIMALS.items()),
        ],
    )
    return store


async def ids(store: Store, *where: Where, **rest: Any) -> list[str]:
    found = await store.query(Query("animals", where, **rest))
    assert all(document.data == ANIMALS[document.key.id] for document in found)
    assert all(document.version is not None for document in found)
    return [document.key.id for document in found]


UP = (Order("legs"),)
DOWN = (Order("legs", descending=True),)


async def test_a_query_without_conditions_lists_the_collection_by_id(zoo: Store) -> None:
    assert await ids(zoo) == sorted(ANIMALS)
    assert await ids(zoo, limit=3) == ["ant", "bee", "cat"]
    assert await ids(zoo, after=("cat",), limit=2) == ["dog", "eel"]


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("kind", "mammal", ["cat", "dog", "fox", "gnu", "ibex"]),
        ("kind", "plant", []),
        ("legs", 4, ["cat", "dog", "fox"]),
        ("legs", 4.5, ["gnu"]),
        ("legs", "4", []),
        ("name", "4", ["hen"]),
        ("wild", True, ["ant", "eel", "fox", "gnu", "ibex"]),
        ("wild", False, ["bee", "cat", "dog", "hen"]),
        ("wild", 1, ["jay"]),
        ("wild", 0, []),
        ("legs", None, ["jay"]),
        ("name", None, ["eel"]),
        ("wings", None, []),
    ],
)
async def test_equality_compares_type_and_value(
    zoo: Store, field: str, value: Any, found: list[str]
) -> None:
    assert await ids(zoo, Where(field, "==", value)) == found


async def test_conditions_on_several_fields_must_all_hold(zoo: Store) -> None:
    assert await ids(zoo, Where("kind", "==", "mammal"), Where("wild", "==", False)) == [
        "cat",
        "dog",
    ]


@pytest.mark.parametrize(
    ("op", "value", "found"),
    [
        ("<", 4, ["eel", "hen"]),
        ("<=", 4, ["eel", "hen", "cat", "dog", "fox"]),
        (">", 4, ["gnu", "ant", "bee"]),
        (">=", 4.5, ["gnu", "ant", "bee"]),
        (">", -1, ["eel", "hen", "cat", "dog", "fox", "gnu", "ant", "bee"]),
        (">", "", ["koi"]),
        ("<", "z", ["koi"]),
        (">=", "nope", []),
    ],
)
async def test_a_range_only_holds_values_of_its_own_type(
    zoo: Store, op: Any, value: Any, found: list[str]
) -> None:
    assert await ids(zoo, Where("legs", op, value), order=UP) == found


async def test_two_ends_make_a_range(zoo: Store) -> None:
    between = (Where("legs", ">", 0), Where("legs", "<=", 4))
    assert await ids(zoo, *between, order=UP) == ["hen", "cat", "dog", "fox"]
    assert await ids(zoo, *between, order=DOWN) == ["fox", "dog", "cat", "hen"]


async def test_in_matches_any_of_its_values(zoo: Store) -> None:
    assert await ids(zoo, Where("legs", "in", (0, 2, 99))) == ["eel", "hen"]
    assert await ids(zoo, Where("kind", "in", ["bird", "fish"])) == ["eel", "hen", "jay", "koi"]
    assert await ids(zoo, Where("wild", "in", (0, True))) == ["ant", "eel", "fox", "gnu", "ibex"]
    assert await ids(zoo, Where("kind", "in", ("fish", "mammal")), order=UP) == [
        "eel",
        "cat",
        "dog",
        "fox",
        "gnu",
        "koi",
    ]


async def test_null_sorts_first_then_numbers_then_text_and_ids_break_ties(zoo: Store) -> None:
    up = ["jay", "eel", "hen", "cat", "dog", "fox", "gnu", "ant", "bee", "koi"]
    assert await ids(zoo, order=UP) == up
    assert await ids(zoo, order=DOWN) == up[::-1]


async def test_documents_without_an_ordered_field_do_not_match(zoo: Store) -> None:
    assert "ibex" not in await ids(zoo, order=UP)
    assert "gnu" not in await ids(zoo, order=(Order("name"),))
    assert "eel" in await ids(zoo, order=(Order("name"),))


async def test_a_second_order_sorts_the_ties_of_the_first(zoo: Store) -> None:
    mammals = Where("kind", "==", "mammal")
    assert await ids(zoo, mammals, order=(*UP, Order("name", descending=True))) == [
        "fox",
        "dog",
        "cat",
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("where", "order"),
    [
        ((), ()),
        ((), UP),
        ((), DOWN),
        ((), (Order("name", descending=True),)),
        ((Where("kind", "==", "mammal"),), UP),
        ((Where("kind", "==", "mammal"),), DOWN),
        ((Where("kind", "==", "mammal"),), (*UP, Order("name", descending=True))),
        ((), (*UP, Order("name"))),
        ((Where("legs", ">=", 2),), UP),
        ((Where("legs", "<=", 4),), DOWN),
    ],
)
async def test_pages_by_cursor_are_the_whole_list_once(
    zoo: Store, where: tuple[Where, ...], order: tuple[Order, ...], limit: int
) -> None:
    whole = await ids(zoo, *where, order=order)
    assert whole
    paged: list[str] = []
    after: tuple[Any, ...] | None = None
    while page := await ids(zoo, *where, order=order, limit=limit, after=after):
        paged += page
        after = (*(ANIMALS[page[-1]][each.field] for each in order), page[-1])
    assert paged == whole


async def test_a_cursor_goes_on_where_its_document_was(zoo: Store) -> None:
    """The document it names need not be there any more."""
    assert await ids(zoo, order=UP, after=(4, "cow"), limit=2) == ["dog", "fox"]
    assert await ids(zoo, order=DOWN, after=(4, "cow"), limit=2) == ["cat", "hen"]


async def test_a_query_sees_what_was_committed_before_it(store: Store) -> None:
    for n in range(5):
        key = Key("animals", f"n{n}")
        await store.transact([], lambda _, key=key: [Create(key, {"legs": 1})])  # type: ignore[misc]
        assert len(await store.query(Query("animals", (Where("legs", "==", 1),)))) == n + 1


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (Query("animals", (Where("legs", ">", None),), UP), "null"),
        (Query("animals", (Where("legs", "in", (1, None)),)), "null"),
        (Query("animals", (Where("legs", "in", ()),)), "values"),
        (Query("animals", (Where("legs", "in", tuple(range(31))),)), "values"),
        (Query("animals", (Where("legs", "in", "abc"),)), "values"),
        (Query("animals", (Where("legs", "==", [1]),)), "value"),
        (Query("animals", (Where("legs", ">", 1),)), "order"),
        (Query("animals", (), (*UP, *DOWN)), "twice"),
        (Query("animals", (), UP, after=("only the id",)), "after"),
        (Query("animals", (), UP, after=(4, 4)), "after"),
        (Query("animals", (), limit=0), "limit"),
        (Query("animals", (), limit=1001), "limit"),
        (Query("ani'mals"), "collection"),
        (Query("animals", (Where("le'gs", "==", 1),)), "field"),
        (Query("animals", (Where("wild", "==", True),), (Order("name"),)), "index"),
    ],
)
async def test_queries_that_another_store_would_not_take_are_refused(
    store: Store, query: Query, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        await store.query(query)
