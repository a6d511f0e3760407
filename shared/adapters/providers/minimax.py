"""MiniMax (Hailuo): video V1 and V2, Video Agent templates, images. platform.minimax.io/docs

The vendor's model in the catalogue says which of its four calls makes it: `v1:…`, `v2:…`,
`template:…` or `image:…`. Callbacks are not signed; the vendor tries the address with a challenge
while it is asked to generate. There is no cancelling: V2's DELETE stops what is queued, but would
throw away what has just succeeded.
"""

import re
from typing import Any
from urllib.parse import urlencode

from shared.adapters.providers import _minimax_v2
from shared.adapters.providers._keys import bearer
from shared.adapters.providers._minimax_words import (
    MODERATION,
    REPLY_BYTES_MAX,
    code_of,
    outcome,
    poll_error,
    require_roles,
    state_of,
    submit_error,
)
from shared.adapters.providers._replies import (
    content_in,
    json_object,
    object_in,
    task_id_in,
    url_in,
)
from shared.adapters.providers.translator import (
    Account,
    Ask,
    Keys,
    Poll,
    Provider,
    Webhook,
    unsendable,
)
from shared.errors import VendorRejected, VendorUnknown, WebhookRefused
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

_CHALLENGE = re.compile(r"[^\ud800-\udfff]{1,500}")

_CREATE = {
    "v1": "/v1/video_generation",
    "v2": _minimax_v2.CREATE,
    "template": "/v1/video_template_generation",
    "image": "/v1/image_generation",
}
_FRAMES = {"start": "first_frame_image", "end": "last_frame_image"}


# ---------------------------------------------------------------- asking for it


def submit(work: Work, account: Account) -> HttpRequest:
    """See `Provider`."""
    call, model = _parts(work.ticket)
    if work.audio or work.negative_prompt:
        raise unsendable("sound and negative prompts")
    body = _BODIES[call](work, model)
    sent = {name: value for name, value in body.items() if value is not None}
    return HttpRequest("POST", account.url(_CREATE[call]), json=sent)


def _v1_body(work: Work, model: str) -> dict[str, Any]:
    require_roles(work, {"start", "end", "subject"})
    if work.aspect_ratio or work.count != 1:
        raise unsendable("aspect ratios and several results")
    body: dict[str, Any] = {
        "model": model,
        "prompt": work.prompt or None,
        "duration": work.duration_seconds,
        "resolution": work.resolution,
        "callback_url": work.callback_url or None,
    }
    body |= {_FRAMES[role]: work.images[role].url for role in _FRAMES if role in work.images}
    if "subject" in work.images:
        subject = {"type": "character", "image": [work.images["subject"].url]}
        body["subject_reference"] = [subject]
    return body


def _template_body(work: Work, template_id: str) -> dict[str, Any]:
    require_roles(work, {"subject"})
    if work.duration_seconds or work.resolution or work.aspect_ratio or work.count != 1:
        raise unsendable("settings of a template")
    subject = work.images.get("subject")
    return {
        "template_id": template_id,
        "text_inputs": [{"value": work.prompt}] if work.prompt else None,
        "media_inputs": [{"value": subject.url}] if subject else None,
        "callback_url": work.callback_url or None,
    }


def _image_body(work: Work, model: str) -> dict[str, Any]:
    require_roles(work, {"subject"})
    if work.duration_seconds or work.resolution:
        raise unsendable("durations and resolutions of pictures")
    subject = work.images.get("subject")
    reference = {"type": "character", "image_file": subject.url} if subject else None
    return {
        "model": model,
        "prompt": work.prompt,
        "aspect_ratio": work.aspect_ratio,
        "n": work.count,
        # The bytes in the answer: an address would be good for a day and could not be asked again.
        "response_format": "base64",
        "subject_reference": [reference] if reference else None,
    }


_BODIES = {"v1": _v1_body, "v2": _minimax_v2.body, "template": _template_body, "image": _image_body}


def accepted(reply: HttpReply, work: Work) -> Accepted:
    """See `Provider`."""
    call, _ = _parts(work.ticket)
    if call == "v2":
        return _minimax_v2.accepted(reply)
    data = json_object(reply.body, REPLY_BYTES_MAX)
    code = code_of(data)
    if call == "image":
        return _pictures(reply, data, code)
    if reply.status == 200 and code == 0:
        return Accepted(task_id_in(data, "task_id"))
    raise submit_error(reply, data, code)


def _pictures(reply: HttpReply, data: Data, code: int | None) -> Accepted:
    """The pictures are in the answer. An answer that says no is the end of it: the vendor works on
    nothing after it.
    """
    if reply.status != 200 or code != 0:
        error = submit_error(reply, data, code)
        if code is not None and isinstance(error, VendorUnknown):
            raise VendorRejected(FailureCode.PROVIDER_FAILED, error.detail)
        raise error
    encoded = object_in(data, "data").get("image_base64")
    if not isinstance(encoded, list) or not encoded:
        # Fewer than asked for is a success; none at all means that safety took every one.
        raise VendorRejected(FailureCode.MODERATION_BLOCKED, "no picture passed")
    parcels = tuple(Parcel(content=content_in({"bytes": each}, "bytes")) for each in encoded)
    return Accepted(task_id_in(data, "id") if data.get("id") else "", parcels)


# ---------------------------------------------------------------- asking how it stands


def _ask(ticket: Ticket, account: Account) -> HttpRequest:
    call, _ = _parts(ticket)
    if call == "v2":
        return HttpRequest("GET", account.url(_minimax_v2.query(ticket)))
    name = "video_template_generation" if call == "template" else "video_generation"
    query = urlencode({"task_id": ticket.task_id})
    return HttpRequest("GET", account.url(f"/v1/query/{name}?{query}"))


def _told(reply: HttpReply, ticket: Ticket, account: Account) -> Outcome | Ask:
    call, _ = _parts(ticket)
    if call == "v2":
        return _minimax_v2.told(reply, ticket)
    data = json_object(reply.body, REPLY_BYTES_MAX)
    code, state = code_of(data), state_of(data)
    is_about_task = code in {0, None, *MODERATION} or state == "failed"
    if reply.status != 200 or not is_about_task:
        raise poll_error(reply, code)
    if code in MODERATION:
        state = "failed"
    elif task_id_in(data, "task_id") != ticket.task_id:
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "the reply is about another task")
    if state == "succeeded" and call == "v1":
        return _ask_for_file(data, ticket, account)
    return outcome(ticket, state, data, code, "video_url")


def _ask_for_file(data: Data, ticket: Ticket, account: Account) -> Ask:
    """The address of the result is asked for by the file's id, and each time it is a fresh one."""
    query = urlencode({"file_id": task_id_in(data, "file_id")})
    request = HttpRequest("GET", account.url(f"/v1/files/retrieve?{query}"))
    return Ask(request, lambda reply: _file(reply, ticket))


def _file(reply: HttpReply, ticket: Ticket) -> Outcome:
    data = json_object(reply.body, REPLY_BYTES_MAX)
    code = code_of(data)
    if reply.status != 200 or code != 0:
        raise poll_error(reply, code)
    url = url_in(object_in(data, "file"), "download_url")
    return Outcome(ticket.task_id, "succeeded", parcels=(Parcel(url),))


# ---------------------------------------------------------------- being called


def _hint(inbound: Inbound, keys: Keys, now_ms: int) -> Hint:
    """Nothing is signed: the address is what nobody can guess. Source: the callback pages of V1 and
    of the Video Agent; V2 answers the same challenge.
    """
    try:
        data = json_object(inbound.body)
        challenge = data.get("challenge")
        if isinstance(challenge, str) and _CHALLENGE.fullmatch(challenge):
            return Hint(None, answer={"challenge": challenge}, is_news=False)
        named = data if "task_id" in data else {"task_id": object_in(data, "task").get("id")}
        return Hint(task_id_in(named, "task_id"))
    except VendorUnknown as error:
        raise WebhookRefused("The webhook names no task.") from error


def _parts(ticket: Ticket) -> tuple[str, str]:
    call, _, model = ticket.vendor_model.partition(":")
    if call not in _CREATE or not model:
        raise VendorRejected(FailureCode.MODEL_GONE, "the catalogue names no call of MiniMax")
    return call, model


PROVIDER = Provider(
    name="minimax",
    base_url="https://api.minimax.io",
    authorize=bearer,
    submit=submit,
    accepted=accepted,
    poll=Poll(_ask, _told),
    webhook=Webhook(_hint),
    # Where files lie differs by region and is not documented in full; an account may name more.
    hosts=(
        "*.hailuoai.com",
        "*.hailuoai.video",
        "*.minimax.io",
        "*.minimax.cn",
        "*.minimaxi.com",
        "public-cdn-video-data-algeng.oss-cn-wulanchabu.aliyuncs.com",
    ),
    reply_bytes_max=REPLY_BYTES_MAX,
)
