"""Stability AI: pictures of words and pictures. https://platform.stability.ai/docs/api-reference

The vendor's model in the catalogue is the call that makes it (`generate/core`), except that all of
Stable Diffusion 3.5 (`sd3.5-large`) is one call. Most calls answer with the picture; two start a
task, whose poll in the end answers with the picture.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from shared.adapters.providers._keys import bearer
from shared.adapters.providers._multipart import multipart
from shared.adapters.providers._replies import (
    content_in,
    json_object,
    retry_after_seconds,
    task_id_in,
    word_in,
)
from shared.adapters.providers.translator import Account, Poll, Provider, unsendable
from shared.errors import VendorBusy, VendorError, VendorGone, VendorRejected, VendorUnknown
from shared.failures import FailureCode
from shared.ports import (
    Accepted,
    Data,
    HttpReply,
    HttpRequest,
    Outcome,
    Parcel,
    Ticket,
    Work,
)

# The largest picture is one of 16 megapixels; in JSON it is a third larger.
REPLY_BYTES_MAX = 48_000_000
# Who makes too many requests is not heard for a minute.
BUSY_SECONDS = 60.0
# How far a drawn picture may leave the one that it is made of, from 0 to 1: a must of theirs that
# we have no setting for.
STRENGTH = "0.6"


@dataclass(frozen=True, slots=True)
class Call:
    """One of the vendor's calls: which of its fields takes what of ours."""

    fields: Mapping[str, str]
    source: str = ""  # the field of the source picture
    is_task: bool = False


_SD3 = "generate/sd3"
_WORDS = {name: name for name in ("prompt", "negative_prompt", "aspect_ratio")}

_CALLS: Mapping[str, Call] = {
    "generate/core": Call(_WORDS),
    "generate/ultra": Call(_WORDS, "image"),
    _SD3: Call(_WORDS, "image"),
    "edit/remove-background": Call({}, "image"),
    "edit/replace-background-and-relight": Call(
        {"prompt": "background_prompt", "negative_prompt": "negative_prompt"},
        "subject_image",
        is_task=True,
    ),
    "upscale/creative": Call({"prompt": "prompt"}, "image", is_task=True),
    "upscale/fast": Call({}, "image"),
}

# Why a call was refused: by the error's name, or else by the status.
_NAMES: Mapping[str, FailureCode] = {
    "content_moderation": FailureCode.MODERATION_BLOCKED,
    "public_figure": FailureCode.MODERATION_BLOCKED,
}
_REFUSALS: Mapping[int, FailureCode] = {
    400: FailureCode.PROVIDER_REJECTED,
    401: FailureCode.PROVIDER_MISCONFIGURED,
    402: FailureCode.PROVIDER_MISCONFIGURED,  # not documented and seen all the same (facts C3)
    403: FailureCode.PROVIDER_MISCONFIGURED,
    404: FailureCode.MODEL_GONE,
    410: FailureCode.MODEL_GONE,
    413: FailureCode.PROVIDER_REJECTED,
    422: FailureCode.PROVIDER_REJECTED,
}


# ---------------------------------------------------------------- asking for it


def submit(work: Work, account: Account) -> HttpRequest:
    """See `Provider`."""
    path = _path(work.ticket)
    call = _CALLS.get(path)
    if call is None:
        raise VendorRejected(FailureCode.PROVIDER_REJECTED, "no such call")
    _require_fields(work, call)
    source = work.images.get("source")
    pictures = [(call.source, source)] if source else []
    url = account.url(f"/v2beta/stable-image/{path}")
    texts = list(_texts(work, path, call).items())
    return multipart(url, work.ticket.job_id, texts, pictures)


def _texts(work: Work, path: str, call: Call) -> Mapping[str, str]:
    texts = {call.fields[name]: text for name, text in _wishes(work).items() if text}
    if path == _SD3:
        texts |= {"model": work.ticket.vendor_model}
    if work.images and path.startswith("generate/"):
        texts |= {"strength": STRENGTH}
    if work.images and path == _SD3:
        # The shape is that of the picture, which was cut to the chosen one before.
        texts.pop("aspect_ratio", None)
        texts |= {"mode": "image-to-image"}
    return texts


def _require_fields(work: Work, call: Call) -> None:
    """Raise `VendorRejected` for what the call cannot be told."""
    unsent = [name for name, text in _wishes(work).items() if text and name not in call.fields]
    unsent += [role for role in work.images if role != "source" or not call.source]
    others = (work.duration_seconds, work.resolution, work.audio, work.count != 1)
    if unsent or any(others):
        what = ", ".join(unsent) or "a duration, a resolution, sound or several results"
        raise unsendable(what)


def _wishes(work: Work) -> Mapping[str, str | None]:
    return {name: getattr(work, name) for name in _WORDS}


# ---------------------------------------------------------------- reading what it says


def accepted(reply: HttpReply, work: Work) -> Accepted:
    """See `Provider`."""
    data = json_object(reply.body, REPLY_BYTES_MAX)
    is_task = _is_task(work.ticket)
    if is_task and reply.status in {200, 202}:
        return Accepted(task_id_in(data, "id"))
    if reply.status != 200:
        raise _refused(reply, data, is_task=is_task)
    reason = word_in(data, "finish_reason")
    if reason == "CONTENT_FILTERED":
        # There is a picture with it, which is a blur.
        raise VendorRejected(FailureCode.MODERATION_BLOCKED, reason)
    if reason != "SUCCESS":
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, f"finished for the reason {reason}")
    return Accepted("", (Parcel(content=content_in(data, "image")),))


def _ask(ticket: Ticket, account: Account) -> HttpRequest:
    url = account.url(f"/v2beta/results/{quote(ticket.task_id, safe='')}")
    return HttpRequest("GET", url, headers={"accept": "image/*"})


def _told(reply: HttpReply, ticket: Ticket, account: Account) -> Outcome:
    is_picture = reply.headers.get("content-type", "").startswith("image/")
    if reply.status == 200 and is_picture and 0 < len(reply.body) <= REPLY_BYTES_MAX:
        reason = word_in(reply.headers, "finish-reason")
        return _finished(ticket, reason, reply.body)
    data = json_object(reply.body, REPLY_BYTES_MAX)
    if reply.status == 202 and task_id_in(data, "id") == ticket.task_id:
        return Outcome(ticket.task_id, "running")
    if reply.status == 200:
        # Which kinds of answer this call gives on demand is not confirmed (facts I7).
        return _finished(ticket, word_in(data, "finish_reason"), content_in(data, "image"))
    return _failed(reply, data, ticket)


def _finished(ticket: Ticket, reason: str, content: bytes) -> Outcome:
    if reason == "CONTENT_FILTERED":
        code = FailureCode.MODERATION_BLOCKED
        return Outcome(ticket.task_id, "failed", failure_code=code, detail=reason)
    if reason != "SUCCESS":
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, f"finished for the reason {reason}")
    return Outcome(ticket.task_id, "succeeded", parcels=(Parcel(content=content),))


def _failed(reply: HttpReply, data: Data, ticket: Ticket) -> Outcome:
    """A task that failed is told as an error; so is a question that could not be answered."""
    name, said = word_in(data, "name"), _said(reply, data)
    if reply.status == 404 and name == "generation_not_found":
        raise VendorGone(FailureCode.PROVIDER_FAILED, said)
    if name in _NAMES or (reply.status == 422 and _is_error(data)):
        code = _NAMES.get(name, FailureCode.PROVIDER_FAILED)
        return Outcome(ticket.task_id, "failed", failure_code=code, detail=said)
    raise _not_now(reply, data)


def _refused(reply: HttpReply, data: Data, *, is_task: bool) -> VendorError:
    said = _said(reply, data)
    if not _is_error(data) or reply.status == 429:
        return _not_now(reply, data)
    if reply.status == 400 and _is_about_the_model(data):
        return VendorRejected(FailureCode.MODEL_GONE, said)
    code = _NAMES.get(word_in(data, "name"), _REFUSALS.get(reply.status))
    if code is not None and reply.status < 500:
        return VendorRejected(code, said)
    if reply.status == 500 and not is_task:
        # The answer would have been the result, so nothing goes on behind this one.
        return VendorRejected(FailureCode.PROVIDER_FAILED, said)
    return _not_now(reply, data)


def _not_now(reply: HttpReply, data: Data) -> VendorError:
    if reply.status == 429 and _is_error(data):
        seconds = max(retry_after_seconds(reply) or 0, BUSY_SECONDS)
        return VendorBusy(
            FailureCode.PROVIDER_BUSY, _said(reply, data), retry_after_seconds=seconds
        )
    is_our_account = reply.status in {401, 402, 403}
    code = FailureCode.PROVIDER_MISCONFIGURED if is_our_account else FailureCode.PROVIDER_FAILED
    return VendorUnknown(code, _said(reply, data))


def _said(reply: HttpReply, data: Data) -> str:
    return f"{reply.status} {word_in(data, 'name')}"


def _is_error(data: Data) -> bool:
    """Their errors have a name and a list `errors`, or a `message` in its place (facts C3)."""
    return not {"name", "errors", "message"}.isdisjoint(data)


def _is_about_the_model(data: Data) -> bool:
    """Each of `errors` begins with the field that it is about."""
    errors = data.get("errors")
    told = errors if isinstance(errors, list) else []
    return any(isinstance(text, str) and text.startswith("model:") for text in told)


def _is_task(ticket: Ticket) -> bool:
    call = _CALLS.get(_path(ticket))
    return call is not None and call.is_task


def _path(ticket: Ticket) -> str:
    return _SD3 if ticket.vendor_model.startswith("sd3") else ticket.vendor_model


PROVIDER = Provider(
    name="stability",
    base_url="https://api.stability.ai",
    authorize=bearer,
    submit=submit,
    accepted=accepted,
    poll=Poll(_ask, _told),
    takes_bytes=True,
    reply_bytes_max=REPLY_BYTES_MAX,
)
