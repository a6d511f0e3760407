"""Domain values as clients see them: the only place that decides what is public."""

import re
from dataclasses import asdict
from typing import Any

from shared import fitting, pricing
from shared.app import App
from shared.job_states import State
from shared.jobs import Job, Settings
from shared.ledger import Row, RowKind, row_id
from shared.models import IMAGE_ROLES, Model
from shared.uploads import Upload
from shared.usecases.add_upload import Added
from shared.usecases.cancel_job import is_cancellable
from shared.usecases.quote_job import Quoted
from shared.usecases.sign_in_local import Owner
from shared.vendor_health import Switches

Json = dict[str, Any]

_STAGES = {
    State.PARKED: "waiting",
    State.READY: "starting",
    State.SUBMITTING: "sending",
    State.UNKNOWN: "confirming",
    State.RUNNING: "generating",
    State.STORING: "storing",
    State.DONE: "ready",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
    State.QUARANTINED: "failed",
    State.GIFTING: "failed",
    State.GIFTED: "ready",
}
_REASONS = {
    "queued": "held",
    "running": "held",
    "storing": "held",
    "succeeded": "charged",
    "failed": "returned_failed",
    "cancelled": "returned_cancelled",
}
_EXTENSIONS = {
    "video/mp4": "mp4",
    "video/webm": "webm",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
}
_RUNNING_PROGRESS_MAX = 95


async def job(app: App, job: Job, queue_position: int | None = None) -> Json:
    """A job as its owner sees it, with fresh addresses for its result."""
    failure = job.failure
    return {
        "id": job.id,
        "object": "job",
        "model": job.model,
        "kind": job.kind,
        "status": job.status,
        "stage": _STAGES[job.state],
        "progress": progress(app, job),
        "queue_position": queue_position,
        "expected_seconds": job.expected_ms // 1000,
        "created_at": job.created_at_ms // 1000,
        "started_at": _seconds(job.started_at_ms),
        "completed_at": _seconds(job.completed_at_ms),
        "project_id": job.project_id,
        "prompt": job.prompt,
        "settings": _settings(job.settings),
        "cancellable": is_cancellable(app, job),
        "result": await _result(app, job, 0) if job.results else None,
        "results": [await _result(app, job, index) for index in range(len(job.results))],
        "receipt": receipt(job),
        "error": {"code": failure.code.value, "message": failure.message} if failure else None,
    }


def progress(app: App, job: Job) -> int:
    """Percent done: by the time it usually takes, since vendors rarely say."""
    if job.state is State.RUNNING and job.started_at_ms is not None:
        elapsed_ms = app.clock.now_ms() - job.started_at_ms
        return max(0, min(_RUNNING_PROGRESS_MAX, elapsed_ms * 100 // max(1, job.expected_ms)))
    if job.state is State.STORING:
        return _RUNNING_PROGRESS_MAX
    return 100 if job.status == "succeeded" else 0


def receipt(job: Job) -> Json:
    """What happened to the job's tokens."""
    kinds = [RowKind.HOLD]
    reason = _REASONS[job.status]
    if job.charged_tokens:
        kinds.append(RowKind.CAPTURE)
    if job.returned_tokens:
        kinds.append(RowKind.REST if job.charged_tokens else RowKind.RELEASE)
    if job.state is State.GIFTED:
        kinds.append(RowKind.GIFT)
        reason = "late_gift"
    return {
        "held_tokens": job.hold_tokens,
        "charged_tokens": job.charged_tokens,
        "returned_tokens": job.returned_tokens,
        "reason": reason,
        "ledger_ids": [row_id(job.id, kind) for kind in kinds],
    }


def filename(job: Job, index: int = 0) -> str:
    """A name for a downloaded result that says what it is."""
    words = re.sub(r"[^\w]+", "-", job.prompt.lower())[:40].strip("-") or "result"
    number = f"-{index + 1}" if len(job.results) > 1 else ""
    return f"reelmint-{words}{number}.{_EXTENSIONS[job.results[index].content_type]}"


def model(model: Model, switches: Switches, now_ms: int) -> Json:
    """A catalogue entry as buyers see it."""
    can = asdict(model.capabilities)
    can["images"] = {role: model.capabilities.images.get(role, "none") for role in IMAGE_ROLES}
    settings = fitting.plainest(model).settings
    is_off = switches.is_off(model.provider, model.id)
    return {
        "id": model.id,
        "object": "model",
        "kind": model.kind,
        "name": model.name,
        "provider": model.provider,
        "state": "off" if is_off else model.state_at(now_ms),
        "retires_on": None if model.retires_on is None else model.retires_on.isoformat(),
        "successor": model.successor,
        "price_from_tokens": pricing.cheapest_tokens(model),
        "expected_seconds": model.expected_seconds,
        "capabilities": can,
        "defaults": {
            "duration_seconds": settings.duration_seconds,
            "resolution": settings.resolution,
            "aspect_ratio": settings.aspect_ratio,
        },
    }


def quote(quoted: Quoted) -> Json:
    """A promised price."""
    return {
        "quote_id": quoted.quote_id,
        "total_tokens": quoted.priced.total_tokens,
        "breakdown": [asdict(line) for line in quoted.priced.lines],
        "expires_at": quoted.expires_at_ms // 1000,
    }


def account(owner: Owner) -> Json:
    """The caller's account and balance."""
    return {
        "id": owner.account.id,
        "email": owner.account.email,
        "available_tokens": owner.wallet.available_tokens,
        "held_tokens": owner.wallet.held_tokens,
        "plan": owner.account.plan,
        "language": owner.account.language,
    }


def row(row: Row) -> Json:
    """A ledger row; the accounts of the owner are named without their id."""
    return {
        "id": row.id,
        "kind": row.kind.value,
        "tokens": row.tokens,
        "debit": _account_name(row.debit),
        "credit": _account_name(row.credit),
        "job_id": row.job_id,
        "created_at": row.created_at_ms // 1000,
        "note": row.note,
    }


def added(added: Added) -> Json:
    """Where to send a picture."""
    address = added.address
    return {
        "image_id": added.upload.id,
        "upload": {
            "method": address.method,
            "url": address.url,
            "headers": dict(address.headers),
            "expires_at": address.expires_at_ms // 1000,
        },
    }


def upload(upload: Upload) -> Json:
    """A picture and whether it can be used."""
    refused = {"code": upload.error_code, "message": upload.error_message}
    return {
        "image_id": upload.id,
        "state": upload.state,
        "width": upload.width,
        "height": upload.height,
        "error": refused if upload.state == "rejected" else None,
    }


def page(items: list[Json], has_more: bool) -> Json:
    """A page of anything that has ids."""
    return {
        "object": "list",
        "data": items,
        "first_id": items[0]["id"] if items else None,
        "last_id": items[-1]["id"] if items else None,
        "has_more": has_more,
    }


def _settings(settings: Settings) -> Json:
    return {
        "negative_prompt": settings.negative_prompt,
        "duration_seconds": settings.duration_seconds,
        "resolution": settings.resolution,
        "aspect_ratio": settings.aspect_ratio,
        "audio": settings.audio,
        "count": settings.count,
    }


async def _result(app: App, job: Job, index: int) -> Json:
    result = job.results[index]
    seconds = app.settings.download_seconds
    name = filename(job, index)
    return {
        "content_url": await app.blobs.sign_download(
            result.blob_key, filename=name, expires_seconds=seconds
        ),
        "thumbnail_url": await app.blobs.sign_download(
            result.thumbnail_key, filename=None, expires_seconds=seconds
        ),
        "filename": name,
        "content_type": result.content_type,
        "duration_seconds": result.duration_seconds,
        "width": result.width,
        "height": result.height,
        "size_bytes": result.size_bytes,
    }


def _account_name(account: str) -> str:
    return account.rsplit(":", 1)[1] if account.startswith("user:") else account


def _seconds(time_ms: int | None) -> int | None:
    return None if time_ms is None else time_ms // 1000
