"""ModelsLab: its own and other makers' models behind one queue. docs.modelslab.com

The vendor's model in the catalogue says at which of its addresses it is made: `v6/video:wan2.2`,
`v7/video-fusion:seedance-t2v`, `v7/images:seedream-4.5`. The key stands in every body, and each
poll is a POST. Callbacks are not signed; there is no cancelling and no search by our id.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import quote

from shared.adapters.providers._modelslab_words import (
    ENDED_BADLY,
    failure_of,
    is_verdict,
    poll_error,
    status_word,
    submit_error,
)
from shared.adapters.providers._replies import json_object, task_id_in, text_in, url_in
from shared.adapters.providers._signing import hint_of
from shared.adapters.providers.translator import Account, Keys, Poll, Provider, Webhook, unsendable
from shared.errors import VendorRejected, VendorUnknown
from shared.failures import FailureCode
from shared.ports import (
    Accepted,
    Data,
    Hint,
    HttpReply,
    HttpRequest,
    Inbound,
    Outcome,
    Parcel,
    Ticket,
    Work,
)

T = TypeVar("T")

# Of V6's ultra calls only what all copies of their page agree on is sent (facts D1).
_V6_FRAMES_PER_SECOND = 16
_V6_FRAMES: Mapping[int | None, int | None] = {None: None, 5: 81}
_V6_LINES: Mapping[str | None, int | None] = {None: None, "480p": 480, "720p": 720}
_V6_PORTRAIT: Mapping[str | None, bool | None] = {None: None, "16:9": None, "9:16": True}


# ---------------------------------------------------------------- asking for it


def authorize(request: HttpRequest, account: Account, now_ms: int) -> HttpRequest:
    """The key in the body."""
    return replace(request, json={**(request.json or {}), "key": account.api_key})


def submit(work: Work, account: Account) -> HttpRequest:
    """See `Provider`."""
    family, model = _parts(work.ticket)
    if set(work.images) - {family.role} or work.count != 1:
        raise unsendable("these pictures, or several results")
    picture = work.images.get(family.role)
    body = {
        "model_id": model,
        "prompt": work.prompt or None,
        "negative_prompt": work.negative_prompt or None,
        "webhook": work.callback_url or None,
        "track_id": work.ticket.job_id,
        **family.settings(work),
        "init_image": family.picture(picture.url) if picture else None,
    }
    sent = {name: value for name, value in body.items() if value is not None}
    path = family.with_picture if picture else family.plain
    return HttpRequest("POST", account.url(f"{family.path}/{path}"), json=sent)


def _v6_settings(work: Work) -> dict[str, Any]:
    if work.audio:
        raise unsendable("sound")
    frames = _among(_V6_FRAMES, work.duration_seconds)
    return {
        "resolution": _among(_V6_LINES, work.resolution),
        "num_frames": frames,
        "fps": _V6_FRAMES_PER_SECOND if frames else None,
        "portrait": _among(_V6_PORTRAIT, work.aspect_ratio),
    }


def _v7_video_settings(work: Work) -> dict[str, Any]:
    return {
        **_v7_frame(work),
        "duration": str(work.duration_seconds) if work.duration_seconds else None,
        "generate_audio": True if work.audio else None,
    }


def _v7_image_settings(work: Work) -> dict[str, Any]:
    if work.duration_seconds or work.audio:
        raise unsendable("durations and sound of pictures")
    return _v7_frame(work)


def _v7_frame(work: Work) -> dict[str, Any]:
    return {"resolution": work.resolution, "aspect_ratio": work.aspect_ratio}


def accepted(reply: HttpReply, work: Work) -> Accepted:
    """See `Provider`. Pictures may be there at once, or later as films are."""
    data = json_object(reply.body)
    if reply.status != 200 or status_word(data) in ENDED_BADLY:
        raise submit_error(reply, data)
    parcels = _parcels(data)
    if parcels and _is_blocked(data):
        raise VendorRejected(FailureCode.MODERATION_BLOCKED, "nsfw_content_detected")
    is_named = "id" in data or not parcels
    return Accepted(task_id_in(data, "id") if is_named else "", parcels)


# ---------------------------------------------------------------- asking how it stands


def _ask(ticket: Ticket, account: Account) -> HttpRequest:
    family, _ = _parts(ticket)
    task = quote(ticket.task_id, safe="")
    return HttpRequest("POST", account.url(f"{family.path}/fetch/{task}"), json={})


def _told(reply: HttpReply, ticket: Ticket, account: Account) -> Outcome:
    data = json_object(reply.body)
    word = status_word(data)
    if reply.status != 200 or (word in ENDED_BADLY and not is_verdict(data)):
        raise poll_error(reply, data)
    if "id" in data and task_id_in(data, "id") != ticket.task_id:
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "the reply is about another task")
    if word in ENDED_BADLY:
        return _failed(ticket, *failure_of(data))
    parcels = _parcels(data)
    if not parcels and text_in(data, "status") == "success":
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "success without a result")
    if parcels and _is_blocked(data):
        return _failed(ticket, FailureCode.MODERATION_BLOCKED, "nsfw_content_detected")
    # A result counts whatever the status word is: it lags behind.
    return Outcome(ticket.task_id, "succeeded" if parcels else "running", parcels=parcels)


def _failed(ticket: Ticket, code: FailureCode, detail: str) -> Outcome:
    return Outcome(ticket.task_id, "failed", failure_code=code, detail=detail)


def _parcels(data: Data) -> tuple[Parcel, ...]:
    """The results. `future_links` are where they will be, and may be dead until then."""
    output = data.get("output")
    listed = output if isinstance(output, list) else []
    return tuple(Parcel(url_in({"output": each}, "output")) for each in listed)


def _is_blocked(data: Data) -> bool:
    """Pictures say so of themselves, with a flag for all or for each."""
    flags = data.get("nsfw_content_detected")
    return any(flag is True for flag in (flags if isinstance(flags, list) else [flags]))


# ---------------------------------------------------------------- being called


def _hint(inbound: Inbound, keys: Keys, now_ms: int) -> Hint:
    return hint_of(inbound, "id")


# ---------------------------------------------------------------- what is where


@dataclass(frozen=True, slots=True)
class _Family:
    """One group of addresses: what makes films or pictures, and asks for them by POST."""

    path: str
    plain: str
    with_picture: str
    role: str
    settings: Callable[[Work], dict[str, Any]]
    picture: Callable[[str], str | list[str]]


# The vendor's guide has V7 take a list of pictures, its command line sends one (facts D2).
_FAMILIES: Mapping[str, _Family] = {
    "v6/video": _Family(
        "/api/v6/video", "text2video_ultra", "img2video_ultra", "start", _v6_settings, str
    ),
    "v7/video-fusion": _Family(
        "/api/v7/video-fusion",
        "text-to-video",
        "image-to-video",
        "start",
        _v7_video_settings,
        lambda url: [url],
    ),
    "v7/images": _Family(
        "/api/v7/images",
        "text-to-image",
        "image-to-image",
        "source",
        _v7_image_settings,
        lambda url: [url],
    ),
}


def _parts(ticket: Ticket) -> tuple[_Family, str]:
    path, _, model = ticket.vendor_model.partition(":")
    if path not in _FAMILIES or not model:
        raise VendorRejected(FailureCode.MODEL_GONE, "the catalogue names no call of ModelsLab")
    return _FAMILIES[path], model


def _among(values: Mapping[Any, T], asked: object) -> T:
    if asked not in values:
        raise unsendable("this setting")
    return values[asked]


PROVIDER = Provider(
    name="modelslab",
    base_url="https://modelslab.com",
    authorize=authorize,
    submit=submit,
    accepted=accepted,
    poll=Poll(_ask, _told),
    webhook=Webhook(_hint),
    hosts=("*.r2.dev", "*.modelslab.ai", "*.modelslab.com", "*.stablediffusionapi.com"),
)
