"""Replicate: official models of many makers, asked by name. replicate.com/docs/reference/http

A prediction can be polled and cancelled, and is not found by our own id. One hour after its end the
vendor throws inputs, outputs and files away.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from shared.adapters.providers._inputs import Input, Inputs, inputs_of, written
from shared.adapters.providers._keys import bearer
from shared.adapters.providers._replies import (
    RETRY_AFTER_SECONDS_MAX,
    json_object,
    retry_after_seconds,
    task_id_in,
    text_in,
    url_in,
)
from shared.adapters.providers._signing import check_standard, hint_of
from shared.adapters.providers.translator import Account, Cancel, Keys, Poll, Provider, Webhook
from shared.errors import VendorBusy, VendorError, VendorGone, VendorRejected, VendorUnknown
from shared.failures import FailureCode
from shared.ports import (
    Accepted,
    Data,
    Hint,
    HttpReply,
    HttpRequest,
    Inbound,
    Outcome,
    OutcomeState,
    Parcel,
    Ticket,
    Work,
)

_BASE_URL = "https://api.replicate.com"

_PROMPT = {"prompt": Input("prompt")}
_SHAPED = _PROMPT | {"aspect_ratio": Input("aspect_ratio")}

# By owner and name. Each model has a schema of its own, which can be read only with a key; the
# catalogue says which of these names are not confirmed.
_INPUTS: Mapping[str, Inputs] = {
    "bytedance/seedance-1-pro": _SHAPED
    | {
        "duration_seconds": Input("duration"),
        "resolution": Input("resolution"),
        "start": Input("image"),
    },
    "minimax/hailuo-02": _PROMPT
    | {
        "duration_seconds": Input("duration"),
        "resolution": Input("resolution"),
        "start": Input("first_frame_image"),
    },
    "black-forest-labs/flux-1.1-pro": _SHAPED,
    "black-forest-labs/flux-schnell": _SHAPED | {"count": Input("num_outputs")},
    "black-forest-labs/flux-kontext-pro": _PROMPT | {"source": Input("input_image")},
    "google/nano-banana-pro": _SHAPED
    | {
        "resolution": Input("resolution"),
        "source": Input("image_input", lambda url: [url]),
    },
}

# Their word → ours. A word that is absent means that it still runs.
_STATES: Mapping[str, OutcomeState] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "cancelled",
    "aborted": "cancelled",
}

# What is surely not accepted. A status that is absent leaves it open.
_REFUSALS: Mapping[int, FailureCode] = {
    401: FailureCode.PROVIDER_MISCONFIGURED,
    402: FailureCode.PROVIDER_MISCONFIGURED,
    403: FailureCode.PROVIDER_MISCONFIGURED,
    404: FailureCode.MODEL_GONE,
    422: FailureCode.PROVIDER_REJECTED,
}

_MODERATION = re.compile(r"\bE005\b|flagged as sensitive")
_CODE = re.compile(r"\bE\d{3,4}\b|(?<=code: )PA\b")
_WAIT = re.compile(r"~(\d{1,5})s\b")


# ---------------------------------------------------------------- asking for it


def submit(work: Work, account: Account) -> HttpRequest:
    """See `Provider`."""
    model = work.ticket.vendor_model
    body: dict[str, Any] = {"input": written(work, inputs_of(model, _INPUTS))}
    if _is_called(work.callback_url, account):
        body |= {"webhook": work.callback_url, "webhook_events_filter": ["completed"]}
    return HttpRequest("POST", account.url(f"/v1/models/{model}/predictions"), json=body)


def accepted(reply: HttpReply, work: Work) -> Accepted:
    """See `Provider`."""
    data = json_object(reply.body)
    if reply.status in {200, 201, 202}:
        return Accepted(task_id_in(data, "id"))
    said = _said(data)
    code = _REFUSALS.get(reply.status)
    if code is None or not said:
        raise _not_now(reply, said)
    if _MODERATION.search(said):
        code = FailureCode.MODERATION_BLOCKED
    raise VendorRejected(code, f"{reply.status} {_code_in(said)}")


def _is_called(callback_url: str, account: Account) -> bool:
    """The real one takes https alone; a machine without such an address polls."""
    return callback_url.startswith("https://") or bool(
        callback_url and account.base_url != _BASE_URL
    )


# ---------------------------------------------------------------- how it stands


def _ask(ticket: Ticket, account: Account) -> HttpRequest:
    return HttpRequest("GET", account.url(_path(ticket)))


def _told(reply: HttpReply, ticket: Ticket, account: Account) -> Outcome:
    return _outcome(_prediction(reply), ticket.task_id)


def _ask_to_stop(ticket: Ticket, account: Account) -> HttpRequest:
    return HttpRequest("POST", account.url(f"{_path(ticket)}/cancel"))


def _stopped(reply: HttpReply, ticket: Ticket) -> Outcome | None:
    if reply.status in {409, 422} and _said(json_object(reply.body)):
        return None  # over already, perhaps: what is then answered is not documented
    outcome = _outcome(_prediction(reply), ticket.task_id)
    return None if outcome.state == "running" else outcome


def _prediction(reply: HttpReply) -> Data:
    data = json_object(reply.body)
    if reply.status == 200:
        return data
    said = _said(data)
    if reply.status == 404 and said:
        raise VendorGone(FailureCode.PROVIDER_FAILED, "404")
    raise _not_now(reply, said)


def _outcome(data: Data, task_id: str) -> Outcome:
    if task_id_in(data, "id") != task_id:
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "the reply is about another prediction")
    state = _STATES.get(text_in(data, "status"), "running")
    output, error = data.get("output"), str(data.get("error"))
    if state == "succeeded" and not output and data.get("data_removed") is True:
        raise VendorGone(FailureCode.RESULT_UNAVAILABLE, "data removed")
    return Outcome(
        task_id=task_id,
        state=state,
        parcels=_parcels(output) if state == "succeeded" else (),
        failure_code=_failure_code(error) if state == "failed" else None,
        detail=_code_in(error) if state == "failed" else "",
    )


def _failure_code(error: str) -> FailureCode:
    is_refused = _MODERATION.search(error)
    return FailureCode.MODERATION_BLOCKED if is_refused else FailureCode.PROVIDER_FAILED


def _parcels(output: Any) -> tuple[Parcel, ...]:
    """What a model gives is an address, a list of them, or an object that has some among its values
    (facts G1).
    """
    found = _texts(output)
    if isinstance(output, Mapping):
        found = [text for text in found if text.startswith(("https://", "http://"))]
    if not found:
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "the reply is without output")
    return tuple(Parcel(url_in({"output": text}, "output")) for text in found)


def _texts(output: Any) -> list[str]:
    if isinstance(output, str):
        return [output]
    if isinstance(output, Mapping):
        output = list(output.values())
    return [text for each in output for text in _texts(each)] if isinstance(output, list) else []


# ---------------------------------------------------------------- webhooks


def _hint(inbound: Inbound, keys: Keys, now_ms: int) -> Hint:
    check_standard(inbound, keys.secrets, now_ms)
    return hint_of(inbound, "id")


# ---------------------------------------------------------------- errors


def _not_now(reply: HttpReply, said: str) -> VendorError:
    detail = f"{reply.status} {_code_in(said)}"
    if reply.status == 429 and said:
        wait_seconds = _wait_seconds(reply, said)
        return VendorBusy(FailureCode.PROVIDER_BUSY, detail, retry_after_seconds=wait_seconds)
    is_ours = reply.status in {401, 402, 403} and said
    code = FailureCode.PROVIDER_MISCONFIGURED if is_ours else FailureCode.PROVIDER_FAILED
    return VendorUnknown(code, detail)


def _said(data: Data) -> str:
    """What an error says, in any of its three shapes (facts G1); never to be repeated."""
    told = (data.get(name) for name in ("title", "detail", "error"))
    return " ".join(text for text in told if isinstance(text, str))


def _code_in(said: str) -> str:
    found = _CODE.search(said)
    return found[0] if found else "?"


def _wait_seconds(reply: HttpReply, said: str) -> float | None:
    found = _WAIT.search(said)
    told = min(int(found[1]), RETRY_AFTER_SECONDS_MAX) if found else None
    return retry_after_seconds(reply) or told


def _path(ticket: Ticket) -> str:
    return f"/v1/predictions/{quote(ticket.task_id, safe='')}"


PROVIDER = Provider(
    name="replicate",
    base_url=_BASE_URL,
    authorize=bearer,
    submit=submit,
    accepted=accepted,
    poll=Poll(_ask, _told),
    cancel=Cancel(_ask_to_stop, _stopped),
    webhook=Webhook(_hint),
    hosts=("replicate.delivery", "*.replicate.delivery"),
)
