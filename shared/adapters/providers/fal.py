"""fal.ai: models of many makers behind one queue, webhooks signed with Ed25519. docs.fal.ai

What exceeds an account's concurrency waits in the vendor's queue instead of being refused. The
status says that a request is over; only the answer at its own address says whether it went well.
"""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from urllib.parse import quote, urlencode

from shared.adapters.providers import _fal_answers as answers
from shared.adapters.providers._ed25519 import check_ed25519
from shared.adapters.providers._inputs import (
    TOLD_BY_THE_PICTURE,
    Input,
    Inputs,
    inputs_of,
    one_of,
    written,
)
from shared.adapters.providers._replies import json_object, task_id_in, text_in, word_in
from shared.adapters.providers._signing import check_age, hint_of
from shared.adapters.providers.translator import (
    Account,
    Ask,
    Cancel,
    Keys,
    Poll,
    Provider,
    Webhook,
)
from shared.errors import VendorGone, VendorUnknown
from shared.failures import FailureCode
from shared.ports import (
    Accepted,
    Hint,
    HttpReply,
    HttpRequest,
    Inbound,
    Outcome,
    Ticket,
    Work,
)

_BASE_URL = "https://queue.fal.run"
_KEY_SET_URL = "https://rest.fal.ai/.well-known/jwks.json"

# Results are fetched within minutes; until then they lie at addresses that anybody can read.
_LIFECYCLE = {"x-fal-object-lifecycle-preference": '{"expiration_duration_seconds":86400}'}

_IMAGE_SIZES = {
    "1:1": "square_hd",
    "4:3": "landscape_4_3",
    "16:9": "landscape_16_9",
    "3:4": "portrait_4_3",
    "9:16": "portrait_16_9",
}
_PROMPT = {"prompt": Input("prompt")}
_COUNTED = _PROMPT | {"count": Input("num_images")}
# Seconds are a word among words here, as in most video models of this vendor.
_TIMED = _PROMPT | {"duration_seconds": Input("duration", str)}
_SHAPED = _TIMED | {"aspect_ratio": Input("aspect_ratio")}
_PICTURED = _TIMED | {"start": Input("image_url"), "aspect_ratio": TOLD_BY_THE_PICTURE}
_RESOLVED = {"resolution": Input("resolution")}
_NEGATIVE = {"negative_prompt": Input("negative_prompt")}

# By endpoint. The catalogue says which of these names are not confirmed.
_INPUTS: Mapping[str, Inputs] = {
    "fal-ai/flux/dev": _COUNTED | {"aspect_ratio": Input("image_size", one_of(_IMAGE_SIZES))},
    "fal-ai/flux-pro/kontext": _COUNTED | {"source": Input("image_url")},
    "fal-ai/bytedance/seedance/v1/pro/text-to-video": _SHAPED | _RESOLVED,
    "fal-ai/bytedance/seedance/v1/pro/image-to-video": _PICTURED | _RESOLVED,
    "fal-ai/kling-video/v2.5-turbo/pro/text-to-video": _SHAPED | _NEGATIVE,
    "fal-ai/kling-video/v2.5-turbo/pro/image-to-video": _PICTURED | _NEGATIVE,
}

# What a reply names, and how it ends below the request's own path. They are not followed, because
# our key goes along; they are built, and must be the same.
_ADDRESSES = {"response_url": "", "status_url": "/status", "cancel_url": "/cancel"}

_CANCEL_WORDS = frozenset({"CANCELLATION_REQUESTED", "OK", "ALREADY_COMPLETED"})


def authorize(request: HttpRequest, account: Account, now_ms: int) -> HttpRequest:
    """The key in the vendor's own scheme."""
    headers = {**request.headers, "authorization": f"Key {account.api_key}"}
    return replace(request, headers=headers)


# ---------------------------------------------------------------- asking for it


def submit(work: Work, account: Account) -> HttpRequest:
    """See `Provider`."""
    endpoint = _endpoint(work.ticket)
    inputs = written(work, inputs_of(endpoint, _INPUTS))
    query = f"?{urlencode({'fal_webhook': work.callback_url})}" if work.callback_url else ""
    return HttpRequest("POST", account.url(f"/{endpoint}{query}"), _LIFECYCLE, json=inputs)


def accepted(reply: HttpReply, work: Work) -> Accepted:
    """See `Provider`."""
    data = json_object(reply.body)
    if reply.status != 200:
        raise answers.submit_error(reply, data)
    ticket = replace(work.ticket, task_id=task_id_in(data, "request_id"))
    for name, ending in _ADDRESSES.items():
        told = data.get(name)
        if isinstance(told, str) and not told.endswith(_request_path(ticket) + ending):
            raise VendorUnknown(FailureCode.PROVIDER_FAILED, f"{name} is not where we would ask")
    return Accepted(ticket.task_id)


def _endpoint(ticket: Ticket) -> str:
    """Films of words and films of a picture are two endpoints of a model."""
    if ticket.kind != "video":
        return ticket.vendor_model
    return f"{ticket.vendor_model}/{'image' if 'start' in ticket.roles else 'text'}-to-video"


# ---------------------------------------------------------------- how it stands


def _ask(ticket: Ticket, account: Account) -> HttpRequest:
    return HttpRequest("GET", account.url(f"{_request_path(ticket)}/status"))


def _told(reply: HttpReply, ticket: Ticket, account: Account) -> Outcome | Ask:
    data = json_object(reply.body)
    if reply.status not in {200, 202}:
        raise answers.poll_error(reply, data)
    if task_id_in(data, "request_id") != ticket.task_id:
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "the reply is about another request")
    if text_in(data, "status") != "COMPLETED":
        return Outcome(ticket.task_id, "running")
    failed = answers.failure_told(reply, data, ticket)
    if failed is not None:
        return failed
    # An error without a type: the answer has the reason, and is no result whatever it says.
    is_bad = bool(data.get("error"))
    return Ask(
        HttpRequest("GET", account.url(_request_path(ticket))),
        lambda answer: answers.read_answer(answer, ticket, is_bad=is_bad),
    )


def _ask_to_stop(ticket: Ticket, account: Account) -> HttpRequest:
    return HttpRequest("PUT", account.url(f"{_request_path(ticket)}/cancel"))


def _stopped(reply: HttpReply, ticket: Ticket) -> Outcome | None:
    data = json_object(reply.body)
    word = word_in(data, "status")
    if word in _CANCEL_WORDS:
        return None
    if word == "NOT_FOUND":
        raise VendorGone(FailureCode.PROVIDER_FAILED, "NOT_FOUND")
    raise answers.poll_error(reply, data)


def _request_path(ticket: Ticket) -> str:
    """Whatever the endpoint, requests lie below the first two parts of its name (facts G2)."""
    app = "/".join(ticket.vendor_model.split("/")[:2])
    return f"/{app}/requests/{quote(ticket.task_id, safe='')}"


# ---------------------------------------------------------------- webhooks


def _hint(inbound: Inbound, keys: Keys, now_ms: int) -> Hint:
    names = ("request-id", "user-id", "timestamp")
    signed = [inbound.headers.get(f"x-fal-webhook-{name}", "") for name in names]
    check_age(signed[2], now_ms)
    message = "\n".join([*signed, sha256(inbound.body).hexdigest()])
    signature = inbound.headers.get("x-fal-webhook-signature", "")
    check_ed25519(message.encode("utf-8", "backslashreplace"), signature, keys.public)
    return hint_of(inbound, "request_id")


def _key_set_url(account: Account) -> str:
    is_real = account.base_url.rstrip("/") == _BASE_URL
    return _KEY_SET_URL if is_real else account.url("/.well-known/jwks.json")


PROVIDER = Provider(
    name="fal",
    base_url=_BASE_URL,
    authorize=authorize,
    submit=submit,
    accepted=accepted,
    poll=Poll(_ask, _told),
    cancel=Cancel(_ask_to_stop, _stopped),
    webhook=Webhook(_hint, _key_set_url),
    hosts=("v3.fal.media", "v3b.fal.media", "*.fal.media"),
)
