"""Places and the fair line: who gets a place next, and how long anybody can be made to wait."""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared import slots
from shared.accounts import PLAN_WEIGHTS
from shared.slots import Slot, Tags
from tests.unit.domain.values import HISTORIES

COST_MS = 12_000


def place(index: int = 0, account: str = "lumen", **changes: Any) -> Slot:
    """One place of the pool that these tests are about."""
    return Slot("lumen", account, index, **changes)


# ---------------------------------------------------------------- one place


def test_a_slot_is_named_by_its_pool_its_account_and_its_number() -> None:
    assert place(3, "lumen_2").id == slots.slot_id("lumen", "lumen_2", 3) == "lumen:lumen_2:3"


@pytest.mark.parametrize(
    ("slot", "is_free"),
    [
        (place(), True),
        (place(is_kept=True), True),
        (place(on_trial=True), True),
        (place(job_id="job_1"), False),
        (place(enabled=False), False),
        (place(enabled=False, job_id="job_1"), False),
    ],
    ids=["enabled and empty", "kept", "on trial", "taken", "switched off", "draining"],
)
def test_only_an_enabled_empty_slot_is_free_and_can_be_taken(slot: Slot, is_free: bool) -> None:
    assert slot.is_free is is_free
    if is_free:
        taken = replace(slot, job_id="job_2", start_tag=7, is_kept=False)
        assert slots.take(slot, "job_2", 7) == taken
    else:
        with pytest.raises(AssertionError, match="only a free slot"):
            slots.take(slot, "job_2", 7)


@pytest.mark.parametrize("slot", [place(), place(is_kept=True), place(5, "lumen_2", start_tag=9)])
def test_a_free_slot_can_be_kept_for_the_head_of_the_line(slot: Slot) -> None:
    kept = slots.keep(slot)
    assert kept == replace(slot, is_kept=True)
    assert kept.is_free


@pytest.mark.parametrize("slot", [place(job_id="job_1"), place(enabled=False)])
def test_a_slot_that_is_not_free_cannot_be_kept(slot: Slot) -> None:
    with pytest.raises(AssertionError, match="only a free slot is kept"):
        slots.keep(slot)


def test_a_slot_is_kept_for_one_job_and_no_longer() -> None:
    taken = slots.take(slots.keep(place()), "job_1", 1)
    assert not taken.is_kept
    assert not slots.free(taken, "job_1").is_kept


def test_a_job_cannot_take_its_slot_twice() -> None:
    with pytest.raises(AssertionError):
        slots.take(slots.take(place(), "job_1", 1), "job_1", 1)


@pytest.mark.parametrize("owner", ["job_2", None])
def test_a_slot_is_freed_only_by_its_owner(owner: str | None) -> None:
    with pytest.raises(AssertionError, match="only by its owner"):
        slots.free(place(job_id=owner), "job_1")


def test_a_slot_is_freed_once() -> None:
    freed = slots.free(place(job_id="job_1", start_tag=9), "job_1")
    assert freed == place(job_id=None, start_tag=9)
    with pytest.raises(AssertionError):
        slots.free(freed, "job_1")


def test_a_slot_that_is_switched_off_while_taken_drains() -> None:
    drained = slots.free(place(enabled=False, job_id="job_1"), "job_1")
    assert not drained.is_free


@given(st.lists(st.integers(0, 10**15), min_size=1))
def test_the_tag_of_a_slot_never_goes_back(start_tags: list[int]) -> None:
    slot, seen = place(), [0]
    for number, start_tag in enumerate(start_tags):
        slot = slots.take(slot, f"job_{number}", start_tag)
        seen.append(slot.start_tag)
        slot = slots.free(slot, f"job_{number}")
        assert slot.start_tag == seen[-1]
    assert seen == sorted(seen)
    assert seen[-1] == max(start_tags)


# ---------------------------------------------------------------- several places


ACCOUNTS = ("lumen", "lumen_2", "lumen_3")


@pytest.mark.parametrize(
    ("free", "units", "taken"),
    [
        ([], 1, []),
        ([("a", 0)], 1, [("a", 0)]),
        ([("a", 0)], 2, []),
        ([("a", 0), ("a", 1), ("a", 2)], 2, [("a", 0), ("a", 1)]),
        ([("a", 0), ("b", 0)], 2, []),
        ([("a", 0), ("b", 0), ("b", 1)], 2, [("b", 0), ("b", 1)]),
        ([("b", 1), ("a", 0), ("b", 0), ("a", 1), ("a", 2)], 3, [("a", 0), ("a", 1), ("a", 2)]),
        ([("a", 0), ("b", 0), ("a", 1), ("b", 1)], 4, []),
    ],
    ids=range(8),
)
def test_a_job_gets_all_of_its_places_from_one_account_or_none(
    free: list[tuple[str, int]], units: int, taken: list[tuple[str, int]]
) -> None:
    found = slots.together([place(index, account) for account, index in free], units)
    assert found == tuple(place(index, account) for account, index in taken)


@given(
    st.lists(st.builds(place, st.integers(0, 5), st.sampled_from(ACCOUNTS)), unique=True),
    st.integers(1, 4),
)
def test_whenever_one_account_has_enough_places_they_are_found(
    free: list[Slot], units: int
) -> None:
    found = slots.together(free, units)
    most = max([sum(slot.account == account for slot in free) for account in ACCOUNTS])
    assert len(found) == (units if most >= units else 0)
    assert len({slot.account for slot in found}) <= 1
    assert len(set(found)) == len(found)
    of_account = [slot for slot in free if found and slot.account == found[0].account]
    assert list(found) == of_account[:units], "the places that come first"


# ---------------------------------------------------------------- how the vendor does

LATELY_MS, LONG_AGO_MS = 1_000_000, 999_999
FAILURES_MAX = 5


def judged(failures: int, *user_ids: str, at_ms: int = LATELY_MS) -> Slot:
    """A place with the vendor's last failures in it."""
    return place(failures=failures, failed_user_ids=user_ids, judged_at_ms=at_ms)


def test_a_success_ends_the_row_of_failures_in_its_place() -> None:
    taken = place(job_id="job_1", start_tag=4)
    once = slots.did_badly(taken, "usr_1", 7)
    twice = slots.did_badly(once, "usr_2", 9)
    assert once == replace(taken, failures=1, failed_user_ids=("usr_1",), judged_at_ms=7)
    assert twice == replace(taken, failures=2, failed_user_ids=("usr_2", "usr_1"), judged_at_ms=9)
    assert slots.did_well(twice, 11) == replace(taken, judged_at_ms=11)


def test_a_place_for_one_trial_closes_when_that_fails_and_stays_open_when_it_does_well() -> None:
    trying = place(job_id="job_1", on_trial=True)
    assert not slots.did_badly(trying, "usr_1", 7).enabled
    assert slots.did_well(trying, 7).enabled


def test_taking_and_freeing_a_place_say_nothing_of_the_vendor() -> None:
    failed = judged(3, "usr_1")
    again = slots.free(slots.take(failed, "job_2", 0), "job_2")
    assert again == failed


FAILING = {
    "two users, enough failures": ([judged(3, "a"), judged(2, "b")], True),
    "many users, more than enough": ([judged(9, "a"), judged(9, "b"), judged(9, "c")], True),
    "of one place it is long ago": (
        [judged(3, "a"), judged(2, "b"), judged(1, "c", at_ms=LONG_AGO_MS)],
        True,
    ),
    "a success is long ago": ([judged(3, "a"), judged(2, "b"), judged(0, at_ms=LONG_AGO_MS)], True),
    "one place was never used": ([judged(3, "a"), judged(2, "b"), place()], True),
    "two users in one place": ([judged(5, "a", "b")], True),
    "no places": ([], False),
    "nothing was ever tried": ([place(0), place(1)], False),
    "one failure too few": ([judged(3, "a"), judged(1, "b")], False),
    "all of one user": ([judged(99, "a"), judged(99, "a")], False),
    "all of one user in one place": ([judged(99, "a")], False),
    "one place did well": ([judged(99, "a"), judged(99, "b"), judged(0)], False),
    "all is long ago": (
        [judged(9, "a", at_ms=LONG_AGO_MS), judged(9, "b", at_ms=LONG_AGO_MS)],
        False,
    ),
    "the other user is long ago": ([judged(9, "a"), judged(9, "b", at_ms=LONG_AGO_MS)], False),
    "enough with what is long ago": (
        [judged(2, "a"), judged(2, "b"), judged(9, "c", at_ms=0)],
        False,
    ),
}


@pytest.mark.parametrize("case", FAILING)
def test_a_vendor_fails_when_every_place_of_late_says_so_for_more_than_one_user(case: str) -> None:
    places, is_failing = FAILING[case]
    assert slots.is_failing(places, FAILURES_MAX, LATELY_MS) is is_failing


OUTCOMES = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["well", "a", "b", "c"])))


@given(OUTCOMES, st.sampled_from(["a", "b", "c"]), st.integers(1, 9))
def test_one_users_failures_alone_never_stop_a_vendor(
    outcomes: list[tuple[int, str]], user_id: str, failures_max: int
) -> None:
    """However many there are, and whatever went well in between: it may be what he asks for."""
    places = [place(index) for index in range(4)]
    for now_ms, (index, outcome) in enumerate(outcomes, LATELY_MS):
        if outcome == "well":
            places[index] = slots.did_well(places[index], now_ms)
        else:
            places[index] = slots.did_badly(places[index], user_id, now_ms)
        assert not slots.is_failing(places, failures_max, LATELY_MS)


@given(OUTCOMES, st.integers(1, 9))
def test_a_vendor_fails_where_every_place_failed_last_often_enough_and_for_two_users(
    outcomes: list[tuple[int, str]], failures_max: int
) -> None:
    places = [place(index) for index in range(4)]
    in_a_row: dict[int, list[str]] = {}
    for now_ms, (index, outcome) in enumerate(outcomes, LATELY_MS):
        if outcome == "well":
            places[index] = slots.did_well(places[index], now_ms)
            in_a_row[index] = []
        else:
            places[index] = slots.did_badly(places[index], outcome, now_ms)
            in_a_row.setdefault(index, []).append(outcome)
    users = {user for users in in_a_row.values() for user in users}
    is_all_of_it_bad = bool(in_a_row) and all(in_a_row.values())
    is_enough = sum(map(len, in_a_row.values())) >= failures_max and len(users) > 1
    assert slots.is_failing(places, failures_max, LATELY_MS) is (is_all_of_it_bad and is_enough)


# ---------------------------------------------------------------- tags


@pytest.mark.parametrize(
    ("virtual_time", "last_finish", "cost", "expected"),
    [
        (0, 0, 5, Tags(0, 5)),
        (100, 30, 5, Tags(100, 105)),
        (30, 100, 5, Tags(100, 105)),
        (100, 100, 1, Tags(100, 101)),
    ],
    ids=["first of all", "idle owner", "busy owner", "just caught up"],
)
def test_a_job_starts_at_the_later_of_the_pools_time_and_its_owners_last_finish(
    virtual_time: int, last_finish: int, cost: int, expected: Tags
) -> None:
    assert slots.tags(virtual_time, last_finish, cost) == expected


@pytest.mark.parametrize("cost", [0, -1])
def test_every_job_costs_something_in_the_line(cost: int) -> None:
    with pytest.raises(AssertionError):
        slots.tags(0, 0, cost)


@pytest.mark.parametrize(
    ("cost_ms", "weight", "expected"),
    [(12_000, 1, 12_000), (12_000, 4, 3000), (7, 2, 3), (1, 4, 1), (3, 4, 1)],
)
def test_a_plan_of_weight_four_pays_a_quarter_and_never_nothing(
    cost_ms: int, weight: int, expected: int
) -> None:
    assert slots.weighted_cost(cost_ms, weight) == expected


@pytest.mark.parametrize(("cost_ms", "weight"), [(0, 1), (-1, 1), (1, 0), (1, -1)])
def test_there_is_no_free_job_and_no_weightless_plan(cost_ms: int, weight: int) -> None:
    with pytest.raises(AssertionError):
        slots.weighted_cost(cost_ms, weight)


# ---------------------------------------------------------------- the line


@dataclass(slots=True)
class Waiting:
    """A job in the line."""

    start_tag: int
    job_id: str
    user: str
    units: int


@dataclass(slots=True)
class Pool:
    """A pool as the use cases run it: whoever comes takes free places that nobody is to have, the
    lowest start tag is served next, and what is too little for it is kept for it.
    """

    places: dict[str, Slot]
    line: list[Waiting] = field(default_factory=list)
    finish_tags: dict[str, int] = field(default_factory=dict)
    running: dict[str, Waiting] = field(default_factory=dict)
    served: set[str] = field(default_factory=set)
    starts: list[str] = field(default_factory=list)
    count: int = 0

    @property
    def virtual_time(self) -> int:
        return max(slot.start_tag for slot in self.places.values())

    @property
    def free(self) -> list[Slot]:
        return [slot for slot in self.places.values() if slot.is_free]

    @property
    def head(self) -> Waiting | None:
        return min(self.line, key=lambda each: (each.start_tag, each.job_id), default=None)

    def ask(self, user: str, weight: int, cost_ms: int = COST_MS, units: int = 1) -> Tags:
        """One more job of this user: it starts at once or waits in line."""
        self.count += 1
        cost = slots.weighted_cost(cost_ms, weight)
        tags = slots.tags(self.virtual_time, self.finish_tags.get(user, 0), cost)
        self.finish_tags[user] = tags.finish
        waiting = Waiting(tags.start, f"job_{self.count:06}", user, units)
        taken = slots.together([slot for slot in self.free if not slot.is_kept], units)
        if taken:
            self._start(taken, waiting)
        else:
            self.line.append(waiting)
            self.refill()
        return tags

    def finish(self, job_id: str) -> None:
        """This job ends and whoever is next gets its places."""
        for slot in [slot for slot in self.places.values() if slot.job_id == job_id]:
            self.places[slot.id] = slots.free(slot, job_id)
        del self.running[job_id]
        self.refill()

    def finish_in(self, index: int) -> None:
        """The job in this place of the first account ends."""
        job_id = self.places[place(index).id].job_id
        assert job_id is not None
        self.finish(job_id)

    def turn_away(self, job_id: str) -> None:
        """The vendor did not take this job: it is in line again, with the tag that it had."""
        self.line.append(self.running[job_id])
        self.finish(job_id)

    def open(self, account: str, *, is_open: bool) -> None:
        """Close an account's places, or open them again for those who wait."""
        for slot in [slot for slot in self.places.values() if slot.account == account]:
            self.places[slot.id] = replace(slot, enabled=is_open)
        self.refill()

    def refill(self) -> None:
        """Serve the line from its head."""
        while (head := self.head) is not None:
            taken = slots.together(self.free, head.units)
            if not taken:
                for slot in self.free:
                    self.places[slot.id] = slots.keep(slot)
                return
            self.line.remove(head)
            self._start(taken, head)

    def waiting_of(self, user: str) -> int:
        return sum(waiting.user == user for waiting in self.line)

    def _start(self, taken: tuple[Slot, ...], waiting: Waiting) -> None:
        for slot in taken:
            self.places[slot.id] = slots.take(slot, waiting.job_id, waiting.start_tag)
        self.running[waiting.job_id] = waiting
        if waiting.job_id not in self.served:
            self.served.add(waiting.job_id)
            self.starts.append(waiting.user)


def open_pool(size: int, *more: int) -> Pool:
    """A pool with the places of one account, and of others."""
    places = [
        place(index, account)
        for account, count in zip(ACCOUNTS, (size, *more), strict=False)
        for index in range(count)
    ]
    return Pool({slot.id: slot for slot in places})


def patience(user: str, weights: dict[str, int]) -> int:
    """I15: how many starts of others a user with a job in line can see before the next of his own.

    Between two of his start tags lie as many tags of another user as the ratio of their weights
    says, and one more on the edge.
    """
    return sum(
        ceil(Fraction(weight, weights[user])) + 1
        for other, weight in weights.items()
        if other != user
    )


WEIGHTS = {"free_1": 1, "free_2": 1, "plus_1": 2, "pro_1": 4, "pro_2": 4}


class Line(RuleBasedStateMachine):
    """Users of all plans come, flood the line, go and come back; places free up in any order; now
    and then a vendor takes nothing from one of our accounts, and what it did not take waits again.
    """

    sizes: tuple[int, ...] = (1, 1)
    units_max = 1

    def __init__(self) -> None:
        super().__init__()
        self.pool = open_pool(*self.sizes)
        self.last_tags: dict[str, Tags] = {}
        self.virtual_times = [0]
        self.waited = dict.fromkeys(WEIGHTS, 0)
        self.seen_starts = 0

    @rule(data=st.data(), user=st.sampled_from(sorted(WEIGHTS)), count=st.integers(1, 12))
    def come(self, data: st.DataObject, user: str, count: int) -> None:
        for _ in range(count):
            before = self.last_tags.get(user)
            units = data.draw(st.integers(1, self.units_max))
            tags = self.pool.ask(user, WEIGHTS[user], units=units)
            assert tags.start >= self.virtual_times[-1]
            assert tags.finish - tags.start == COST_MS // WEIGHTS[user]
            if before is not None:
                assert tags.start >= before.finish, "one user's jobs follow each other"
            self.last_tags[user] = tags
            self.look()

    @precondition(lambda self: self.pool.running)
    @rule(data=st.data(), count=st.integers(1, 30))
    def finish(self, data: st.DataObject, count: int) -> None:
        for _ in range(count):
            if self.pool.running:
                self.pool.finish(data.draw(st.sampled_from(sorted(self.pool.running))))
                self.look()

    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        """What is with the vendor goes on there; what it did not take is in line again."""
        account = data.draw(st.sampled_from(ACCOUNTS[: len(self.sizes)]))
        self.pool.open(account, is_open=False)
        theirs = {slot.job_id for slot in self.pool.places.values() if slot.account == account}
        for job_id in sorted(filter(None, theirs)):
            if data.draw(st.booleans()):
                self.pool.turn_away(job_id)
        self.look()

    @rule()
    def open_again(self) -> None:
        for account in ACCOUNTS[: len(self.sizes)]:
            self.pool.open(account, is_open=True)
            self.look()

    def look(self) -> None:
        """After every single step: count how often each waiting user was passed over."""
        self.virtual_times.append(self.pool.virtual_time)
        for starter in self.pool.starts[self.seen_starts :]:
            for user in WEIGHTS:
                if user == starter or not self.pool.waiting_of(user):
                    self.waited[user] = 0
                else:
                    self.waited[user] += 1
        self.seen_starts = len(self.pool.starts)
        for user, count in self.waited.items():
            assert count <= patience(user, WEIGHTS), f"{user} was passed over {count} times"

    @invariant()
    def the_pools_time_never_goes_back(self) -> None:
        assert self.virtual_times == sorted(self.virtual_times)

    @invariant()
    def nobody_in_line_is_behind_the_pools_time_who_was_not_served_before(self) -> None:
        first_time = [each for each in self.pool.line if each.job_id not in self.pool.served]
        assert all(each.start_tag >= self.pool.virtual_time for each in first_time)

    @invariant()
    def no_place_is_empty_while_whoever_is_next_could_have_it(self) -> None:
        if self.pool.head is not None:
            assert not slots.together(self.pool.free, self.pool.head.units)

    @invariant()
    def what_is_too_little_for_whoever_is_next_is_kept_for_him(self) -> None:
        if self.pool.head is not None:
            assert all(slot.is_kept for slot in self.pool.free)

    @invariant()
    def every_job_has_all_of_its_places_in_one_account(self) -> None:
        for job_id, job in self.pool.running.items():
            mine = [slot for slot in self.pool.places.values() if slot.job_id == job_id]
            assert len(mine) == job.units
            assert len({slot.account for slot in mine}) == 1


class LineOfPictures(Line):
    """The same with jobs that need several places at once."""

    sizes = (4,)
    units_max = 4


LINES = settings(HISTORIES, max_examples=50, stateful_step_count=25)
Line.TestCase.settings = LINES
LineOfPictures.TestCase.settings = LINES
TestLineNeverStarvesAnybody = Line.TestCase
TestLineOfPicturesNeverStarvesAnybody = LineOfPictures.TestCase


def test_a_job_that_needs_many_places_is_not_passed_over_by_those_that_need_one() -> None:
    pool = open_pool(4)
    for _ in range(4):
        pool.ask("small", 1)
    pool.ask("big", 1, units=4)
    for number in range(3):
        pool.ask("small", 1)
        pool.finish_in(number)
        assert "big" not in pool.starts
        assert [slot.is_kept for slot in pool.free] == [True] * (number + 1)
    pool.ask("newcomer", 4)
    assert "newcomer" not in pool.starts
    pool.finish_in(3)
    assert pool.starts[4:] == ["big"]


def test_places_of_two_accounts_do_not_make_one_job() -> None:
    pool = open_pool(2, 2)
    for _ in range(4):
        pool.ask("small", 1)
    pool.ask("big", 1, units=2)
    first, second, third, fourth = sorted(pool.running)
    pool.finish(first)
    pool.finish(third)
    assert "big" not in pool.starts
    pool.finish(fourth)
    assert "big" in pool.starts
    assert second in pool.running


@pytest.mark.parametrize("size", [1, 3, 20])
def test_places_are_shared_by_the_weights_of_the_plans(size: int) -> None:
    pool = open_pool(size)
    for plan in ("free", "plus", "pro"):
        for _ in range(400):
            pool.ask(plan, PLAN_WEIGHTS[plan])
    before = len(pool.starts)
    for number in range(350):
        pool.finish_in(number % size)
    got = {plan: pool.starts[before:].count(plan) for plan in PLAN_WEIGHTS}
    fair = {"free": 50, "plus": 100, "pro": 200}
    assert all(abs(got[plan] - fair[plan]) <= 20 for plan in fair), got


def test_one_user_who_dumps_five_hundred_jobs_delays_a_newcomer_by_one() -> None:
    pool = open_pool(4)
    for _ in range(500):
        pool.ask("flood", 1)
    for number in range(100):
        pool.finish_in(number % 4)
    pool.ask("newcomer", 1)
    before = len(pool.starts)
    for number in range(2):
        pool.finish_in(number)
    assert "newcomer" in pool.starts[before:]


def test_being_idle_saves_up_no_right_to_overtake() -> None:
    """A user who comes back after a thousand jobs of another shares from now on, not backwards."""
    pool = open_pool(1)
    pool.ask("idle", 1)
    for _ in range(1000):
        pool.ask("busy", 1)
        pool.finish_in(0)
    for _ in range(20):
        pool.ask("idle", 1)
        pool.ask("busy", 1)
    before = len(pool.starts)
    for _ in range(20):
        pool.finish_in(0)
    runs = pool.starts[before:]
    assert abs(runs.count("idle") - runs.count("busy")) <= 2
    assert not any(first == second == "idle" for first, second in pairwise(runs[2:]))


@settings(max_examples=40)
@given(
    costs_ms=st.tuples(st.integers(1000, 60_000), st.integers(1000, 60_000)),
    weights=st.tuples(st.sampled_from([1, 2, 4]), st.sampled_from([1, 2, 4])),
)
def test_dear_jobs_count_for_more_than_cheap_ones(
    costs_ms: tuple[int, int], weights: tuple[int, int]
) -> None:
    """Two users who always have work get vendor time by their weights, not starts."""
    pool = open_pool(1)
    for _ in range(150):
        for user, (cost_ms, weight) in enumerate(zip(costs_ms, weights, strict=True)):
            pool.ask(str(user), weight, cost_ms)
    while pool.waiting_of("0") and pool.waiting_of("1"):
        pool.finish_in(0)
    shares = [
        Fraction(pool.starts.count(str(user)) * cost_ms, weight)
        for user, (cost_ms, weight) in enumerate(zip(costs_ms, weights, strict=True))
    ]
    dearest = max(Fraction(c, w) for c, w in zip(costs_ms, weights, strict=True))
    rounding = pool.count  # less than a millisecond for each job
    assert abs(shares[0] - shares[1]) <= 2 * dearest + rounding
