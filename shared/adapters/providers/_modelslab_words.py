"""What ModelsLab's errors mean. They have no codes: an HTTP status, often 200, and a sentence.

Source: docs.modelslab.com/error-codes and /rate-limits; in `messege` too, and as lists by field.
"""

from collections.abc import Mapping
from enum import StrEnum

from shared.adapters.providers._replies import RETRY_AFTER_SECONDS_MAX, retry_after_seconds
from shared.errors import VendorBusy, VendorError, VendorGone, VendorRejected, VendorUnknown
from shared.failures import FailureCode
from shared.ports import Data, HttpReply

ENDED_BADLY = frozenset({"error", "failed"})


class Meaning(StrEnum):
    """What a sentence says is wrong."""

    QUEUE_FULL = "queue_full"
    KEY = "key"
    CREDIT = "credit"
    PLAN = "plan"
    CONTENT = "content"
    MODEL = "model"
    TASK = "task"
    SERVER = "server"
    INPUT = "input"
    UNSAID = "unsaid"


# The first that is found counts, so what is special stands before what is general.
_SENTENCES: tuple[tuple[str, Meaning], ...] = (
    ("rate limit", Meaning.QUEUE_FULL),
    ("queued requests", Meaning.QUEUE_FULL),
    ("api key", Meaning.KEY),
    ("credit", Meaning.CREDIT),
    ("subscription", Meaning.PLAN),
    ("nsfw", Meaning.CONTENT),
    ("moderation", Meaning.CONTENT),
    ("content policy", Meaning.CONTENT),
    ("safety", Meaning.CONTENT),
    ("sensitive", Meaning.CONTENT),
    ("model not found", Meaning.MODEL),
    ("invalid model", Meaning.MODEL),
    ("server error", Meaning.SERVER),
    ("temporarily unavailable", Meaning.SERVER),
    ("unable to fetch", Meaning.INPUT),
    ("is required", Meaning.INPUT),
    ("must be", Meaning.INPUT),
    ("invalid", Meaning.INPUT),
    ("not found", Meaning.TASK),
)
_STATUSES: Mapping[int, Meaning] = {
    400: Meaning.INPUT,
    401: Meaning.KEY,
    402: Meaning.CREDIT,
    403: Meaning.PLAN,
    404: Meaning.MODEL,
    422: Meaning.INPUT,
    429: Meaning.QUEUE_FULL,
}
# What is surely not accepted. What is absent leaves it open.
_REFUSALS: Mapping[Meaning, FailureCode] = {
    Meaning.KEY: FailureCode.PROVIDER_MISCONFIGURED,
    Meaning.CREDIT: FailureCode.PROVIDER_MISCONFIGURED,
    Meaning.PLAN: FailureCode.PROVIDER_MISCONFIGURED,
    Meaning.CONTENT: FailureCode.MODERATION_BLOCKED,
    Meaning.MODEL: FailureCode.MODEL_GONE,
    Meaning.INPUT: FailureCode.PROVIDER_REJECTED,
}
_FAILURES: Mapping[Meaning, FailureCode] = {
    **_REFUSALS,
    Meaning.QUEUE_FULL: FailureCode.PROVIDER_BUSY,
    Meaning.SERVER: FailureCode.PROVIDER_BUSY,
}
# What tells of us or of the moment, and nothing of the task that was asked about.
_NO_VERDICT = frozenset({Meaning.QUEUE_FULL, Meaning.KEY, Meaning.CREDIT, Meaning.PLAN})


def status_word(data: Data) -> str:
    """Where it stands, in the vendor's word."""
    return str(data.get("status", ""))


def submit_error(reply: HttpReply, data: Data) -> VendorError:
    """Why nothing will come of a submit, if that is sure."""
    meaning = _meaning(data)
    if meaning in {Meaning.UNSAID, Meaning.TASK}:
        meaning = _STATUSES.get(reply.status, meaning)
    said = f"{reply.status} {meaning}"
    if reply.status == 429 or meaning is Meaning.QUEUE_FULL:
        return _busy(reply, data, said)
    if reply.status < 500 and meaning in _REFUSALS:
        return VendorRejected(_REFUSALS[meaning], said)
    if reply.status == 200 and status_word(data) == "failed":
        # It was taken, worked on and is over.
        return VendorRejected(FailureCode.PROVIDER_FAILED, said)
    return VendorUnknown(FailureCode.PROVIDER_FAILED, said)


def poll_error(reply: HttpReply, data: Data) -> VendorError:
    """Why a poll says nothing of its task."""
    meaning = _meaning(data)
    said = f"{reply.status} {meaning}"
    if reply.status == 429 or meaning is Meaning.QUEUE_FULL:
        return _busy(reply, data, said)
    is_unknown_task = reply.status == 404 or meaning is Meaning.TASK
    if is_unknown_task and status_word(data) in ENDED_BADLY:
        return VendorGone(FailureCode.PROVIDER_FAILED, said)
    is_ours = _REFUSALS.get(meaning) is FailureCode.PROVIDER_MISCONFIGURED
    code = FailureCode.PROVIDER_MISCONFIGURED if is_ours else FailureCode.PROVIDER_FAILED
    return VendorUnknown(code, said)


def is_verdict(data: Data) -> bool:
    """Whether an error with status 200 is about the task: a poll's own troubles look alike, but do
    not name it.
    """
    meaning = _meaning(data)
    is_of_call = meaning in {Meaning.TASK, Meaning.SERVER} and "id" not in data
    return status_word(data) == "failed" or not (meaning in _NO_VERDICT or is_of_call)


def failure_of(data: Data) -> tuple[FailureCode, str]:
    """Why a task ended badly, and that as a word for the logs."""
    meaning = _meaning(data)
    return _FAILURES.get(meaning, FailureCode.PROVIDER_FAILED), meaning.value


def _meaning(data: Data) -> Meaning:
    text = data.get("message") or data.get("messege") or ""
    words = str(text).lower()
    said = next((meaning for needle, meaning in _SENTENCES if needle in words), Meaning.UNSAID)
    # An object lists what is wrong with each field (facts D3).
    return Meaning.INPUT if said is Meaning.UNSAID and isinstance(text, dict) else said


def _busy(reply: HttpReply, data: Data, said: str) -> VendorBusy:
    wait, seconds = data.get("retry_after"), retry_after_seconds(reply)
    if isinstance(wait, int | float) and not isinstance(wait, bool) and wait >= 0:
        seconds = min(wait, RETRY_AFTER_SECONDS_MAX)
    return VendorBusy(FailureCode.PROVIDER_BUSY, said, retry_after_seconds=seconds)
