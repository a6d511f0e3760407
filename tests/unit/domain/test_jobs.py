"""The job state machine as a whole: every pair of state and event, and every path through it."""

from collections import deque
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, strategies as st

from shared import jobs
from shared.failures import FailureCode, failure
from shared.job_states import FINAL, HOLDS_SLOTS, REFUNDED, RULES, STATUS, Event, Money, State
from shared.jobs import IllegalMove, Job, Move, Result, Settings
from tests.unit.domain.values import NOW_MS, job_in, places

# Written from the design (`money.md` section 4) and not from the code: state, event, next state,
# what happens to the hold, what happens to the slots. Everything that is not here is refused.
TABLE = """
parked       slot_granted      ready        keep     takes
parked       expired           failed       release  none
parked       cancelled         cancelled    release  none
parked       rerouted          parked       keep     none

ready        claimed           submitting   keep     keeps
ready        expired           failed       release  frees
ready        cancelled         cancelled    release  frees
ready        turned_away       parked       keep     frees
ready        rerouted          parked       keep     frees

submitting   accepted          running      keep     keeps
submitting   delivered         storing      keep     frees
submitting   put_back          ready        keep     keeps
submitting   turned_away       parked       keep     frees
submitting   rerouted          parked       keep     frees
submitting   rejected          failed       release  frees
submitting   lost              unknown      keep     keeps

unknown      accepted          running      keep     keeps
unknown      delivered         storing      keep     frees
unknown      put_back          ready        keep     keeps
unknown      turned_away       parked       keep     frees
unknown      rerouted          parked       keep     frees
unknown      rejected          failed       release  frees
unknown      gave_up           quarantined  release  keeps

running      succeeded         storing      keep     frees
running      vendor_failed     failed       release  frees
running      cancelled         cancelled    release  frees
running      gave_up           quarantined  release  keeps

storing      stored            done         capture  none
storing      store_failed      failed       release  none

quarantined  accepted          quarantined  keep     keeps
quarantined  delivered         gifting      keep     frees
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
    slots: str


def _read_table() -> dict[tuple[State, Event], Row]:
    lines = [line.split() for line in TABLE.splitlines() if line]
    rows = {
        (State(state), Event(event)): Row(State(after), Money(money), slots)
        for state, event, after, money, slots in lines
    }
    assert len(rows) == len(lines), "no pair twice"
    return rows


EXPECTED = _read_table()
PAIRS = list(product(State, Event))
ALLOWED = sorted(EXPECTED)
REFUSED = [pair for pair in PAIRS if pair not in EXPECTED]
UNITS = (1, 2, 3, 4)  # how many slots a job takes

# Where the slots are taken, said once more in words of the design: from the grant until the vendor
# is known to be over with it.
WITH_SLOTS = {"ready", "submitting", "unknown", "running", "quarantined"}
RESULT = Result("results/1", "results/1.jpg", "video/mp4", 9, 16, 9, 4.0)
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


def brought_by(job: Job, event: Event) -> dict[str, Any]:
    """The fields that this event always brings."""
    match event:
        case Event.SLOT_GRANTED:
            granted = places(job.units, first=4)
            return {"slots": granted, "account": "lumen", "epoch": job.epoch + 1}
        case Event.PUT_BACK:
            return {"epoch": job.epoch + 1, "claim": None}
        case Event.TURNED_AWAY | Event.REROUTED:
            return {"epoch": job.epoch + 1}
        case Event.DELIVERED:
            return {"delivered_count": job.settings.count}
        case Event.STORED:
            return {"results": (RESULT,) * job.settings.count}
        case _:
            return {}


def move_by(job: Job, event: Event, **changes: Any) -> Move:
    """Apply an event the way the use cases do, with the fields that it always brings."""
    return jobs.advance(job, event, NOW_MS, **{**brought_by(job, event), **changes})


# ---------------------------------------------------------------- the table


def test_the_machine_has_exactly_the_moves_of_the_design() -> None:
    assert set(RULES) == set(EXPECTED)


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("pair", ALLOWED, ids=named)
def test_an_event_has_the_consequence_that_the_design_gives_it(
    pair: tuple[State, Event], units: int
) -> None:
    state, event = pair
    expected = EXPECTED[pair]
    before = job_in(state, units=units)
    assert jobs.can(before, event)
    move = move_by(before, event)
    assert move.job.state is expected.state
    assert move.money is expected.money
    assert move.freed_slots == (before.slots if expected.slots == "frees" else ())
    match expected.slots:
        case "takes":
            assert (before.slots, move.job.slots) == ((), places(units, first=4))
        case "keeps":
            assert before.slots == places(units)
            assert move.job.slots == before.slots
        case "frees":
            assert before.slots == places(units)
            assert move.job.slots == ()
        case _:
            assert (before.slots, move.job.slots) == ((), ())


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
    assert {state.value for state in HOLDS_SLOTS} == WITH_SLOTS
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
        "slots",
        "updated_at_ms",
        "due_at_ms",
        "completed_at_ms",
        "charged_tokens",
        "returned_tokens",
    }
    before = job_in(pair[0], attempt=3, busy_count=2, claim="c", vendor_task_id="t", start_tag=8)
    if EXPECTED[pair].state is State.PARKED:
        about |= {"account", "claim"}
    about |= brought_by(before, pair[1]).keys()
    after = move_by(before, pair[1]).job
    kept = [field.name for field in fields(Job) if field.name not in about]
    assert {name: getattr(after, name) for name in kept} == {
        name: getattr(before, name) for name in kept
    }


@pytest.mark.parametrize("pair", ALLOWED, ids=named)
def test_a_job_in_line_belongs_to_no_account_and_is_claimed_by_nobody(
    pair: tuple[State, Event],
) -> None:
    moved = move_by(job_in(pair[0], account="lumen", claim="c"), pair[1]).job
    if moved.state is State.PARKED:
        assert (moved.account, moved.claim) == (None, None)
    else:
        assert moved.account == "lumen"


def test_the_fields_that_an_event_brings_are_in_the_job_after_it() -> None:
    moved = jobs.advance(
        job_in(State.READY), Event.CLAIMED, NOW_MS, claim="c", submitted_at_ms=5, due_at_ms=9
    ).job
    assert (moved.claim, moved.submitted_at_ms, moved.due_at_ms) == ("c", 5, 9)


def test_a_move_leaves_the_job_before_it_as_it_was() -> None:
    before = job_in(State.RUNNING)
    move_by(before, Event.GAVE_UP)
    assert before == job_in(State.RUNNING)


@pytest.mark.parametrize("units", UNITS)
def test_all_slots_come_with_the_grant_and_not_one_more(units: int) -> None:
    job = job_in(State.PARKED, units=units)
    assert move_by(job, Event.SLOT_GRANTED).job.slots == places(units, first=4)
    with pytest.raises(AssertionError, match="exactly where the table says"):
        jobs.advance(job, Event.SLOT_GRANTED, NOW_MS)
    for count in {0, 1, 2, 3, 4, 5} - {units}:
        with pytest.raises(AssertionError, match="exactly where the table says"):
            move_by(job, Event.SLOT_GRANTED, slots=places(count))


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("pair", ALLOWED, ids=named)
def test_no_event_slips_a_slot_in_or_out(pair: tuple[State, Event], units: int) -> None:
    expected, job = EXPECTED[pair], job_in(pair[0], units=units)
    if expected.state in HOLDS_SLOTS:
        for count in (0, units - 1, units + 1):
            with pytest.raises(AssertionError, match="exactly where the table says"):
                move_by(job, pair[1], slots=places(count))
    elif expected.slots == "none":
        with pytest.raises(AssertionError, match="exactly where the table says"):
            move_by(job, pair[1], slots=places(units))
    else:
        move = move_by(job, pair[1], slots=places(units, first=7))
        assert (move.freed_slots, move.job.slots) == (job.slots, ())


# What a job was agreed to be. An event brings news of it and changes nothing of this.
AGREED = [
    "id",
    "user_id",
    "kind",
    "prompt",
    "images",
    "body_hash",
    "project_id",
    "hold_tokens",
    "created_at_ms",
]
# What another model brings with it, and nothing but another model.
ROUTE: dict[str, Any] = {
    "model": "nova-video",
    "provider": "nova",
    "pool": "nova",
    "settings": Settings(duration_seconds=4, resolution="1080p"),
    "price_tokens": 40,
    "units": 3,
    "fallback_models": ("third-video",),
    "expected_ms": 9000,
    "run_limit_ms": 90_000,
    "weighted_cost_ms": 9000,
}
# What the machine itself writes, and repairs and deletions do.
WRITTEN = [
    "state",
    "updated_at_ms",
    "attempt",
    "completed_at_ms",
    "charged_tokens",
    "returned_tokens",
    "deleted_at_ms",
]


def test_every_field_of_a_job_is_news_or_agreed_or_the_machines_own() -> None:
    told = [*AGREED, *ROUTE, *WRITTEN, *jobs.CHANGEABLE]
    assert sorted(told) == sorted(field.name for field in fields(Job))
    assert set(ROUTE) == jobs.REROUTABLE


@pytest.mark.parametrize("pair", ALLOWED, ids=named)
def test_no_event_changes_what_was_agreed(pair: tuple[State, Event]) -> None:
    job = job_in(pair[0])
    brings = ROUTE if pair[1] is Event.REROUTED else {}
    for name in {*AGREED, *ROUTE, *WRITTEN} - brings.keys():
        with pytest.raises(AssertionError, match="does not change what was agreed"):
            move_by(job, pair[1], **{name: getattr(job, name)})


@pytest.mark.parametrize("pair", ALLOWED, ids=named)
def test_no_event_lowers_the_epoch(pair: tuple[State, Event]) -> None:
    job = job_in(pair[0], epoch=4)
    assert move_by(job, pair[1], epoch=4).job.epoch == 4
    with pytest.raises(AssertionError, match="the epoch never goes back"):
        move_by(job, pair[1], epoch=3)


# ---------------------------------------------------------------- another model

REROUTED_IN = [state for state, event in ALLOWED if event is Event.REROUTED]


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("state", REROUTED_IN)
def test_another_model_brings_all_that_is_its_own_into_the_line(state: State, units: int) -> None:
    before = job_in(state, units=units, fallback_models=("nova-video", "third-video"), claim="c")
    move = move_by(before, Event.REROUTED, **ROUTE)
    assert {name: getattr(move.job, name) for name in ROUTE} == ROUTE
    assert (move.job.state, move.job.slots, move.freed_slots) == (State.PARKED, (), before.slots)
    assert [getattr(move.job, name) for name in AGREED] == [
        getattr(before, name) for name in AGREED
    ]
    granted = move_by(move.job, Event.SLOT_GRANTED).job
    assert len(granted.slots) == ROUTE["units"]


@pytest.mark.parametrize("state", REROUTED_IN)
@pytest.mark.parametrize("price_tokens", [1, 59, 60])
def test_another_model_may_cost_as_much_or_less_and_the_hold_stays(
    state: State, price_tokens: int
) -> None:
    moved = move_by(job_in(state, hold_tokens=60), Event.REROUTED, price_tokens=price_tokens).job
    assert (moved.price_tokens, moved.hold_tokens) == (price_tokens, 60)
    assert (moved.charged_tokens, moved.returned_tokens) == (0, 0)


@pytest.mark.parametrize("state", REROUTED_IN)
def test_another_model_never_costs_more(state: State) -> None:
    with pytest.raises(AssertionError, match="the price never rises"):
        move_by(job_in(state, hold_tokens=60), Event.REROUTED, price_tokens=61)


def test_only_what_was_surely_never_accepted_goes_back_into_the_line() -> None:
    """Whatever may run at a vendor, or did, is never given to another one."""
    back = {state for (state, _), rule in RULES.items() if rule.state is State.PARKED}
    assert back == {State.PARKED, State.READY, State.SUBMITTING, State.UNKNOWN}
    bringing = {event for (_, event), rule in RULES.items() if rule.state is State.PARKED}
    assert bringing == {Event.TURNED_AWAY, Event.REROUTED}


# ---------------------------------------------------------------- what is due

DUE = [  # price, asked for, delivered, due
    (60, 1, 1, 60),
    (60, 4, 1, 15),
    (60, 4, 2, 30),
    (60, 4, 3, 45),
    (60, 4, 4, 60),
    (60, 4, 5, 60),
    (7, 3, 1, 2),
    (7, 3, 2, 4),
    (7, 3, 3, 7),
    (1, 4, 1, 1),
    (2, 4, 1, 1),
    (2, 4, 3, 1),
]


@pytest.mark.parametrize(("price_tokens", "count", "delivered", "due_tokens"), DUE)
def test_each_result_costs_its_part_of_the_price(
    price_tokens: int, count: int, delivered: int, due_tokens: int
) -> None:
    settings = Settings(count=count)
    job = job_in(State.STORING, hold_tokens=99, price_tokens=price_tokens, settings=settings)
    assert jobs.due_tokens(job, delivered) == due_tokens
    moved = jobs.advance(job, Event.STORED, NOW_MS, results=(RESULT,) * delivered).job
    assert (moved.charged_tokens, moved.returned_tokens) == (due_tokens, 99 - due_tokens)
    assert len(moved.results) == delivered


@given(
    hold_tokens=st.integers(1, 10**9),
    saved_tokens=st.integers(0, 10**9),
    count=st.integers(1, 10),
    delivered=st.integers(1, 12),
)
def test_nobody_pays_more_than_the_part_that_was_delivered_and_all_of_the_hold_is_settled(
    hold_tokens: int, saved_tokens: int, count: int, delivered: int
) -> None:
    price_tokens = max(1, hold_tokens - saved_tokens)
    job = job_in(
        State.STORING,
        hold_tokens=hold_tokens,
        price_tokens=price_tokens,
        settings=Settings(count=count),
    )
    moved = jobs.advance(job, Event.STORED, NOW_MS, results=(RESULT,) * delivered).job
    part = min(delivered, count)
    assert 1 <= moved.charged_tokens <= max(1, price_tokens * part / count)
    assert price_tokens * part < (moved.charged_tokens + 1) * count
    assert moved.charged_tokens + moved.returned_tokens == hold_tokens
    if part == count:
        assert moved.charged_tokens == price_tokens


def test_nothing_is_paid_for_nothing() -> None:
    job = job_in(State.STORING)
    with pytest.raises(AssertionError, match="nothing is paid for nothing"):
        jobs.due_tokens(job, 0)
    with pytest.raises(AssertionError, match="nothing is paid for nothing"):
        jobs.advance(job, Event.STORED, NOW_MS, results=())


@pytest.mark.parametrize("pair", ALLOWED, ids=named)
def test_a_refund_is_the_whole_hold_whatever_the_price_became(pair: tuple[State, Event]) -> None:
    if EXPECTED[pair].money is Money.RELEASE:
        moved = move_by(job_in(pair[0], hold_tokens=60, price_tokens=40), pair[1]).job
        assert (moved.charged_tokens, moved.returned_tokens) == (0, 60)


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


def test_a_job_that_may_still_run_at_the_vendor_keeps_its_slots() -> None:
    """A slot is freed by the vendor's word, by never having sent, or by the quarantine's end."""
    freeing = {event for (_, event), rule in RULES.items() if rule.frees_slots}
    assert freeing == {
        Event.EXPIRED,
        Event.CANCELLED,
        Event.DELIVERED,
        Event.TURNED_AWAY,
        Event.REROUTED,
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


WORDS = Settings(negative_prompt="my neighbour's face", resolution="720p")


def test_a_deleted_job_keeps_its_money_record_and_nothing_to_look_at() -> None:
    done = job_in(State.DONE, results=(RESULT, RESULT), images={"start": "k"}, charged_tokens=60)
    deleted = jobs.deleted(done, NOW_MS)
    assert deleted.deleted_at_ms == NOW_MS
    assert (deleted.results, deleted.prompt, dict(deleted.images)) == ((), "", {})
    about = {"deleted_at_ms", "due_at_ms", "images", "prompt", "results", "settings"}
    kept = [field.name for field in fields(Job) if field.name not in about]
    assert [getattr(deleted, name) for name in kept] == [getattr(done, name) for name in kept]


def test_deleting_again_changes_nothing() -> None:
    once = jobs.deleted(job_in(State.DONE, results=(RESULT,)), NOW_MS)
    assert jobs.deleted(once, NOW_MS + 1) == once


def test_a_deleted_job_forgets_every_word_that_its_owner_wrote() -> None:
    assert jobs.deleted(job_in(State.DONE, settings=WORDS), NOW_MS).settings == Settings(
        resolution="720p"
    )


@pytest.mark.parametrize("units", UNITS)
def test_a_deleted_quarantined_job_still_frees_its_slots(units: int) -> None:
    job = jobs.deleted(job_in(State.QUARANTINED, units=units), NOW_MS)
    move = move_by(job, Event.QUARANTINE_ENDED)
    assert (move.freed_slots, move.job.state) == (places(units), State.FAILED)
    assert move.job.deleted_at_ms == NOW_MS


def test_a_deleted_finished_job_is_due_once_more_so_that_its_media_surely_go() -> None:
    deleted = jobs.deleted(job_in(State.DONE, due_at_ms=None, results=(RESULT,)), NOW_MS)
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
    with pytest.raises(AssertionError, match="a deleted job gets no media"):
        jobs.advance(job, Event.STORED, NOW_MS, results=(RESULT,))
