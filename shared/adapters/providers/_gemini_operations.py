"""Videos by Veo's predictLongRunning: an operation that is done or not. Google's developer API has
retired it; gateways and Google Cloud keep the shape (facts A1).
"""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from shared.adapters.providers._gemini_files import file_parcel
from shared.adapters.providers._gemini_replies import (
    answer_in,
    is_about_safety,
    poll_error,
    submit_error,
)
from shared.adapters.providers._replies import content_in, object_in, task_id_in, text_in
from shared.adapters.providers.translator import Account
from shared.errors import VendorRejected, VendorUnknown
from shared.failures import FailureCode
from shared.ports import (
    Accepted,
    Data,
    HttpReply,
    HttpRequest,
    Outcome,
    Parcel,
    Picture,
    Ticket,
    Work,
)

FIELDS: Mapping[str, str] = {"start": "image", "end": "lastFrame"}

# Why an operation failed, by google.rpc.Code. A number that is absent is a failure of theirs.
_INVALID_ARGUMENT = 3
_FAILURES: Mapping[int, FailureCode] = {
    _INVALID_ARGUMENT: FailureCode.PROVIDER_REJECTED,
    7: FailureCode.PROVIDER_MISCONFIGURED,  # PERMISSION_DENIED
    8: FailureCode.PROVIDER_BUSY,  # RESOURCE_EXHAUSTED
    16: FailureCode.PROVIDER_MISCONFIGURED,  # UNAUTHENTICATED
}

_NAME = re.compile(r"(?:.*/)?models/(?P<model>[^/]+)/operations/(?P<id>[^/]+)")


def submit(work: Work, account: Account) -> HttpRequest:
    """See `Provider`."""
    if "end" in work.images and "start" not in work.images:
        raise VendorRejected(FailureCode.PROVIDER_REJECTED, "an end needs a start")
    instance: dict[str, Any] = {"prompt": work.prompt}
    instance |= {FIELDS[role]: _bytes_of(picture) for role, picture in work.images.items()}
    asked = {
        "aspectRatio": work.aspect_ratio,
        "resolution": work.resolution,
        "durationSeconds": work.duration_seconds,
        "negativePrompt": work.negative_prompt or None,
        # With a picture nothing else is taken; without one it depends on the region.
        "personGeneration": "allow_adult" if work.images else None,
    }
    parameters = {name: value for name, value in asked.items() if value is not None}
    return HttpRequest(
        "POST",
        account.url(f"/v1beta/models/{work.ticket.vendor_model}:predictLongRunning"),
        json={"instances": [instance], "parameters": parameters},
    )


def _bytes_of(picture: Picture) -> Mapping[str, str]:
    return {
        "bytesBase64Encoded": base64.b64encode(picture.content).decode(),
        "mimeType": picture.content_type,
    }


def accepted(reply: HttpReply, work: Work) -> Accepted:
    """See `Provider`."""
    data = answer_in(reply)
    if reply.status != 200:
        raise submit_error(reply, data, is_over=False)
    return Accepted(_operation_in(data, work.ticket))


def ask(ticket: Ticket, account: Account) -> HttpRequest:
    """See `Poll`. Of an operation's name we keep the last part; the ticket knows the rest."""
    operation = quote(ticket.task_id, safe="")
    path = f"/v1beta/models/{ticket.vendor_model}/operations/{operation}"
    return HttpRequest("GET", account.url(path))


def told(reply: HttpReply, ticket: Ticket, account: Account) -> Outcome:
    """See `Poll`."""
    data = answer_in(reply)
    if reply.status != 200:
        raise poll_error(reply, data)
    if _operation_in(data, ticket) != ticket.task_id:
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "the reply is about another task")
    if data.get("done") is not True:
        return Outcome(ticket.task_id, "running")
    if "error" in data:
        return _broken(object_in(data, "error"), ticket)
    return _finished(object_in(data, "response"), ticket, account)


def _operation_in(data: Data, ticket: Ticket) -> str:
    match = _NAME.fullmatch(text_in(data, "name"))
    if match is None or match["model"] != ticket.vendor_model:
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "not the name of an operation of ours")
    return task_id_in(match.groupdict(), "id")


def _broken(error: Data, ticket: Ticket) -> Outcome:
    number = error.get("code")
    number = number if isinstance(number, int) and 0 <= number <= 99 else -1
    if number == _INVALID_ARGUMENT and is_about_safety(error):
        return _failed(ticket, FailureCode.MODERATION_BLOCKED, "error 3 of safety")
    code = _FAILURES.get(number, FailureCode.PROVIDER_FAILED)
    return _failed(ticket, code, f"error {number}")


def _finished(response: Data, ticket: Ticket, account: Account) -> Outcome:
    """Done without an error: a video, or the sign that its safety rules filtered it out."""
    made = object_in(response, "generateVideoResponse") or response
    parcels = [_parcel(video, account) for video in _videos_in(made)]
    if parcels:
        return Outcome(ticket.task_id, "succeeded", parcels=(parcels[0],))
    if made.get("raiMediaFilteredCount") or made.get("raiMediaFilteredReasons"):
        return _failed(ticket, FailureCode.MODERATION_BLOCKED, "filtered")
    return _failed(ticket, FailureCode.PROVIDER_FAILED, "no output")


def _videos_in(made: Data) -> Sequence[Data]:
    """What the developer API calls samples and Google Cloud calls videos."""
    samples = made.get("generatedSamples")
    if isinstance(samples, list):
        return [object_in(each, "video") for each in samples if isinstance(each, Mapping)]
    videos = made.get("videos")
    return (
        [each for each in videos if isinstance(each, Mapping)] if isinstance(videos, list) else []
    )


def _parcel(video: Data, account: Account) -> Parcel:
    if "bytesBase64Encoded" in video:
        return Parcel(content=content_in(video, "bytesBase64Encoded"))
    return file_parcel(video, account)


def _failed(ticket: Ticket, code: FailureCode, detail: str) -> Outcome:
    return Outcome(ticket.task_id, "failed", failure_code=code, detail=detail)
