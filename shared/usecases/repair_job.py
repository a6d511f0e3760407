"""Look after a job whose time is up: push it on, find out about it, or end it with the tokens
back.
"""

import logging

from shared import jobs, records
from shared.app import App
from shared.errors import VendorError
from shared.failures import FailureCode, failure
from shared.job_states import Event, State
from shared.jobs import Job
from shared.ports import Documents, Write
from shared.usecases import tasks
from shared.usecases.apply_event import Choice, apply_event
from shared.usecases.bind_task import bind_task
from shared.usecases.check_job import RESUMED_ROUND, apply_outcome, ask_vendor, delay_ms
from shared.usecases.deliver_results import find_delivery, record_delivery
from shared.usecases.dispatch_job import extra_answer_seconds
from shared.usecases.result_files import remove_files
from shared.usecases.store_result import give_up_storing
from shared.usecases.tickets import ticket

_log = logging.getLogger(__name__)


async def repair_job(app: App, job_id: str) -> None:
    """One repair, by the row of the job's state. A job that is not due any more is left alone."""
    key = records.job_key(job_id)
    seen = await app.store.get([key])
    job = records.job(seen[key])
    if job is None or job.due_at_ms is None or job.due_at_ms > app.clock.now_ms():
        return
    match job.state:
        case State.PARKED | State.READY:
            await _start_or_expire(app, job, seen)
        case State.SUBMITTING | State.UNKNOWN:
            await _find_out(app, job, seen)
        case State.RUNNING:
            await _ask_or_give_up(app, job, seen)
        case State.STORING | State.GIFTING:
            await _store_again(app, job, seen)
        case State.QUARANTINED:
            await _end_quarantine(app, job, seen)
        case _:
            await _forget(app, job)


async def _start_or_expire(app: App, job: Job, seen: Documents) -> None:
    now_ms = app.clock.now_ms()
    if now_ms >= job.deadline_at_ms:

        def expire(current: Job) -> Choice | None:
            if current.state is not job.state or now_ms < current.deadline_at_ms:
                return None
            return Choice(Event.EXPIRED, {"failure": failure(FailureCode.WAITED_TOO_LONG)})

        await apply_event(app, job.id, seen, expire)
    elif job.state is State.READY:
        pushed = await _postpone(app, job, seen, app.settings.ready_again_seconds)
        await tasks.push_dispatch(app, pushed)


async def _find_out(app: App, job: Job, seen: Documents) -> None:
    """Nobody knows whether the vendor accepted it: look it up, and believe absence only after a
    while. A vendor that cannot be asked has not said that it is absent: then only the time that
    the job would have had to run ends the wait.
    """
    asked_at_ms = app.clock.now_ms()
    extra_seconds = extra_answer_seconds(app, job)
    patience_ms = (app.settings.absent_after_seconds + extra_seconds) * 1000
    if await _found_delivered(app, job):
        return
    if app.vendors.abilities(job.provider).can_look_up:
        try:
            task_id = await app.vendors.look_up(ticket(app, job))
        except VendorError as error:
            _log.warning("look-up failed", extra={"job_id": job.id, "detail": error.detail})
            task_id, patience_ms = None, patience_ms + job.run_limit_ms
        if task_id is not None:
            await bind_task(app, job, task_id, seen)
            return
    now_ms = app.clock.now_ms()
    assert job.submitted_at_ms is not None, "only a claimed job is unknown"
    is_over = asked_at_ms - job.submitted_at_ms >= patience_ms
    again_at_ms = now_ms + app.settings.unknown_again_seconds * 1000

    def choose(current: Job) -> Choice | None:
        if current.claim != job.claim:
            return None
        if current.state is State.SUBMITTING:
            return Choice(Event.LOST, {"due_at_ms": again_at_ms})
        if current.state is State.UNKNOWN and is_over:
            return give_up(app, current, now_ms)
        return None

    after = await apply_event(app, job.id, seen, choose)
    if after.state is State.UNKNOWN and not is_over:
        await _postpone(app, after, {}, app.settings.unknown_again_seconds)


async def _found_delivered(app: App, job: Job) -> bool:
    """Whether the vendor answered with the results, and only the record of it was lost."""
    count = await find_delivery(app, job) if extra_answer_seconds(app, job) else 0
    if count:
        await record_delivery(app, job, f"delivered-{job.id}", count)
    return count > 0


async def _ask_or_give_up(app: App, job: Job, seen: Documents) -> None:
    """A timeout is not a failure: when the time is up, the vendor is asked before anything is given
    up.
    """
    asked_at_ms = app.clock.now_ms()
    after = await apply_outcome(app, job, await ask_vendor(app, job), seen)
    if after.state is not State.RUNNING:
        return
    now_ms = app.clock.now_ms()
    if asked_at_ms < after.deadline_at_ms:
        remaining_seconds = -(-(after.deadline_at_ms - now_ms) // 1000)
        pushed = await _postpone(
            app, after, {}, min(app.settings.check_max_seconds, remaining_seconds)
        )
        await tasks.push_check(app, pushed, RESUMED_ROUND, delay_ms(app, RESUMED_ROUND))
        return

    def choose(current: Job) -> Choice | None:
        is_over = current.state is State.RUNNING and asked_at_ms >= current.deadline_at_ms
        return give_up(app, current, now_ms) if is_over else None

    await apply_event(app, job.id, {}, choose)


async def _store_again(app: App, job: Job, seen: Documents) -> None:
    if app.clock.now_ms() >= job.deadline_at_ms:
        await give_up_storing(app, job, FailureCode.RESULT_UNAVAILABLE, seen)
        return
    pushed = await _postpone(app, job, seen, app.settings.store_again_seconds)
    await tasks.push_store(app, pushed)


async def _end_quarantine(app: App, job: Job, seen: Documents) -> None:
    if job.vendor_task_id is not None:
        job = await apply_outcome(app, job, await ask_vendor(app, job), seen)
        seen = {}
    if job.state is not State.QUARANTINED or await _found_delivered(app, job):
        return
    now_ms = app.clock.now_ms()
    assert job.quarantine_until_ms is not None
    if now_ms < job.quarantine_until_ms:
        await _postpone(app, job, seen, app.settings.check_max_seconds)
        return

    def choose(current: Job) -> Choice | None:
        return Choice(Event.QUARANTINE_ENDED) if current.state is State.QUARANTINED else None

    await apply_event(app, job.id, seen, choose)


async def _forget(app: App, job: Job) -> None:
    """A finished job is due only when it was deleted: its media go for good, then its due time."""
    await remove_files(app, job)
    key = records.job_key(job.id)
    now_ms = app.clock.now_ms()

    def decide(documents: Documents) -> list[Write]:
        current = records.job(documents[key])
        assert current is not None
        is_due = current.due_at_ms is not None
        return [records.put_job(jobs.forgotten(current, now_ms))] if is_due else []

    await app.store.transact([key], decide)


def give_up(app: App, job: Job, now_ms: int) -> Choice:
    """The tokens go back now; the slot stays taken until the vendor cannot be working any more."""
    margin_ms = app.settings.quarantine_margin_seconds * 1000
    changes = {
        "failure": failure(FailureCode.TIMED_OUT),
        "quarantine_until_ms": now_ms + job.run_limit_ms + margin_ms,
        "due_at_ms": now_ms + app.settings.check_max_seconds * 1000,
    }
    return Choice(Event.GAVE_UP, changes)


async def _postpone(app: App, job: Job, seen: Documents, again_seconds: int) -> Job:
    """Look again later, under new task names. Nothing else about the job changes."""
    key = records.job_key(job.id)
    now_ms = app.clock.now_ms()

    def decide(documents: Documents) -> list[Write]:
        current = records.job(documents[key])
        assert current is not None
        if current.state is not job.state or current.attempt != job.attempt:
            return []
        due_at_ms = now_ms + again_seconds * 1000
        return [records.put_job(jobs.postponed(current, now_ms, due_at_ms))]

    known = {key: seen[key]} if key in seen else None
    after = records.job((await app.store.transact([key], decide, known=known))[key])
    assert after is not None
    return after
