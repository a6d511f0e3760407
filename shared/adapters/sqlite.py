"""One SQLite file that the store and the queue share: durable group commits, reads that never wait.

`await database.write(step)` hands `step(connection)` to the one writer thread. The thread takes
all steps that wait, runs each in its own savepoint (one that raises is rolled back alone), commits
once, and only then answers: what was acknowledged survives `kill -9` and a power cut. Under load
the disk is synced once per batch, not once per step.
"""

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

_log = logging.getLogger(__name__)

T = TypeVar("T")
Step = Callable[[sqlite3.Connection], T]

BUSY_TIMEOUT_SECONDS = 5.0
BATCH_STEPS_MAX = 256
CACHED_STATEMENTS_MAX = 512
PAGE_CACHE_KIB = 16_384


@dataclass(slots=True)
class _Request:
    """A step that waits for the writer, and what became of it."""

    step: Step[Any]
    answer: asyncio.Future[Any]
    value: Any = None
    error: BaseException | None = None


class Database:
    """The file. One event loop may write and read through one value; other processes may have their
    own on the same file."""

    def __init__(self, path: Path) -> None:
        """Open or create the file, durable and in WAL mode."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = _connect(path)
        self._reader = _connect(path, reads_only=True)
        self._slow_reader = _connect(path, reads_only=True)
        self._slow_reads = ThreadPoolExecutor(1, thread_name_prefix="sqlite-reader")
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._write_all, name="sqlite-writer", daemon=True)
        self._thread.start()
        self._closed = False

    def define(self, statements: Iterable[str]) -> None:
        """Run idempotent definitions (CREATE … IF NOT EXISTS) in one commit, before any write."""
        with contextlib.closing(_connect(self.path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for statement in statements:
                connection.execute(statement)
            connection.execute("COMMIT")

    async def write(self, step: Step[T]) -> T:
        """Run `step` in the writer thread and return its result once it is durable.

        Raises what `step` raises, which then changed nothing, and `sqlite3.Error` when the commit
        failed or cannot be known to have happened. A step that has begun outlives its caller.
        """
        self._assert_usable()
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._requests.put(_Request(step, answer))
        return await answer

    def read(self, step: Step[T]) -> T:
        """Run a small read of committed data here, on the loop's thread.

        A point read takes 5 to 20 µs in the page cache. A hop to a thread and back takes several
        times that and two switches of the interpreter lock, so waiting for one would be slower for
        everybody, not only for the caller. WAL readers do not wait for the writer.
        """
        assert not self._closed, "the database is closed"
        return step(self._reader)

    async def read_in_thread(self, step: Step[T]) -> T:
        """Run a read that may be long where it does not hold up the loop."""
        self._assert_usable()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._slow_reads, step, self._slow_reader)

    async def close(self) -> None:
        """Finish what was accepted, accept nothing more, and let go of the file."""
        if self._closed:
            return
        self._closed = True
        self._requests.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._slow_reads.shutdown)
        # Closed last, the writer folds the log into the file.
        for connection in (self._slow_reader, self._reader, self._writer):
            connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _assert_usable(self) -> None:
        assert not self._closed, "the database is closed"
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        assert self._loop is loop, "a database belongs to the first event loop that used it"

    # ------------------------------------------------------------ in the writer thread

    def _write_all(self) -> None:
        while True:
            batch, last = self._take()
            if batch:
                try:
                    _commit(self._writer, batch)
                except Exception as error:  # noqa: BLE001 - each caller of the batch will see it
                    _log.exception("a batch of %d steps was not committed", len(batch))
                    for request in batch:
                        request.error = error
                self._wake(batch)
            if last:
                return

    def _take(self) -> tuple[list[_Request], bool]:
        """Wait for a step, then take all that wait; True with the last ones."""
        batch: list[_Request] = []
        first = self._requests.get()
        while first is not None:
            # A caller that gave up before its step began wants nothing done.
            if not first.answer.cancelled():
                batch.append(first)
            if len(batch) == BATCH_STEPS_MAX:
                return batch, False
            try:
                first = self._requests.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _wake(self, batch: list[_Request]) -> None:
        assert self._loop
        try:
            self._loop.call_soon_threadsafe(_answer, batch)
        except RuntimeError:
            _log.warning("the event loop ended before %d commits were acknowledged", len(batch))


def _commit(connection: sqlite3.Connection, batch: list[_Request]) -> None:
    try:
        connection.execute("BEGIN IMMEDIATE")
        for request in batch:
            _run(connection, request)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _run(connection: sqlite3.Connection, request: _Request) -> None:
    connection.execute("SAVEPOINT step")
    try:
        request.value = request.step(connection)
    except BaseException as error:  # it belongs to the caller, who will see it
        if not connection.in_transaction:
            raise sqlite3.OperationalError("SQLite ended the whole batch") from error
        connection.execute("ROLLBACK TO step")
        # A future cannot carry StopIteration.
        request.error = RuntimeError(repr(error)) if isinstance(error, StopIteration) else error
    connection.execute("RELEASE step")


def _answer(batch: list[_Request]) -> None:
    """Back on the loop, once per batch."""
    for request in batch:
        if request.answer.done():
            continue
        if request.error is None:
            request.answer.set_result(request.value)
        else:
            request.answer.set_exception(request.error)


def _connect(path: Path, *, reads_only: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT_SECONDS,
        isolation_level=None,
        check_same_thread=False,  # opened here, then each is used by one thread at a time
        cached_statements=CACHED_STATEMENTS_MAX,
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # macOS: through the drive's cache too
    connection.execute(f"PRAGMA cache_size = -{PAGE_CACHE_KIB}")
    if reads_only:
        connection.execute("PRAGMA query_only = ON")
    return connection
