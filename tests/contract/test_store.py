"""What every store owes: optimistic, all-or-nothing commits, and reads of what was committed."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.errors import Contention
from shared.ports import Check, Create, Data, Delete, Documents, Key, Put, Store, Write
from tests.contract.adapters import StoreStage

A = Key("things", "a")
B = Key("things", "b")
C = Key("others", "a")


async def put(store: Store, key: Key, data: Data) -> Documents:
    return await store.transact([key], lambda _: [Put(key, data)])


async def data_of(store: Store, key: Key) -> Data | None:
    return (await store.get([key]))[key].data


# ---------------------------------------------------------------- reading


async def test_a_document_that_does_not_exist_is_in_the_answer_without_data(store: Store) -> None:
    found = await store.get([A, B])
    assert set(found) == {A, B}
    assert (found[A].key, found[A].data, found[A].version) == (A, None, None)


async def test_no_keys_are_no_documents(store: Store) -> None:
    assert await store.get([]) == {}


async def test_what_was_put_is_read_back_as_it_was(store: Store) -> None:
    data = {
        "text": "Привет, «мир» 🎬",
        "count": 2**53 + 1,
        "negative": -1,
        "ratio": 0.25,
        "yes": True,
        "nothing": None,
        "list": [1, "two", None, {"three": 3}],
        "map": {"deep": {"deeper": []}},
        "empty": "",
    }
    await put(store, A, data)
    found = await data_of(store, A) or {}
    assert found == data
    assert type(found["count"]) is int
    assert found["yes"] is True


async def test_the_same_id_in_another_collection_is_another_document(store: Store) -> None:
    await put(store, A, {"n": 1})
    await put(store, C, {"n": 2})
    assert await data_of(store, A) == {"n": 1}
    assert await data_of(store, C) == {"n": 2}


async def test_many_documents_come_in_one_call(store: Store) -> None:
    keys = [Key("things", f"{n:03}") for n in range(100)]
    await store.transact([], lambda _: [Create(key, {"id": key.id}) for key in keys])
    found = await store.get(keys)
    assert [found[key].data for key in keys] == [{"id": key.id} for key in keys]


# ---------------------------------------------------------------- committing


async def test_an_answer_shows_read_documents_overlaid_with_written_ones(store: Store) -> None:
    before = await put(store, B, {"n": 1})
    after = await store.transact([A, B], lambda _: [Put(A, {"n": 2}), Create(C, {"n": 3})])
    assert {key: document.data for key, document in after.items()} == {
        A: {"n": 2},
        B: {"n": 1},
        C: {"n": 3},
    }
    assert after[B].version == before[B].version
    assert after == await store.get([A, B, C])


async def test_a_deleted_document_is_gone_also_from_the_answer(store: Store) -> None:
    await put(store, A, {"n": 1})
    after = await store.transact([A], lambda _: [Delete(A)])
    assert after[A].data is None
    assert after[A].version is None
    assert await data_of(store, A) is None


async def test_deleting_what_is_not_there_is_fine(store: Store) -> None:
    await store.transact([A], lambda _: [Delete(A)])
    assert await data_of(store, A) is None


async def test_no_writes_commit_nothing_and_return_what_was_read(store: Store) -> None:
    await put(store, A, {"n": 1})
    before = await store.get([A, B])
    assert await store.transact([A, B], lambda _: []) == before


async def test_a_decision_that_raises_changes_nothing(store: Store) -> None:
    def refuse(documents: Documents) -> Sequence[Write]:
        raise LookupError(str(documents[A].data))

    await put(store, A, {"n": 1})
    with pytest.raises(LookupError, match="n"):
        await store.transact([A], refuse)
    assert await data_of(store, A) == {"n": 1}


async def test_sixteen_writers_of_one_counter_lose_nothing(store: Store) -> None:
    """Few are told that it is busy; they have changed nothing, and try again."""
    refused: list[Contention] = []

    def increment(documents: Documents) -> Sequence[Write]:
        data = documents[A].data or {"n": 0}
        return [Put(A, {"n": data["n"] + 1})]

    async def write() -> None:
        written = 0
        while written < 10:
            try:
                await store.transact([A], increment)
                written += 1
            except Contention as error:
                refused.append(error)

    await asyncio.gather(*(write() for _ in range(16)))
    assert await data_of(store, A) == {"n": 160}
    assert len(refused) <= 8, "a store that tries again often enough refuses nobody on a quiet day"


async def test_of_many_who_create_one_document_exactly_one_does(store: Store) -> None:
    made: list[int] = []

    async def create(writer: int) -> None:
        def decide(documents: Documents) -> Sequence[Write]:
            return [] if documents[A].data else [Create(A, {"writer": writer})]

        after = await store.transact([A], decide)
        made.append((after[A].data or {})["writer"])

    await asyncio.gather(*(create(writer) for writer in range(16)))
    winner = await data_of(store, A)
    assert winner
    assert made == [winner["writer"]] * 16


async def test_documents_of_one_commit_change_together(store: Store) -> None:
    """Money moves between two documents while others look: the sum never changes."""
    await store.transact([], lambda _: [Create(A, {"n": 100}), Create(B, {"n": 0})])

    def move(documents: Documents) -> Sequence[Write]:
        a, b = documents[A].data, documents[B].data
        assert a
        assert b
        return [Put(A, {"n": a["n"] - 1}), Put(B, {"n": b["n"] + 1})]

    async def look() -> None:
        for _ in range(20):
            found = await store.transact([A, B], lambda _: [Check(A), Check(B)])
            assert sum(document.data["n"] for document in found.values() if document.data) == 100
            await asyncio.sleep(0)

    await asyncio.gather(*(store.transact([A, B], move) for _ in range(20)), look(), look())
    assert await data_of(store, A) == {"n": 80}
    assert await data_of(store, B) == {"n": 20}


async def test_one_write_that_cannot_be_done_undoes_the_others(store: Store) -> None:
    await put(store, B, {"n": 1})
    with pytest.raises(Contention):
        await store.transact([A], lambda _: [Put(A, {"n": 2}), Create(B, {"n": 2})])
    assert await data_of(store, A) is None
    assert await data_of(store, B) == {"n": 1}


async def test_a_create_that_finds_the_document_there_decides_again(store: Store) -> None:
    await put(store, A, {"by": "another"})
    known = {A: (await store.get([Key("things", "never")]))[Key("things", "never")]}
    seen: list[Data | None] = []

    def decide(documents: Documents) -> Sequence[Write]:
        seen.append(documents[A].data)
        return [] if documents[A].data else [Create(A, {"by": "me"})]

    after = await store.transact([A], decide, known=known)
    assert after[A].data == {"by": "another"}
    assert seen[-1] == {"by": "another"}


async def test_a_check_of_a_document_that_changed_decides_again(store: Store) -> None:
    """A limit in one document guards another one."""
    await put(store, A, {"limit": 1})
    old = await store.get([A])
    await put(store, A, {"limit": 2})

    def decide(documents: Documents) -> Sequence[Write]:
        limit = documents[A].data
        assert limit
        return [Check(A), Put(B, {"limit_then": limit["limit"]})]

    await store.transact([A, B], decide, known=old)
    assert await data_of(store, B) == {"limit_then": 2}


async def test_a_check_that_holds_writes_nothing_to_its_document(store: Store) -> None:
    before = await put(store, A, {"n": 1})
    after = await store.transact([A, B], lambda _: [Check(A), Put(B, {"n": 2})])
    assert after[A].version == before[A].version
    assert (await store.get([A]))[A].version == before[A].version


async def test_an_absence_can_be_checked(store: Store) -> None:
    await store.transact([A, B], lambda _: [Check(A), Put(B, {"n": 1})])
    assert await data_of(store, B) == {"n": 1}


async def test_a_version_does_not_come_back_with_a_new_document(store: Store) -> None:
    first = await put(store, A, {"n": 1})
    await store.transact([A], lambda _: [Delete(A)])
    second = await put(store, A, {"n": 1})
    assert first[A].version != second[A].version
    seen: list[Data | None] = []

    def decide(documents: Documents) -> Sequence[Write]:
        seen.append(documents[A].data)
        return [Put(A, {"n": (documents[A].data or {"n": 0})["n"] + 1})]

    after = await store.transact([A], decide, known={A: first[A]})
    assert after[A].data == {"n": 2}


# ---------------------------------------------------------------- known documents


async def test_a_right_guess_is_committed(store: Store) -> None:
    known = await put(store, A, {"n": 1})
    after = await store.transact([A], lambda _: [Put(A, {"n": 2})], known=known)
    assert after[A].data == {"n": 2}
    again = await store.transact([A], lambda _: [Put(A, {"n": 3})], known=after)
    assert await store.get([A]) == again


async def test_a_wrong_guess_never_overwrites(store: Store) -> None:
    old = await put(store, A, {"n": 1})
    await put(store, A, {"n": 10})

    def increment(documents: Documents) -> Sequence[Write]:
        data = documents[A].data
        assert data
        return [Put(A, {"n": data["n"] + 1})]

    after = await store.transact([A], increment, known=old)
    assert after[A].data == {"n": 11}


async def test_a_wrong_guess_of_absence_never_overwrites(store: Store) -> None:
    absent = await store.get([A])
    await put(store, A, {"n": 10})

    def increment(documents: Documents) -> Sequence[Write]:
        return [Put(A, {"n": (documents[A].data or {"n": 0})["n"] + 1})]

    after = await store.transact([A], increment, known=absent)
    assert after[A].data == {"n": 11}


async def test_a_wrong_guess_is_no_reason_to_refuse_or_to_do_nothing(store: Store) -> None:
    """A guess may only lead to a commit, which checks it; any other end needs the truth."""
    poor = await put(store, A, {"n": 0})
    await put(store, A, {"n": 5})

    def spend(documents: Documents) -> Sequence[Write]:
        data = documents[A].data
        if not data or not data["n"]:
            raise LookupError("nothing to spend")
        return [Put(A, {"n": data["n"] - 1})]

    after = await store.transact([A], spend, known=poor)
    assert after[A].data == {"n": 4}

    def spend_if_possible(documents: Documents) -> Sequence[Write]:
        data = documents[A].data
        return [Put(A, {"n": data["n"] - 1})] if data and data["n"] else []

    after = await store.transact([A], spend_if_possible, known=poor)
    assert after[A].data == {"n": 3}


async def test_documents_that_are_not_known_are_read(store: Store) -> None:
    known = await put(store, A, {"n": 1})
    await put(store, B, {"n": 2})

    def add(documents: Documents) -> Sequence[Write]:
        a, b = documents[A].data, documents[B].data
        assert a
        assert b
        return [Put(A, {"n": a["n"] + b["n"]})]

    after = await store.transact([A, B], add, known=known)
    assert after[A].data == {"n": 3}


# ---------------------------------------------------------------- faults


async def test_a_commit_whose_reply_is_lost_is_recognised_and_done_once(
    store_stage: StoreStage,
) -> None:
    store, row, wallet = store_stage.store, Key("rows", "job:hold"), Key("wallets", "w")
    await put(store, wallet, {"tokens": 10})
    runs = 0

    def hold(documents: Documents) -> Sequence[Write]:
        nonlocal runs
        runs += 1
        if documents[row].data:
            return []
        data = documents[wallet].data
        assert data
        return [Create(row, {"tokens": 3}), Put(wallet, {"tokens": data["tokens"] - 3})]

    store_stage.lose_next_reply()
    after = await store.transact([row, wallet], hold)
    assert runs == 2
    assert after[row].data == {"tokens": 3}
    assert after[wallet].data == {"tokens": 7}
    assert await data_of(store, wallet) == {"tokens": 7}


async def test_a_writer_that_dies_after_its_read_leaves_nothing_locked(store: Store) -> None:
    class Died(BaseException):
        pass

    def die(documents: Documents) -> Sequence[Write]:
        raise Died

    await put(store, A, {"n": 1})
    with pytest.raises(Died):
        await store.transact([A], die)
    async with asyncio.timeout(2):
        await put(store, A, {"n": 2})
    assert await data_of(store, A) == {"n": 2}


async def test_a_caller_that_gives_up_leaves_all_of_its_commit_or_none(store: Store) -> None:
    for n in range(20):
        a, b = Key("things", f"a{n}"), Key("things", f"b{n}")
        work = asyncio.create_task(
            store.transact([a, b], lambda _, a=a, b=b: [Put(a, {}), Put(b, {})])  # type: ignore[misc]
        )
        await asyncio.sleep(0 if n % 2 else 0.0003)
        work.cancel()
        await asyncio.wait({work})
        await put(store, C, {"n": n})  # a later commit: whatever was under way is decided
        found = await store.get([a, b])
        assert (found[a].data is None) == (found[b].data is None)


# ---------------------------------------------------------------- programming errors


@pytest.mark.parametrize("write", [Put(B, {}), Delete(B), Check(B)])
async def test_only_what_was_read_can_be_replaced_removed_or_checked(
    store: Store, write: Write
) -> None:
    with pytest.raises(ValueError, match="not read"):
        await store.transact([A], lambda _: [Put(A, {"n": 1}), write])
    assert await data_of(store, A) is None


async def test_one_document_is_written_once_per_commit(store: Store) -> None:
    with pytest.raises(ValueError, match="two writes"):
        await store.transact([A], lambda _: [Put(A, {"n": 1}), Put(A, {"n": 2})])
    assert await data_of(store, A) is None


async def test_a_commit_has_a_hundred_writes_at_most(store: Store) -> None:
    with pytest.raises(ValueError, match="100"):
        await store.transact([], lambda _: [Create(Key("things", str(n)), {}) for n in range(101)])
    assert await data_of(store, Key("things", "0")) is None


@pytest.mark.parametrize("id", ["", "a/b", ".", "..", "__all__", "x" * 1501])
async def test_ids_that_another_store_would_not_take_are_refused(store: Store, id: str) -> None:
    key = Key("things", id)
    with pytest.raises(ValueError, match="id"):
        await store.get([key])
    with pytest.raises(ValueError, match="id"):
        await store.transact([], lambda _: [Create(key, {})])


async def test_a_document_over_a_megabyte_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="bytes"):
        await put(store, A, {"text": "x" * 1_000_000})
    assert await data_of(store, A) is None
