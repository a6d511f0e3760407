"""The Cloud Tasks stand-in does what the reference says, to the official client."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2

from infra.emulators.cloud_tasks_rules import backoff_seconds, is_given_up
from tests.unit.cloud_tasks.ground import (
    PLACE,
    QUEUE,
    Client,
    Worker,
    official,
    task,
    until,
    working,
)

State = tasks_v2.Queue.State
QUICK: dict[str, Any] = {
    "min_backoff": timedelta(milliseconds=20),
    "max_backoff": timedelta(milliseconds=50),
    "max_attempts": 4,
}


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    async with working() as worker:
        yield worker


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with official() as (client, _):
        await client.create_queue(parent=PLACE, queue={"name": QUEUE, "retry_config": QUICK})
        yield client


async def waiting(client: Client) -> list[str]:
    found = await client.list_tasks(parent=QUEUE)
    return [each.name.rpartition("/")[2] async for each in found]


# ---------------------------------------------------------------- queues


async def test_a_queue_gets_the_limits_that_were_left_out(client: Client) -> None:
    name = f"{PLACE}/queues/plain"
    queue = await client.create_queue(parent=PLACE, queue={"name": name})
    assert queue.state == State.RUNNING
    assert queue.rate_limits.max_dispatches_per_second == 500
    assert queue.rate_limits.max_concurrent_dispatches == 1_000
    assert queue.retry_config.max_attempts == 100
    assert [each.name async for each in await client.list_queues(parent=PLACE)] == [QUEUE, name]
    await client.delete_queue(name=name)
    with pytest.raises(exceptions.NotFound):
        await client.get_queue(name=name)


@pytest.mark.parametrize(
    "queue",
    [
        {"name": f"{PLACE}/queues/under_score"},
        {"name": "check"},
        {"name": f"{PLACE}/queues/q", "rate_limits": {"max_dispatches_per_second": 501}},
        {"name": f"{PLACE}/queues/q", "rate_limits": {"max_concurrent_dispatches": 5_001}},
    ],
    ids=["name", "path", "rate", "concurrency"],
)
async def test_a_queue_beyond_the_limits_is_refused(client: Client, queue: Any) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        await client.create_queue(parent=PLACE, queue=queue)


async def test_a_queue_is_created_once(client: Client) -> None:
    with pytest.raises(exceptions.AlreadyExists):
        await client.create_queue(parent=PLACE, queue={"name": QUEUE})


async def test_a_paused_queue_keeps_its_tasks_until_it_is_resumed(
    client: Client, worker: Worker
) -> None:
    assert (await client.pause_queue(name=QUEUE)).state == State.PAUSED
    await client.create_task(parent=QUEUE, task=task(worker, "a"))
    await asyncio.sleep(0.2)
    assert worker.ids() == []
    await client.update_queue(queue={"name": QUEUE, "retry_config": QUICK})
    assert (await client.get_queue(name=QUEUE)).state == State.PAUSED
    await client.resume_queue(name=QUEUE)
    await until(lambda: worker.ids() == ["a"])


async def test_a_purged_queue_is_empty(client: Client, worker: Worker) -> None:
    await client.pause_queue(name=QUEUE)
    await client.create_task(parent=QUEUE, task=task(worker, "a"))
    await client.purge_queue(name=QUEUE)
    assert await waiting(client) == []


# ---------------------------------------------------------------- tasks


async def test_a_task_is_there_until_it_is_done(client: Client, worker: Worker) -> None:
    worker.released.clear()
    made = await client.create_task(parent=QUEUE, task=task(worker))
    assert made.name.startswith(f"{QUEUE}/tasks/")
    assert made.http_request.body == b""
    await until(lambda: len(worker.requests) == 1)
    seen = await client.get_task(
        request={"name": made.name, "response_view": tasks_v2.Task.View.FULL}
    )
    assert (seen.http_request.body, seen.dispatch_count) == (b"{}", 1)
    worker.released.set()
    await until(lambda: worker.running == 0)
    await asyncio.sleep(0.1)
    assert await waiting(client) == []
    with pytest.raises(exceptions.NotFound):
        await client.get_task(name=made.name)


@pytest.mark.parametrize("end", ["waits", "runs", "done", "deleted", "given up"])
async def test_a_name_is_taken_before_and_after_the_end_of_its_task(
    client: Client, worker: Worker, end: str
) -> None:
    wanted = task(worker, "once")
    if end in ("waits", "deleted"):
        wanted["schedule_time"] = datetime.now(UTC) + timedelta(hours=1)
    if end == "runs":
        worker.released.clear()
    if end == "given up":
        worker.statuses = [500] * 4
    await client.create_task(parent=QUEUE, task=wanted)
    if end == "deleted":
        await client.delete_task(name=wanted["name"])
    if end == "runs":
        await until(lambda: worker.running == 1)
    if end in ("done", "given up"):
        await until(lambda: len(worker.requests) == (1 if end == "done" else 4))
        await asyncio.sleep(0.1)
    with pytest.raises(exceptions.AlreadyExists):
        await client.create_task(parent=QUEUE, task=task(worker, "once"))
    assert len(await waiting(client)) == (1 if end in ("waits", "runs") else 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": f"{QUEUE}/tasks/a:b"},
        {"name": f"{PLACE}/queues/other/tasks/a"},
        {"http_request": {"url": "ftp://example.com"}},
        {"http_request": {"body": b"x" * 102_401}},
        {"dispatch_deadline": timedelta(seconds=14)},
        {"dispatch_deadline": timedelta(minutes=31)},
        {"schedule_time": datetime.now(UTC) + timedelta(days=31)},
    ],
    ids=["name", "queue", "scheme", "large", "too quick", "too slow", "too late"],
)
async def test_a_task_beyond_the_limits_is_refused(
    client: Client, worker: Worker, wrong: dict[str, Any]
) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        await client.create_task(parent=QUEUE, task=task(worker, **wrong))


async def test_a_task_needs_a_queue(client: Client, worker: Worker) -> None:
    with pytest.raises(exceptions.NotFound):
        await client.create_task(parent=f"{PLACE}/queues/none", task=task(worker))


async def test_run_now_overrules_the_schedule_and_the_pause(client: Client, worker: Worker) -> None:
    wanted = task(worker, "a", schedule_time=datetime.now(UTC) + timedelta(hours=1))
    await client.pause_queue(name=QUEUE)
    await client.create_task(parent=QUEUE, task=wanted)
    await client.run_task(name=wanted["name"])
    await until(lambda: worker.ids() == ["a"])


# ---------------------------------------------------------------- deliveries


async def test_a_delivery_carries_the_request_and_what_cloud_tasks_says_of_it(
    client: Client, worker: Worker
) -> None:
    worker.statuses = [418, 500]
    headers = {"Content-Type": "application/json", "X-Own": "1"}
    call = {"body": b'{"a":1}', "headers": headers, "http_method": tasks_v2.HttpMethod.PUT}
    begun = time.time()
    await client.create_task(parent=QUEUE, task=task(worker, "a", http_request=call))
    await until(lambda: len(worker.requests) == 3)
    first, second, third = worker.requests
    assert worker.bodies == [b'{"a":1}'] * 3
    assert (first.method, first.headers["content-type"], first.headers["x-own"]) == (
        *("PUT", "application/json"),
        "1",
    )
    assert first.headers["user-agent"] == "Google-Cloud-Tasks"
    assert first.headers["x-cloudtasks-queuename"] == "check"
    assert first.headers["x-cloudtasks-taskname"] == "a"
    assert abs(float(first.headers["x-cloudtasks-tasketa"]) - begun) < 2
    assert "x-cloudtasks-taskpreviousresponse" not in first.headers
    counts = ("x-cloudtasks-taskretrycount", "x-cloudtasks-taskexecutioncount")
    said = [tuple(each.headers[name] for name in counts) for each in worker.requests]
    assert said == [("0", "0"), ("1", "1"), ("2", "1")]
    assert second.headers["x-cloudtasks-taskpreviousresponse"] == "418"
    assert third.headers["x-cloudtasks-taskpreviousresponse"] == "500"


async def test_a_token_is_signed_by_the_key_that_the_stand_in_serves(worker: Worker) -> None:
    async with official() as (client, running):
        await client.create_queue(parent=PLACE, queue={"name": QUEUE})
        oidc = {"service_account_email": "queue@test", "audience": "https://run-task.example"}
        await client.create_task(parent=QUEUE, task=task(worker, http_request={"oidc_token": oidc}))
        await until(lambda: len(worker.requests) == 1)
        token = worker.requests[0].headers["authorization"].removeprefix("Bearer ")
        keys = jwt.PyJWKClient(running.keys_url)
        key = await asyncio.to_thread(keys.get_signing_key_from_jwt, token)
    said = jwt.decode(
        *(token, key, ["RS256"]),
        audience="https://run-task.example",
        issuer="https://accounts.google.com",
    )
    assert (said["email"], said["email_verified"]) == ("queue@test", True)


@pytest.mark.parametrize("status", [301, 400, 404, 429, 500, 503])
async def test_every_answer_but_2xx_is_tried_again(
    client: Client, worker: Worker, status: int
) -> None:
    worker.statuses = [status, 204]
    await client.create_task(parent=QUEUE, task=task(worker, "a"))
    await until(lambda: len(worker.requests) == 2)
    await asyncio.sleep(0.15)
    assert len(worker.requests) == 2


async def test_a_worker_that_is_not_there_costs_attempts(client: Client, worker: Worker) -> None:
    nobody = task(worker, "a", http_request={"url": "http://127.0.0.1:9/"})
    await client.create_task(parent=QUEUE, task=nobody)
    async with asyncio.timeout(5):
        while await waiting(client):  # noqa: ASYNC110 - the other side knows of no event
            await asyncio.sleep(0.02)


async def test_an_attempt_over_its_deadline_is_tried_again_though_it_runs_on(
    worker: Worker,
) -> None:
    async with official(time_scale=0.01) as (client, _):
        await client.create_queue(parent=PLACE, queue={"name": QUEUE, "retry_config": QUICK})
        worker.released.clear()
        wanted = task(worker, "slow", dispatch_deadline=timedelta(seconds=15))
        await client.create_task(parent=QUEUE, task=wanted)
        await until(lambda: len(worker.requests) == 2)
        assert worker.seconds[1] - worker.seconds[0] >= 0.14
        worker.released.set()


async def test_a_queue_does_not_start_faster_than_its_rate(client: Client, worker: Worker) -> None:
    limits = {"max_dispatches_per_second": 20}
    await client.update_queue(queue={"name": QUEUE, "rate_limits": limits})
    for n in range(14):
        await client.create_task(parent=QUEUE, task=task(worker, f"t{n}"))
    await until(lambda: len(worker.requests) == 14)
    # The bucket of 4 is empty after the first ones: ten more at 20 a second.
    assert worker.seconds[-1] - worker.seconds[0] >= 0.4


async def test_a_lowered_limit_holds_for_what_begins_after_it(
    client: Client, worker: Worker
) -> None:
    worker.released.clear()
    for n in range(12):
        await client.create_task(parent=QUEUE, task=task(worker, f"t{n}"))
    await until(lambda: worker.running == 12)
    limits = {"max_concurrent_dispatches": 2}
    await client.update_queue(queue={"name": QUEUE, "rate_limits": limits})
    for n in range(12, 20):
        await client.create_task(parent=QUEUE, task=task(worker, f"t{n}"))
    await asyncio.sleep(0.1)
    assert worker.running == 12
    worker.most = 0
    worker.released.set()
    await until(lambda: len(worker.requests) == 20)
    assert worker.most <= 2


# ---------------------------------------------------------------- rules


def retrying(**config: Any) -> Any:
    return tasks_v2.Queue.pb()(retry_config=tasks_v2.RetryConfig.pb(tasks_v2.RetryConfig(**config)))


def test_pauses_double_and_then_grow_evenly() -> None:
    """The example of the reference: RetryConfig.max_doublings."""
    queue = retrying(
        min_backoff=timedelta(seconds=10), max_backoff=timedelta(seconds=300), max_doublings=3
    )
    pauses = [backoff_seconds(queue, attempts) for attempts in range(1, 9)]
    assert pauses == [10, 20, 40, 80, 160, 240, 300, 300]


def test_a_task_is_given_up_when_all_limits_are_reached() -> None:
    count = retrying(max_attempts=3)
    assert [is_given_up(count, n, 0) for n in (2, 3)] == [False, True]
    both = retrying(max_attempts=3, max_retry_duration=timedelta(seconds=60))
    assert [is_given_up(both, *at) for at in ((3, 59), (2, 61), (3, 61))] == [False, False, True]
    unlimited = retrying(max_attempts=-1)
    assert not is_given_up(unlimited, 1_000_000, 1e9)
    lasting = retrying(max_attempts=-1, max_retry_duration=timedelta(seconds=60))
    assert [is_given_up(lasting, 9, s) for s in (59, 61)] == [False, True]


# ---------------------------------------------------------------- restarts


async def test_tasks_names_and_queues_survive_a_restart(tmp_path: Path, worker: Worker) -> None:
    data = tmp_path / "tasks.db"
    async with official(data) as (client, _):
        await client.create_queue(parent=PLACE, queue={"name": QUEUE, "retry_config": QUICK})
        await client.create_task(parent=QUEUE, task=task(worker, "done"))
        await until(lambda: worker.ids() == ["done"])
        await asyncio.sleep(0.1)
        await client.pause_queue(name=QUEUE)
        await client.create_task(parent=QUEUE, task=task(worker, "waits"))
    async with official(data) as (client, _):
        assert (await client.get_queue(name=QUEUE)).state == State.PAUSED
        assert await waiting(client) == ["waits"]
        for taken in ("done", "waits"):
            with pytest.raises(exceptions.AlreadyExists):
                await client.create_task(parent=QUEUE, task=task(worker, taken))
        await client.resume_queue(name=QUEUE)
        await until(lambda: worker.ids() == ["done", "waits"])


async def test_what_was_being_delivered_at_the_end_is_delivered_again(
    tmp_path: Path, worker: Worker
) -> None:
    data = tmp_path / "tasks.db"
    worker.released.clear()
    async with official(data) as (client, _):
        await client.create_queue(parent=PLACE, queue={"name": QUEUE})
        await client.create_task(parent=QUEUE, task=task(worker, "a"))
        await until(lambda: worker.running == 1)
    worker.released.set()
    async with official(data):
        await until(lambda: worker.ids() == ["a", "a"])


async def test_the_queue_of_deleted_tasks_comes_back_empty(tmp_path: Path, worker: Worker) -> None:
    data = tmp_path / "tasks.db"
    worker.released.clear()
    async with official(data) as (client, _):
        await client.create_queue(parent=PLACE, queue={"name": QUEUE})
        await client.create_task(parent=QUEUE, task=task(worker, "a"))
        await until(lambda: worker.running == 1)
        await client.delete_queue(name=QUEUE)
        worker.released.set()
        await until(lambda: worker.running == 0)
    async with official(data) as (client, _):
        assert [each async for each in await client.list_queues(parent=PLACE)] == []
