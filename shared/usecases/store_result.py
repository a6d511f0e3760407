"""Bring a finished job's results into our bucket, check them, and only then charge for them."""

import logging
from collections.abc import AsyncIterator, Sequence

from shared import records
from shared.app import App
from shared.errors import Unavailable, VendorBusy, VendorGone, VendorUnknown
from shared.failures import FailureCode, failure
from shared.job_states import Event, State
from shared.jobs import Job, Result
from shared.ports import BadMedia, BlobInfo, Documents, MediaInfo, Parcel
from shared.usecases.apply_event import Choice, apply_event
from shared.usecases.result_files import (
    Unusable,
    remove_files,
    result_key,
    store_parcel,
    thumbnail_key,
)
from shared.usecases.tickets import ticket

_log = logging.getLogger(__name__)

_STORING = frozenset({State.STORING, State.GIFTING})
_THUMBNAIL_MAX_BYTES = 1_000_000


async def store_result(app: App, job_id: str, attempt: int | None = None) -> None:
    """Store, check, capture, unless a repair has queued a later `attempt`. Raises `Unavailable`
    when it is worth another try.
    """
    key = records.job_key(job_id)
    seen = await app.store.get([key])
    job = records.job(seen[key])
    if job is None or job.state not in _STORING:
        return
    if attempt is not None and job.attempt != attempt:
        return
    try:
        stored = await _bring(app, job)
        results = [await _checked(app, job, blob, index) for index, blob in enumerate(stored)]
    except Unusable as unusable:
        _log.warning("result unusable", extra={"job_id": job.id, "detail": str(unusable)})
        await give_up_storing(app, job, unusable.code, seen)
        return
    await _finish(app, job, tuple(results), seen)


async def give_up_storing(app: App, job: Job, code: FailureCode, seen: Documents) -> None:
    """The tokens go back; a gift that cannot be stored is simply not given."""

    def choose(current: Job) -> Choice | None:
        if current.state is State.STORING:
            return Choice(Event.STORE_FAILED, {"failure": failure(code)})
        return Choice(Event.STORE_FAILED) if current.state is State.GIFTING else None

    after = await apply_event(app, job.id, seen, choose)
    if after.state is State.FAILED:
        await remove_files(app, after)


async def _bring(app: App, job: Job) -> Sequence[BlobInfo]:
    """Every result, in the bucket: fewer than were asked for when the vendor made fewer."""
    wanted = job.delivered_count or job.settings.count
    stored: list[BlobInfo] = []
    while len(stored) < wanted and (blob := await app.blobs.head(result_key(job.id, len(stored)))):
        stored.append(blob)
    if len(stored) == wanted:
        return stored
    parcels = await _parcels(app, job)
    try:
        return [
            stored[n] if n < len(stored) else await store_parcel(app, job, parcel, n)
            for n, parcel in enumerate(parcels)
        ]
    except VendorUnknown as error:
        raise _again_or_never(app, job, error.detail) from error


async def _parcels(app: App, job: Job) -> Sequence[Parcel]:
    """Fresh addresses, since vendors let theirs expire."""
    try:
        outcome = await app.vendors.poll(ticket(app, job))
    except (VendorBusy, VendorUnknown) as error:
        raise _again_or_never(app, job, error.detail) from error
    except VendorGone as error:
        raise Unusable(FailureCode.RESULT_UNAVAILABLE, error.detail) from error
    if outcome.state != "succeeded" or not outcome.parcels:
        raise Unusable(FailureCode.RESULT_UNAVAILABLE, f"the vendor now says {outcome.state}")
    return outcome.parcels[: job.settings.count]


def _again_or_never(app: App, job: Job, detail: str) -> Exception:
    if app.clock.now_ms() >= job.deadline_at_ms:
        return Unusable(FailureCode.RESULT_UNAVAILABLE, detail)
    return Unavailable("The result could not be fetched yet.")


async def _checked(app: App, job: Job, blob: BlobInfo, index: int) -> Result:
    """A result that was decoded, with its small picture beside it."""
    try:
        info: MediaInfo = await app.media.inspect(blob.key, job.kind)
    except BadMedia as error:
        raise Unusable(FailureCode.RESULT_INVALID, error.detail) from error
    small = thumbnail_key(job.id, index)
    await app.blobs.put(
        small,
        _once(info.thumbnail_jpeg),
        content_type="image/jpeg",
        max_bytes=_THUMBNAIL_MAX_BYTES,
    )
    return Result(
        blob_key=blob.key,
        thumbnail_key=small,
        content_type=blob.content_type,
        size_bytes=blob.size_bytes,
        width=info.width,
        height=info.height,
        duration_seconds=info.duration_seconds,
    )


async def _finish(app: App, job: Job, results: tuple[Result, ...], seen: Documents) -> None:
    def choose(current: Job) -> Choice | None:
        if current.state is State.STORING:
            return Choice(Event.STORED, {"results": results})
        if current.state is State.GIFTING and current.deleted_at_ms is None:
            return Choice(Event.STORED, {"results": results, "failure": None})
        return Choice(Event.STORE_FAILED) if current.state is State.GIFTING else None

    after = await apply_event(app, job.id, seen, choose)
    if not after.results:
        await remove_files(app, after)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
