"""Each adapter of the store, queue and blobs ports, set up for its contract suite.

A suite asks for a stage: the port, and the few things that a test must be able to do from outside.
Another adapter joins the suites by adding its own context manager to the table of its port.
"""

import asyncio
import contextlib
import socket
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from shared.adapters.blobs.folder import FolderBlobs
from shared.adapters.blobs.folder_http import folder_routes
from shared.adapters.queue.embedded import EmbeddedQueue
from shared.adapters.sqlite import Database, Step, T
from shared.adapters.store.sqlite import SqliteStore
from shared.adapters.system import SystemClock
from shared.ports import Blobs, Order, Queue, QueueSpec, Store, Task, Verdict
from shared.records import Index

SECRET = b"a secret for the tests alone"
ORIGIN = "https://studio.example"

# ---------------------------------------------------------------- store


@dataclass(frozen=True, slots=True)
class StoreStage:
    """A store with the suite's indexes. After `lose_next_reply` the next commit is durable and its
    caller is told that it failed."""

    store: Store
    lose_next_reply: Callable[[], None]


INDEXES = (
    Index("animals", (Order("kind"), Order("legs"))),
    Index("animals", (Order("kind"), Order("legs", descending=True))),
    Index("animals", (Order("kind"), Order("legs"), Order("name", descending=True))),
    Index("animals", (Order("legs"), Order("name"))),
)


class _LossyDatabase(Database):
    """Loses replies on demand."""

    loses_next = False

    async def write(self, step: Step[T]) -> T:
        answer = await super().write(step)
        if self.loses_next:
            self.loses_next = False
            raise sqlite3.OperationalError("the reply was lost")
        return answer


@contextlib.asynccontextmanager
async def sqlite_store(folder: Path) -> AsyncIterator[StoreStage]:
    """The embedded store."""
    async with _LossyDatabase(folder / "reelmint.db") as database:
        yield StoreStage(
            SqliteStore(database, INDEXES), lambda: setattr(database, "loses_next", True)
        )


STORES = {"sqlite": sqlite_store}

# ---------------------------------------------------------------- queue

Handler = Callable[[Task], Awaitable[Verdict]]

_BACKOFF = {"min_backoff_seconds": 0.05, "max_backoff_seconds": 0.2}
QUEUES = (
    QueueSpec("wide", 100, max_attempts=5, **_BACKOFF),
    QueueSpec("narrow", 5, max_attempts=5, **_BACKOFF),
)


class QueueStage:
    """A queue with the suite's specs, and its delivery, which can be started and can crash."""

    queue: Queue

    async def start_delivery(self, handler: Handler) -> None:
        """Call `handler` with every task that is due, from now on."""
        raise NotImplementedError

    async def crash(self) -> None:
        """Stop at once whatever delivers or is being delivered. `queue` is a new one afterwards."""
        raise NotImplementedError


class EmbeddedStage(QueueStage):
    """The embedded queue."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open()

    def _open(self) -> None:
        self._database = Database(self._path)
        self._embedded = EmbeddedQueue(self._database, QUEUES, SystemClock())
        self._running: asyncio.Task[None] | None = None
        self.queue = self._embedded

    async def start_delivery(self, handler: Handler) -> None:
        self._running = asyncio.create_task(self._embedded.run(handler))

    async def crash(self) -> None:
        await self.close()
        self._open()

    async def close(self) -> None:
        if self._running:
            self._running.cancel()
            await asyncio.wait({self._running})
        await self._database.close()


@contextlib.asynccontextmanager
async def embedded_queue(folder: Path) -> AsyncIterator[QueueStage]:
    """The embedded queue."""
    stage = EmbeddedStage(folder / "reelmint.db")
    try:
        yield stage
    finally:
        await stage.close()


QUEUE_STAGES = {"embedded": embedded_queue}

# ---------------------------------------------------------------- blobs


@contextlib.asynccontextmanager
async def folder_blobs(folder: Path) -> AsyncIterator[Blobs]:
    """The folder, with its HTTP face on a port of this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        blobs = FolderBlobs(folder, base_url=base_url, secret=SECRET, clock=SystemClock())
        async with serving(Starlette(routes=folder_routes(blobs, [ORIGIN])), listener):
            yield blobs


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    """Serve an app on a socket for a while."""
    config = uvicorn.Config(app, lifespan="off", ws="none", log_level="warning")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        assert not running.done()
        await asyncio.sleep(0.005)
    try:
        yield
    finally:
        server.should_exit = True
        await running


BLOB_STAGES = {"folder": folder_blobs}
