"""A job's files in our bucket: its results, their thumbnails, and its pictures as a vendor wanted
them.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing

from shared.app import App
from shared.errors import VendorUnusable
from shared.failures import FailureCode
from shared.jobs import Job
from shared.media_types import SNIFFED_BYTES, sniff
from shared.ports import BlobInfo, BlobTooLarge, Parcel
from shared.usecases.describe_work import fitted_key
from shared.usecases.price_job import MODELS_LEFT_MAX
from shared.usecases.tickets import ticket


class Unusable(Exception):
    """A result cannot be delivered, now or later."""

    def __init__(self, code: FailureCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def result_key(job_id: str, index: int) -> str:
    """Where one of a job's results lies."""
    return f"results/{job_id}/result-{index}"


def thumbnail_key(job_id: str, index: int) -> str:
    """Where its small picture lies."""
    return f"results/{job_id}/thumbnail-{index}.jpg"


async def store_parcel(app: App, job: Job, parcel: Parcel, index: int) -> BlobInfo:
    """Stream a result from its vendor into the bucket, unless it lies there. Raises `Unusable`,
    `VendorUnknown`.
    """
    max_bytes = app.catalogue.models[job.model].result_max_bytes
    fetched = app.vendors.fetch(ticket(app, job), parcel, max_bytes)
    async with aclosing(fetched) as chunks:
        try:
            first = await _beginning(chunks)
            content_type = sniff(first, job.kind)
            if content_type is None:
                raise Unusable(FailureCode.RESULT_INVALID, "the result does not begin as one")
            return await app.blobs.put(
                result_key(job.id, index),
                _joined(first, chunks),
                content_type=content_type,
                max_bytes=max_bytes,
            )
        except VendorUnusable as error:
            raise Unusable(FailureCode.RESULT_INVALID, error.detail) from error
        except BlobTooLarge as error:
            raise Unusable(FailureCode.RESULT_INVALID, "the result is too large") from error


async def remove_files(app: App, job: Job) -> None:
    """Remove everything of a job from the bucket, whether or not the job ever showed it."""
    for index in range(job.settings.count):
        await app.blobs.delete(result_key(job.id, index))
        await app.blobs.delete(thumbnail_key(job.id, index))
    for role, need in app.catalogue.models[job.model].capabilities.images.items():
        if need != "none":
            for models_left in range(len(job.fallback_models), MODELS_LEFT_MAX + 1):
                await app.blobs.delete(fitted_key(job.id, role, models_left))


async def _beginning(chunks: AsyncIterator[bytes]) -> bytes:
    """As many first bytes as say what a file is; a slow vendor sends them one by one."""
    first = b""
    while len(first) < SNIFFED_BYTES and (chunk := await anext(chunks, b"")):
        first += chunk
    return first


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk
