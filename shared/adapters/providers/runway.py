"""Runway: films and pictures of words and pictures; no callbacks, no lookup.
https://docs.dev.runwayml.com/api

Pictures go as data addresses: Runway first sends HEAD to an address that it is given, and ours are
signed for GET alone.
"""

import base64
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

from shared.adapters.providers._keys import bearer
from shared.adapters.providers._replies import (
    json_object,
    retry_after_seconds,
    task_id_in,
    text_in,
    url_in,
    word_in,
)
from shared.adapters.providers.translator import Account, Cancel, Poll, Provider, unsendable
from shared.errors import VendorBusy, VendorError, VendorGone, VendorRejected, VendorUnknown
from shared.failures import FailureCode
from shared.ports import (
    Accepted,
    Data,
    HttpReply,
    HttpRequest,
    Outcome,
    OutcomeState,
    Parcel,
    Picture,
    Ticket,
    Work,
)

BUSY_SECONDS = 60.0

_HEADERS = {"x-runway-version": "2024-11-06"}

# By kind and resolution, the frame in pixels that an aspect ratio stands for. Gen-4 films have one
# size and no resolution.
_RATIOS: Mapping[tuple[str, str | None], Mapping[str, str]] = {
    ("video", None): {
        "16:9": "1280:720",
        "9:16": "720:1280",
        "1:1": "960:960",
        "4:3": "1104:832",
        "3:4": "832:1104",
        "21:9": "1584:672",
    },
    ("video", "720p"): {"16:9": "1280:720", "9:16": "720:1280"},
    ("video", "1080p"): {"16:9": "1920:1080", "9:16": "1080:1920"},
    ("image", "720p"): {
        "16:9": "1280:720",
        "9:16": "720:1280",
        "1:1": "720:720",
        "4:3": "960:720",
        "3:4": "720:960",
        "21:9": "1680:720",
    },
    ("image", "1080p"): {
        "16:9": "1920:1080",
        "9:16": "1080:1920",
        "1:1": "1080:1080",
        "4:3": "1440:1080",
        "3:4": "1080:1440",
        "21:9": "2112:912",
    },
}

_FRAMES = {"start": "first", "end": "last"}
# What a prompt may call a reference by: "@subject in the style of @source".
_REFERENCES = ("subject", "source")

# Their word → ours. PENDING, THROTTLED (it waits for others of ours, and must not be sent again)
# and RUNNING are running.
_STATES: Mapping[str, OutcomeState] = {
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}

# By status, why a task was not accepted. One that is absent leaves open whether it was.
_REFUSALS: Mapping[int, FailureCode] = {
    400: FailureCode.PROVIDER_REJECTED,
    401: FailureCode.PROVIDER_MISCONFIGURED,
    403: FailureCode.PROVIDER_MISCONFIGURED,
    404: FailureCode.MODEL_GONE,
    405: FailureCode.PROVIDER_REJECTED,
}

# By how the code begins, why a task failed. Any other is a failure of theirs.
_FAILURES: Mapping[str, FailureCode] = {
    "SAFETY": FailureCode.MODERATION_BLOCKED,
    "INPUT_PREPROCESSING.SAFETY": FailureCode.MODERATION_BLOCKED,
    "ASSET": FailureCode.PROVIDER_REJECTED,
    "THIRD_PARTY.UNAVAILABLE": FailureCode.PROVIDER_BUSY,
}


# ---------------------------------------------------------------- asking for it


def submit(work: Work, account: Account) -> HttpRequest:
    """See `Provider`."""
    ratio = _RATIOS.get((work.ticket.kind, work.resolution), {}).get(work.aspect_ratio or "")
    if ratio is None or work.count != 1:
        raise unsendable("this size, or several results")
    path, settings = _film(work) if work.ticket.kind == "video" else _picture(work)
    body = {
        "model": work.ticket.vendor_model,
        "promptText": work.prompt or None,
        "ratio": ratio,
        **settings,
    }
    sent = {name: value for name, value in body.items() if value is not None}
    return HttpRequest("POST", account.url(path), headers=_HEADERS, json=sent)


def _film(work: Work) -> tuple[str, dict[str, Any]]:
    is_veo = work.ticket.vendor_model.startswith("veo")
    if not is_veo and (work.audio or work.negative_prompt):
        raise unsendable("sound or a negative prompt")
    _require_roles(work, _FRAMES if is_veo else {"start"})
    settings: dict[str, Any] = {"duration": work.duration_seconds}
    if is_veo:
        # Sound is charged for and is on unless it is declined.
        settings |= {"audio": work.audio, "negativePrompt": work.negative_prompt or None}
    if not work.images:
        return "/v1/text_to_video", settings
    return "/v1/image_to_video", settings | {"promptImage": _prompt_image(work)}


def _prompt_image(work: Work) -> Any:
    if set(work.images) == {"start"}:
        return _data_url(work.images["start"])
    return [
        {"uri": _data_url(work.images[role]), "position": position}
        for role, position in _FRAMES.items()
        if role in work.images
    ]


def _picture(work: Work) -> tuple[str, dict[str, Any]]:
    if work.duration_seconds or work.audio or work.negative_prompt:
        raise unsendable("a duration, sound or a negative prompt")
    _require_roles(work, _REFERENCES)
    references = [
        {"uri": _data_url(work.images[role]), "tag": role}
        for role in _REFERENCES
        if role in work.images
    ]
    return "/v1/text_to_image", {"referenceImages": references or None}


def _require_roles(work: Work, roles: Collection[str]) -> None:
    unsent = sorted(set(work.images) - set(roles))
    if unsent:
        raise unsendable(f"{', '.join(unsent)} pictures")


def _data_url(picture: Picture) -> str:
    return f"data:{picture.content_type};base64,{base64.b64encode(picture.content).decode()}"


# ---------------------------------------------------------------- reading what it says


def accepted(reply: HttpReply, work: Work) -> Accepted:
    """See `Provider`."""
    data = json_object(reply.body)
    if reply.status == 200:
        return Accepted(task_id_in(data, "id"))
    said, code = _said(reply, data), _refusal(reply, data)
    if code is not None:
        raise VendorRejected(code, said)
    raise _not_now(reply, data)


def _ask(ticket: Ticket, account: Account) -> HttpRequest:
    return HttpRequest("GET", account.url(_task_path(ticket)), headers=_HEADERS)


def _told(reply: HttpReply, ticket: Ticket, account: Account) -> Outcome:
    data = json_object(reply.body)
    if reply.status != 200:
        raise _no_news(reply, data)
    if task_id_in(data, "id") != ticket.task_id:
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "the reply is about another task")
    state = _STATES.get(text_in(data, "status"), "running")
    word = word_in(data, "failureCode")
    return Outcome(
        ticket.task_id,
        state,
        parcels=_parcels(data) if state == "succeeded" else (),
        failure_code=_failure(word) if state == "failed" else None,
        detail=word if state == "failed" else "",
    )


def _ask_to_stop(ticket: Ticket, account: Account) -> HttpRequest:
    return HttpRequest("DELETE", account.url(_task_path(ticket)), headers=_HEADERS)


def _stopped(reply: HttpReply, ticket: Ticket) -> Outcome | None:
    # The same call stops what is unfinished and deletes what is finished. Either way there will be
    # no result, and Runway does not show the task any more: a poll would find nothing.
    if reply.status == 204:
        return Outcome(ticket.task_id, "cancelled")
    raise _no_news(reply, json_object(reply.body))


def _parcels(data: Data) -> tuple[Parcel, ...]:
    """Fresh addresses: each reply has new ones, good for a day."""
    output = data.get("output")
    if not isinstance(output, list) or not output:
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "a success without results")
    return tuple(Parcel(url_in({"output": url}, "output")) for url in output)


def _failure(word: str) -> FailureCode:
    codes = (code for prefix, code in _FAILURES.items() if word.startswith(prefix))
    return next(codes, FailureCode.PROVIDER_FAILED)


def _refusal(reply: HttpReply, data: Data) -> FailureCode | None:
    """Why a task was surely not accepted, if that is what the reply says."""
    if not _is_error(data):
        return None
    if reply.status == 400 and _field_at_fault(data) == "model":
        return FailureCode.MODEL_GONE
    if reply.status == 400 and "issues" not in data and "credit" in data["error"].lower():
        # The one thing that only the sentence tells: the account is out of credits (facts B3).
        return FailureCode.PROVIDER_MISCONFIGURED
    return _REFUSALS.get(reply.status)


def _no_news(reply: HttpReply, data: Data) -> VendorError:
    if reply.status == 404 and _is_error(data):
        return VendorGone(FailureCode.PROVIDER_FAILED, _said(reply, data))
    return _not_now(reply, data)


def _not_now(reply: HttpReply, data: Data) -> VendorError:
    said = _said(reply, data)
    if _is_error(data) and reply.status in {429, 503}:
        wait = retry_after_seconds(reply)
        seconds = BUSY_SECONDS if wait is None else wait
        return VendorBusy(FailureCode.PROVIDER_BUSY, said, retry_after_seconds=seconds)
    is_our_account = reply.status in {401, 403}
    code = FailureCode.PROVIDER_MISCONFIGURED if is_our_account else FailureCode.PROVIDER_FAILED
    return VendorUnknown(code, said)


def _said(reply: HttpReply, data: Data) -> str:
    return f"{reply.status} {_field_at_fault(data)}"


def _is_error(data: Data) -> bool:
    return isinstance(data.get("error"), str)


def _field_at_fault(data: Data) -> str:
    """The field of ours that the first issue is about, or "?"."""
    issues = data.get("issues")
    first = issues[0] if isinstance(issues, list) and issues else None
    path = first.get("path") if isinstance(first, Mapping) else None
    return word_in({"at": path[0]}, "at") if isinstance(path, list) and path else "?"


def _task_path(ticket: Ticket) -> str:
    return f"/v1/tasks/{quote(ticket.task_id, safe='')}"


PROVIDER = Provider(
    name="runway",
    base_url="https://api.dev.runwayml.com",
    authorize=bearer,
    submit=submit,
    accepted=accepted,
    poll=Poll(_ask, _told),
    cancel=Cancel(_ask_to_stop, _stopped),
    # Which of CloudFront's hosts serves results is Runway's to change; none of them gets the key.
    hosts=("*.cloudfront.net",),
    takes_bytes=True,
)
