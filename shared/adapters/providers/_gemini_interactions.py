"""Videos by Gemini's Interactions API: asked for in the background, told of by steps."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from shared.adapters.providers._gemini_files import ask_for_file
from shared.adapters.providers._gemini_replies import (
    answer_in,
    is_about_safety,
    poll_error,
    submit_error,
)
from shared.adapters.providers._replies import (
    content_in,
    object_in,
    objects_in,
    task_id_in,
    text_in,
)
from shared.adapters.providers.translator import Account, Ask
from shared.errors import VendorRejected, VendorUnknown
from shared.failures import FailureCode
from shared.ports import Accepted, Data, HttpReply, HttpRequest, Outcome, Parcel, Ticket, Work

# Pictures have no fields: each is bound by its tag in the prompt, in the order of both.
TAGS: Mapping[str, str] = {"start": "<FIRST_FRAME>", "end": "<LAST_FRAME>"}

_PATH = "/v1beta/interactions"

# How an interaction fails, besides being cancelled. A word that is absent means that it still runs.
_FAILURES: Mapping[str, FailureCode] = {
    "budget_exceeded": FailureCode.PROVIDER_MISCONFIGURED,
    "failed": FailureCode.PROVIDER_FAILED,
    "incomplete": FailureCode.PROVIDER_FAILED,
    "requires_action": FailureCode.PROVIDER_MISCONFIGURED,
}


def submit(work: Work, account: Account) -> HttpRequest:
    """See `Provider`."""
    if "end" in work.images and "start" not in work.images:
        raise VendorRejected(FailureCode.PROVIDER_REJECTED, "an end needs a start")
    task = "image_to_video" if work.images else "text_to_video"
    body: dict[str, Any] = {
        "model": work.ticket.vendor_model,
        "input": _input(work),
        "background": True,
        "store": True,  # what is not stored cannot be asked about
        "response_format": _format(work),
        "generation_config": {"video_config": {"task": task}},
    }
    if work.callback_url:
        metadata = {"job": work.ticket.job_id}
        body["webhook_config"] = {"uris": [work.callback_url], "user_metadata": metadata}
    return HttpRequest("POST", account.url(_PATH), json=body)


def _input(work: Work) -> str | list[dict[str, str]]:
    if not work.images:
        return work.prompt
    roles = [role for role in TAGS if role in work.images]
    shown = [
        {
            "type": "image",
            "mime_type": work.images[role].content_type,
            "data": base64.b64encode(work.images[role].content).decode(),
        }
        for role in roles
    ]
    text = " ".join([*(TAGS[role] for role in roles), work.prompt])
    return [*shown, {"type": "text", "text": text}]


def _format(work: Work) -> Mapping[str, str]:
    seconds = work.duration_seconds
    asked = {
        "type": "video",
        "aspect_ratio": work.aspect_ratio,
        "resolution": work.resolution,
        "duration": None if seconds is None else f"{seconds}s",  # a bare number is refused
        "delivery": "uri",
    }
    return {name: value for name, value in asked.items() if value is not None}


def accepted(reply: HttpReply, work: Work) -> Accepted:
    """See `Provider`."""
    data = answer_in(reply)
    if reply.status != 200:
        raise submit_error(reply, data, is_over=False)
    return Accepted(task_id_in(data, "id"))


def ask(ticket: Ticket, account: Account) -> HttpRequest:
    """See `Poll`."""
    return HttpRequest("GET", account.url(_path_of(ticket)))


def told(reply: HttpReply, ticket: Ticket, account: Account) -> Outcome | Ask:
    """See `Poll`."""
    data = answer_in(reply)
    if reply.status != 200:
        raise poll_error(reply, data)
    if _status_in(data, ticket) == "completed":
        return _finished(data, ticket, account)
    return _unfinished(data, ticket)


def ask_to_stop(ticket: Ticket, account: Account) -> HttpRequest:
    """See `Cancel`."""
    return HttpRequest("POST", account.url(f"{_path_of(ticket)}/cancel"))


def stopped(reply: HttpReply, ticket: Ticket) -> Outcome | None:
    """See `Cancel`."""
    data = answer_in(reply)
    if reply.status == 400 and object_in(data, "error"):
        return None  # most likely it has ended; which code says so is not documented (facts A2)
    if reply.status != 200:
        raise poll_error(reply, data)
    is_completed = _status_in(data, ticket) == "completed"
    return None if is_completed else _unfinished(data, ticket)


def _status_in(data: Data, ticket: Ticket) -> str:
    if task_id_in(data, "id") != ticket.task_id:
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "the reply is about another task")
    return text_in(data, "status")


def _unfinished(data: Data, ticket: Ticket) -> Outcome:
    status = _status_in(data, ticket)
    if status == "cancelled":
        return Outcome(ticket.task_id, "cancelled")
    if status not in _FAILURES:
        return Outcome(ticket.task_id, "running")
    # Whether a failed interaction says why is not documented; its webhook does (facts A3).
    is_moderation = is_about_safety(object_in(data, "error"))
    code = FailureCode.MODERATION_BLOCKED if is_moderation else _FAILURES[status]
    return _failed(ticket, code, status)


def _finished(data: Data, ticket: Ticket, account: Account) -> Outcome | Ask:
    """Completed: with a video, or with words alone, which is how its safety rules refuse."""
    said = [
        content
        for step in objects_in(data, "steps")
        if step.get("type") == "model_output"
        for content in objects_in(step, "content")
    ]
    videos = [content for content in said if content.get("type") == "video"]
    if not videos:
        return _without_video(data, ticket, any(each.get("type") == "text" for each in said))
    if "uri" in videos[0]:
        return ask_for_file(videos[0], ticket, account)
    parcel = Parcel(content=content_in(videos[0], "data"))
    return Outcome(ticket.task_id, "succeeded", parcels=(parcel,))


def _without_video(data: Data, ticket: Ticket, has_words: bool) -> Outcome:
    if _has_made_video(data):
        return _failed(ticket, FailureCode.RESULT_UNAVAILABLE, "a video that is not shown")
    if has_words:
        return _failed(ticket, FailureCode.MODERATION_BLOCKED, "words alone")
    return _failed(ticket, FailureCode.PROVIDER_FAILED, "no output")


def _has_made_video(data: Data) -> bool:
    """Whether video is among what is charged."""
    used = object_in(data, "usage").get("output_tokens_by_modality")
    return any(
        isinstance(each, Mapping) and each.get("modality") == "video" and each.get("tokens")
        for each in (used if isinstance(used, list) else [])
    )


def _failed(ticket: Ticket, code: FailureCode, detail: str) -> Outcome:
    return Outcome(ticket.task_id, "failed", failure_code=code, detail=detail)


def _path_of(ticket: Ticket) -> str:
    return f"{_PATH}/{quote(ticket.task_id, safe='')}"
