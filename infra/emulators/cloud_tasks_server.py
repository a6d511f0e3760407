"""The Cloud Tasks stand-in inside this process: its queues and both of its faces, on this loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
import uvicorn
from starlette.applications import Starlette

from infra.emulators.cloud_tasks_delivery import Delivery
from infra.emulators.cloud_tasks_grpc import service
from infra.emulators.cloud_tasks_http import web
from infra.emulators.cloud_tasks_identity import Identity
from infra.emulators.cloud_tasks_journal import Journal
from infra.emulators.cloud_tasks_queues import Queues

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class CloudTasks:
    """A running stand-in. `address` speaks gRPC, `http_address` HTTP; both are host and port."""

    address: str
    http_address: str
    queues: Queues
    identity: Identity
    ended: asyncio.Task[None]

    @property
    def keys_url(self) -> str:
        """Where verifiers of its tokens fetch the keys."""
        return f"http://{self.http_address}/certs"


@asynccontextmanager
async def cloud_tasks(
    identity: Identity,
    data: Path | None = None,
    *,
    port: int = 0,
    http_port: int = 0,
    time_scale: float = 1.0,
) -> AsyncIterator[CloudTasks]:
    """Serve until the block ends; what is being delivered then is dropped, and due at the next
    start from the same `data`. Port 0 means a free one."""
    async with contextlib.AsyncExitStack() as stack:
        journal = Journal(data)
        stack.callback(journal.close)
        delivery = await stack.enter_async_context(Delivery(identity, time_scale))
        queues = await stack.enter_async_context(Queues(journal, delivery, time_scale))
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers((service(queues),))
        bound = server.add_insecure_port(f"{HOST}:{port}")
        await server.start()
        stack.push_async_callback(server.stop, None)
        listener = stack.enter_context(socket.create_server((HOST, http_port)))
        http_bound = listener.getsockname()[1]
        ended = await stack.enter_async_context(_serving(web(queues, identity), listener))
        yield CloudTasks(f"{HOST}:{bound}", f"{HOST}:{http_bound}", queues, identity, ended)


@asynccontextmanager
async def _serving(app: Starlette, listener: socket.socket) -> AsyncIterator[asyncio.Task[None]]:
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    ended = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        assert not ended.done(), "the HTTP face did not start"
        await asyncio.sleep(0.005)
    try:
        yield ended
    finally:
        server.should_exit = True
        await asyncio.wait({ended})
