"""Bring a finished job's result into our bucket, check it, and only then charge for it."""

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing

from shared import records
from shared.app import App
from shared.errors import Unavailable, VendorBusy, VendorGone, VendorUnknown
from shared.failures import FailureCode, failure
from shared.jobs import Event, Job, Result, State
from shared.media_types import sniff
from shared.ports import BadMedia, BlobInfo, BlobTooLarge, Documents, MediaInfo
from shared.usecases.apply_event import Choice, apply_event

_log = logging.getLogger(__name__)

_STORING = frozenset({State.STORING, State.GIFTING})
_THUMBNAIL_MAX_BYTES = 1_000_000


class _Unusable(Exception):
    """The result cannot be delivered, now or later."""

    def __init__(self, code: FailureCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code


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
        blob = await _bring(app, job)
        info = await _inspect(app, job, blob)
    except _Unusable as unusable:
        _log.warning("result unusable", extra={"job_id": job.id, "detail": str(unusable)})
        await give_up_storing(app, job, unusable.code, seen)
        return
    await _finish(app, job, blob, info, seen)


async def give_up_storing(app: App, job: Job, code: FailureCode, seen: Documents) -> None:
    """The tokens go back; a gift that cannot be stored is simply not given."""

    def choose(current: Job) -> Choice | None:
        if current.state is State.STORING:
            return Choice(Event.STORE_FAILED, {"failure": failure(code)})
        return Choice(Event.STORE_FAILED) if current.state is State.GIFTING else None

    after = await apply_event(app, job.id, seen, choose)
    if after.state is State.FAILED:
        await remove_media(app, job.id)


async def remove_media(app: App, job_id: str) -> None:
    """Remove a job's result from the bucket, whether or not the job ever showed it."""
    await app.blobs.delete(_result_key(job_id))
    await app.blobs.delete(_thumbnail_key(job_id))


def _result_key(job_id: str) -> str:
    return f"results/{job_id}/result"


def _thumbnail_key(job_id: str) -> str:
    return f"results/{job_id}/thumbnail.jpg"


async def _bring(app: App, job: Job) -> BlobInfo:
    stored = await app.blobs.head(_result_key(job.id))
    if stored is not None:
        return stored
    url = await _address(app, job)
    max_bytes = app.catalogue.models[job.model].result_max_bytes
    try:
        async with aclosing(app.vendors.fetch(job.provider, url, max_bytes)) as chunks:
            first = await anext(chunks, b"")
            content_type = sniff(first, job.kind)
            if content_type is None:
                raise _Unusable(FailureCode.RESULT_INVALID, "the result does not begin as one")
            return await app.blobs.put(
                _result_key(job.id),
                _joined(first, chunks),
                content_type=content_type,
                max_bytes=max_bytes,
            )
    except BlobTooLarge as error:
        raise _Unusable(FailureCode.RESULT_INVALID, "the result is too large") from error
    except VendorUnknown as error:
        raise _again_or_never(app, job, error.detail) from error


async def _address(app: App, job: Job) -> str:
    """A fresh address, since vendors let theirs expire."""
    assert job.vendor_task_id is not None
    try:
        outcome = await app.vendors.poll(job.provider, job.vendor_task_id)
    except (VendorBusy, VendorUnknown) as error:
        raise _again_or_never(app, job, error.detail) from error
    except VendorGone as error:
        raise _Unusable(FailureCode.RESULT_UNAVAILABLE, error.detail) from error
    if outcome.state != "succeeded" or outcome.result_url is None:
        raise _Unusable(FailureCode.RESULT_UNAVAILABLE, f"the vendor now says {outcome.state}")
    return outcome.result_url


def _again_or_never(app: App, job: Job, detail: str) -> Exception:
    if app.clock.now_ms() >= job.deadline_at_ms:
        return _Unusable(FailureCode.RESULT_UNAVAILABLE, detail)
    return Unavailable("The result could not be fetched yet.")


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


async def _inspect(app: App, job: Job, blob: BlobInfo) -> MediaInfo:
    try:
        return await app.media.inspect(blob.key, job.kind)
    except BadMedia as error:
        raise _Unusable(FailureCode.RESULT_INVALID, error.detail) from error


async def _finish(app: App, job: Job, blob: BlobInfo, info: MediaInfo, seen: Documents) -> None:
    await app.blobs.put(
        _thumbnail_key(job.id),
        _once(info.thumbnail_jpeg),
        content_type="image/jpeg",
        max_bytes=_THUMBNAIL_MAX_BYTES,
    )
    result = Result(
        blob_key=blob.key,
        thumbnail_key=_thumbnail_key(job.id),
        content_type=blob.content_type,
        size_bytes=blob.size_bytes,
        width=info.width,
        height=info.height,
        duration_seconds=info.duration_seconds,
    )

    def choose(current: Job) -> Choice | None:
        if current.state is State.STORING:
            return Choice(Event.STORED, {"result": result})
        if current.state is State.GIFTING and current.deleted_at_ms is None:
            return Choice(Event.STORED, {"result": result, "failure": None})
        return Choice(Event.STORE_FAILED) if current.state is State.GIFTING else None

    after = await apply_event(app, job.id, seen, choose)
    if after.result is None:
        await remove_media(app, job.id)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
