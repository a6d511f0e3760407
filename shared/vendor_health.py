"""When nothing is sent to a vendor: after it kept failing, or because the operator says so.

A pause closes the places that one account has in one pool, so that its jobs wait or go elsewhere.
When its time is over one place opens, for one job to try; what becomes of that job ends the pause
or makes it longer.

    OPEN ──kept failing──▶ CLOSED ──its time is over──▶ TRYING ──a job did well──▶ OPEN
                             ▲                            │
                             └───────it failed again──────┘
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from shared.failures import FailureCode


class Stage(StrEnum):
    """How far a pause is."""

    OPEN = "open"  # over
    CLOSED = "closed"
    TRYING = "trying"


@dataclass(frozen=True, slots=True)
class Pause:
    """Why and for how long an account's places in a pool are closed."""

    pool: str
    account: str
    stage: str
    reason: str  # a FailureCode
    times: int  # how often in a row it closed
    since_ms: int
    until_ms: int

    def places(self, places: int, of_one_job: int) -> int:
        """How many of the account's places are open, when one job takes up to so many."""
        match self.stage:
            case Stage.CLOSED:
                return 0
            case Stage.TRYING:
                return min(places, of_one_job)
            case _:
                return places


@dataclass(frozen=True, slots=True)
class Switches:
    """What the operator has switched off."""

    providers_off: frozenset[str] = frozenset()
    models_off: frozenset[str] = frozenset()

    def is_off(self, provider: str, model: str) -> bool:
        """Whether a model of a vendor is to be sold and sent."""
        return provider in self.providers_off or model in self.models_off


def closed(
    before: Pause | None,
    pool: str,
    account: str,
    reason: FailureCode,
    now_ms: int,
    pause_ms: int,
    pause_max_ms: int,
) -> Pause | None:
    """The pause that begins now, or None where one has begun already. Each in a row is twice as
    long.
    """
    if before is not None and before.stage == Stage.CLOSED:
        return None
    is_again = before is not None and before.stage == Stage.TRYING
    times = before.times + 1 if before is not None and is_again else 1
    length_ms = min(pause_ms * 2 ** min(times - 1, 20), pause_max_ms)
    return Pause(pool, account, Stage.CLOSED, reason.value, times, now_ms, now_ms + length_ms)


def trying(pause: Pause, now_ms: int) -> Pause:
    """The pause when one job may try."""
    assert pause.stage == Stage.CLOSED, "only what is closed is tried"
    return replace(pause, stage=Stage.TRYING, since_ms=now_ms)


def opened(pause: Pause, now_ms: int) -> Pause:
    """The pause when it is over."""
    return replace(pause, stage=Stage.OPEN, since_ms=now_ms)
