"""What Kling is sent: where a job is ordered and asked for, and the bodies of its orders.

It has two generations of endpoints, with words of their own: the older ones under /v1, and one
address for each model of the new generation. Pictures are made by the older ones alone.
"""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

from shared.adapters.providers.translator import unsendable
from shared.ports import Ticket, Work

IMAGES = "/v1/images/generations"
TASKS = "/tasks"

_OLDER_MODELS = "kling-v"  # kling-v3 there is kling-3.0 here
_MODES = {"720p": "std", "1080p": "pro", "4k": "4k"}
_FRAMES = {"start": "image", "end": "image_tail"}
_NEW_FRAMES = {"start": "first_frame", "end": "last_frame"}


def is_new(ticket: Ticket) -> bool:
    """Whether the new generation of endpoints makes it."""
    return ticket.kind == "video" and not ticket.vendor_model.startswith(_OLDER_MODELS)


def order_path(ticket: Ticket) -> str:
    """Where it is ordered, and where the older endpoints say how it stands."""
    if ticket.kind != "video":
        return IMAGES
    if is_new(ticket):
        kind = "image-to-video" if ticket.roles else "text-to-video"
        return f"/{kind}/{quote(ticket.vendor_model, safe='')}"
    return "/v1/videos/image2video" if ticket.roles else "/v1/videos/text2video"


def order_body(work: Work) -> Mapping[str, Any]:
    """What is ordered. Raises `VendorRejected` for what there is no field for."""
    if work.ticket.kind != "video":
        return _picture(work)
    _refuse_others(work, _FRAMES)
    if work.count != 1:
        raise unsendable("several films")
    return _new_film(work) if is_new(work.ticket) else _film(work)


def _film(work: Work) -> Mapping[str, Any]:
    return _said({
        "model_name": work.ticket.vendor_model,
        "prompt": work.prompt or None,
        "negative_prompt": work.negative_prompt,
        "sound": "on" if work.audio else None,
        "mode": _mode(work.resolution),
        "duration": str(work.duration_seconds) if work.duration_seconds else None,
        "aspect_ratio": _aspect_ratio(work),
        **{_FRAMES[role]: picture.url for role, picture in work.images.items()},
        "callback_url": work.callback_url or None,
        "external_task_id": work.ticket.job_id,
    })  # fmt: skip


def _new_film(work: Work) -> Mapping[str, Any]:
    if work.negative_prompt:
        raise unsendable("negative prompts")
    settings = {
        "audio": "native" if work.audio else "off",
        "resolution": work.resolution,
        "aspect_ratio": _aspect_ratio(work),
        "duration": work.duration_seconds,
    }
    options = {
        "callback_url": work.callback_url or None,
        "external_task_id": work.ticket.job_id,
    }
    frames = [
        {"type": _NEW_FRAMES[role], "url": work.images[role].url}
        for role in _NEW_FRAMES
        if role in work.images
    ]
    words = [{"type": "prompt", "text": work.prompt}] if work.prompt else []
    what = {"contents": [*words, *frames]} if frames else {"prompt": work.prompt}
    return {**what, "settings": _said(settings), "options": _said(options)}


def _picture(work: Work) -> Mapping[str, Any]:
    _refuse_others(work, ("source",))
    if work.audio or work.duration_seconds:
        raise unsendable("sound and length of a picture")
    if work.images and work.negative_prompt:
        raise unsendable("a negative prompt beside a picture")
    source = work.images.get("source")
    return _said({
        "model_name": work.ticket.vendor_model,
        "prompt": work.prompt,
        "negative_prompt": work.negative_prompt,
        "image": source.url if source else None,
        "resolution": work.resolution,
        "n": work.count,
        "aspect_ratio": work.aspect_ratio,
        "callback_url": work.callback_url or None,
        "external_task_id": work.ticket.job_id,
    })  # fmt: skip


def _mode(resolution: str | None) -> str | None:
    if resolution is None:
        return None
    if resolution not in _MODES:
        raise unsendable("this resolution")
    return _MODES[resolution]


def _aspect_ratio(work: Work) -> str | None:
    """A film from pictures has their shape, to which they were cut: no field takes another."""
    return None if work.images else work.aspect_ratio


def _refuse_others(work: Work, roles: Collection[str]) -> None:
    if not set(work.images) <= set(roles):
        raise unsendable("a picture in this role")


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
