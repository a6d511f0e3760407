"""What both Cloud Tasks adapters do when Cloud Tasks is slow, lost, refuses, or was restarted."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.emulators.cloud_tasks_http import web
from infra.emulators.cloud_tasks_rules import queues_of
from infra.emulators.cloud_tasks_server import CloudTasks, cloud_tasks
from shared.adapters.queue.cloud_tasks import CloudTasksQueue
from shared.adapters.queue.cloud_tasks_creation import ATTEMPTS_MAX, task_id
from shared.adapters.queue.cloud_tasks_rest import CloudTasksRest
from shared.errors import QueueUnavailable
from shared.ports import QueueSpec, Task
from tests.contract.adapters import serving
from tests.contract.google_adapters import identity
from tests.product import ROOT, free_port
from tests.unit.cloud_tasks.ground import Worker, until, working

PROJECT, REGION = "test", "us-central1"
ACCOUNT = "queue@test.iam.gserviceaccount.com"
SPECS = (QueueSpec("check", 100, min_backoff_seconds=0.05), QueueSpec("missing", 1))
PATH = f"projects/{PROJECT}/locations/{REGION}/queues/check"
Adapter = CloudTasksQueue | CloudTasksRest


class Faults:
    """What happens to the next creations: `lost`, they are done and the answer is not heard;
    `refused`, they are answered with this status and not done."""

    def __init__(self) -> None:
        self.lost = 0
        self.refused: list[grpc.StatusCode] = []
        self.asked = 0


class GrpcFaults(grpc.aio.UnaryUnaryClientInterceptor):
    """Faults between the gRPC adapter and Cloud Tasks."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    async def intercept_unary_unary(
        self, continuation: Callable[..., Any], details: Any, request: Any
    ) -> Any:
        """Pass the call on, or not."""
        faults = self._faults
        faults.asked += 1
        if faults.refused:
            raise _error(faults.refused.pop(0))
        call = await continuation(details, request)
        if faults.lost:
            faults.lost -= 1
            with contextlib.suppress(grpc.aio.AioRpcError):
                await call
            raise _error(grpc.StatusCode.UNAVAILABLE)
        return call


def _error(status: grpc.StatusCode) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(status, grpc.aio.Metadata(), grpc.aio.Metadata(), "a fault")


HTTP_STATUS = {
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403,
}


def http_faults(app: ASGIApp, faults: Faults) -> ASGIApp:
    """Faults between the REST adapter and Cloud Tasks."""

    async def edge(scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].endswith("/tasks"):
            await app(scope, receive, send)
            return
        faults.asked += 1
        if faults.refused:
            status = faults.refused.pop(0)
            await _answer(send, HTTP_STATUS[status], {"error": {"status": status.name}})
        elif faults.lost:
            faults.lost -= 1
            await app(scope, receive, _unheard)
            await _answer(send, 502, {})
        else:
            await app(scope, receive, send)

    return edge


async def _unheard(_message: Message) -> None:
    await asyncio.sleep(0)


async def _answer(send: Send, status: int, body: Any) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


class Ground:
    """One adapter, its Cloud Tasks, and the worker that the tasks call."""

    def __init__(self, adapter: Adapter, running: CloudTasks, worker: Worker) -> None:
        self.adapter = adapter
        self.running = running
        self.worker = worker
        self.faults = Faults()

    async def push(self, key: str, queue: str = "check", **payload: Any) -> None:
        await self.adapter.push(Task("check_job", key, payload, queue))


@pytest.fixture(params=["grpc", "rest"])
async def ground(request: pytest.FixtureRequest) -> AsyncIterator[Ground]:
    async with working() as worker, cloud_tasks(identity()) as running:
        running.queues.create_queue(queues_of(PROJECT, REGION, SPECS)[0])
        faults = Faults()
        listener = socket.create_server(("127.0.0.1", 0))
        front = http_faults(web(running.queues, identity()), faults)
        async with serving(front, listener):
            wanted = (PROJECT, REGION, SPECS, worker.url, ACCOUNT)
            adapter: Adapter
            if request.param == "grpc":
                interceptors = [GrpcFaults(faults)]
                adapter = CloudTasksQueue(
                    *wanted, emulator=running.address, interceptors=interceptors
                )
            else:
                address = f"127.0.0.1:{listener.getsockname()[1]}"
                adapter = CloudTasksRest(*wanted, emulator=address)
            made = Ground(adapter, running, worker)
            made.faults = faults
            yield made
            await adapter.close()


async def test_a_task_is_created_as_it_should_be_called(ground: Ground) -> None:
    ground.running.queues.pause_queue(PATH)
    at_ms = int(time.time() * 1000) + 60_250
    await ground.adapter.push(Task("check_job", "k", {"text": "да"}, "check", at_ms))
    (made,) = ground.running.queues.list_tasks(PATH)
    call = made.http_request
    assert made.name == f"{PATH}/tasks/k"
    assert made.schedule_time.ToMilliseconds() == at_ms
    assert made.dispatch_deadline.ToSeconds() == 60
    assert call.url == f"{ground.worker.url}/tasks/check_job"
    assert json.loads(call.body) == {"text": "да"}
    assert call.headers["Content-Type"] == "application/json"
    assert call.oidc_token.service_account_email == ACCOUNT
    assert call.oidc_token.audience == ground.worker.url


async def test_a_lost_reply_is_asked_for_again_and_makes_one_task(ground: Ground) -> None:
    ground.faults.lost = 2
    await ground.push("once")
    assert ground.faults.asked == 3
    await until(lambda: ground.worker.ids() == ["once"])
    await asyncio.sleep(0.1)
    assert ground.worker.ids() == ["once"]


@pytest.mark.parametrize(
    "status",
    [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.ABORTED,
    ],
)
async def test_a_passing_fault_is_outlasted(ground: Ground, status: grpc.StatusCode) -> None:
    ground.faults.refused = [status] * (ATTEMPTS_MAX - 1)
    await ground.push("a")
    await until(lambda: ground.worker.ids() == ["a"])


async def test_a_fault_that_does_not_pass_ends_in_so_many_attempts(ground: Ground) -> None:
    ground.faults.refused = [grpc.StatusCode.UNAVAILABLE] * 100
    with pytest.raises(QueueUnavailable):
        await ground.push("a")
    assert ground.faults.asked == ATTEMPTS_MAX


async def test_a_refusal_is_not_asked_again(ground: Ground) -> None:
    ground.faults.refused = [grpc.StatusCode.PERMISSION_DENIED]
    with pytest.raises(QueueUnavailable):
        await ground.push("a")
    assert ground.faults.asked == 1


async def test_a_queue_that_nobody_made_is_a_queue_that_is_not_there(ground: Ground) -> None:
    with pytest.raises(QueueUnavailable):
        await ground.push("a", "missing")
    assert ground.faults.asked == 1


async def test_many_pushes_at_once_all_arrive(ground: Ground) -> None:
    await asyncio.gather(*(ground.push(f"t{n}") for n in range(100)))
    await until(lambda: len(set(ground.worker.ids())) == 100)


# ---------------------------------------------------------------- Cloud Tasks comes and goes


def adapters_at(port: int, http_port: int, worker_url: str) -> list[Adapter]:
    wanted = (PROJECT, REGION, SPECS, worker_url, ACCOUNT)
    return [
        CloudTasksQueue(*wanted, emulator=f"127.0.0.1:{port}"),
        CloudTasksRest(*wanted, emulator=f"127.0.0.1:{http_port}"),
    ]


async def test_pushes_fail_soon_while_it_is_away_and_work_when_it_is_back(tmp_path: Path) -> None:
    port, http_port = free_port(), free_port()
    options: dict[str, Any] = {
        "data": tmp_path / "tasks.db",
        "port": port,
        "http_port": http_port,
    }
    async with working() as worker, contextlib.AsyncExitStack() as stack:
        adapters = adapters_at(port, http_port, worker.url)
        for adapter in adapters:
            stack.push_async_callback(adapter.close)
        async with cloud_tasks(identity(), **options) as running:
            running.queues.create_queue(queues_of(PROJECT, REGION, SPECS)[0])
            for n, adapter in enumerate(adapters):
                await adapter.push(Task("check_job", f"before{n}", {}, "check"))
        for adapter in adapters:
            begun = time.monotonic()
            with pytest.raises(QueueUnavailable):
                await adapter.push(Task("check_job", "during", {}, "check"))
            assert time.monotonic() - begun < 8
        async with cloud_tasks(identity(), **options):
            for n, adapter in enumerate(adapters):
                await _push_when_back(adapter, Task("check_job", f"after{n}", {}, "check"))
            expected = {"before0", "before1", "after0", "after1"}
            await until(lambda: set(worker.ids()) == expected)


async def _push_when_back(adapter: Adapter, task: Task) -> None:
    """The access token of before is not known any more, and the gRPC channel waits a moment."""
    async with asyncio.timeout(15):
        while True:
            try:
                await adapter.push(task)
                return
            except QueueUnavailable:
                await asyncio.sleep(0.1)


# ---------------------------------------------------------------- names and start


def test_a_key_is_its_own_name_where_cloud_tasks_takes_it() -> None:
    assert task_id("0f-a_Z") == "0f-a_Z"
    odd = [task_id(key) for key in ("job:1", "job:2", "a b", "да", "k" * 501)]
    assert len(set(odd)) == 5
    assert all(name.startswith("key-") and len(name) == 68 for name in odd)


@pytest.mark.parametrize("seconds", [1.0, 14.9, 1_801.0])
def test_a_deadline_that_cloud_tasks_does_not_take_is_noticed_at_once(seconds: float) -> None:
    spec = QueueSpec("check", 1, dispatch_deadline_seconds=seconds)
    with pytest.raises(AssertionError):
        CloudTasksRest(PROJECT, REGION, [spec], "http://x", ACCOUNT)


def test_the_light_adapter_loads_neither_grpc_nor_the_google_libraries() -> None:
    asked = (
        "import sys, shared.adapters.queue.cloud_tasks_rest;"
        "print([name for name, module in sys.modules.items() if getattr(module, '__file__', None)"
        " and name.split('.')[0] in ('grpc', 'google')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
