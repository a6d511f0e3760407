"""What fal's replies mean: results, and its errors by their types, in the status and the answer."""

from collections.abc import Mapping, Sequence

from shared.adapters.providers._replies import (
    json_object,
    object_in,
    objects_in,
    retry_after_seconds,
    url_in,
    word_in,
)
from shared.errors import VendorBusy, VendorError, VendorGone, VendorRejected, VendorUnknown
from shared.failures import FailureCode
from shared.ports import Data, HttpReply, Outcome, Parcel, Ticket

# Why a request ended badly: `type` of a model's error, `error_type` of the queue's own.
_FAILURES: Mapping[str, FailureCode] = {
    "content_policy_violation": FailureCode.MODERATION_BLOCKED,
    # The model's, for good.
    "face_detection_error": FailureCode.PROVIDER_REJECTED,
    "feature_not_supported": FailureCode.PROVIDER_REJECTED,
    "file_too_large": FailureCode.PROVIDER_REJECTED,
    "greater_than": FailureCode.PROVIDER_REJECTED,
    "greater_than_equal": FailureCode.PROVIDER_REJECTED,
    "image_load_error": FailureCode.PROVIDER_REJECTED,
    "image_too_large": FailureCode.PROVIDER_REJECTED,
    "image_too_small": FailureCode.PROVIDER_REJECTED,
    "less_than": FailureCode.PROVIDER_REJECTED,
    "less_than_equal": FailureCode.PROVIDER_REJECTED,
    "multiple_of": FailureCode.PROVIDER_REJECTED,
    "one_of": FailureCode.PROVIDER_REJECTED,
    "sequence_too_long": FailureCode.PROVIDER_REJECTED,
    "sequence_too_short": FailureCode.PROVIDER_REJECTED,
    "unsupported_audio_format": FailureCode.PROVIDER_REJECTED,
    "unsupported_image_format": FailureCode.PROVIDER_REJECTED,
    "unsupported_video_format": FailureCode.PROVIDER_REJECTED,
    # The address of a picture is ours, and another try makes another.
    "file_download_error": FailureCode.PROVIDER_FAILED,
    "no_media_generated": FailureCode.PROVIDER_FAILED,
    # The model's, for now.
    "downstream_service_error": FailureCode.PROVIDER_FAILED,
    "downstream_service_unavailable": FailureCode.PROVIDER_FAILED,
    "generation_timeout": FailureCode.PROVIDER_FAILED,
    "internal_server_error": FailureCode.PROVIDER_FAILED,
    # The queue's, after up to ten tries of its own.
    "internal_error": FailureCode.PROVIDER_FAILED,
    "request_timeout": FailureCode.PROVIDER_BUSY,
    "runner_connection_error": FailureCode.PROVIDER_FAILED,
    "runner_connection_refused": FailureCode.PROVIDER_FAILED,
    "runner_connection_timeout": FailureCode.PROVIDER_BUSY,
    "runner_disconnected": FailureCode.PROVIDER_FAILED,
    "runner_incomplete_response": FailureCode.PROVIDER_FAILED,
    "runner_scheduling_failure": FailureCode.PROVIDER_BUSY,
    "runner_server_error": FailureCode.PROVIDER_FAILED,
    "startup_timeout": FailureCode.PROVIDER_BUSY,
}

# What a request becomes that we have stopped is not documented (facts I12). Where it is told, this
# is the word; otherwise the vendor does not know it any more.
_CANCELLED = "client_cancelled"

# What is surely not accepted. A status that is absent leaves it open.
_REFUSALS: Mapping[int, FailureCode] = {
    401: FailureCode.PROVIDER_MISCONFIGURED,
    403: FailureCode.PROVIDER_MISCONFIGURED,  # the key, or a balance that is used up
    404: FailureCode.MODEL_GONE,
    422: FailureCode.PROVIDER_REJECTED,
}

# Statuses of the way to an answer, not of the answer: they are no verdict on the request.
_ON_THE_WAY = frozenset({401, 403, 404, 408, 409, 429, 502, 503, 504})
_TOO_EARLY = "Request is still in progress"


def submit_error(reply: HttpReply, data: Data) -> VendorError:
    """Why a request was not accepted, if it surely was not."""
    words = _types(reply, data)
    detail = _told(reply, words)
    code = _REFUSALS.get(reply.status)
    if code is None or not _is_theirs(data):
        return _not_now(reply, data, detail)
    if "content_policy_violation" in words:
        code = FailureCode.MODERATION_BLOCKED
    return VendorRejected(code, detail)


def poll_error(reply: HttpReply, data: Data) -> VendorError:
    """Why nothing was said of a request."""
    detail = _told(reply, _types(reply, data))
    if reply.status == 404 and _is_theirs(data):
        return VendorGone(FailureCode.PROVIDER_FAILED, detail)
    return _not_now(reply, data, detail)


def failure_told(reply: HttpReply, data: Data, ticket: Ticket) -> Outcome | None:
    """The failure that a reply names by a type that is known; None when it names none."""
    for word in _types(reply, data):
        if word == _CANCELLED:
            return Outcome(ticket.task_id, "cancelled")
        if word in _FAILURES:
            return _failed(ticket, _FAILURES[word], word)
    return None


def read_answer(reply: HttpReply, ticket: Ticket, *, is_bad: bool) -> Outcome:
    """The outcome in the answer of a request that is over, which is bad news if the status had an
    error beside it. Raises as `Poll.read` does.
    """
    data = json_object(reply.body)
    if reply.status == 200 and not is_bad:
        return _made(data, ticket)
    if reply.status < 500 and data.get("detail") == _TOO_EARLY:
        return Outcome(ticket.task_id, "running")
    failed = failure_told(reply, data, ticket)
    if failed is not None:
        return failed
    if reply.status in _ON_THE_WAY or not (reply.status == 200 or _is_theirs(data)):
        raise poll_error(reply, data)
    is_input = reply.status == 422
    code = FailureCode.PROVIDER_REJECTED if is_input else FailureCode.PROVIDER_FAILED
    return _failed(ticket, code, _told(reply, _types(reply, data)))


def _made(data: Data, ticket: Ticket) -> Outcome:
    if ticket.kind == "video":
        parcels = [Parcel(url_in(object_in(data, "video"), "url"))]
    else:
        images = objects_in(data, "images")
        hidden = _hidden(data)
        shown = [image for n, image in enumerate(images) if n not in hidden]
        if hidden and not shown:
            return _failed(ticket, FailureCode.MODERATION_BLOCKED, "has_nsfw_concepts")
        parcels = [Parcel(url_in(image, "url")) for image in shown]
    if not parcels:
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "the answer is without pictures")
    return Outcome(ticket.task_id, "succeeded", parcels=tuple(parcels))


def _hidden(data: Data) -> frozenset[int]:
    """Which pictures were painted over: such a one comes black, as if nothing were wrong with it
    (facts G2)."""
    flags = data.get("has_nsfw_concepts")
    return frozenset(n for n, flag in enumerate(flags if isinstance(flags, list) else ()) if flag)


def _failed(ticket: Ticket, code: FailureCode, detail: str) -> Outcome:
    return Outcome(ticket.task_id, "failed", failure_code=code, detail=detail)


def _not_now(reply: HttpReply, data: Data, detail: str) -> VendorError:
    if reply.status == 429 and _is_theirs(data):
        wait_seconds = retry_after_seconds(reply)
        return VendorBusy(FailureCode.PROVIDER_BUSY, detail, retry_after_seconds=wait_seconds)
    is_ours = reply.status in {401, 403} and _is_theirs(data)
    code = FailureCode.PROVIDER_MISCONFIGURED if is_ours else FailureCode.PROVIDER_FAILED
    return VendorUnknown(code, detail)


def _is_theirs(data: Data) -> bool:
    return "detail" in data or "error" in data


def _types(reply: HttpReply, data: Data) -> Sequence[str]:
    """The types of an error: the queue's own, in the body or a header, and those of its details."""
    detail = data.get("detail")
    details = detail if isinstance(detail, list) else []
    words = [
        word_in(reply.headers, "x-fal-error-type"),
        word_in(data, "error_type"),
        *(word_in(each, "type") for each in details if isinstance(each, Mapping)),
    ]
    return [word for word in words if word != "?"]


def _told(reply: HttpReply, words: Sequence[str]) -> str:
    return f"{reply.status} {words[0] if words else '?'}"
