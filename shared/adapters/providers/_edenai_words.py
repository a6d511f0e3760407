"""What Eden AI's answers mean: status words, where results stand, and what went wrong.

Two vocabularies and three names for an id are documented (facts E2); all are read.
"""

from collections.abc import Mapping

from shared.adapters.providers._replies import (
    object_in,
    objects_in,
    retry_after_seconds,
    task_id_in,
    text_in,
    url_in,
)
from shared.errors import VendorBusy, VendorError, VendorGone, VendorRejected, VendorUnknown
from shared.failures import FailureCode
from shared.ports import Data, HttpReply, Outcome, OutcomeState, Parcel, Ticket

# Their word → ours. A word that is absent means that it still runs.
STATES: Mapping[str, OutcomeState] = {
    "error": "failed",
    "fail": "failed",
    "failed": "failed",
    "finished": "succeeded",
    "succeeded": "succeeded",
    "success": "succeeded",
}

_IDS = ("public_id", "job_id", "id")

# What is surely not accepted. A status that is absent leaves it open.
_REFUSALS: Mapping[int, FailureCode] = {
    400: FailureCode.PROVIDER_REJECTED,
    401: FailureCode.PROVIDER_MISCONFIGURED,
    402: FailureCode.PROVIDER_MISCONFIGURED,
    403: FailureCode.PROVIDER_MISCONFIGURED,
    404: FailureCode.MODEL_GONE,  # the address has existed: what is gone is the model or the API
    410: FailureCode.MODEL_GONE,
    422: FailureCode.PROVIDER_REJECTED,
    451: FailureCode.PROVIDER_MISCONFIGURED,  # not in the region of this address
}

# There are no codes for it: the makers' sentences are passed on.
_SENTENCES: tuple[tuple[str, FailureCode], ...] = (
    ("violation of the following policies", FailureCode.MODERATION_BLOCKED),
    ("content rejected", FailureCode.MODERATION_BLOCKED),
    ("moderation", FailureCode.MODERATION_BLOCKED),
    ("nsfw", FailureCode.MODERATION_BLOCKED),
    ("safety", FailureCode.MODERATION_BLOCKED),
    ("sensitive", FailureCode.MODERATION_BLOCKED),
    ("model not found", FailureCode.MODEL_GONE),
    ("model is not available", FailureCode.MODEL_GONE),
    ("overloaded", FailureCode.PROVIDER_BUSY),
    ("rate limit", FailureCode.PROVIDER_BUSY),
)


def task_id_of(data: Data) -> str:
    """The id of a job, whichever name it has."""
    return task_id_in(data, next((name for name in _IDS if name in data), _IDS[0]))


def require_same(data: Data, ticket: Ticket) -> None:
    """Raises `VendorUnknown` for an answer about another job; some name none (facts E2)."""
    if any(name in data for name in _IDS) and task_id_of(data) != ticket.task_id:
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "the reply is about another task")


def v3_outcome(data: Data, ticket: Ticket) -> Outcome:
    """How a job of V3 stands."""
    state = STATES.get(text_in(data, "status"), "running")
    if state == "failed":
        return failed(ticket, data)
    if state == "running":
        return Outcome(ticket.task_id, state)
    if "output" not in data and "results" in data:
        return _of_makers(data, ticket)
    return _film(object_in(data, "output"), ticket)


def v2_outcome(data: Data, ticket: Ticket) -> Outcome:
    """How a job of V2 stands: its end says nothing of what became of it at the maker's."""
    state = STATES.get(text_in(data, "status"), "running")
    if state == "running":
        return Outcome(ticket.task_id, state)
    if state == "failed" or (data.get("error") and not data.get("results")):
        return failed(ticket, data)
    return _of_makers(data, ticket)


def failed(ticket: Ticket, data: Data) -> Outcome:
    """A job that ended badly."""
    code = blame(data) or FailureCode.PROVIDER_FAILED
    return Outcome(ticket.task_id, "failed", failure_code=code, detail=code.value)


def pictures_of(output: Data) -> tuple[Parcel, ...]:
    """Several pictures stand in a list, and so does one by some pages."""
    items = objects_in(output, "items") if "items" in output else [output]
    if not items:
        raise VendorRejected(FailureCode.PROVIDER_FAILED, "the answer has no pictures")
    return tuple(Parcel(url_in(item, "image_resource_url")) for item in items)


def is_complaint(data: Data) -> bool:
    """Whether a body is an error of Eden's own, which no gateway before it writes."""
    return any(data.get(name) for name in ("error", "detail", "details"))


def submit_error(reply: HttpReply, data: Data) -> VendorError:
    """Why nothing was taken, if that is sure."""
    said = str(reply.status)
    if not is_complaint(data):
        return VendorUnknown(FailureCode.PROVIDER_FAILED, said)
    if reply.status == 429:
        return _busy(reply)
    code = _REFUSALS.get(reply.status)
    if code is None:
        return VendorUnknown(FailureCode.PROVIDER_FAILED, said)
    if code is FailureCode.PROVIDER_REJECTED:
        code = blame(data) or code
    if code is FailureCode.PROVIDER_BUSY:
        return _busy(reply)
    return VendorRejected(code, said)


def poll_error(reply: HttpReply, data: Data) -> VendorError:
    """Why an answer says nothing of its job."""
    said = str(reply.status)
    if reply.status == 429:
        return _busy(reply)
    if reply.status == 404 and is_complaint(data):
        return VendorGone(FailureCode.PROVIDER_FAILED, said)
    is_ours = _REFUSALS.get(reply.status) is FailureCode.PROVIDER_MISCONFIGURED
    code = FailureCode.PROVIDER_MISCONFIGURED if is_ours else FailureCode.PROVIDER_FAILED
    return VendorUnknown(code, said)


def blame(data: Data) -> FailureCode | None:
    """What the sentences of an error say, if they say anything that we know."""
    said = [data.get(name) for name in ("error", "detail", "details")]
    words = str([each for each in said if each]).lower()
    return next((code for needle, code in _SENTENCES if needle in words), None)


def _of_makers(data: Data, ticket: Ticket) -> Outcome:
    """The one maker that was asked; its key may have the model in it."""
    answers = [each for each in object_in(data, "results").values() if isinstance(each, Mapping)]
    if not answers:
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "success without a result")
    answer = answers[0]
    if answer.get("error") or STATES.get(str(answer.get("final_status"))) == "failed":
        return failed(ticket, answer)
    return _film(answer, ticket)


def _film(answer: Data, ticket: Ticket) -> Outcome:
    return Outcome(
        ticket.task_id, "succeeded", parcels=(Parcel(url_in(answer, "video_resource_url")),)
    )


def _busy(reply: HttpReply) -> VendorBusy:
    wait = retry_after_seconds(reply)
    return VendorBusy(FailureCode.PROVIDER_BUSY, str(reply.status), retry_after_seconds=wait)
