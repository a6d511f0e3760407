"""The tasks that use cases hand to the queue: their names, keys and queues, in one place.

A task is pushed after the commit that makes it due. A push that fails is logged and left to the
sweeper: the job's own `due_at_ms` is the outbox.
"""

import logging
from collections.abc import Mapping

from shared.app import App
from shared.errors import QueueUnavailable
from shared.ids import task_key
from shared.jobs import Job
from shared.models import Catalogue
from shared.ports import QueueSpec, Task

_log = logging.getLogger(__name__)

CHECK = "check"
STORE = "store"
REFILL = "refill"
REPAIR = "repair"


def dispatch_queue(pool: str) -> str:
    """The queue that carries a pool's dispatches."""
    return f"dispatch-{pool}"


def queue_specs(catalogue: Catalogue) -> tuple[QueueSpec, ...]:
    """Every queue there is; a pool's dispatch queue has as many places as the pool has slots."""
    dispatches = tuple(
        QueueSpec(
            dispatch_queue(pool.name),
            pool.slots,
            pool.submits_per_minute / 60,
            dispatch_deadline_seconds=60 + pool.extra_answer_seconds,
        )
        for pool in catalogue.pools.values()
    )
    return (
        *dispatches,
        QueueSpec(CHECK, 32),
        QueueSpec(STORE, 4, dispatch_deadline_seconds=600),
        QueueSpec(REFILL, 8, min_backoff_seconds=0.2),
        QueueSpec(REPAIR, 16),
    )


async def push_dispatch(app: App, job: Job, delay_ms: int = 0) -> None:
    """Send a ready job to its vendor."""
    key = task_key("dispatch", job.id, job.epoch, job.attempt)
    payload = {"job_id": job.id, "epoch": job.epoch}
    at_ms = app.clock.now_ms() + delay_ms if delay_ms else 0
    await _push(app, Task("dispatch_job", key, payload, dispatch_queue(job.pool), at_ms))


async def push_check(app: App, job: Job, round_number: int, delay_ms: int) -> None:
    """Ask the vendor how a job stands, after a while."""
    key = task_key("check", job.id, job.attempt, round_number)
    payload = {"job_id": job.id, "round": round_number, "attempt": job.attempt}
    await _push(app, Task("check_job", key, payload, CHECK, app.clock.now_ms() + delay_ms))


async def push_store(app: App, job: Job) -> None:
    """Bring a finished job's result into our bucket."""
    key = task_key("store", job.id, job.attempt)
    payload = {"job_id": job.id, "attempt": job.attempt}
    await _push(app, Task("store_result", key, payload, STORE))


async def push_refill(app: App, pool: str, cause: str) -> None:
    """Give free places to waiting jobs. `cause` names the one reason for this refill."""
    await _push(app, Task("refill_pool", task_key("refill", pool, cause), {"pool": pool}, REFILL))


async def push_repair(app: App, job: Job, sweep_number: int) -> None:
    """Look after a job whose time is up."""
    key = task_key("repair", job.id, job.due_at_ms or 0, sweep_number)
    await _push(app, Task("repair_job", key, {"job_id": job.id}, REPAIR))


async def _push(app: App, task: Task) -> None:
    try:
        await app.queue.push(task)
    except QueueUnavailable:
        _log.warning("task not queued, the sweeper will", extra=_labels(task))


def _labels(task: Task) -> Mapping[str, str]:
    return {"task": task.name, "job_id": str(task.payload.get("job_id", ""))}
