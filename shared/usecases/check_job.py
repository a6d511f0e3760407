"""Ask the vendor how a job stands, and act on the answer. Webhooks, polls and the sweeper all come
here.
"""

import logging

from shared import records
from shared.app import App
from shared.errors import Unavailable, VendorError, VendorGone
from shared.failures import FailureCode, failure
from shared.job_states import Event, State
from shared.jobs import Job
from shared.ports import Documents, Outcome
from shared.usecases import tasks
from shared.usecases.apply_event import Choice, apply_event
from shared.usecases.bind_task import bind_task
from shared.usecases.tickets import ticket

_log = logging.getLogger(__name__)

_AT_VENDOR = frozenset({State.RUNNING, State.QUARANTINED})
_MAYBE_AT_VENDOR = frozenset({State.SUBMITTING, State.UNKNOWN, State.QUARANTINED})
_BACKOFF = 1.3

RESUMED_ROUND = 6
"""Where the polling goes on after a repair: the job is late already, so its pace is slower."""


async def check_job(
    app: App, job_id: str, round_number: int | None, task_id: str | None, attempt: int | None = None
) -> None:
    """One look. `round_number` continues the polling that this `attempt` of the job began;
    `task_id` is what a webhook suggested. Raises `Unavailable` when it is worth another try.
    """
    key = records.job_key(job_id)
    seen = await app.store.get([key])
    job = records.job(seen[key])
    if job is None:
        return
    if round_number is not None and job.attempt != attempt:
        return  # a repair began a polling of its own: one is enough
    if job.vendor_task_id is None and task_id is not None and job.state in _MAYBE_AT_VENDOR:
        job = await _adopt(app, job, task_id, seen)
        seen = {}
    if job.vendor_task_id is None or job.state not in _AT_VENDOR:
        return
    outcome = await ask_vendor(app, job)
    after = await apply_outcome(app, job, outcome, seen)
    if round_number is not None and after.state is State.RUNNING:
        await tasks.push_check(app, after, round_number + 1, delay_ms(app, round_number))


async def ask_vendor(app: App, job: Job) -> Outcome:
    """How the job's task stands. A vendor that does not answer leaves it running."""
    assert job.vendor_task_id is not None
    asked_at_ms = app.clock.now_ms()
    try:
        return await app.vendors.poll(ticket(app, job))
    except VendorGone as gone:
        if not _is_settled_absence(app, job, asked_at_ms):
            return Outcome(job.vendor_task_id, "running")
        return Outcome(
            job.vendor_task_id,
            "failed",
            failure_code=FailureCode.PROVIDER_FAILED.value,
            detail=gone.detail,
        )
    except VendorError as error:
        _log.warning("vendor not asked", extra={"job_id": job.id, "detail": error.detail})
        return Outcome(job.vendor_task_id, "running")


async def apply_outcome(app: App, job: Job, outcome: Outcome, seen: Documents) -> Job:
    """Move the job by the vendor's verdict; no verdict, no move."""
    if outcome.state == "running":
        return job
    now_ms = app.clock.now_ms()

    def choose(current: Job) -> Choice | None:
        if current.vendor_task_id != outcome.task_id or current.state not in _AT_VENDOR:
            return None
        if current.state is State.QUARANTINED:
            return _late(app, current, outcome, now_ms)
        return _timely(app, outcome, now_ms)

    after = await apply_event(app, job.id, seen, choose)
    if after.state in (State.STORING, State.GIFTING):
        await tasks.push_store(app, after)
    return after


def _timely(app: App, outcome: Outcome, now_ms: int) -> Choice:
    if outcome.state == "succeeded":
        return Choice(Event.SUCCEEDED, storing_times(app, now_ms))
    if outcome.state == "cancelled":
        return Choice(Event.CANCELLED, {"failure": failure(FailureCode.CANCELLED)})
    code = FailureCode(outcome.failure_code or FailureCode.PROVIDER_FAILED)
    return Choice(Event.VENDOR_FAILED, {"failure": failure(code)})


def _late(app: App, job: Job, outcome: Outcome, now_ms: int) -> Choice:
    is_wanted = app.settings.late_result == "gift" and job.deleted_at_ms is None
    if outcome.state == "succeeded" and is_wanted:
        return Choice(Event.SUCCEEDED, storing_times(app, now_ms))
    return Choice(Event.VENDOR_FAILED)


def storing_times(app: App, now_ms: int) -> dict[str, int]:
    """When a job that is being stored is looked at again, and when it is given up."""
    return {
        "due_at_ms": now_ms + app.settings.store_again_seconds * 1000,
        "deadline_at_ms": now_ms + app.settings.store_limit_seconds * 1000,
    }


async def _adopt(app: App, job: Job, task_id: str, seen: Documents) -> Job:
    """A webhook overtook our own record of the submit, or is the only sign of it.

    Raises `Unavailable` when the vendor does not answer, or does not know its own task yet: it
    will not send that webhook again.
    """
    try:
        outcome = await app.vendors.poll(ticket(app, job, task_id))
    except VendorError as error:
        raise Unavailable("The vendor did not confirm the task yet.") from error
    if outcome.job_id not in (None, job.id):
        _log.error("webhook named a foreign task", extra={"job_id": job.id})
        return job
    return await bind_task(app, job, task_id, seen)


def _is_settled_absence(app: App, job: Job, asked_at_ms: int) -> bool:
    """A vendor may need a moment to show what it accepted; after that, absent means gone.

    The moment counts from when we heard of the task to when we asked about it: a frozen process
    sends late, and another thinks late about what it was told.
    """
    since_ms = asked_at_ms - (job.started_at_ms or job.submitted_at_ms or 0)
    return since_ms > app.settings.unknown_after_seconds * 1000


def delay_ms(app: App, round_number: int) -> int:
    """How long to wait after a round before the next."""
    delay_seconds = app.settings.check_first_seconds * _BACKOFF ** min(round_number, 40)
    return int(min(delay_seconds, app.settings.check_max_seconds) * 1000)
