"""How Google says no: its error bodies, and what each of them proves about a request of ours."""

import json
import re
from collections.abc import Iterator, Mapping

from shared.adapters.providers._replies import (
    RETRY_AFTER_SECONDS_MAX,
    json_object,
    object_in,
    retry_after_seconds,
    word_in,
)
from shared.errors import VendorBusy, VendorError, VendorGone, VendorRejected, VendorUnknown
from shared.failures import FailureCode
from shared.ports import Data, HttpReply

# A 4K picture is in the answer itself, in base64, and another may be before it as a thought.
REPLY_BYTES_MAX = 64_000_000

# What was surely not accepted, when the status is 4xx. A word that is absent leaves that open.
_REFUSALS: Mapping[str, FailureCode] = {
    "FAILED_PRECONDITION": FailureCode.PROVIDER_MISCONFIGURED,  # billing, region
    "INVALID_ARGUMENT": FailureCode.PROVIDER_REJECTED,
    "INVALID_REQUEST": FailureCode.PROVIDER_REJECTED,
    "NOT_FOUND": FailureCode.MODEL_GONE,
    "PERMISSION_DENIED": FailureCode.PROVIDER_MISCONFIGURED,
    "UNAUTHENTICATED": FailureCode.PROVIDER_MISCONFIGURED,
}

# With these and a readable error nothing was accepted, and the same may be sent again (facts 0.4).
_LATER = frozenset({429, 503})

_UNSAID = "?"
_SAFETY = re.compile(r"\b(IMAGE_)?(SAFETY|PROHIBITED_CONTENT)\b|[Rr]esponsible AI")
_DELAY = re.compile(r"([0-9]{1,6}(\.[0-9]{1,9})?)s")


def answer_in(reply: HttpReply) -> Data:
    """The object in a reply; Google's front ends put theirs into a list of one (facts A5)."""
    body = reply.body
    if body.startswith(b"[") and body.rstrip().endswith(b"]"):
        body = body.rstrip()[1:-1]
    return json_object(body, REPLY_BYTES_MAX)


def submit_error(reply: HttpReply, data: Data, *, is_over: bool) -> VendorError:
    """What an answer that is no yes means; `is_over` where nothing goes on after any error."""
    error = object_in(data, "error")
    word, said = _word_in(error), _said(reply, error)
    if word == _UNSAID:
        return VendorUnknown(FailureCode.PROVIDER_FAILED, said)
    if reply.status in _LATER:
        return _busy(reply, error)
    if 400 <= reply.status < 500 and word in _REFUSALS:
        return VendorRejected(_code_of(reply, error), said)
    if is_over and reply.status >= 400:
        return VendorRejected(FailureCode.PROVIDER_FAILED, said)
    return VendorUnknown(FailureCode.PROVIDER_FAILED, said)


def poll_error(reply: HttpReply, data: Data) -> VendorError:
    """What it means when a question is not answered. A 400 leaves all open, even that which calls
    the id invalid: it has been seen of interactions that were running (facts A2).
    """
    error = object_in(data, "error")
    word, said = _word_in(error), _said(reply, error)
    if reply.status == 404 and word == "NOT_FOUND":
        return VendorGone(FailureCode.PROVIDER_FAILED, said)
    if reply.status == 429 and word != _UNSAID:
        return _busy(reply, error)
    code = _code_of(reply, error)
    is_ours = code is FailureCode.PROVIDER_MISCONFIGURED
    return VendorUnknown(code if is_ours else FailureCode.PROVIDER_FAILED, said)


def is_about_safety(error: Data) -> bool:
    """Whether an error is a refusal of the content: only its texts say so (facts A1, A2)."""
    return bool(_SAFETY.search(json.dumps(error)))


def _code_of(reply: HttpReply, error: Data) -> FailureCode:
    if reply.status == 400:
        # A bad key is a 400 like a bad argument; the reason tells them apart.
        if any(word_in(each, "reason").startswith("API_KEY_") for each in _details_in(error)):
            return FailureCode.PROVIDER_MISCONFIGURED
        if is_about_safety(error):
            return FailureCode.MODERATION_BLOCKED
    return _REFUSALS.get(_word_in(error), FailureCode.PROVIDER_FAILED)


def _busy(reply: HttpReply, error: Data) -> VendorBusy:
    delays = [_DELAY.fullmatch(str(each.get("retryDelay"))) for each in _details_in(error)]
    asked = [min(float(delay[1]), RETRY_AFTER_SECONDS_MAX) for delay in delays if delay]
    seconds = asked[0] if asked else retry_after_seconds(reply)
    return VendorBusy(FailureCode.PROVIDER_BUSY, _said(reply, error), retry_after_seconds=seconds)


def _details_in(error: Data) -> Iterator[Data]:
    details = error.get("details")
    if isinstance(details, list):
        yield from (each for each in details if isinstance(each, Mapping))


def _word_in(error: Data) -> str:
    """INVALID_ARGUMENT and kin; the interactions have it in the place of the number, in small
    letters.
    """
    name = "status" if "status" in error else "code"
    return word_in(error, name).upper()


def _said(reply: HttpReply, error: Data) -> str:
    return f"{reply.status} {_word_in(error)}"
