"""A Cloud Tasks stand-in, the official client, and a worker that remembers what it was sent."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import grpc.aio
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcAsyncIOTransport
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.emulators.cloud_tasks_server import CloudTasks, cloud_tasks
from tests.contract.adapters import serving
from tests.contract.google_adapters import identity

PLACE = "projects/test/locations/us-central1"
QUEUE = f"{PLACE}/queues/check"
PATIENCE_SECONDS = 20.0
# The official client. It takes dictionaries for messages, and its types do not know that.
Client: TypeAlias = Any


@dataclass(slots=True)
class Worker:
    """Answers 200, or what `statuses` hold first; `hold` keeps the answers back."""

    url: str
    statuses: list[int] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    running: int = 0
    most: int = 0

    async def answer(self, request: Request) -> Response:
        self.requests.append(request)
        self.seconds.append(asyncio.get_running_loop().time())
        self.bodies.append(await request.body())
        status = self.statuses.pop(0) if self.statuses else 200
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.released.wait()
        finally:
            self.running -= 1
        return Response(status_code=status)

    def ids(self) -> list[str]:
        """The task ids that arrived."""
        return [request.headers["x-cloudtasks-taskname"] for request in self.requests]


@contextlib.asynccontextmanager
async def working() -> AsyncIterator[Worker]:
    """A worker on a port of its own, which answers at once unless `released` is cleared."""
    listener = socket.create_server(("127.0.0.1", 0))
    worker = Worker(f"http://127.0.0.1:{listener.getsockname()[1]}")
    worker.released.set()
    routes = [Route("/{path:path}", worker.answer, methods=["POST", "PUT"])]
    async with serving(Starlette(routes=routes), listener):
        try:
            yield worker
        finally:
            worker.released.set()


@contextlib.asynccontextmanager
async def official(
    data: Path | None = None, **options: Any
) -> AsyncIterator[tuple[Client, CloudTasks]]:
    """A stand-in and the official client on it."""
    async with (
        cloud_tasks(identity(), data, **options) as running,
        grpc.aio.insecure_channel(running.address) as channel,
    ):
        transport = CloudTasksGrpcAsyncIOTransport(channel=channel)
        yield tasks_v2.CloudTasksAsyncClient(transport=transport), running


def task(worker: Worker, task_id: str = "", **others: Any) -> dict[str, Any]:
    """A task that calls the worker."""
    call = {"url": f"{worker.url}/tasks/settle", "body": b"{}", **others.pop("http_request", {})}
    named = {"name": f"{QUEUE}/tasks/{task_id}"} if task_id else {}
    return {**named, "http_request": call, **others}


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that has no event."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - the other side knows of no event
            await asyncio.sleep(0.005)
