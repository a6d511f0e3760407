"""Cloud Tasks for one machine: durable named tasks in the shared SQLite file, and their dispatcher.

Delivery is at least once. What is being delivered is known to this process only: after a crash the
tasks are still in the table, due, and are delivered again at the next start. So one process at a
time runs the dispatcher; any number may push.
"""

import asyncio
import contextlib
import logging
import math
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from shared.adapters.queue import embedded_table as table, rules
from shared.adapters.queue.embedded_table import Waiting
from shared.adapters.sqlite import Database
from shared.errors import QueueUnavailable
from shared.ports import Clock, QueueSpec, Task, Verdict

_log = logging.getLogger(__name__)

Deliver = Callable[[Task], Awaitable[Verdict]]

KEY_TAKEN_MS = 3_600_000
POLL_MS = 500  # for tasks that another process pushed
PURGE_SECONDS = 60.0
PURGE_KEYS_MAX = 500
STARTS_MAX = 100  # in one turn of the loop
STOP_SECONDS = 10.0


class EmbeddedQueue:
    """The queue port, and `run`, which delivers."""

    def __init__(self, database: Database, specs: Sequence[QueueSpec], clock: Clock) -> None:
        """Make the tables that are not there yet."""
        self._database = database
        self._clock = clock
        self._lanes = {spec.name: _Lane(spec, clock) for spec in specs}
        self._attempts: set[asyncio.Task[None]] = set()
        self._handlers: set[asyncio.Task[Verdict]] = set()
        self._stopping = False
        self._grace_seconds = STOP_SECONDS
        self._ended = asyncio.Event()
        self._ended.set()
        database.define(table.TABLES)

    async def push(self, task: Task) -> None:
        """See the port. A queue without a spec is a programming error and raises ValueError."""
        lane = self._lanes.get(task.queue)
        if lane is None:
            raise ValueError(f"no such queue: {task.queue!r}")
        now_ms = self._clock.now_ms()
        payload = rules.encode_payload(task, now_ms)
        try:
            await self._database.write(lambda c: table.insert(c, task, payload, now_ms))
        except sqlite3.Error as error:
            raise QueueUnavailable("the task could not be queued") from error
        lane.wake.set()

    async def depths(self) -> Mapping[str, int]:
        """How many tasks each queue has, those being delivered and those not yet due included."""
        return dict.fromkeys(self._lanes, 0) | await self._database.read_in_thread(table.depths)

    def running(self) -> Mapping[str, int]:
        """How many tasks of each queue are being delivered."""
        return {name: len(lane.held) for name, lane in self._lanes.items()}

    async def run(self, deliver: Deliver) -> None:
        """Deliver tasks until `stop` is called; cancelled, it drops what is being delivered.

        A handler that runs past the queue's deadline is not stopped: as with Cloud Tasks, nobody
        listens to it any more, its place is free, and the task is delivered again after a backoff.
        """
        assert self._ended.is_set(), "the dispatcher runs already"
        self._ended.clear()
        pumps = [asyncio.create_task(self._pump(lane, deliver)) for lane in self._lanes.values()]
        purge = asyncio.create_task(self._purge())
        try:
            await asyncio.gather(*pumps)
            if running := self._attempts | self._handlers:
                await asyncio.wait(running, timeout=self._grace_seconds)
        finally:
            rest = [*pumps, purge, *self._attempts, *self._handlers]
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
            self._stopping = False
            self._ended.set()

    async def stop(self, grace_seconds: float = STOP_SECONDS) -> None:
        """Begin no delivery, wait for those that run but not longer than `grace_seconds`, then drop
        the rest: they will be delivered again at the next start."""
        self._grace_seconds = grace_seconds
        self._stopping = True
        for lane in self._lanes.values():
            lane.wake.set()
        await self._ended.wait()

    async def _pump(self, lane: "_Lane", deliver: Deliver) -> None:
        while not self._stopping:
            lane.wake.clear()
            try:
                pause_ms = self._start_due(lane, deliver)
            except Exception:  # noqa: BLE001 - a dispatcher outlives whatever one look meets
                _log.exception("the tasks of %s could not be begun", lane.spec.name)
                pause_ms = POLL_MS
            await lane.sleep(pause_ms)

    def _start_due(self, lane: "_Lane", deliver: Deliver) -> int:
        """Begin as many deliveries as may be; for how long there is nothing more to do."""
        now_ms = self._clock.now_ms()
        room = lane.room()
        if room == 0:
            return lane.pause_ms()
        name, held = lane.spec.name, lane.held
        found = self._database.read(lambda c: table.due(c, name, now_ms, room + len(held)))
        rows = [row for row in found if row.number not in held][:room]
        if rows:
            lane.take(rows)
            self._begin(self._count_attempts([row.number for row in rows]))
            for row in rows:
                self._begin(self._attempt(lane, row, deliver))
        if len(rows) == room:
            return lane.pause_ms()
        next_ms = self._database.read(lambda c: table.next_due_ms(c, name, now_ms))
        return POLL_MS if next_ms is None else min(POLL_MS, next_ms - now_ms)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        attempt = asyncio.create_task(work)
        self._attempts.add(attempt)
        attempt.add_done_callback(self._attempts.discard)

    async def _count_attempts(self, numbers: Sequence[int]) -> None:
        """Nobody waits for this: a count that a crash loses is one more delivery, no less."""
        try:
            await self._database.write(lambda c: table.count_attempts(c, numbers))
        except sqlite3.Error:
            _log.exception("%d attempts were not counted", len(numbers))

    async def _attempt(self, lane: "_Lane", row: Waiting, deliver: Deliver) -> None:
        """One delivery and its consequence. The place is taken until that is durable."""
        spec = lane.spec
        try:
            if row.attempts >= spec.max_attempts:
                _log.error("%s was given up, it ended the process", _spelled(row))
                await self._end(row)
                return
            verdict = await self._deliver(spec, row, deliver)
            if verdict == "again" and row.attempts + 1 < spec.max_attempts:
                due_ms = self._clock.now_ms() + backoff_ms(spec, row.attempts + 1)
                await self._database.write(lambda c: table.postpone(c, row.number, due_ms))
                return
            if verdict == "again":
                _log.error("%s was given up after %d attempts", _spelled(row), spec.max_attempts)
            elif verdict == "final":
                _log.warning("%s can never work", _spelled(row))
            await self._end(row)
        except sqlite3.Error:
            _log.exception("the end of %s was not noted, it will be repeated", _spelled(row))
            await asyncio.sleep(spec.min_backoff_seconds)
        finally:
            lane.release(row)

    async def _deliver(self, spec: QueueSpec, row: Waiting, deliver: Deliver) -> Verdict:
        async def call() -> Verdict:
            return await deliver(row.task)

        handler = asyncio.create_task(call())
        self._handlers.add(handler)
        handler.add_done_callback(self._handlers.discard)
        await asyncio.wait({handler}, timeout=spec.dispatch_deadline_seconds)
        if not handler.done():
            _log.warning("%s is over its deadline and runs on unheard", _spelled(row))
            handler.add_done_callback(lambda late: _failed(late, row))
            return "again"
        return "again" if _failed(handler, row) else handler.result()

    async def _end(self, row: Waiting) -> None:
        free_ms = self._clock.now_ms() + KEY_TAKEN_MS
        await self._database.write(lambda c: table.end(c, row, free_ms))

    async def _purge(self) -> None:
        """Free the keys of tasks that ended long ago."""
        while True:
            now_ms = self._clock.now_ms()
            try:
                freed = await self._database.write(
                    lambda c: table.free_keys(c, now_ms, PURGE_KEYS_MAX)  # noqa: B023
                )
            except sqlite3.Error:
                _log.exception("old keys were not freed")
                freed = 0
            await asyncio.sleep(0 if freed == PURGE_KEYS_MAX else PURGE_SECONDS)


class _Lane:
    """What one queue is doing: the tasks being delivered, and how many more may begin now."""

    def __init__(self, spec: QueueSpec, clock: Clock) -> None:
        self.spec = spec
        self.wake = asyncio.Event()
        self.held: set[int] = set()
        self._clock = clock
        self._burst = max(1.0, spec.max_dispatches_per_second / 5)
        self._tokens = self._burst
        self._counted_ms = clock.monotonic_ms()

    def room(self) -> int:
        now_ms = self._clock.monotonic_ms()
        earned = (now_ms - self._counted_ms) * self.spec.max_dispatches_per_second / 1000
        self._tokens = min(self._burst, self._tokens + earned)
        self._counted_ms = now_ms
        free = self.spec.max_concurrent_dispatches - len(self.held)
        return min(STARTS_MAX, free, int(self._tokens))

    def take(self, rows: Sequence[Waiting]) -> None:
        self._tokens -= len(rows)
        self.held.update(row.number for row in rows)

    def release(self, row: Waiting) -> None:
        self.held.discard(row.number)
        self.wake.set()

    def pause_ms(self) -> int:
        """How long until more may begin, if more is due; an end wakes the lane before."""
        if len(self.held) >= self.spec.max_concurrent_dispatches:
            return POLL_MS
        missing = 1 - self._tokens
        if missing <= 0:
            return 0
        return math.ceil(missing * 1000 / self.spec.max_dispatches_per_second)

    async def sleep(self, pause_ms: int) -> None:
        if pause_ms <= 0:
            await asyncio.sleep(0)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_ms / 1000):
                await self.wake.wait()


def backoff_ms(spec: QueueSpec, attempts: int) -> int:
    """How long to wait after so many failed attempts: doubling, within the bounds of the queue."""
    doubled = spec.min_backoff_seconds * 2.0 ** min(attempts - 1, 60)
    return math.ceil(1000 * min(spec.max_backoff_seconds, doubled))


def _failed(handler: asyncio.Task[Verdict], row: Waiting) -> bool:
    """Whether it gave no verdict; the log is told why."""
    if handler.cancelled():
        _log.warning("%s was cancelled", _spelled(row))
        return True
    if error := handler.exception():
        _log.error("%s failed", _spelled(row), exc_info=error)
        return True
    return False


def _spelled(row: Waiting) -> str:
    return f"task {row.task.name} {row.task.key} of {row.task.queue}"
