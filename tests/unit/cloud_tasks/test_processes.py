"""The stand-in and the scheduler as processes: killed, started again, and nothing is lost."""

import asyncio
import contextlib
import subprocess
import sys
from pathlib import Path

import jwt
import pytest

from infra.emulators.cloud_tasks import Place, cloud_tasks_emulator
from infra.emulators.cloud_tasks_identity import Identity, read_or_make_key
from shared import catalogue
from shared.adapters.queue.cloud_tasks import CloudTasksQueue
from shared.errors import QueueUnavailable
from shared.ports import Task
from shared.usecases.tasks import CHECK, queue_specs
from tests.product import ROOT, free_port
from tests.unit.cloud_tasks.ground import until, working

ACCOUNT = "queue@test"


async def _push_until_done(queue: CloudTasksQueue, task: Task) -> None:
    """As the sweeper does: what could not be queued is queued later."""
    while True:
        try:
            await queue.push(task)
            return
        except QueueUnavailable:
            await asyncio.sleep(0.2)


async def test_a_restart_under_load_loses_nothing(tmp_path: Path) -> None:
    port, certs_port = free_port(), free_port()

    def emulator() -> contextlib.AbstractContextManager[Place]:
        return cloud_tasks_emulator(
            *("test", "us-central1"),
            data=tmp_path / "tasks.db",
            key=tmp_path / "key.pem",
            port=port,
            certs_port=certs_port,
        )

    wanted = {f"t{n}" for n in range(150)}
    async with working() as worker:
        specs = queue_specs(catalogue.load())
        queue = CloudTasksQueue(
            *("test", "us-central1", specs, worker.url, ACCOUNT), emulator=f"127.0.0.1:{port}"
        )
        context = emulator()
        await asyncio.to_thread(context.__enter__)
        pushes = [
            asyncio.create_task(_push_until_done(queue, Task("check_job", key, {}, CHECK)))
            for key in sorted(wanted)
        ]
        await until(lambda: len(worker.requests) >= 20)
        await asyncio.to_thread(context.__exit__, None, None, None)
        context = emulator()
        await asyncio.to_thread(context.__enter__)
        try:
            await asyncio.gather(*pushes)
            await until(lambda: set(worker.ids()) == wanted)
        finally:
            await queue.close()
            await asyncio.to_thread(context.__exit__, None, None, None)


async def test_the_scheduler_calls_with_a_token_of_the_same_key(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    identity = Identity(read_or_make_key(key))
    async with working() as worker:
        command = [
            *(sys.executable, "-m", "infra.emulators.scheduler", f"{worker.url}/cron/sweep"),
            *("--every", "0.2", "--audience", "https://sweep.example"),
            *("--service-account", "scheduler@test", "--key", str(key)),
        ]
        worker.statuses = [500]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, cwd=ROOT, stdout=quiet) as process:  # noqa: ASYNC220
            await until(lambda: len(worker.requests) >= 3)
            process.terminate()
            assert await asyncio.to_thread(process.wait, 10) == 0
    token = worker.requests[0].headers["authorization"].removeprefix("Bearer ")
    said = jwt.decode(token, identity.key.public_key(), ["RS256"], audience="https://sweep.example")
    assert said["email"] == "scheduler@test"
    assert worker.seconds[2] - worker.seconds[0] >= 0.2


def test_a_key_is_made_once_and_read_by_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "new" / "key.pem"
    first = Identity(read_or_make_key(path))
    assert Identity(read_or_make_key(path)).key_id == first.key_id
    assert path.stat().st_mode & 0o077 == 0
    assert Identity(read_or_make_key(None)).key_id != first.key_id


@pytest.mark.parametrize("module", ["cloud_tasks", "scheduler"])
def test_the_command_line_explains_itself(module: str) -> None:
    command = [sys.executable, "-m", f"infra.emulators.{module}", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "--key" in done.stdout
