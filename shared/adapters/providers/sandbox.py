"""The sandbox vendor, which comes with this repository; infra/sandbox is its side of the wire."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from shared.adapters.providers._keys import bearer
from shared.adapters.providers._replies import (
    json_object,
    object_in,
    objects_in,
    retry_after_seconds,
    task_id_in,
    text_in,
    url_in,
    word_in,
)
from shared.adapters.providers._signing import check_age, check_hmac_sha256, hint_of
from shared.adapters.providers.translator import (
    Account,
    Cancel,
    Keys,
    Lookup,
    Poll,
    Provider,
    Webhook,
    unsendable,
)
from shared.errors import (
    VendorBusy,
    VendorError,
    VendorGone,
    VendorRejected,
    VendorUnknown,
    WebhookRefused,
)
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

_GENERATIONS = "/v1/generations"
_SIGNATURE_VERSION = "v1="

# Which picture goes into which field. A role that is absent cannot be sent.
_PICTURES: Mapping[str, str] = {"start": "start_image_url", "end": "end_image_url"}

# Their word → ours. A word that is absent means that it still runs.
_STATES: Mapping[str, OutcomeState] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
}

# Why a generation was not accepted. A word that is absent leaves open whether it was.
_REFUSALS: Mapping[str, FailureCode] = {
    "invalid_request": FailureCode.PROVIDER_REJECTED,
    "moderation_blocked": FailureCode.MODERATION_BLOCKED,
    "no_credit": FailureCode.PROVIDER_MISCONFIGURED,
    "unauthorized": FailureCode.PROVIDER_MISCONFIGURED,
    "unknown_model": FailureCode.MODEL_GONE,
}

# Why a generation ended badly. A word that is absent is a failure of theirs.
_FAILURES: Mapping[str, FailureCode] = {
    "internal": FailureCode.PROVIDER_FAILED,
    "moderation_blocked": FailureCode.MODERATION_BLOCKED,
    "out_of_capacity": FailureCode.PROVIDER_BUSY,
    "render_failed": FailureCode.PROVIDER_FAILED,
}


def submit(work: Work, account: Account) -> HttpRequest:
    """See `Provider`."""
    unsent = [role for role in work.images if role not in _PICTURES]
    if unsent or work.audio or work.count != 1:
        raise unsendable(", ".join(unsent) or ("audio" if work.audio else "several results"))
    body = {
        "client_id": work.ticket.job_id,
        "kind": work.ticket.kind,
        "model": work.ticket.vendor_model,
        "prompt": work.prompt,
        "negative_prompt": work.negative_prompt,
        "duration_seconds": work.duration_seconds,
        "resolution": work.resolution,
        "aspect_ratio": work.aspect_ratio,
        "callback_url": work.callback_url or None,
    }
    body |= {_PICTURES[role]: picture.url for role, picture in work.images.items()}
    sent = {name: value for name, value in body.items() if value is not None}
    return HttpRequest("POST", account.url(_GENERATIONS), json=sent)


def accepted(reply: HttpReply, work: Work) -> Accepted:
    """See `Provider`."""
    data = json_object(reply.body)
    if reply.status in {200, 201}:
        return Accepted(task_id_in(data, "id"))
    error = object_in(data, "error")
    if reply.status == 409 and error.get("code") == "duplicate_client_id":
        # Our earlier submit got through although we never heard: that one is our task.
        return Accepted(task_id_in(error, "generation_id"))
    code = _REFUSALS.get(word_in(error, "code"))
    if code and 400 <= reply.status < 500:
        raise VendorRejected(code, _said(reply, error))
    raise _not_now(reply, error)


def _ask(ticket: Ticket, account: Account) -> HttpRequest:
    return HttpRequest("GET", account.url(_task_path(ticket)))


def _told(reply: HttpReply, ticket: Ticket, account: Account) -> Outcome:
    return _outcome(_answer(reply), ticket.task_id)


def _ask_by_job(ticket: Ticket, account: Account) -> HttpRequest:
    query = urlencode({"client_id": ticket.job_id})
    return HttpRequest("GET", account.url(f"{_GENERATIONS}?{query}"))


def _task_of_job(reply: HttpReply, ticket: Ticket) -> str | None:
    if reply.status != 200:
        raise _not_now(reply, object_in(json_object(reply.body), "error"))
    found = objects_in(json_object(reply.body), "data")
    ours = [task_id_in(item, "id") for item in found if item.get("client_id") == ticket.job_id]
    return ours[0] if ours else None


def _ask_to_stop(ticket: Ticket, account: Account) -> HttpRequest:
    return HttpRequest("POST", account.url(f"{_task_path(ticket)}/cancel"))


def _stopped(reply: HttpReply, ticket: Ticket) -> Outcome | None:
    if reply.status == 409:
        return None
    return _outcome(_answer(reply), ticket.task_id)


def _hint(inbound: Inbound, keys: Keys, now_ms: int) -> Hint:
    timestamp = inbound.headers.get("sandbox-timestamp", "")
    signature = inbound.headers.get("sandbox-signature", "")
    if not signature.startswith(_SIGNATURE_VERSION):
        raise WebhookRefused("The webhook is not signed.")
    check_age(timestamp, now_ms)
    check_hmac_sha256(
        f"{timestamp}.".encode() + inbound.body,
        signature.removeprefix(_SIGNATURE_VERSION),
        keys.secrets,
    )
    return hint_of(inbound, "id")


def _outcome(data: Data, task_id: str) -> Outcome:
    if task_id_in(data, "id") != task_id:
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "the reply is about another task")
    state = _STATES.get(text_in(data, "status"), "running")
    job_id = data.get("client_id")
    error_word = word_in(object_in(data, "error"), "code")
    return Outcome(
        task_id=task_id,
        state=state,
        job_id=job_id if isinstance(job_id, str) else None,
        parcels=(
            (Parcel(url_in(object_in(data, "result"), "url")),) if state == "succeeded" else ()
        ),
        failure_code=(
            _FAILURES.get(error_word, FailureCode.PROVIDER_FAILED) if state == "failed" else None
        ),
        detail=error_word if state == "failed" else "",
    )


def _answer(reply: HttpReply) -> Data:
    data = json_object(reply.body)
    if reply.status == 200:
        return data
    error = object_in(data, "error")
    if reply.status == 404 and error.get("code") == "not_found":
        raise VendorGone(FailureCode.PROVIDER_FAILED, _said(reply, error))
    raise _not_now(reply, error)


def _not_now(reply: HttpReply, error: Data) -> VendorError:
    if reply.status == 429:
        return VendorBusy(
            FailureCode.PROVIDER_BUSY,
            _said(reply, error),
            retry_after_seconds=retry_after_seconds(reply),
        )
    code = _REFUSALS.get(word_in(error, "code"), FailureCode.PROVIDER_FAILED)
    return VendorUnknown(code, _said(reply, error))


def _said(reply: HttpReply, error: Data) -> str:
    return f"{reply.status} {word_in(error, 'code')}"


def _task_path(ticket: Ticket) -> str:
    return f"{_GENERATIONS}/{quote(ticket.task_id, safe='')}"


PROVIDER = Provider(
    name="sandbox",
    base_url="http://127.0.0.1:8090",
    authorize=bearer,
    submit=submit,
    accepted=accepted,
    poll=Poll(_ask, _told),
    lookup=Lookup(_ask_by_job, _task_of_job),
    cancel=Cancel(_ask_to_stop, _stopped),
    webhook=Webhook(_hint),
)
