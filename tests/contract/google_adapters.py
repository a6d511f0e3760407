"""The Google adapters of the ports, on emulators, for the same suites."""

import asyncio
import contextlib
import functools
import json
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.emulators.cloud_tasks_identity import Identity, make_key
from infra.emulators.cloud_tasks_rules import queues_of
from infra.emulators.cloud_tasks_server import CloudTasks, cloud_tasks
from shared.adapters.queue.cloud_tasks import CloudTasksQueue
from shared.adapters.queue.cloud_tasks_creation import task_id
from shared.adapters.queue.cloud_tasks_rest import CloudTasksRest
from shared.adapters.store.firestore import FirestoreStore
from shared.ports import Queue, Task
from tests import emulators
from tests.contract.adapters import INDEXES, QUEUES, Handler, QueueStage, StoreStage, serving

# ---------------------------------------------------------------- store


class CountingInterceptor(grpc.aio.UnaryUnaryClientInterceptor):
    """Counts commits, and on demand lets one land and loses its reply."""

    def __init__(self) -> None:
        self.loses_next = False
        self.commits = 0

    async def intercept_unary_unary(
        self, continuation: Callable[..., Any], details: Any, request: Any
    ) -> Any:
        """Pass the call on."""
        call = await continuation(details, request)
        self.commits += 1
        if self.loses_next:
            self.loses_next = False
            await call
            raise grpc.aio.AioRpcError(
                grpc.StatusCode.UNAVAILABLE,
                grpc.aio.Metadata(),
                grpc.aio.Metadata(),
                "the reply was lost",
            )
        return call


@contextlib.asynccontextmanager
async def firestore_store(_folder: Path) -> AsyncIterator[StoreStage]:
    """Firestore, in a project of its own."""
    interceptor = CountingInterceptor()
    store = FirestoreStore(
        f"test-{secrets.token_hex(6)}",
        indexes=INDEXES,
        emulator=emulators.firestore(),
        interceptors=[interceptor],
    )

    def lose_next_reply() -> None:
        interceptor.loses_next = True

    try:
        yield StoreStage(store, lose_next_reply)
    finally:
        await store.close()


STORES = {"firestore": firestore_store}

# ---------------------------------------------------------------- queue

PROJECT, REGION = "test", "us-central1"
SERVICE_ACCOUNT = "queue@test.iam.gserviceaccount.com"

Connect = Callable[[CloudTasks, str], CloudTasksQueue | CloudTasksRest]


@functools.cache
def identity() -> Identity:
    """One key for the run: making one takes a while."""
    return Identity(make_key())


class CloudTasksStage(QueueStage):
    """Cloud Tasks, paused until delivery starts, and a worker that answers as ours does.

    Where Google's rule is not the port's: every answer but 2xx is tried again, so a final verdict
    is answered 200, see decision 6.
    """

    def __init__(self, folder: Path, connect: Connect) -> None:
        self._data = folder / "cloud_tasks.db"
        self._connect = connect
        self._keys: dict[str, str] = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._address = self._listener.getsockname()
        self._handling: set[asyncio.Task[Response]] = set()
        self._worker = contextlib.AsyncExitStack()
        self._running = contextlib.AsyncExitStack()

    async def open(self) -> None:
        """Start Cloud Tasks from what the file holds."""
        emulator = await self._running.enter_async_context(cloud_tasks(identity(), self._data))
        self._queues = emulator.queues
        self._paths = []
        for queue in queues_of(PROJECT, REGION, QUEUES):
            self._queues.update_queue(queue)
            self._queues.pause_queue(queue.name)
            self._paths.append(queue.name)
        worker_url = f"http://127.0.0.1:{self._address[1]}"
        adapter = self._connect(emulator, worker_url)
        self._running.push_async_callback(adapter.close)
        self.queue = _Noting(adapter, self._keys)

    async def start_delivery(self, handler: Handler) -> None:
        async def handle(request: Request) -> Response:
            handling = asyncio.create_task(self._answer(handler, request))
            self._handling.add(handling)
            handling.add_done_callback(self._handling.discard)
            return await handling

        app = Starlette(routes=[Route("/tasks/{name}", handle, methods=["POST"])])
        await self._worker.enter_async_context(serving(app, self._listener))
        for path in self._paths:
            self._queues.resume_queue(path)

    async def _answer(self, handler: Handler, request: Request) -> Response:
        headers = request.headers
        assert headers["content-type"] == "application/json"
        assert headers["authorization"].startswith("Bearer ")
        queue, key = (headers[f"x-cloudtasks-{name}"] for name in ("queuename", "taskname"))
        payload = json.loads(await request.body())
        task = Task(request.path_params["name"], self._keys[key], payload, queue)
        try:
            verdict = await handler(task)
        except Exception:  # noqa: BLE001  # a bug of a handler is a 500, as from our functions
            verdict = "again"
        return Response(status_code=500 if verdict == "again" else 200)

    async def crash(self) -> None:
        await self._stop()
        self._listener = socket.create_server(self._address)
        await self.open()

    async def close(self) -> None:
        """Stop everything."""
        await self._stop()

    async def _stop(self) -> None:
        await self._running.aclose()
        for handling in self._handling:
            handling.cancel()
        await self._worker.aclose()
        self._listener.close()


class _Noting:
    """A queue that remembers which key became which task id, since only that is delivered."""

    def __init__(self, queue: Queue, keys: dict[str, str]) -> None:
        self._queue = queue
        self._keys = keys

    async def push(self, task: Task) -> None:
        """See the port."""
        self._keys[task_id(task.key)] = task.key
        await self._queue.push(task)


def _over_grpc(emulator: CloudTasks, worker_url: str) -> CloudTasksQueue:
    return CloudTasksQueue(
        *(PROJECT, REGION, QUEUES, worker_url, SERVICE_ACCOUNT), emulator=emulator.address
    )


def _over_rest(emulator: CloudTasks, worker_url: str) -> CloudTasksRest:
    return CloudTasksRest(
        *(PROJECT, REGION, QUEUES, worker_url, SERVICE_ACCOUNT), emulator=emulator.http_address
    )


@contextlib.asynccontextmanager
async def _cloud_tasks_queue(connect: Connect, folder: Path) -> AsyncIterator[QueueStage]:
    stage = CloudTasksStage(folder, connect)
    await stage.open()
    try:
        yield stage
    finally:
        await stage.close()


QUEUE_STAGES: dict[str, Callable[[Path], contextlib.AbstractAsyncContextManager[QueueStage]]] = {
    "cloud_tasks": functools.partial(_cloud_tasks_queue, _over_grpc),
    "cloud_tasks_rest": functools.partial(_cloud_tasks_queue, _over_rest),
}
