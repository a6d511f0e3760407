"""The shared database file: group commits, isolation of steps, other processes, and bad days."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.adapters import sqlite
from shared.adapters.sqlite import Database

TABLE = "CREATE TABLE IF NOT EXISTS numbers (n INTEGER PRIMARY KEY)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "file.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    async with Database(path) as database:
        database.define([TABLE])
        yield database


async def add(database: Database, n: int) -> int:
    return await database.write(lambda c: _insert(c, n))


def _insert(connection: sqlite3.Connection, n: int) -> int:
    connection.execute("INSERT INTO numbers VALUES (?)", (n,))
    return n


def numbers(connection: sqlite3.Connection) -> list[int]:
    return [n for (n,) in connection.execute("SELECT n FROM numbers ORDER BY n").fetchall()]


def seen_by_another(path: Path) -> list[int]:
    with contextlib.closing(sqlite3.connect(path)) as other:
        return numbers(other)


def spied(database: Database) -> list[str]:
    statements: list[str] = []
    database._writer.set_trace_callback(statements.append)
    return statements


async def test_a_step_returns_its_result_and_is_committed_by_then(
    database: Database, path: Path
) -> None:
    assert await add(database, 7) == 7
    assert seen_by_another(path) == [7]
    assert database.read(numbers) == [7]
    assert await database.read_in_thread(numbers) == [7]


async def test_the_file_is_durable_and_does_not_lock_readers_out(database: Database) -> None:
    for connection in (database._writer, database._reader, database._slow_reader):
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


async def test_steps_that_wait_together_are_committed_together(database: Database) -> None:
    statements = spied(database)
    assert await asyncio.gather(*(add(database, n) for n in range(100))) == list(range(100))
    assert statements.count("COMMIT") == 1


async def test_a_batch_is_bounded(database: Database) -> None:
    statements = spied(database)
    await asyncio.gather(*(add(database, n) for n in range(sqlite.BATCH_STEPS_MAX + 1)))
    assert statements.count("COMMIT") == 2


async def test_a_step_that_raises_is_undone_alone(database: Database) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        _insert(connection, 1_000)
        raise LookupError("a bug")

    results = await asyncio.gather(
        add(database, 1), database.write(fail), add(database, 1), add(database, 2),
        return_exceptions=True,
    )  # fmt: skip
    assert results[0] == 1
    assert isinstance(results[1], LookupError)
    assert isinstance(results[2], sqlite3.IntegrityError)
    assert results[3] == 2
    assert database.read(numbers) == [1, 2]


async def test_a_step_may_raise_what_a_future_cannot_carry(database: Database) -> None:
    def stop(connection: sqlite3.Connection) -> None:
        raise StopIteration

    results = await asyncio.gather(
        database.write(stop), add(database, 1), return_exceptions=True
    )  # fmt: skip
    assert isinstance(results[0], RuntimeError)
    assert results[1] == 1


async def test_a_read_shows_no_uncommitted_step(database: Database) -> None:
    seen: list[list[int]] = []

    def write_then_look(connection: sqlite3.Connection) -> None:
        _insert(connection, 1)
        seen.append(database.read(numbers))

    await database.write(write_then_look)
    assert seen == [[]]
    assert database.read(numbers) == [1]


async def test_readers_cannot_write(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        database.read(lambda c: _insert(c, 1))


async def test_a_caller_that_gives_up_does_not_disturb_the_others(database: Database) -> None:
    tasks = [asyncio.create_task(add(database, n)) for n in range(10)]
    await asyncio.sleep(0)
    tasks[3].cancel()
    await asyncio.wait(tasks)
    assert database.read(numbers) == [0, 1, 2, 4, 5, 6, 7, 8, 9]


async def test_closing_finishes_what_was_accepted(path: Path) -> None:
    database = Database(path)
    database.define([TABLE])
    tasks = [asyncio.create_task(add(database, n)) for n in range(300)]
    await asyncio.sleep(0)
    await database.close()
    await database.close()
    assert [task.result() for task in tasks] == list(range(300))
    assert seen_by_another(path) == list(range(300))
    with pytest.raises(AssertionError, match="closed"):
        await add(database, 1_000)


async def test_the_log_is_folded_into_the_file_on_closing(path: Path) -> None:
    async with Database(path) as database:
        database.define([TABLE])
        await add(database, 1)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_loop_that_ends_does_not_break_a_batch(path: Path) -> None:
    """`asyncio.run` cancels its tasks; the batch under way is committed all the same."""
    database = Database(path)
    database.define([TABLE])

    async def leave() -> None:
        tasks = [asyncio.ensure_future(add(database, n)) for n in range(10)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await database.close()

    asyncio.run(leave())
    assert seen_by_another(path) in ([], list(range(10)))


# ---------------------------------------------------------------- other processes, bad days


async def test_a_lock_of_another_process_is_waited_for_without_holding_up_the_loop(
    database: Database, path: Path
) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(add(database, 1))
        start, turns = time.monotonic(), 0
        while time.monotonic() - start < 0.2:
            await asyncio.sleep(0.001)
            turns += 1
        assert turns > 10
        assert not waiting.done()
        assert database.read(numbers) == []
        _insert(other, 2)
        other.execute("COMMIT")
    assert await waiting == 1
    assert database.read(numbers) == [1, 2]


async def test_two_processes_write_to_one_file(database: Database, path: Path) -> None:
    async with Database(path) as other:
        await asyncio.gather(
            *(add(database, n) for n in range(0, 100, 2)),
            *(add(other, n) for n in range(1, 100, 2)),
        )
    assert database.read(numbers) == list(range(100))


async def test_a_lock_that_is_held_too_long_is_an_error_and_not_the_end(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 50)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        results = await asyncio.gather(
            *(add(database, n) for n in range(5)), return_exceptions=True
        )
        assert all(isinstance(result, sqlite3.OperationalError) for result in results)
    assert await add(database, 1) == 1
    assert database.read(numbers) == [1]


async def test_a_full_disk_fails_what_does_not_fit_and_not_the_end(database: Database) -> None:
    pages = database._writer.execute("PRAGMA page_count").fetchone()[0]
    database._writer.execute(f"PRAGMA max_page_count = {pages + 5}")
    database.define(["CREATE TABLE texts (text TEXT)"])

    def fill(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO texts VALUES (zeroblob(1000000))")

    results = await asyncio.gather(add(database, 1), database.write(fill), return_exceptions=True)
    assert isinstance(results[1], sqlite3.Error)
    committed = database.read(numbers)
    assert committed == ([1] if results[0] == 1 else [])
    assert await add(database, 2) == 2


async def test_a_database_belongs_to_one_loop(database: Database) -> None:
    await add(database, 1)

    def elsewhere() -> None:
        asyncio.run(add(database, 2))

    with pytest.raises(AssertionError, match="loop"):
        await asyncio.to_thread(elsewhere)
