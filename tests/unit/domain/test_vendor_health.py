"""Pauses: when a vendor is left alone, for how long, and how it is tried again; and switches."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared import vendor_health
from shared.failures import FailureCode
from shared.vendor_health import Pause, Stage, Switches
from tests.unit.domain.values import HISTORIES, NOW_MS

PAUSE_MS, PAUSE_MAX_MS = 60_000, 900_000
REASON = FailureCode.PROVIDER_FAILED


def close(before: Pause | None, now_ms: int = NOW_MS) -> Pause | None:
    """The vendor kept failing, or the one job that tried it did."""
    return vendor_health.closed(before, "lumen", "lumen_2", REASON, now_ms, PAUSE_MS, PAUSE_MAX_MS)


def pause_in(stage: Stage, times: int = 1) -> Pause:
    return Pause("lumen", "lumen_2", stage, REASON.value, times, NOW_MS - 9, NOW_MS - 1)


# ---------------------------------------------------------------- closed


@pytest.mark.parametrize("before", [None, pause_in(Stage.OPEN), pause_in(Stage.OPEN, 7)])
def test_the_first_pause_is_the_shortest(before: Pause | None) -> None:
    assert close(before) == Pause(
        pool="lumen",
        account="lumen_2",
        stage="closed",
        reason="provider_failed",
        times=1,
        since_ms=NOW_MS,
        until_ms=NOW_MS + PAUSE_MS,
    )


@pytest.mark.parametrize("times", [1, 2, 9])
def test_closed_twice_is_one_pause(times: int) -> None:
    """Many jobs fail in the same moment; they neither lengthen the pause nor tell of it again."""
    assert close(pause_in(Stage.CLOSED, times)) is None
    assert close(pause_in(Stage.CLOSED, times), NOW_MS + 10**9) is None


@pytest.mark.parametrize(
    ("times", "seconds"),
    [(1, 120), (2, 240), (3, 480), (4, 900), (5, 900), (50, 900), (10**6, 900)],
)
def test_a_try_that_failed_makes_the_next_pause_twice_as_long_up_to_the_longest(
    times: int, seconds: int
) -> None:
    again = close(pause_in(Stage.TRYING, times))
    assert again is not None
    assert (again.stage, again.times) == (Stage.CLOSED, times + 1)
    assert (again.since_ms, again.until_ms) == (NOW_MS, NOW_MS + seconds * 1000)


@pytest.mark.parametrize("reason", FailureCode)
def test_a_pause_says_why(reason: FailureCode) -> None:
    paused = vendor_health.closed(None, "lumen", "lumen_2", reason, NOW_MS, 1, 1)
    assert paused is not None
    assert FailureCode(paused.reason) is reason


def test_the_newest_reason_is_the_one_that_is_told() -> None:
    before = replace(pause_in(Stage.TRYING), reason=FailureCode.PROVIDER_MISCONFIGURED.value)
    again = close(before)
    assert again is not None
    assert again.reason == "provider_failed"


# ---------------------------------------------------------------- tried and over


def test_a_closed_pause_is_tried_and_remembers_how_often_it_closed() -> None:
    paused = pause_in(Stage.CLOSED, 3)
    assert vendor_health.trying(paused, NOW_MS) == replace(
        paused, stage=Stage.TRYING, since_ms=NOW_MS
    )


@pytest.mark.parametrize("stage", [Stage.OPEN, Stage.TRYING])
def test_only_what_is_closed_is_tried(stage: Stage) -> None:
    with pytest.raises(AssertionError, match="only what is closed is tried"):
        vendor_health.trying(pause_in(stage), NOW_MS)


@pytest.mark.parametrize("stage", Stage)
def test_a_job_that_did_well_ends_the_pause(stage: Stage) -> None:
    """Also one that was sent before the pause began."""
    paused = pause_in(stage, 3)
    assert vendor_health.opened(paused, NOW_MS) == replace(
        paused, stage=Stage.OPEN, since_ms=NOW_MS
    )


@pytest.mark.parametrize(
    ("stage", "places", "of_one_job", "is_open"),
    [
        (Stage.OPEN, 5, 1, 5),
        (Stage.OPEN, 5, 9, 5),
        (Stage.CLOSED, 5, 1, 0),
        (Stage.CLOSED, 5, 9, 0),
        (Stage.TRYING, 5, 1, 1),
        (Stage.TRYING, 5, 4, 4),
        (Stage.TRYING, 3, 9, 3),
        (Stage.TRYING, 1, 1, 1),
    ],
)
def test_a_pause_closes_all_places_and_a_try_opens_those_of_one_job(
    stage: Stage, places: int, of_one_job: int, is_open: int
) -> None:
    assert pause_in(stage).places(places, of_one_job) == is_open


# ---------------------------------------------------------------- any history


@dataclass(slots=True)
class Expected:
    """What the drawing says: a stage, how often it closed in a row, and until when."""

    stage: Stage | None = None
    in_a_row: int = 0
    until_ms: int = 0


class Health(RuleBasedStateMachine):
    """A vendor that fails, is left alone, is tried and recovers, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = NOW_MS
        self.pause: Pause | None = None
        self.expected = Expected()

    @rule(passed_ms=st.integers(0, 2 * PAUSE_MAX_MS))
    def time_passes(self, passed_ms: int) -> None:
        self.now_ms += passed_ms

    @rule(count=st.integers(1, 3))
    def it_fails(self, count: int) -> None:
        for _ in range(count):
            after = close(self.pause, self.now_ms)
            if self.expected.stage is Stage.CLOSED:
                assert after is None
                continue
            assert after is not None
            is_again = self.expected.stage is Stage.TRYING
            in_a_row = self.expected.in_a_row + 1 if is_again else 1
            length_ms = PAUSE_MS
            for _ in range(in_a_row - 1):
                length_ms = min(2 * length_ms, PAUSE_MAX_MS)
            self.pause = after
            self.expected = Expected(Stage.CLOSED, in_a_row, self.now_ms + length_ms)

    @rule()
    def its_time_may_be_over(self) -> None:
        is_closed = self.expected.stage is Stage.CLOSED
        if self.pause and is_closed and self.now_ms >= self.pause.until_ms:
            self.pause = vendor_health.trying(self.pause, self.now_ms)
            self.expected.stage = Stage.TRYING

    @rule()
    def a_job_does_well(self) -> None:
        if self.pause:
            self.pause = vendor_health.opened(self.pause, self.now_ms)
            self.expected.stage = Stage.OPEN

    @invariant()
    def the_pause_is_as_far_as_drawn(self) -> None:
        expected = self.expected
        if self.pause is None:
            assert expected.stage is None
            return
        assert (self.pause.stage, self.pause.times, self.pause.until_ms) == (
            expected.stage,
            expected.in_a_row,
            expected.until_ms,
        )
        assert (self.pause.pool, self.pause.account) == ("lumen", "lumen_2")
        assert self.pause.since_ms <= self.now_ms

    @invariant()
    def while_it_is_paused_at_most_one_job_is_sent(self) -> None:
        if self.pause is not None:
            is_open = {Stage.OPEN: 7, Stage.CLOSED: 0, Stage.TRYING: 2}
            assert self.pause.places(7, 2) == is_open[Stage(self.pause.stage)]


Health.TestCase.settings = settings(HISTORIES, max_examples=60, stateful_step_count=40)
TestHealthOverAnyHistory = Health.TestCase


@given(
    times=st.integers(1, 10**9),
    pause_ms=st.integers(1, 10**9),
    pause_max_ms=st.integers(1, 10**9),
)
def test_no_pause_is_longer_than_the_longest(times: int, pause_ms: int, pause_max_ms: int) -> None:
    before = pause_in(Stage.TRYING, times)
    again = vendor_health.closed(before, "lumen", "lumen_2", REASON, NOW_MS, pause_ms, pause_max_ms)
    assert again is not None
    assert NOW_MS < again.until_ms <= NOW_MS + pause_max_ms


# ---------------------------------------------------------------- switches


@pytest.mark.parametrize(
    ("switches", "is_off"),
    [
        (Switches(), False),
        (Switches(frozenset({"lumen"})), True),
        (Switches(frozenset(), frozenset({"lumen-video"})), True),
        (Switches(frozenset({"lumen"}), frozenset({"lumen-video"})), True),
        (Switches(frozenset({"nova"}), frozenset({"nova-video"})), False),
        (Switches(frozenset({"lumen-video"}), frozenset({"lumen"})), False),
    ],
    ids=["nothing", "its vendor", "itself", "both", "another", "a name of the other kind"],
)
def test_a_model_is_off_when_it_or_its_vendor_is(switches: Switches, is_off: bool) -> None:
    assert switches.is_off("lumen", "lumen-video") is is_off
