"""Eden AI: several makers' models with one key. edenai.co/docs

The vendor's model in the catalogue begins with the API that makes it: `v3:` and a model string of
Eden's, slashes and all (`v3:video/generation_async/minimax/MiniMax-Hailuo-02`), or `v2:`, a maker
and its model, which Eden serves until the end of 2026. Films are jobs; V3 makes pictures in its
answer. Only V3 can stop a job.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from shared.adapters.providers._edenai_signature import check_rsa
from shared.adapters.providers._edenai_words import (
    STATES,
    blame,
    is_complaint,
    pictures_of,
    poll_error,
    require_same,
    submit_error,
    task_id_of,
    v2_outcome,
    v3_outcome,
)
from shared.adapters.providers._keys import bearer
from shared.adapters.providers._replies import json_object, object_in
from shared.adapters.providers.translator import (
    Account,
    Cancel,
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
    Ticket,
    Work,
)

# Its answers hold the result in base64 too, whether one wants it or not.
REPLY_BYTES_MAX = 64_000_000

_V3 = "/v3/universal-ai"
_V3_JOBS = "/v3/universal-ai/async"
_V2_JOBS = "/v2/video/generation_async"
_PICTURES = "image/generation/"
_FILMS = "video/generation_async/"

_SIZES: Mapping[tuple[str | None, str | None], str | None] = {
    (None, None): None,
    ("720p", None): "1280x720",
    ("720p", "16:9"): "1280x720",
    ("720p", "9:16"): "720x1280",
    ("1K", None): "1024x1024",
    ("1K", "1:1"): "1024x1024",
}


# ---------------------------------------------------------------- asking for it


def submit(work: Work, account: Account) -> HttpRequest:
    """See `Provider`."""
    if work.audio or work.negative_prompt:
        raise unsendable("sound and negative prompts")
    api, model = _parts(work.ticket)
    if api == "v2":
        return HttpRequest("POST", account.url(f"{_V2_JOBS}/"), json=_v2_body(work, model))
    if _is_answered_at_once(model):
        return HttpRequest("POST", account.url(_V3), json=_picture_body(work, model))
    return HttpRequest("POST", account.url(_V3_JOBS), json=_film_body(work, model))


def _film_body(work: Work, model: str) -> dict[str, Any]:
    _require_one(work, {"start"})
    start = work.images.get("start")
    asked = {
        "text": work.prompt,
        "duration": work.duration_seconds,
        "dimension": _size(work),
        "file": start.url if start else None,
    }
    called = {"webhook_receiver": work.callback_url, "user_webhook_parameters": _ours(work)}
    return {"model": model, "input": _said(asked), **(called if work.callback_url else {})}


def _v2_body(work: Work, model: str) -> dict[str, Any]:
    # A first picture would have to be sent as a form, not as an address.
    _require_one(work, set())
    maker, _, version = model.partition("/")
    asked = {
        "providers": [maker],
        "text": work.prompt,
        "duration": work.duration_seconds,
        "dimension": _size(work),
        "settings": {maker: version} if version else None,
    }
    called = {"webhook_receiver": work.callback_url, "users_webhook_parameters": _ours(work)}
    return {**_said(asked), **(called if work.callback_url else {})}


def _picture_body(work: Work, model: str) -> dict[str, Any]:
    if set(work.images) - {"source"} or work.duration_seconds:
        raise unsendable("these pictures, or a duration")
    source = work.images.get("source")
    asked = {
        "text": work.prompt,
        "resolution": _size(work),
        "num_images": work.count if work.count != 1 else None,
        "reference_images": [source.url] if source else None,
    }
    return {"model": model, "input": _said(asked)}


def _ours(work: Work) -> dict[str, str]:
    return {"job": work.ticket.job_id}


def _size(work: Work) -> str | None:
    asked = (work.resolution, work.aspect_ratio)
    if asked not in _SIZES:
        raise unsendable("this size")
    return _SIZES[asked]


def accepted(reply: HttpReply, work: Work) -> Accepted:
    """See `Provider`."""
    data = json_object(reply.body, REPLY_BYTES_MAX)
    _, model = _parts(work.ticket)
    if _is_answered_at_once(model):
        return _pictures(reply, data)
    if reply.status in {200, 201, 202}:
        return Accepted(task_id_of(data))
    raise submit_error(reply, data)


def _pictures(reply: HttpReply, data: Data) -> Accepted:
    """The pictures are in the answer. An answer that says no is the end of it: nothing is worked on
    after it. Makers' errors come with status 200.
    """
    if reply.status == 200 and STATES.get(str(data.get("status"))) == "failed":
        raise VendorRejected(blame(data) or FailureCode.PROVIDER_FAILED, "200 fail")
    if reply.status == 200:
        return Accepted("", pictures_of(object_in(data, "output")))
    error = submit_error(reply, data)
    if isinstance(error, VendorUnknown) and is_complaint(data):
        raise VendorRejected(FailureCode.PROVIDER_FAILED, error.detail)
    raise error


# ---------------------------------------------------------------- asking how it stands


def _ask(ticket: Ticket, account: Account) -> HttpRequest:
    return HttpRequest("GET", account.url(_job_path(ticket)))


def _told(reply: HttpReply, ticket: Ticket, account: Account) -> Outcome:
    data = json_object(reply.body, REPLY_BYTES_MAX)
    if reply.status != 200:
        raise poll_error(reply, data)
    require_same(data, ticket)
    api, _ = _parts(ticket)
    return v2_outcome(data, ticket) if api == "v2" else v3_outcome(data, ticket)


def _ask_to_stop(ticket: Ticket, account: Account) -> HttpRequest:
    """V2 has nothing that stops a job: it is only asked how it stands."""
    api, _ = _parts(ticket)
    method = "GET" if api == "v2" else "DELETE"
    return HttpRequest(method, account.url(_job_path(ticket)))


def _stopped(reply: HttpReply, ticket: Ticket) -> Outcome | None:
    """A job that is deleted does not go on. What the answer says is not documented."""
    api, _ = _parts(ticket)
    if api == "v3" and reply.status == 204:
        return Outcome(ticket.task_id, "cancelled")
    data = json_object(reply.body, REPLY_BYTES_MAX)
    if reply.status not in {200, 202}:
        raise poll_error(reply, data)
    require_same(data, ticket)
    is_over = STATES.get(str(data.get("status"))) is not None
    return None if api == "v2" or is_over else Outcome(ticket.task_id, "cancelled")


def _job_path(ticket: Ticket) -> str:
    api, _ = _parts(ticket)
    task = quote(ticket.task_id, safe="")
    if api == "v2":
        return f"{_V2_JOBS}/{task}/?response_as_dict=true&show_base_64=false"
    return f"{_V3_JOBS}/{task}"


# ---------------------------------------------------------------- being called


def _hint(inbound: Inbound, keys: Keys, now_ms: int) -> Hint:
    """Eden gives its public key to those who ask its support; without it, only the id is read."""
    if keys.secrets:
        check_rsa(inbound, keys.secrets)
    try:
        return Hint(task_id_of(json_object(inbound.body)))
    except VendorUnknown as error:
        raise WebhookRefused("The webhook names no task.") from error


# ---------------------------------------------------------------- what is asked for where


def _parts(ticket: Ticket) -> tuple[str, str]:
    """The API, and the model's name there, which may have any number of slashes."""
    api, _, model = ticket.vendor_model.partition(":")
    is_known = api == "v2" or model.startswith((_PICTURES, _FILMS))
    if api not in {"v2", "v3"} or not model or not is_known:
        raise VendorRejected(FailureCode.MODEL_GONE, "the catalogue names no call of Eden AI")
    return api, model


def _is_answered_at_once(model: str) -> bool:
    return model.startswith(_PICTURES)


def _require_one(work: Work, roles: set[str]) -> None:
    if set(work.images) - roles or work.count != 1:
        raise unsendable("these pictures, or several results")


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


PROVIDER = Provider(
    name="edenai",
    base_url="https://api.edenai.run",
    authorize=bearer,
    submit=submit,
    accepted=accepted,
    poll=Poll(_ask, _told),
    cancel=Cancel(_ask_to_stop, _stopped),
    webhook=Webhook(_hint),
    # Its own storage, and where makers keep what it only passes on.
    hosts=(
        "*.cloudfront.net",
        "*.amazonaws.com",
        "*.edenai.run",
        "*.aliyuncs.com",
        "*.hailuoai.com",
        "*.hailuoai.video",
        "*.pixverse.ai",
        "*.volces.com",
        "*.bytepluses.com",
    ),
    reply_bytes_max=REPLY_BYTES_MAX,
)
