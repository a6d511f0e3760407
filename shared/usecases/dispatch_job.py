"""Send a ready job to its vendor: claim first, send once, never resend blindly."""

import logging

from shared import jobs, records
from shared.app import App
from shared.errors import VendorBusy, VendorRejected, VendorUnknown
from shared.failures import FailureCode, failure
from shared.job_states import REFUNDED, Event, State
from shared.jobs import Job
from shared.ports import Accepted, BadMedia, Documents, Work, Write
from shared.usecases import tasks
from shared.usecases.apply_event import Choice, apply_event
from shared.usecases.bind_task import bind_task
from shared.usecases.deliver_results import deliver_results
from shared.usecases.describe_work import describe_work
from shared.usecases.pause_vendor import pause_account
from shared.usecases.reroute_job import reroute_job
from shared.usecases.result_files import Unusable, remove_files

_log = logging.getLogger(__name__)

_BUSY_AGAIN_MAX_SECONDS = 120
# What says nothing of the request: another vendor may do it.
_ELSEWHERE = frozenset({
    FailureCode.MODEL_GONE,
    FailureCode.PROVIDER_BUSY,
    FailureCode.PROVIDER_FAILED,
    FailureCode.PROVIDER_MISCONFIGURED,
})  # fmt: skip


async def dispatch_job(app: App, job_id: str, epoch: int) -> None:
    """Deliver one dispatch; a repeated or outdated delivery does nothing.

    When the outcome of the send is unknown the job stays `submitting`, and the sweeper finds out.
    """
    started_ms = app.clock.monotonic_ms()
    claim = app.ids.token()
    seen = await _claim(app, job_id, epoch, claim)
    job = records.job(seen[records.job_key(job_id)])
    if job is None or job.claim != claim or job.state is not State.SUBMITTING:
        return
    if records.switches(seen[records.SWITCHES_KEY]).is_off(job.provider, job.model):
        await _go_elsewhere(app, job, claim, seen, FailureCode.MODEL_OFF)
        return
    try:
        work = await describe_work(app, job)
    except (BadMedia, FileNotFoundError):
        _log.exception("a checked picture cannot be used", extra={"job_id": job.id})
        await _reject(app, job, claim, seen, FailureCode.PROVIDER_REJECTED)
        return
    if app.clock.monotonic_ms() - started_ms > app.settings.send_window_seconds * 1000:
        await _put_back(app, job, claim, seen, None)
        return
    await _send(app, job, claim, seen, work)


async def _send(app: App, job: Job, claim: str, seen: Documents, work: Work) -> None:
    try:
        total_seconds = app.settings.vendor_total_seconds + extra_answer_seconds(app, job)
        accepted = await app.vendors.submit(work, total_seconds)
    except VendorRejected as refusal:
        await _refused(app, job, claim, seen, FailureCode(refusal.code))
    except VendorBusy as busy:
        await _put_back(app, job, claim, seen, busy)
    except VendorUnknown as unknown:
        _log.warning("submit outcome unknown", extra={"job_id": job.id, "detail": unknown.detail})
    else:
        await _take(app, job, claim, seen, accepted)


async def _take(app: App, job: Job, claim: str, seen: Documents, accepted: Accepted) -> None:
    if not accepted.parcels:
        await bind_task(app, job, accepted.task_id, seen)
        return
    try:
        await deliver_results(app, job, accepted)
    except Unusable as unusable:
        _log.warning("result unusable", extra={"job_id": job.id, "detail": str(unusable)})
        after = await _reject(app, job, claim, seen, unusable.code)
        if after.state is State.FAILED:
            await remove_files(app, after)


async def _claim(app: App, job_id: str, epoch: int, claim: str) -> Documents:
    key = records.job_key(job_id)
    now_ms = app.clock.now_ms()

    def decide(documents: Documents) -> list[Write]:
        job = records.job(documents[key])
        if job is None or job.state is not State.READY or job.epoch != epoch:
            return []
        if now_ms >= job.deadline_at_ms:
            return []
        patience_seconds = app.settings.unknown_after_seconds + extra_answer_seconds(app, job)
        move = jobs.advance(
            job,
            Event.CLAIMED,
            now_ms,
            claim=claim,
            submitted_at_ms=now_ms,
            due_at_ms=now_ms + patience_seconds * 1000,
        )
        return [records.put_job(move.job)]

    return await app.store.transact([key, records.SWITCHES_KEY], decide)


async def _refused(app: App, job: Job, claim: str, seen: Documents, code: FailureCode) -> None:
    """The vendor said no for good. What says nothing of the request may be done elsewhere; when it
    does not know our account, or has no credit for it, nothing more is sent with it for a while.
    """
    if code is FailureCode.PROVIDER_MISCONFIGURED:
        assert job.account is not None, "what was sent has an account"
        await pause_account(app, job.account, code)
        await _go_elsewhere(app, job, claim, seen, None)
    elif code in _ELSEWHERE:
        await _go_elsewhere(app, job, claim, seen, code)
    else:
        await _reject(app, job, claim, seen, code)


async def _go_elsewhere(
    app: App, job: Job, claim: str, seen: Documents, code: FailureCode | None
) -> None:
    """To another model that may do it; where there is none, back into the line, or to an end with
    this failure.
    """
    after = await reroute_job(app, job, seen, claim)
    if after.claim != claim or after.model != job.model:
        return
    if code is not None:
        await _reject(app, job, claim, {}, code)
        return

    def choose(current: Job) -> Choice | None:
        if current.claim != claim:
            return None
        if current.state is State.QUARANTINED:
            return Choice(Event.REJECTED)
        is_held = jobs.can(current, Event.TURNED_AWAY)
        changes = {"epoch": current.epoch + 1, "due_at_ms": current.deadline_at_ms}
        return Choice(Event.TURNED_AWAY, changes) if is_held else None

    await apply_event(app, job.id, {}, choose)


async def _reject(app: App, job: Job, claim: str, seen: Documents, code: FailureCode) -> Job:
    """Tokens back. A job already refunded only gives up its slots."""

    def choose(current: Job) -> Choice | None:
        if current.claim != claim or not jobs.can(current, Event.REJECTED):
            return None
        is_refunded = current.state in REFUNDED
        return Choice(Event.REJECTED, {} if is_refunded else {"failure": failure(code)})

    return await apply_event(app, job.id, seen, choose)


async def _put_back(
    app: App, job: Job, claim: str, seen: Documents, busy: VendorBusy | None
) -> None:
    """Nothing was accepted: keep the slots and try again later, a bounded number of times."""
    if job.busy_count + 1 >= app.settings.busy_attempts_max:
        code = FailureCode(busy.code) if busy else FailureCode.PROVIDER_BUSY
        await _go_elsewhere(app, job, claim, seen, code)
        return
    delay_ms = _busy_delay_ms(app, job, busy)
    again_at_ms = app.clock.now_ms() + delay_ms + app.settings.ready_again_seconds * 1000

    def choose(current: Job) -> Choice | None:
        if current.claim != claim:
            return None
        if current.state is State.QUARANTINED:
            return Choice(Event.REJECTED)
        if not jobs.can(current, Event.PUT_BACK):
            return None
        changes = {
            "claim": None,
            "epoch": current.epoch + 1,
            "busy_count": current.busy_count + 1,
            "due_at_ms": again_at_ms,
        }
        return Choice(Event.PUT_BACK, changes)

    after = await apply_event(app, job.id, seen, choose)
    if after.state is State.READY and after.epoch == job.epoch + 1:
        await tasks.push_dispatch(app, after, delay_ms)


def _busy_delay_ms(app: App, job: Job, busy: VendorBusy | None) -> int:
    if busy is None:
        return 0
    backoff_seconds = app.settings.busy_again_seconds * 2**job.busy_count
    asked_seconds = busy.retry_after_seconds or 0.0
    return int(min(max(backoff_seconds, asked_seconds), _BUSY_AGAIN_MAX_SECONDS) * 1000)


def extra_answer_seconds(app: App, job: Job) -> int:
    """How much longer than others the job's vendor may take to answer."""
    pool = app.catalogue.pools.get(job.pool)
    return 0 if pool is None else pool.extra_answer_seconds
