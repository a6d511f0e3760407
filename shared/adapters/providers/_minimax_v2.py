"""MiniMax video V2 (MiniMax-H3): real HTTP statuses, and errors that name their type.

Source: platform.minimax.io/docs/api-reference/video-generation-v2-create and its siblings.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from shared.adapters.providers._minimax_words import (
    REPLY_BYTES_MAX,
    outcome,
    require_roles,
    state_of,
)
from shared.adapters.providers._replies import json_object, object_in, task_id_in, word_in
from shared.adapters.providers.translator import unsendable
from shared.errors import VendorBusy, VendorError, VendorGone, VendorRejected, VendorUnknown
from shared.failures import FailureCode
from shared.ports import Accepted, Data, HttpReply, Outcome, Ticket, Work

CREATE = "/v2/video_generation"

_ROLES = {"start": "first_frame", "end": "last_frame", "subject": "reference_image"}

_REFUSED_TYPES: Mapping[str, FailureCode] = {
    "authorized_error": FailureCode.PROVIDER_MISCONFIGURED,
    "bad_request_error": FailureCode.PROVIDER_REJECTED,
    "insufficient_balance_error": FailureCode.PROVIDER_MISCONFIGURED,
    "unprocessable_entity_error": FailureCode.MODERATION_BLOCKED,
}
_BUSY_TYPES = frozenset({"overloaded_error", "rate_limit_error"})


def body(work: Work, model: str) -> dict[str, Any]:
    """What is asked for."""
    require_roles(work, set(_ROLES))
    if work.count != 1:
        raise unsendable("several results")
    content: list[dict[str, Any]] = [{"type": "text", "text": work.prompt}]
    content += [
        {"type": "image_url", "image_url": {"url": work.images[role].url}, "role": name}
        for role, name in _ROLES.items()
        if role in work.images
    ]
    return {
        "model": model,
        "content": content,
        "resolution": work.resolution,
        "duration": work.duration_seconds,
        "ratio": work.aspect_ratio,
        "callback_url": work.callback_url or None,
    }


def accepted(reply: HttpReply) -> Accepted:
    """The task. Raises `VendorRejected`, `VendorBusy`, `VendorUnknown`."""
    data = json_object(reply.body, REPLY_BYTES_MAX)
    if reply.status == 200 and "task_id" in data:
        return Accepted(task_id_in(data, "task_id"))
    raise _error(reply, data)


def query(ticket: Ticket) -> str:
    """The path that says how a task of the last seven days stands."""
    return f"/v2/query/video_generation/{quote(ticket.task_id, safe='')}"


def told(reply: HttpReply, ticket: Ticket) -> Outcome:
    """How it stands. Raises `VendorGone`, `VendorBusy`, `VendorUnknown`."""
    data = json_object(reply.body, REPLY_BYTES_MAX)
    if reply.status == 404 and object_in(data, "error"):
        raise VendorGone(FailureCode.PROVIDER_FAILED, "404")
    if reply.status != 200:
        error = _error(reply, data)
        raise error if isinstance(error, VendorBusy) else VendorUnknown(error.code, error.detail)
    task = object_in(data, "task")
    if task_id_in(task, "id") != ticket.task_id:
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "the reply is about another task")
    code = word_in(object_in(task, "error"), "code")
    number = int(code) if code.isdecimal() else None
    return outcome(ticket, state_of(task), object_in(task, "content"), number, "url")


def _error(reply: HttpReply, data: Data) -> VendorError:
    kind = word_in(object_in(data, "error"), "type")
    said = f"{reply.status} {kind}"
    if kind in _BUSY_TYPES:
        return VendorBusy(FailureCode.PROVIDER_BUSY, said)
    if kind in _REFUSED_TYPES and 400 <= reply.status < 500:
        return VendorRejected(_REFUSED_TYPES[kind], said)
    return VendorUnknown(FailureCode.PROVIDER_FAILED, said)
