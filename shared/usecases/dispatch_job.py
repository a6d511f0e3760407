"""Send a ready job to its vendor: claim first, send once, never resend blindly."""

import hashlib
import hmac
import logging

from shared import jobs, records
from shared.app import App
from shared.errors import VendorBusy, VendorRejected, VendorUnknown
from shared.failures import FailureCode, failure
from shared.jobs import Event, Job, State
from shared.ports import Documents, Work, Write
from shared.usecases import tasks
from shared.usecases.apply_event import Choice, apply_event
from shared.usecases.bind_task import bind_task

_log = logging.getLogger(__name__)

_IMAGE_URL_SECONDS = 3600
_BUSY_AGAIN_MAX_SECONDS = 120


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
    work = await _work(app, job)
    if app.clock.monotonic_ms() - started_ms > app.settings.send_window_seconds * 1000:
        await _put_back(app, job, claim, seen, None)
        return
    try:
        task_id = await app.vendors.submit(job.provider, work)
    except VendorRejected as refusal:
        await _reject(app, job, claim, seen, FailureCode(refusal.code))
    except VendorBusy as busy:
        await _put_back(app, job, claim, seen, busy)
    except VendorUnknown as unknown:
        _log.warning("submit outcome unknown", extra={"job_id": job.id, "detail": unknown.detail})
    else:
        await bind_task(app, job, task_id, seen)


def callback_mac(secret: str, provider: str, job_id: str) -> str:
    """What makes a job's callback address unguessable."""
    assert secret, "an empty secret would let everybody in"
    return hmac.new(secret.encode(), f"{provider}/{job_id}".encode(), hashlib.sha256).hexdigest()


async def _claim(app: App, job_id: str, epoch: int, claim: str) -> Documents:
    key = records.job_key(job_id)
    now_ms = app.clock.now_ms()

    def decide(documents: Documents) -> list[Write]:
        job = records.job(documents[key])
        if job is None or job.state is not State.READY or job.epoch != epoch:
            return []
        if now_ms >= job.deadline_at_ms:
            return []
        due_at_ms = now_ms + app.settings.unknown_after_seconds * 1000
        move = jobs.advance(
            job, Event.CLAIMED, now_ms, claim=claim, submitted_at_ms=now_ms, due_at_ms=due_at_ms
        )
        return [records.put_job(move.job)]

    return await app.store.transact([key], decide)


async def _work(app: App, job: Job) -> Work:
    mac = callback_mac(app.settings.hook_secret, job.provider, job.id)
    images = {
        role: await app.blobs.sign_download(key, filename=None, expires_seconds=_IMAGE_URL_SECONDS)
        for role, key in job.images.items()
    }
    return Work(
        job_id=job.id,
        kind=job.kind,
        vendor_model=app.catalogue.models[job.model].vendor_model,
        prompt=job.prompt,
        negative_prompt=job.settings.negative_prompt,
        duration_seconds=job.settings.duration_seconds,
        resolution=job.settings.resolution,
        aspect_ratio=job.settings.aspect_ratio,
        audio=job.settings.audio,
        images=images,
        callback_url=f"{app.settings.public_url}/hooks/providers/{job.provider}/{job.id}/{mac}",
    )


async def _reject(app: App, job: Job, claim: str, seen: Documents, code: FailureCode) -> None:
    """The vendor said no for good: tokens back. A job already refunded only gives up its slot."""

    def choose(current: Job) -> Choice | None:
        if current.claim != claim or not jobs.can(current, Event.REJECTED):
            return None
        is_refunded = current.state in jobs.REFUNDED
        return Choice(Event.REJECTED, {} if is_refunded else {"failure": failure(code)})

    await apply_event(app, job.id, seen, choose)


async def _put_back(
    app: App, job: Job, claim: str, seen: Documents, busy: VendorBusy | None
) -> None:
    """Nothing was accepted: keep the slot and try again later, a bounded number of times."""
    delay_ms = _busy_delay_ms(app, job, busy)
    again_at_ms = app.clock.now_ms() + delay_ms + app.settings.ready_again_seconds * 1000
    is_last = job.busy_count + 1 >= app.settings.busy_attempts_max
    code = FailureCode(busy.code) if busy else FailureCode.PROVIDER_BUSY

    def choose(current: Job) -> Choice | None:
        if current.claim != claim:
            return None
        if current.state is State.QUARANTINED:
            return Choice(Event.REJECTED)
        if not jobs.can(current, Event.PUT_BACK):
            return None
        if is_last:
            return Choice(Event.REJECTED, {"failure": failure(code)})
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


def is_callback_mac(secret: str, provider: str, job_id: str, mac: str) -> bool:
    """Whether a callback address is one that we gave out, compared in constant time."""
    return hmac.compare_digest(callback_mac(secret, provider, job_id).encode(), mac.encode())
