"""Kling AI: films and pictures on its older endpoints, films on those of the new generation.

The key is an API key, or an AccessKey and a SecretKey with a colon between them: these sign every
request and open the older endpoints alone. There is no cancelling. Source: klingai.com/document-api
"""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote, urlencode

from shared.adapters.providers._keys import bearer
from shared.adapters.providers._kling_orders import TASKS, is_new, order_body, order_path
from shared.adapters.providers._kling_tasks import new_task_id, outcome_in, task_id_of_job
from shared.adapters.providers._replies import (
    json_object,
    object_in,
    retry_after_seconds,
    task_id_in,
)
from shared.adapters.providers._signing import check_standard
from shared.adapters.providers.translator import (
    Account,
    Keys,
    Lookup,
    Poll,
    Provider,
    Webhook,
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
    Ticket,
    Work,
)

TOKEN_SECONDS = 1800
TOKEN_EARLY_SECONDS = 5  # for a clock of theirs that is behind ours

_DONE = 0
_BAD_VALUE = 1201
_NO_CODE = -1

# Why an order was not taken. A code that is absent leaves open whether it was.
_REFUSALS: Mapping[int, FailureCode] = {
    1000: FailureCode.PROVIDER_MISCONFIGURED,
    1001: FailureCode.PROVIDER_MISCONFIGURED,
    1002: FailureCode.PROVIDER_MISCONFIGURED,  # also a key of another region
    1100: FailureCode.PROVIDER_MISCONFIGURED,
    1101: FailureCode.PROVIDER_MISCONFIGURED,
    1102: FailureCode.PROVIDER_MISCONFIGURED,
    1103: FailureCode.PROVIDER_MISCONFIGURED,
    1200: FailureCode.PROVIDER_REJECTED,
    1201: FailureCode.PROVIDER_REJECTED,
    1202: FailureCode.MODEL_GONE,  # the whole endpoint is not there
    1203: FailureCode.MODEL_GONE,
    1300: FailureCode.MODERATION_BLOCKED,
    1301: FailureCode.MODERATION_BLOCKED,
    1304: FailureCode.PROVIDER_MISCONFIGURED,
}

# Why it was not taken now. The first two speak of the token's time: the next one is signed anew.
_NOT_NOW: Mapping[int, FailureCode] = {
    1003: FailureCode.PROVIDER_MISCONFIGURED,
    1004: FailureCode.PROVIDER_MISCONFIGURED,
    1302: FailureCode.PROVIDER_BUSY,
    1303: FailureCode.PROVIDER_BUSY,
}


def authorize(request: HttpRequest, account: Account, now_ms: int) -> HttpRequest:
    """The API key as a bearer token, or a token signed with the SecretKey for half an hour."""
    access_key, _, secret_key = account.api_key.partition(":")
    if not secret_key:
        return bearer(request, account, now_ms)
    token = _signed_token(access_key, secret_key, now_ms)
    return bearer(request, replace(account, api_key=token), now_ms)


def _signed_token(access_key: str, secret_key: str, now_ms: int) -> str:
    import jwt  # only for those who have such keys

    now = now_ms // 1000
    claims = {"iss": access_key, "exp": now + TOKEN_SECONDS, "nbf": now - TOKEN_EARLY_SECONDS}
    return jwt.encode(claims, secret_key, algorithm="HS256")


def submit(work: Work, account: Account) -> HttpRequest:
    """See `Provider`."""
    if is_new(work.ticket) and ":" in account.api_key:
        # Kling would call the key wrong, and the account would be paused for every model.
        raise VendorRejected(FailureCode.MODEL_GONE, "this model is for API keys alone")
    return HttpRequest("POST", account.url(order_path(work.ticket)), json=order_body(work))


def accepted(reply: HttpReply, work: Work) -> Accepted:
    """See `Provider`."""
    data = json_object(reply.body)
    code = _code_in(data)
    if reply.status == 200 and code == _DONE:
        return Accepted(new_task_id(data, work.ticket))
    if code == _BAD_VALUE and "external_task_id" in _message_in(data):
        # What a second order under one id is told is not documented (facts B10): if the first got
        # through, the id finds it.
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "our id may be taken")
    if reply.status < 500 and code in _REFUSALS:
        raise VendorRejected(_REFUSALS[code], _said(reply, code))
    raise _not_now(reply, code)


def _ask(ticket: Ticket, account: Account) -> HttpRequest:
    return _question(ticket, account, "task_ids", ticket.task_id)


def _told(reply: HttpReply, ticket: Ticket, account: Account) -> Outcome:
    return outcome_in(_answer(reply), ticket)


def _ask_by_job(ticket: Ticket, account: Account) -> HttpRequest:
    return _question(ticket, account, "external_task_ids", ticket.job_id)


def _task_of_job(reply: HttpReply, ticket: Ticket) -> str | None:
    try:
        return task_id_of_job(_answer(reply), ticket)
    except VendorGone:
        return None


def _question(ticket: Ticket, account: Account, field: str, value: str) -> HttpRequest:
    """The older endpoints take either id in the path, the new one is told which it is."""
    if is_new(ticket):
        return HttpRequest("GET", account.url(f"{TASKS}?{urlencode({field: value})}"))
    return HttpRequest("GET", account.url(f"{order_path(ticket)}/{quote(value, safe='')}"))


def _answer(reply: HttpReply) -> Data:
    data = json_object(reply.body)
    code = _code_in(data)
    if reply.status == 200 and code == _DONE:
        return data
    if code == _BAD_VALUE and "not found" in _message_in(data):
        raise VendorGone(FailureCode.PROVIDER_FAILED, _said(reply, code))
    raise _not_now(reply, code)


def _hint(inbound: Inbound, keys: Keys, now_ms: int) -> Hint:
    """Kling signs for those who have made a secret in its console. The older endpoints tell of the
    task itself or, by one source, of an answer with the task in it (facts B8).
    """
    if keys.secrets:
        check_standard(inbound, keys.secrets, now_ms)
    try:
        data = json_object(inbound.body)
        task = object_in(data, "data") or data
        return Hint(task_id_in(task, "task_id" if "task_id" in task else "id"))
    except VendorUnknown as error:
        raise WebhookRefused("The webhook names no task.") from error


def _not_now(reply: HttpReply, code: int) -> VendorError:
    """Status 429 says nothing by itself: with some codes it means that the account is empty."""
    said = _said(reply, code)
    if reply.status < 500 and code in _NOT_NOW:
        wait = retry_after_seconds(reply)
        return VendorBusy(_NOT_NOW[code], said, retry_after_seconds=wait)
    return VendorUnknown(_REFUSALS.get(code, FailureCode.PROVIDER_FAILED), said)


def _code_in(data: Data) -> int:
    code = data.get("code")
    return code if type(code) is int and 0 <= code < 10_000 else _NO_CODE


def _message_in(data: Data) -> str:
    return str(data.get("message")).lower()


def _said(reply: HttpReply, code: int) -> str:
    return f"{reply.status} {code}"


PROVIDER = Provider(
    name="kling",
    base_url="https://api-singapore.klingai.com",
    authorize=authorize,
    submit=submit,
    accepted=accepted,
    poll=Poll(_ask, _told),
    lookup=Lookup(_ask_by_job, _task_of_job),
    webhook=Webhook(_hint),
    hosts=("*.klingai.com",),
)
