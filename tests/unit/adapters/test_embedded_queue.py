"""The embedded queue beyond its contract: time, limits, other processes, and its own end."""

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from shared.adapters import sqlite
from shared.adapters.queue import embedded, embedded_table
from shared.adapters.queue.embedded import EmbeddedQueue, backoff_ms
from shared.adapters.sqlite import Database
from shared.adapters.system import SystemClock
from shared.errors import QueueUnavailable
from shared.ports import QueueSpec, Task, Verdict

HOUR_MS = 3_600_000
SPECS = (
    QueueSpec("plain", 10, 10_000, min_backoff_seconds=0.05, max_backoff_seconds=0.1),
    QueueSpec("few", 10, max_attempts=2, min_backoff_seconds=0.05),
    QueueSpec("slow", 100, max_dispatches_per_second=20),
    QueueSpec("hasty", 1, min_backoff_seconds=0.05, dispatch_deadline_seconds=0.1),
)


class ShiftedClock(SystemClock):
    """The machine's clock, put forward."""

    shift_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.shift_ms


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(tmp_path / "file.db") as database:
        yield database


@pytest.fixture
def queue(database: Database, clock: ShiftedClock) -> EmbeddedQueue:
    return EmbeddedQueue(database, SPECS, clock)


@contextlib.asynccontextmanager
async def delivering(queue: EmbeddedQueue, handler: embedded.Deliver) -> AsyncIterator[None]:
    running = asyncio.create_task(queue.run(handler))
    try:
        yield
    finally:
        await queue.stop(1)
        await running


class Deliveries:
    def __init__(self, verdict: Verdict = "done") -> None:
        self.keys: list[str] = []
        self.seconds: list[float] = []
        self._verdict = verdict

    async def __call__(self, task: Task) -> Verdict:
        self.keys.append(task.key)
        self.seconds.append(time.monotonic())
        return self._verdict


def task(key: str, queue: str = "plain") -> Task:
    return Task("settle", key, {}, queue)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - the other side knows of no event
            await asyncio.sleep(0.002)


async def test_a_key_is_free_again_an_hour_after_its_task_ended(
    queue: EmbeddedQueue, clock: ShiftedClock
) -> None:
    deliveries = Deliveries()
    async with delivering(queue, deliveries):
        await queue.push(task("t"))
        await until(lambda: not queue.running()["plain"] and bool(deliveries.keys))
        clock.shift_ms = HOUR_MS - 1_000
        await queue.push(task("t"))
        assert sum((await queue.depths()).values()) == 0
        clock.shift_ms = HOUR_MS + 1_000
        await queue.push(task("t"))
        await until(lambda: deliveries.keys == ["t", "t"])


async def test_old_keys_are_forgotten_in_bounded_batches(
    queue: EmbeddedQueue, database: Database, clock: ShiftedClock
) -> None:
    count = 2 * embedded.PURGE_KEYS_MAX + 1
    deliveries = Deliveries()
    async with delivering(queue, deliveries):
        await asyncio.gather(*(queue.push(task(f"t{n}")) for n in range(count)))
        await until(lambda: len(deliveries.keys) == count and not queue.running()["plain"])

    def keys() -> int:
        (found,) = database.read(lambda c: c.execute("SELECT count(*) FROM ended_tasks").fetchone())
        return int(found)

    assert keys() == count
    clock.shift_ms = HOUR_MS + 1_000
    freed = await database.write(
        lambda c: embedded_table.free_keys(c, clock.now_ms(), embedded.PURGE_KEYS_MAX)
    )
    assert freed == embedded.PURGE_KEYS_MAX
    async with delivering(queue, deliveries):
        await until(lambda: keys() == 0)


async def test_a_push_is_delivered_at_once(queue: EmbeddedQueue) -> None:
    deliveries = Deliveries()
    pushed: list[float] = []
    async with delivering(queue, deliveries):
        for n in range(50):
            pushed.append(time.monotonic())
            await queue.push(task(f"t{n}"))
            await until(lambda n=n: len(deliveries.keys) == n + 1)  # type: ignore[misc]
    took = sorted(end - start for start, end in zip(pushed, deliveries.seconds, strict=True))
    assert took[25] < 0.2, "a median of a few milliseconds, on a quiet machine under one"


async def test_a_push_of_another_process_is_noticed_soon(
    queue: EmbeddedQueue, database: Database, clock: ShiftedClock
) -> None:
    deliveries = Deliveries()
    async with delivering(queue, deliveries), Database(database.path) as elsewhere:
        other = EmbeddedQueue(elsewhere, SPECS, clock)
        for n in range(3):
            start = time.monotonic()
            await other.push(task(f"t{n}"))
            await until(lambda n=n: len(deliveries.keys) == n + 1)  # type: ignore[misc]
            assert deliveries.seconds[-1] - start < 5


async def test_a_queue_delivers_no_faster_than_its_rate(queue: EmbeddedQueue) -> None:
    deliveries = Deliveries()
    await asyncio.gather(*(queue.push(task(f"t{n}", "slow")) for n in range(20)))
    start = time.monotonic()
    async with delivering(queue, deliveries):
        await until(lambda: len(deliveries.keys) == 20)
    assert 0.7 <= deliveries.seconds[-1] - start < 3, "4 at once, then 20 a second"


async def test_an_attempt_over_its_deadline_runs_on_unheard_and_frees_its_place(
    queue: EmbeddedQueue, caplog: pytest.LogCaptureFixture
) -> None:
    leave = asyncio.Event()
    begun: list[str] = []
    ended: list[str] = []

    async def handle(task: Task) -> Verdict:
        begun.append(task.key)
        if len(begun) == 1:
            await leave.wait()
            ended.append(task.key)
            raise LookupError("nobody hears this")
        return "done"

    async with delivering(queue, handle):
        await queue.push(task("stuck", "hasty"))
        await until(lambda: begun == ["stuck", "stuck"])
        assert ended == []
        await until(lambda: not queue.running()["hasty"])
        leave.set()
        await until(lambda: ended == ["stuck"])
    assert sum((await queue.depths()).values()) == 0
    assert "over its deadline" in caplog.text
    assert begun == ["stuck", "stuck"]


async def test_a_task_that_kills_the_process_is_not_tried_for_ever(
    queue: EmbeddedQueue, database: Database, clock: ShiftedClock, caplog: pytest.LogCaptureFixture
) -> None:
    begun: list[str] = []

    async def die(task: Task) -> Verdict:
        begun.append(task.key)
        await asyncio.Event().wait()
        return "done"

    await queue.push(task("poison", "few"))
    for life in (1, 2):
        running = asyncio.create_task(queue.run(die))
        await until(lambda life=life: len(begun) == life)  # type: ignore[misc]
        await database.write(lambda c: c.execute("SELECT 1").fetchone())  # the count is committed
        running.cancel()
        await asyncio.wait({running})
    async with delivering(queue, die):
        await asyncio.sleep(0.1)
    assert begun == ["poison", "poison"]
    assert sum((await queue.depths()).values()) == 0
    assert "given up" in caplog.text


async def test_stopping_begins_nothing_more_and_waits_for_what_runs(queue: EmbeddedQueue) -> None:
    ended: list[str] = []
    begun: list[str] = []

    async def handle(task: Task) -> Verdict:
        begun.append(task.key)
        await asyncio.sleep(0.1)
        ended.append(task.key)
        return "done"

    await asyncio.gather(*(queue.push(task(f"t{n}")) for n in range(15)))
    running = asyncio.create_task(queue.run(handle))
    await until(lambda: len(begun) == 10)
    await queue.stop(5)
    await running
    assert len(ended) == 10
    assert sum((await queue.depths()).values()) == 5


async def test_stopping_before_the_dispatcher_began_stops_it(queue: EmbeddedQueue) -> None:
    running = asyncio.create_task(queue.run(Deliveries()))
    await queue.stop()
    async with asyncio.timeout(2):
        await running


async def test_stopping_waits_no_longer_than_it_was_told(queue: EmbeddedQueue) -> None:
    async def hang(task: Task) -> Verdict:
        await asyncio.Event().wait()
        return "done"

    await queue.push(task("t"))
    running = asyncio.create_task(queue.run(hang))
    await until(lambda: queue.running()["plain"] == 1)
    start = time.monotonic()
    await queue.stop(0.1)
    await running
    assert time.monotonic() - start < 1
    assert (await queue.depths())["plain"] == 1
    deliveries = Deliveries()
    async with delivering(queue, deliveries):
        await until(lambda: deliveries.keys == ["t"])


async def test_depths_count_what_waits_runs_and_is_for_later(
    queue: EmbeddedQueue, clock: ShiftedClock
) -> None:
    await queue.push(task("a"))
    await queue.push(task("b", "slow"))
    await queue.push(Task("settle", "c", {}, "slow", clock.now_ms() + HOUR_MS))
    assert await queue.depths() == {"plain": 1, "few": 0, "slow": 2, "hasty": 0}


async def test_a_file_that_cannot_be_written_makes_the_queue_unavailable(
    queue: EmbeddedQueue, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 20)
    with contextlib.closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(QueueUnavailable):
            await queue.push(task("t"))
    await queue.push(task("t"))


async def test_a_verdict_that_cannot_be_noted_is_a_delivery_more(
    queue: EmbeddedQueue,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 20)
    deliveries = Deliveries()
    await queue.push(task("t"))
    with contextlib.closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with delivering(queue, deliveries):
            await until(lambda: len(deliveries.keys) >= 2)
            other.execute("ROLLBACK")
            await until(lambda: not queue.running()["plain"])
    assert (await queue.depths())["plain"] == 0
    assert "will be repeated" in caplog.text


async def test_the_log_names_a_failed_task_and_not_its_payload(
    queue: EmbeddedQueue, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    calls: list[str] = []

    async def fail(task: Task) -> Verdict:
        calls.append(task.key)
        if len(calls) == 1:
            raise LookupError("a bug")
        return "final"

    async with delivering(queue, fail):
        await queue.push(Task("settle", "job:1", {"prompt": "a secret cat"}, "plain"))
        await until(lambda: len(calls) == 2)
    assert "task settle job:1 of plain failed" in caplog.text
    assert "LookupError: a bug" in caplog.text
    assert "can never work" in caplog.text
    assert "secret" not in caplog.text


def test_pauses_double_between_the_bounds_of_the_queue() -> None:
    spec = QueueSpec("q", 1, min_backoff_seconds=0.5, max_backoff_seconds=10)
    assert [backoff_ms(spec, n) for n in (1, 2, 3, 4, 5, 6, 10_000)] == [
        500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000,
    ]  # fmt: skip
