"""Things that happen twice, or at the same moment, on the real database."""

import asyncio
from dataclasses import replace

from shared import records
from shared.errors import QueueUnavailable
from shared.job_states import State
from shared.ports import Accepted, Order, Query, Task, Where, Work
from shared.usecases.open_pools import open_pools
from shared.usecases.repair_job import repair_job
from shared.usecases.run_task import run_task
from tests.cloud.conftest import Counted
from tests.cloud.stand_ins import InstantVendor


class CountingVendor(InstantVendor):
    """Remembers how often it was asked to make something."""

    def __init__(self) -> None:
        self.submits = 0

    async def submit(self, work: Work, total_seconds: float) -> Accepted:
        self.submits += 1
        await asyncio.sleep(0.05)
        return await super().submit(work, total_seconds)


class AbsentQueue:
    """Takes nothing."""

    async def push(self, task: Task) -> None:
        raise QueueUnavailable("not there")


async def test_a_task_delivered_twice_at_once_is_sent_once(counted: Counted) -> None:
    vendor = CountingVendor()
    app = replace(counted.app, vendors=vendor)
    await counted.create()
    task = counted.queue.taken("dispatch_job")
    await asyncio.gather(*(run_task(app, task.name, task.payload) for _ in range(5)))
    assert vendor.submits == 1


async def test_a_result_stored_twice_at_once_is_charged_once(counted: Counted) -> None:
    job = await counted.create()
    await counted.run("dispatch_job")
    await counted.run("check_job")
    task = counted.queue.taken("store_result")
    await asyncio.gather(*(run_task(counted.app, task.name, task.payload) for _ in range(5)))
    key = records.wallet_key(job.user_id)
    wallet = records.wallet(await counted.app.store.get([key]), job.user_id)
    assert wallet.held_tokens == 0
    found = await counted.app.store.query(
        Query(
            records.LEDGER,
            (Where("user_id", "==", job.user_id),),
            (Order("created_at_ms", descending=True),),
        )
    )
    kinds = [document.data["kind"] for document in found if document.data]
    assert sorted(kinds) == ["capture", "grant", "hold"]


async def test_a_job_whose_task_was_never_queued_is_started_by_the_sweeper(
    counted: Counted,
) -> None:
    queue = counted.app.queue
    counted.app = replace(counted.app, queue=AbsentQueue())
    job = await counted.create()
    assert job.state is State.READY
    assert job.due_at_ms is not None
    late = _Later(job.due_at_ms + 1)
    counted.app = replace(counted.app, queue=queue, clock=late)
    await repair_job(counted.app, job.id)
    await counted.run("dispatch_job")
    key = records.job_key(job.id)
    stored = records.job((await counted.app.store.get([key]))[key])
    assert stored is not None
    assert stored.state is State.RUNNING


async def test_a_pool_made_smaller_while_full_drains_without_losing_a_job(counted: Counted) -> None:
    job = await counted.create()
    pools = counted.app.catalogue.pools
    small = {"sandbox": replace(pools["sandbox"], places={"sandbox": 1})}
    catalogue = replace(counted.app.catalogue, pools=small)
    await open_pools(replace(counted.app, catalogue=catalogue))
    found = await counted.app.store.query(Query(records.SLOTS, (Where("pool", "==", "sandbox"),)))
    slots = [slot for document in found if (slot := records.slot(document))]
    assert [slot.enabled for slot in sorted(slots, key=lambda slot: slot.index)] == [
        True,
        False,
        False,
        False,
    ]
    assert job.slots == tuple(slot.id for slot in slots if slot.job_id == job.id)
    await counted.run("dispatch_job")
    await counted.run("check_job")
    await counted.run("store_result")
    key = records.job_key(job.id)
    done = records.job((await counted.app.store.get([key]))[key])
    assert done is not None
    assert done.state is State.DONE


class _Later:
    """A clock that stands at one moment."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_ms(self) -> int:
        return self._now_ms
