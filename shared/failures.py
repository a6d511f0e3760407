"""Why a job gave no result, in words a creator can act on: what happened, where the tokens are,
what to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FailureCode(StrEnum):
    """Stable, documented and translated."""

    PROVIDER_REJECTED = "provider_rejected"
    PROVIDER_BUSY = "provider_busy"
    PROVIDER_FAILED = "provider_failed"
    PROVIDER_MISCONFIGURED = "provider_misconfigured"
    MODERATION_BLOCKED = "moderation_blocked"
    MODEL_GONE = "model_gone"
    MODEL_OFF = "model_off"
    WAITED_TOO_LONG = "waited_too_long"
    TIMED_OUT = "timed_out"
    RESULT_INVALID = "result_invalid"
    RESULT_UNAVAILABLE = "result_unavailable"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no result."""

    code: FailureCode
    message: str


# What happened, and what to do about it.
_ADVICE: Mapping[FailureCode, tuple[str, str]] = {
    FailureCode.PROVIDER_REJECTED: (
        "The provider did not take this request.",
        "Change the prompt, the picture or the settings and try again.",
    ),
    FailureCode.PROVIDER_BUSY: (
        "The provider is too busy.",
        "Try again in a few minutes or choose another model.",
    ),
    FailureCode.PROVIDER_FAILED: (
        "The provider could not finish this one.",
        "Try again; if it fails again, change the prompt or choose another model.",
    ),
    FailureCode.PROVIDER_MISCONFIGURED: (
        "This model is not working right now, and the cause is on our side.",
        "We have been told. Choose another model.",
    ),
    FailureCode.MODERATION_BLOCKED: (
        "The provider's safety rules refused this prompt or picture.",
        "Change what it shows and try again.",
    ),
    FailureCode.MODEL_GONE: (
        "The provider has retired this model.",
        "Choose another one.",
    ),
    FailureCode.MODEL_OFF: (
        "This model was switched off while your job waited.",
        "Choose another one.",
    ),
    FailureCode.WAITED_TOO_LONG: (
        "No place became free in time.",
        "Try again later.",
    ),
    FailureCode.TIMED_OUT: (
        "The provider took too long.",
        "Try again. If the result still arrives, it is yours for free.",
    ),
    FailureCode.RESULT_INVALID: (
        "The provider sent something that is not a working result.",
        "Try again.",
    ),
    FailureCode.RESULT_UNAVAILABLE: (
        "The provider finished, but the result could not be fetched.",
        "Try again.",
    ),
    FailureCode.CANCELLED: (
        "You cancelled this job.",
        "",
    ),
}


# What tells of the vendor's own trouble, and nothing of what was asked for.
TROUBLES = frozenset({
    FailureCode.PROVIDER_BUSY,
    FailureCode.PROVIDER_FAILED,
    FailureCode.PROVIDER_MISCONFIGURED,
    FailureCode.TIMED_OUT,
})  # fmt: skip


def failure(code: FailureCode) -> Failure:
    """A failure with its standard message; whoever calls it gives the tokens back."""
    happened, advice = _ADVICE[code]
    return Failure(code, f"{happened} Your tokens are back. {advice}".strip())
