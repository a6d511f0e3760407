"""The job state machine as a whole: every pair of state and event, and every path through it."""

from collections import deque
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any

import pytest

from shared import jobs
from shared.failures import FailureCode, failure
from shared.jobs import (
    FINAL,
    HOLDS_SLOT,
    REFUNDED,
    RULES,
    STATUS,
    Event,
    IllegalMove,
    Job,
    Money,
    Move,
    Result,
    Settings,
    State,
)
from tests.unit.domain.values import NOW_MS, job_in

# Written from the design (`money.md` section 4) and not from the code: state, event, next state,
# what happens to the hold, what happens to the slot. Everything that is not here is refused.
TABLE = """
parked       slot_granted      ready        keep     takes
parked       expired           failed       release  none
parked       cancelled         cancelled    release  none

ready        claimed           submitting   keep     keeps
ready        expired           failed       release  frees
ready        cancelled         cancelled    release  frees

submitting   accepted          running      keep     keeps
submitting   put_back          ready        keep     keeps
submitting   rejected          failed       release  frees
submitting   lost              unknown      keep     keeps

unknown      accepted          running      keep     keeps
unknown      put_back          ready        keep     keeps
unknown      rejected          failed       release  frees
unknown      gave_up           quarantined  release  keeps

running      succeeded         storing      keep     frees
running      vendor_failed     failed       release  frees
running      cancelled         cancelled    release  frees
running      gave_up           quarantined  release  keeps

storing      stored            done         capture  none
storing      store_failed      failed       release  none

quarantined  accepted          quarantined  keep     keeps
quarantined  rejected          failed       keep     frees
quarantined  succeeded         gifting      keep     frees
quarantined  vendor_failed     failed       keep     frees
quarantined  quarantine_ended  failed       keep     frees

gifting      stored            gifted       gift     none
gifting      store_failed      failed       keep     none
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    state: State
    money: Money
    slot: str


def _read_table() -> dict[tuple[State, Event], Row]:
    lines = [line.split() for line in TABLE.splitlines() if line]
    rows = {
        (State(state), Event(event)): Row(State(after), Money(money), slot)
        for state, event, after, money, slot in lines
    }
    assert len(rows) == len(lines), "no pair twice"
    return rows


EXPECTED = _read_table()
PAIRS = list(product(State, Event))
ALLOWED = sorted(EXPECTED)
REFUSED = [pair for pair in PAIRS if pair not in EXPECTED]

# Where the slot is taken, said once more in words of the design: from the grant until the vendor
# is known to be over with it.
WITH_SLOT = {"ready", "submitting", "unknown", "running", "quarantined"}
BEFORE_A_REFUND = {
    State.PARKED,
    State.READY,
    State.SUBMITTING,
    State.UNKNOWN,
    State.RUNNING,
    State.STORING,
    State.DONE,
}


def named(pair: tuple[State, Event]) -> str:
    return f"{pair[0]}+{pair[1]}"


def move_by(job: Job, event: Event, **changes: Any) -> Move:
    """Apply an event the way the use cases do, with the fields that it always brings."""
    if event is Event.SLOT_GRANTED:
        changes = {"slot": "lumen:3", "epoch": job.epoch + 1, **changes}
    if event is Event.PUT_BACK:
        changes = {"epoch": job.epoch + 1, "claim": None, **changes}
    return jobs.advance(job, event, NOW_MS, **changes)


# ---------------------------------------------------------------- the table


def test_the_machine_has_exactly_the_moves_of_the_design() -> None:
    assert set(RULES) == set(EXPECTED)


@pytest.mark.parametrize("pair", ALLOWED, ids=named)
def test_an_event_has_the_consequence_that_the_design_gives_it(
    pair: tuple[State, Event],
) -> None:
    state, event = pair
    expected = EXPECTED[pair]
    before = job_in(state)
    assert jobs.can(before, event)
    move = move_by(before, event)
    assert move.job.state is expected.state
    assert move.money is expected.money
    assert move.freed_slot == (before.slot if expected.slot == "frees" else None)
    match expected.slot:
        case "takes":
            assert (before.slot, move.job.slot) == (None, "lumen:3")
        case "keeps":
            assert before.slot is not None
            assert move.job.slot == before.slot
        case "frees":
            assert before.slot is not None
            assert move.job.slot is None
        case _:
            assert (before.slot, move.job.slot) == (None, None)


@pytest.mark.parametrize("pair", REFUSED, ids=named)
def test_an_event_that_the_design_does_not_have_is_refused(pair: tuple[State, Event]) -> None:
    state, event = pair
    job = job_in(state)
    assert not jobs.can(job, event)
    with pytest.raises(IllegalMove) as refused:
        jobs.advance(job, event, NOW_MS)
    assert (refused.value.state, refused.value.event) == (state, event)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_nothing_moves_a_job_that_has_ended(state: State) -> None:
    assert not any(jobs.can(job_in(state), event) for event in Event)


def test_the_sets_of_states_say_what_the_table_says() -> None:
    leaves = {state for state in State if not any((state, event) in EXPECTED for event in Event)}
    assert leaves == FINAL
    assert {state.value for state in HOLDS_SLOT} == WITH_SLOT
    assert set(State) - BEFORE_A_REFUND == REFUNDED


def test_every_state_has_one_public_word() -> None:
    assert STATUS == {
        State.PARKED: "queued",
        State.READY: "queued",
        State.SUBMITTING: "running",
        State.UNKNOWN: "running",
        State.RUNNING: "running",
        State.STORING: "storing",
        State.DONE: "succeeded",
        State.GIFTED: "succeeded",
        State.FAILED: "failed",
        State.QUARANTINED: "failed",
        State.GIFTING: "failed",
        State.CANCELLED: "cancelled",
    }
    assert set(STATUS) == set(State)
    assert all(job_in(state).status == word for state, word in STATUS.items())


@pytest.mark.parametrize("state", State)
def test_a_creator_who_sees_failed_or_cancelled_has_the_tokens_back(state: State) -> None:
    if STATUS[state] in {"failed", "cancelled"}:
        assert state in REFUNDED
    if state in REFUNDED:
        assert STATUS[state] in {"failed", "cancelled"} or state is State.GIFTED


# ---------------------------------------------------------------- one move


@pytest.mark.parametrize("pair", ALLOWED, ids=named)
def test_the_receipt_says_what_the_move_did_to_the_hold(pair: tuple[State, Event]) -> None:
    job = job_in(pair[0], hold_tokens=60)
    moved = move_by(job, pair[1]).job
    by_money = {
        Money.KEEP: (0, 0),
        Money.GIFT: (0, 0),
        Money.CAPTURE: (60, 0),
        Money.RELEASE: (0, 60),
    }
    assert (moved.charged_tokens, moved.returned_tokens) == by_money[EXPECTED[pair].money]


@pytest.mark.parametrize("pair", ALLOWED, ids=named)
def test_a_receipt_once_written_stays(pair: tuple[State, Event]) -> None:
    job = job_in(pair[0], hold_tokens=60, returned_tokens=60 if pair[0] in REFUNDED else 0)
    moved = move_by(job, pair[1]).job
    assert moved.charged_tokens + moved.returned_tokens in ({60} if _is_settled(moved) else {0})


def _is_settled(job: Job) -> bool:
    return job.state in REFUNDED or job.state is State.DONE


@pytest.mark.parametrize("pair", ALLOWED, ids=named)
def test_a_job_that_has_ended_is_never_due_again(pair: tuple[State, Event]) -> None:
    moved = move_by(job_in(pair[0], due_at_ms=NOW_MS - 1), pair[1]).job
    assert (moved.due_at_ms is None) == (moved.state in FINAL)


@pytest.mark.parametrize("pair", ALLOWED, ids=named)
def test_a_job_is_complete_for_its_owner_when_its_money_is_settled(
    pair: tuple[State, Event],
) -> None:
    refunded_at_ms = NOW_MS - 7000 if pair[0] in REFUNDED else None
    moved = move_by(job_in(pair[0], completed_at_ms=refunded_at_ms), pair[1]).job
    if not _is_settled(moved):
        assert moved.completed_at_ms is None
    elif refunded_at_ms is not None:
        assert moved.completed_at_ms == refunded_at_ms
    else:
        assert moved.completed_at_ms == NOW_MS


@pytest.mark.parametrize("pair", ALLOWED, ids=named)
def test_a_move_is_dated(pair: tuple[State, Event]) -> None:
    assert move_by(job_in(pair[0]), pair[1]).job.updated_at_ms == NOW_MS


@pytest.mark.parametrize("pair", ALLOWED, ids=named)
def test_a_move_changes_only_what_it_is_about(pair: tuple[State, Event]) -> None:
    about = {
        "state",
        "slot",
        "epoch",
        "updated_at_ms",
        "due_at_ms",
        "completed_at_ms",
        "charged_tokens",
        "returned_tokens",
    }
    before = job_in(pair[0], attempt=3, busy_count=2, claim=None, vendor_task_id="t")
    after = move_by(before, pair[1]).job
    kept = [field.name for field in fields(Job) if field.name not in about]
    assert {name: getattr(after, name) for name in kept} == {
        name: getattr(before, name) for name in kept
    }


def test_the_fields_that_an_event_brings_are_in_the_job_after_it() -> None:
    moved = jobs.advance(
        job_in(State.READY), Event.CLAIMED, NOW_MS, claim="c", submitted_at_ms=5, due_at_ms=9
    ).job
    assert (moved.claim, moved.submitted_at_ms, moved.due_at_ms) == ("c", 5, 9)


def test_a_move_leaves_the_job_before_it_as_it_was() -> None:
    before = job_in(State.RUNNING)
    move_by(before, Event.GAVE_UP)
    assert before == job_in(State.RUNNING)


def test_a_granted_slot_must_come_with_the_grant() -> None:
    with pytest.raises(AssertionError, match="exactly where the table says"):
        jobs.advance(job_in(State.PARKED), Event.SLOT_GRANTED, NOW_MS)


@pytest.mark.parametrize("pair", ALLOWED, ids=named)
def test_no_event_slips_a_slot_in_or_out(pair: tuple[State, Event]) -> None:
    expected = EXPECTED[pair]
    if expected.state in HOLDS_SLOT:
        with pytest.raises(AssertionError):
            jobs.advance(job_in(pair[0]), pair[1], NOW_MS, slot=None)
    elif expected.slot == "none":
        with pytest.raises(AssertionError):
            jobs.advance(job_in(pair[0]), pair[1], NOW_MS, slot="lumen:7")


AGREED: dict[str, Any] = {
    "epoch": 3,
    "id": "job_2",
    "user_id": "usr_2",
    "hold_tokens": 1,
    "pool": "other",
    "charged_tokens": 1,
    "returned_tokens": 1,
    "state": State.DONE,
}


@pytest.mark.parametrize("name", AGREED)
def test_no_event_lowers_the_epoch_or_changes_what_was_agreed(name: str) -> None:
    job, event = job_in(State.READY, epoch=4), Event.CLAIMED
    honest = jobs.advance(job, event, NOW_MS).job
    try:
        moved = jobs.advance(job, event, NOW_MS, **{name: AGREED[name]}).job
    except AssertionError:
        return
    assert moved == honest


# ---------------------------------------------------------------- every path


@dataclass(frozen=True, slots=True)
class Place:
    """All that decides what may come next on a path: the state, and what happened to the hold."""

    state: State
    money: tuple[Money, ...]


def _follow(starts: list[State]) -> dict[Place, list[tuple[Event, Place]]]:
    """Every place that any sequence of events reaches, and where each leads."""
    seen: dict[Place, list[tuple[Event, Place]]] = {}
    waiting = deque(Place(state, ()) for state in starts)
    while waiting:
        place = waiting.popleft()
        if place in seen:
            continue
        seen[place] = []
        for event in Event:
            job = job_in(place.state)
            if not jobs.can(job, event):
                continue
            move = move_by(job, event)
            happened = place.money if move.money is Money.KEEP else (*place.money, move.money)
            assert len(happened) <= 2, f"{happened} on the way to {move.job.state}"
            after = Place(move.job.state, happened)
            seen[place].append((event, after))
            waiting.append(after)
    return seen


PLACES = _follow([State.PARKED, State.READY])


def test_every_path_to_an_end_settles_the_hold_exactly_once() -> None:
    endings = {(place.state, place.money) for place in PLACES if place.state in FINAL}
    assert endings == {
        (State.DONE, (Money.CAPTURE,)),
        (State.FAILED, (Money.RELEASE,)),
        (State.CANCELLED, (Money.RELEASE,)),
        (State.GIFTED, (Money.RELEASE, Money.GIFT)),
    }


def test_on_every_path_the_state_alone_says_where_the_tokens_are() -> None:
    for place in PLACES:
        assert (Money.RELEASE in place.money) == (place.state in REFUNDED), place
        assert (Money.CAPTURE in place.money) == (place.state is State.DONE), place
        assert (Money.GIFT in place.money) == (place.state is State.GIFTED), place


def test_every_state_can_be_reached() -> None:
    assert {place.state for place in PLACES} == set(State)


def test_a_quarantined_job_never_takes_tokens_again() -> None:
    after_refund = {place for place in PLACES if Money.RELEASE in place.money}
    assert all(Money.CAPTURE not in place.money for place in after_refund)


def test_every_job_ends_even_when_the_vendor_never_says_a_word() -> None:
    """Only what our own clock can cause leads from anywhere to an end."""
    ours = {
        Event.EXPIRED,
        Event.LOST,
        Event.GAVE_UP,
        Event.QUARANTINE_ENDED,
        Event.STORE_FAILED,
    }
    for start in PLACES:
        ends = set()
        waiting, seen = deque([start]), {start}
        while waiting:
            place = waiting.popleft()
            if place.state in FINAL:
                ends.add(place.state)
            for event, after in PLACES[place]:
                if event in ours and after not in seen:
                    seen.add(after)
                    waiting.append(after)
        assert ends, f"{start.state} waits for somebody else for ever"


def test_only_a_stored_result_is_ever_charged() -> None:
    captures = {pair for pair, rule in RULES.items() if rule.money is Money.CAPTURE}
    assert captures == {(State.STORING, Event.STORED)}


def test_a_job_that_may_still_run_at_the_vendor_keeps_its_slot() -> None:
    """A slot is freed by the vendor's word, by never having sent, or by the quarantine's end."""
    freeing = {event for (_, event), rule in RULES.items() if rule.frees_slot}
    assert freeing == {
        Event.EXPIRED,
        Event.CANCELLED,
        Event.REJECTED,
        Event.SUCCEEDED,
        Event.VENDOR_FAILED,
        Event.QUARANTINE_ENDED,
    }
    maybe_sent = {State.SUBMITTING, State.UNKNOWN}
    assert not any(
        (state, event) in RULES
        for state in maybe_sent
        for event in (Event.EXPIRED, Event.CANCELLED)
    )
    assert (State.RUNNING, Event.EXPIRED) not in RULES


# ---------------------------------------------------------------- postponed, deleted


@pytest.mark.parametrize("state", sorted(set(State) - FINAL))
def test_a_postponed_job_is_due_later_under_new_task_names(state: State) -> None:
    job = job_in(state, attempt=4)
    assert jobs.postponed(job, NOW_MS, NOW_MS + 9) == replace(
        job, updated_at_ms=NOW_MS, due_at_ms=NOW_MS + 9, attempt=5
    )


@pytest.mark.parametrize("state", sorted(FINAL))
def test_a_finished_job_is_never_postponed(state: State) -> None:
    with pytest.raises(AssertionError, match="never due"):
        jobs.postponed(job_in(state), NOW_MS, NOW_MS + 9)


RESULT = Result("results/1", "results/1.jpg", "video/mp4", 9, 16, 9, 4.0)
WORDS = Settings(negative_prompt="my neighbour's face", resolution="720p")


def test_a_deleted_job_keeps_its_money_record_and_nothing_to_look_at() -> None:
    done = job_in(State.DONE, result=RESULT, images={"start": "k"}, charged_tokens=60)
    deleted = jobs.deleted(done, NOW_MS)
    assert deleted.deleted_at_ms == NOW_MS
    assert (deleted.result, deleted.prompt, dict(deleted.images)) == (None, "", {})
    money = ("id", "user_id", "model", "hold_tokens", "charged_tokens", "returned_tokens", "state")
    assert [getattr(deleted, name) for name in money] == [getattr(done, name) for name in money]


def test_deleting_again_changes_nothing() -> None:
    once = jobs.deleted(job_in(State.DONE, result=RESULT), NOW_MS)
    assert jobs.deleted(once, NOW_MS + 1) == once


def test_a_deleted_job_forgets_every_word_that_its_owner_wrote() -> None:
    assert jobs.deleted(job_in(State.DONE, settings=WORDS), NOW_MS).settings == Settings(
        resolution="720p"
    )


def test_a_deleted_quarantined_job_still_frees_its_slot() -> None:
    job = jobs.deleted(job_in(State.QUARANTINED), NOW_MS)
    move = move_by(job, Event.QUARANTINE_ENDED)
    assert (move.freed_slot, move.job.state) == ("lumen:0", State.FAILED)
    assert move.job.deleted_at_ms == NOW_MS


def test_a_deleted_finished_job_is_due_once_more_so_that_its_media_surely_go() -> None:
    deleted = jobs.deleted(job_in(State.DONE, due_at_ms=None, result=RESULT), NOW_MS)
    assert deleted.due_at_ms == NOW_MS + jobs.REMOVED_AGAIN_AFTER_MS
    forgotten = jobs.forgotten(deleted, NOW_MS + 1)
    assert forgotten == replace(deleted, due_at_ms=None, updated_at_ms=NOW_MS + 1)


@pytest.mark.parametrize("state", [State.QUARANTINED, State.GIFTING])
def test_deleting_a_job_that_goes_on_does_not_put_off_its_repair(state: State) -> None:
    job = job_in(state, due_at_ms=NOW_MS + 5)
    assert jobs.deleted(job, NOW_MS).due_at_ms == NOW_MS + 5


@pytest.mark.parametrize("pair", ALLOWED, ids=named)
def test_a_deleted_job_that_ends_is_due_once_more(pair: tuple[State, Event]) -> None:
    if pair[0] not in {State.QUARANTINED, State.GIFTING} or pair[1] is Event.STORED:
        return
    moved = move_by(jobs.deleted(job_in(pair[0]), NOW_MS - 9), pair[1]).job
    again_at_ms = NOW_MS + jobs.REMOVED_AGAIN_AFTER_MS
    assert moved.due_at_ms == (again_at_ms if moved.state in FINAL else NOW_MS + 5000)


@pytest.mark.parametrize("state", State)
def test_only_a_deleted_job_that_has_ended_is_forgotten(state: State) -> None:
    with pytest.raises(AssertionError, match="a job"):
        jobs.forgotten(job_in(state), NOW_MS)
    if state not in FINAL:
        with pytest.raises(AssertionError, match="goes on"):
            jobs.forgotten(job_in(state, deleted_at_ms=NOW_MS), NOW_MS)


def test_no_media_come_back_to_a_job_that_was_deleted() -> None:
    job = jobs.deleted(job_in(State.GIFTING, failure=failure(FailureCode.TIMED_OUT)), NOW_MS)
    with pytest.raises(AssertionError):
        jobs.advance(job, Event.STORED, NOW_MS, result=RESULT)
