"""What a vendor is asked to make: the job in the port's words, with its pictures as that vendor
wants them, and an address for its callbacks that nobody can guess.
"""

import hashlib
import hmac

from shared.app import App
from shared.jobs import Job
from shared.models import PictureNeed
from shared.ports import Picture, PictureFit, Work
from shared.usecases.tickets import ticket

_IMAGE_URL_SECONDS = 3600


async def describe_work(app: App, job: Job) -> Work:
    """The work of a job that has its account."""
    return Work(
        ticket=ticket(app, job),
        prompt=job.prompt,
        negative_prompt=job.settings.negative_prompt,
        duration_seconds=job.settings.duration_seconds,
        resolution=job.settings.resolution,
        aspect_ratio=job.settings.aspect_ratio,
        audio=job.settings.audio,
        count=job.settings.count,
        images={role: await _picture(app, job, role) for role in job.images},
        callback_url=_callback_url(app, job),
    )


def callback_mac(secret: str, provider: str, job_id: str) -> str:
    """What makes a job's callback address unguessable."""
    assert secret, "an empty secret would let everybody in"
    return hmac.new(secret.encode(), f"{provider}/{job_id}".encode(), hashlib.sha256).hexdigest()


def is_callback_mac(secret: str, provider: str, job_id: str, mac: str) -> bool:
    """Whether a callback address is one that we gave out, compared in constant time."""
    return hmac.compare_digest(callback_mac(secret, provider, job_id).encode(), mac.encode())


def fitted_key(job_id: str, role: str, models_left: int) -> str:
    """Where a job's picture lies in the shape that its model wants; with each model that may do the
    job instead there is one less left.
    """
    return f"results/{job_id}/picture-{role}-{models_left}"


def _callback_url(app: App, job: Job) -> str:
    mac = callback_mac(app.settings.hook_secret, job.provider, job.id)
    return f"{app.settings.public_url}/hooks/providers/{job.provider}/{job.id}/{mac}"


async def _picture(app: App, job: Job, role: str) -> Picture:
    need = app.catalogue.models[job.model].capabilities.picture
    key = job.images[role]
    if need.wants_another:
        key = fitted_key(job.id, role, len(job.fallback_models))
        await app.media.fit_picture(job.images[role], key, _fit(need, job))
    url = await app.blobs.sign_download(key, filename=None, expires_seconds=_IMAGE_URL_SECONDS)
    content = b""
    if app.vendors.abilities(job.provider).takes_bytes:
        content = await app.media.load(key, need.max_bytes)
    stored = await app.blobs.head(key)
    assert stored is not None, "a picture that was fitted is there"
    return Picture(url, stored.content_type, content)


def _fit(need: PictureNeed, job: Job) -> PictureFit:
    return PictureFit(
        types=need.types,
        side_max_px=need.side_max_px,
        max_bytes=need.max_bytes,
        aspect_ratio=job.settings.aspect_ratio if need.crop else None,
    )
