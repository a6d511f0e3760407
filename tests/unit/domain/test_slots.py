"""Places and the fair line: who gets a place next, and how long anybody can be made to wait."""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared import slots
from shared.accounts import PLAN_WEIGHTS
from shared.slots import Slot, Tags
from tests.unit.domain.values import HISTORIES

COST_MS = 12_000

# ---------------------------------------------------------------- one place


def test_a_slot_is_named_by_its_pool_and_its_number() -> None:
    assert Slot("lumen", 3).id == slots.slot_id("lumen", 3) == "lumen:3"


@pytest.mark.parametrize(
    ("slot", "is_free"),
    [
        (Slot("lumen", 0), True),
        (Slot("lumen", 0, job_id="job_1"), False),
        (Slot("lumen", 0, enabled=False), False),
        (Slot("lumen", 0, enabled=False, job_id="job_1"), False),
    ],
    ids=["enabled and empty", "taken", "switched off", "draining"],
)
def test_only_an_enabled_empty_slot_is_free_and_can_be_taken(slot: Slot, is_free: bool) -> None:
    assert slot.is_free is is_free
    if is_free:
        assert slots.take(slot, "job_2", 7) == replace(slot, job_id="job_2", start_tag=7)
    else:
        with pytest.raises(AssertionError, match="only a free slot"):
            slots.take(slot, "job_2", 7)


def test_a_job_cannot_take_its_slot_twice() -> None:
    with pytest.raises(AssertionError):
        slots.take(slots.take(Slot("lumen", 0), "job_1", 1), "job_1", 1)


@pytest.mark.parametrize("owner", ["job_2", None])
def test_a_slot_is_freed_only_by_its_owner(owner: str | None) -> None:
    with pytest.raises(AssertionError, match="only by its owner"):
        slots.free(Slot("lumen", 0, job_id=owner), "job_1")


def test_a_slot_is_freed_once() -> None:
    freed = slots.free(Slot("lumen", 0, job_id="job_1", start_tag=9), "job_1")
    assert freed == Slot("lumen", 0, job_id=None, start_tag=9)
    with pytest.raises(AssertionError):
        slots.free(freed, "job_1")


def test_a_slot_that_is_switched_off_while_taken_drains() -> None:
    drained = slots.free(Slot("lumen", 0, enabled=False, job_id="job_1"), "job_1")
    assert not drained.is_free


@given(st.lists(st.integers(0, 10**15), min_size=1))
def test_the_tag_of_a_slot_never_goes_back(start_tags: list[int]) -> None:
    slot, seen = Slot("lumen", 0), [0]
    for number, start_tag in enumerate(start_tags):
        slot = slots.take(slot, f"job_{number}", start_tag)
        seen.append(slot.start_tag)
        slot = slots.free(slot, f"job_{number}")
        assert slot.start_tag == seen[-1]
    assert seen == sorted(seen)
    assert seen[-1] == max(start_tags)


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


@dataclass(slots=True)
class Pool:
    """A pool as the use cases run it: free places first, the lowest start tag next."""

    places: list[Slot]
    line: list[Waiting] = field(default_factory=list)
    finish_tags: dict[str, int] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    starts: list[str] = field(default_factory=list)
    count: int = 0

    @property
    def virtual_time(self) -> int:
        return max(slot.start_tag for slot in self.places)

    def ask(self, user: str, weight: int, cost_ms: int = COST_MS) -> Tags:
        """One more job of this user: it starts at once or waits in line."""
        self.count += 1
        cost = slots.weighted_cost(cost_ms, weight)
        tags = slots.tags(self.virtual_time, self.finish_tags.get(user, 0), cost)
        self.finish_tags[user] = tags.finish
        waiting = Waiting(tags.start, f"job_{self.count:06}", user)
        free = [slot for slot in self.places if slot.is_free]
        if free and not self.line:
            self._start(free[0], waiting)
        else:
            self.line.append(waiting)
        return tags

    def finish(self, index: int) -> None:
        """The job in this place ends and the next in line gets it."""
        slot = self.places[index]
        assert slot.job_id is not None
        self.places[index] = slots.free(slot, slot.job_id)
        if self.line:
            first = min(self.line, key=lambda waiting: (waiting.start_tag, waiting.job_id))
            self.line.remove(first)
            self._start(self.places[index], first)

    def waiting_of(self, user: str) -> int:
        return sum(waiting.user == user for waiting in self.line)

    def _start(self, slot: Slot, waiting: Waiting) -> None:
        self.places[slot.index] = slots.take(slot, waiting.job_id, waiting.start_tag)
        self.owners[waiting.job_id] = waiting.user
        self.starts.append(waiting.user)


def open_pool(size: int) -> Pool:
    return Pool([Slot("lumen", index) for index in range(size)])


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
    """Users of all plans come, flood the line, go and come back; places free up in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = open_pool(2)
        self.last_tags: dict[str, Tags] = {}
        self.virtual_times = [0]
        self.waited = dict.fromkeys(WEIGHTS, 0)
        self.seen_starts = 0

    @rule(user=st.sampled_from(sorted(WEIGHTS)), count=st.integers(1, 12))
    def come(self, user: str, count: int) -> None:
        for _ in range(count):
            before = self.last_tags.get(user)
            tags = self.pool.ask(user, WEIGHTS[user])
            assert tags.start >= self.virtual_times[-1]
            assert tags.finish - tags.start == COST_MS // WEIGHTS[user]
            if before is not None:
                assert tags.start >= before.finish, "one user's jobs follow each other"
            self.last_tags[user] = tags
            self.look()

    @precondition(lambda self: any(slot.job_id for slot in self.pool.places))
    @rule(data=st.data(), count=st.integers(1, 30))
    def finish(self, data: st.DataObject, count: int) -> None:
        for _ in range(count):
            busy = [slot.index for slot in self.pool.places if slot.job_id]
            if busy:
                self.pool.finish(data.draw(st.sampled_from(busy)))
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
    def nobody_in_line_is_behind_the_pools_time(self) -> None:
        assert all(w.start_tag >= self.pool.virtual_time for w in self.pool.line)

    @invariant()
    def no_place_is_empty_while_somebody_waits(self) -> None:
        assert not self.pool.line or not any(slot.is_free for slot in self.pool.places)


Line.TestCase.settings = settings(HISTORIES, max_examples=50, stateful_step_count=25)
TestLineNeverStarvesAnybody = Line.TestCase


@pytest.mark.parametrize("size", [1, 3, 20])
def test_places_are_shared_by_the_weights_of_the_plans(size: int) -> None:
    pool = open_pool(size)
    for plan in ("free", "plus", "pro"):
        for _ in range(400):
            pool.ask(plan, PLAN_WEIGHTS[plan])
    before = len(pool.starts)
    for number in range(350):
        pool.finish(number % size)
    got = {plan: pool.starts[before:].count(plan) for plan in PLAN_WEIGHTS}
    fair = {"free": 50, "plus": 100, "pro": 200}
    assert all(abs(got[plan] - fair[plan]) <= 20 for plan in fair), got


def test_one_user_who_dumps_five_hundred_jobs_delays_a_newcomer_by_one() -> None:
    pool = open_pool(4)
    for _ in range(500):
        pool.ask("flood", 1)
    for number in range(100):
        pool.finish(number % 4)
    pool.ask("newcomer", 1)
    before = len(pool.starts)
    for number in range(2):
        pool.finish(number)
    assert "newcomer" in pool.starts[before:]


def test_being_idle_saves_up_no_right_to_overtake() -> None:
    """A user who comes back after a thousand jobs of another shares from now on, not backwards."""
    pool = open_pool(1)
    pool.ask("idle", 1)
    for _ in range(1000):
        pool.ask("busy", 1)
        pool.finish(0)
    for _ in range(20):
        pool.ask("idle", 1)
        pool.ask("busy", 1)
    before = len(pool.starts)
    for _ in range(20):
        pool.finish(0)
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
        pool.finish(0)
    shares = [
        Fraction(pool.starts.count(str(user)) * cost_ms, weight)
        for user, (cost_ms, weight) in enumerate(zip(costs_ms, weights, strict=True))
    ]
    dearest = max(Fraction(c, w) for c, w in zip(costs_ms, weights, strict=True))
    rounding = pool.count  # less than a millisecond for each job
    assert abs(shares[0] - shares[1]) <= 2 * dearest + rounding
