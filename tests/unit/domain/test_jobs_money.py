"""Jobs, ledger and slots together, over any order of events: where the tokens and the slots are.

What is committed together in the product is committed together here: the job after a move, what
the move says about the hold, and the slots that it frees.
"""

from collections import deque
from collections.abc import Mapping
from functools import cache
from typing import Any

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared import books, jobs, ledger, slots
from shared.errors import InsufficientTokens
from shared.job_states import FINAL, HOLDS_SLOTS, REFUNDED, RULES, Event, Money, State
from shared.jobs import IllegalMove, Job, Result, Settings
from shared.ledger import Row, RowKind, Wallet
from shared.slots import Slot
from tests.unit.domain.values import HISTORIES, job_in

OWNER = "usr_1"
# Pool, then the places of each of our accounts in it.
POOLS: Mapping[str, Mapping[str, int]] = {"lumen": {"lumen": 4, "lumen_2": 2}, "nova": {"nova": 4}}
UNITS_MAX = 4
JOBS_MAX = 8
RESULT = Result("results/1", "results/1.jpg", "image/png", 9, 16, 9, None)


class Business(RuleBasedStateMachine):
    """One creator with some tokens, two vendors, one of them with two accounts of ours, and a world
    that does as it likes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = 0
        opening = ledger.purchase(Wallet(OWNER, 0, 0), "pay_1", 200, self.now_ms)
        self.wallet = opening.wallet
        self.rows: dict[str, Row] = {}
        self.keep(opening.rows)
        self.jobs: dict[str, Job] = {}
        places = [
            Slot(pool, account, index)
            for pool, accounts in POOLS.items()
            for account, count in accounts.items()
            for index in range(count)
        ]
        self.places = {slot.id: slot for slot in places}

    def keep(self, rows: tuple[Row, ...]) -> None:
        for row in rows:
            assert row.id not in self.rows, f"{row.id} is written twice"
            self.rows[row.id] = row

    def open_jobs(self) -> list[str]:
        return sorted(job.id for job in self.jobs.values() if job.state not in FINAL)

    def free_places(self, pool: str, units: int) -> tuple[Slot, ...]:
        free = [slot for slot in self.places.values() if slot.pool == pool and slot.is_free]
        return slots.together(free, units)

    def occupy(self, job_id: str, places: tuple[Slot, ...]) -> dict[str, Any]:
        """Take these places; what the job says of them."""
        for place in places:
            self.places[place.id] = slots.take(place, job_id, self.now_ms)
        account = places[0].account if places else None
        return {"slots": tuple(place.id for place in places), "account": account}

    @precondition(lambda self: len(self.jobs) < JOBS_MAX)
    @rule(
        tokens=st.integers(1, 90),
        count=st.integers(1, UNITS_MAX),
        pool=st.sampled_from(sorted(POOLS)),
        is_by_picture=st.booleans(),
    )
    def ask_for_a_job(self, tokens: int, count: int, pool: str, is_by_picture: bool) -> None:
        self.now_ms += 1
        job_id = f"job_{self.now_ms}"
        try:
            posting = ledger.hold(self.wallet, job_id, tokens, self.now_ms)
        except InsufficientTokens:
            assert tokens > self.wallet.available_tokens
            return
        self.wallet = posting.wallet
        self.keep(posting.rows)
        units = count if is_by_picture else 1
        places = self.free_places(pool, units)
        self.jobs[job_id] = job_in(
            State.READY if places else State.PARKED,
            id=job_id,
            pool=pool,
            hold_tokens=tokens,
            units=units,
            settings=Settings(count=count),
            **self.occupy(job_id, places),
        )

    @precondition(lambda self: self.open_jobs())
    @rule(data=st.data(), count=st.integers(1, 12))
    def a_job_goes_on(self, data: st.DataObject, count: int) -> None:
        job_id = data.draw(st.sampled_from(self.open_jobs()))
        for _ in range(count):
            job = self.jobs[job_id]
            possible = [event for event in Event if jobs.can(job, event)]
            if possible:
                self.happen(data, job, data.draw(st.sampled_from(possible)))
                self.look()

    @precondition(lambda self: self.open_jobs())
    @rule(data=st.data(), line=st.sampled_from(sorted(RULES)))
    def a_job_gets_as_far_as_one_line_of_the_table(
        self, data: st.DataObject, line: tuple[State, Event]
    ) -> None:
        """On the shortest way: by chance alone, few get as far as a late result."""
        job_id = data.draw(st.sampled_from(self.open_jobs()))
        state, event = line
        for next_event in (*_way(self.jobs[job_id].state, state), event):
            job = self.jobs[job_id]
            if jobs.can(job, next_event):
                self.happen(data, job, next_event)
                self.look()

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), event=st.sampled_from(Event))
    def something_happens_out_of_turn(self, data: st.DataObject, event: Event) -> None:
        job = self.jobs[data.draw(st.sampled_from(sorted(self.jobs)))]
        if jobs.can(job, event):
            self.happen(data, job, event)
            return
        try:
            jobs.advance(job, event, self.now_ms)
        except IllegalMove:
            return
        raise AssertionError(f"{event} in {job.state} was not refused")

    def happen(self, data: st.DataObject, job: Job, event: Event) -> None:
        self.now_ms += 1
        if event is Event.SLOT_GRANTED and not self.free_places(job.pool, job.units):
            return
        changes = self.brought_by(data, job, event)
        move = jobs.advance(job, event, self.now_ms, **changes)
        assert move.job.epoch >= job.epoch
        assert move.job.price_tokens <= job.price_tokens
        self.settle(move.job, move.money)
        for slot_id in move.freed_slots:
            self.places[slot_id] = slots.free(self.places[slot_id], job.id)
        self.jobs[job.id] = move.job

    def brought_by(self, data: st.DataObject, job: Job, event: Event) -> dict[str, Any]:
        count = job.settings.count
        match event:
            case Event.SLOT_GRANTED:
                taken = self.occupy(job.id, self.free_places(job.pool, job.units))
                return {**taken, "epoch": job.epoch + 1}
            case Event.PUT_BACK | Event.TURNED_AWAY:
                return {"epoch": job.epoch + 1}
            case Event.REROUTED:
                return {
                    "epoch": job.epoch + 1,
                    "pool": data.draw(st.sampled_from(sorted(POOLS))),
                    "price_tokens": data.draw(st.integers(1, job.price_tokens)),
                    "units": data.draw(st.sampled_from([1, count])),
                }
            case Event.DELIVERED:
                return {"delivered_count": data.draw(st.integers(1, count))}
            case Event.STORED:
                made = job.delivered_count or data.draw(st.integers(1, count + 1))
                return {"results": (RESULT,) * made}
            case _:
                return {}

    def settle(self, job: Job, money: Money) -> None:
        match money:
            case Money.CAPTURE:
                held, tokens = job.hold_tokens, job.charged_tokens
                posting = ledger.capture(self.wallet, job.id, held, tokens, self.now_ms)
            case Money.RELEASE:
                posting = ledger.release(self.wallet, job.id, job.hold_tokens, self.now_ms, "")
            case Money.GIFT:
                self.keep((ledger.gift_row(OWNER, job.id, self.now_ms),))
                return
            case _:
                return
        self.wallet = posting.wallet
        self.keep(posting.rows)

    @invariant()
    def look(self) -> None:
        """All of it, after every event."""
        self.the_books_agree()
        self.exactly_the_open_jobs_hold_tokens()
        self.every_job_has_the_rows_that_its_state_means()
        self.every_receipt_says_what_the_rows_say()
        self.what_was_delivered_was_paid_in_its_part()
        self.jobs_and_places_belong_together_one_to_one()

    def the_books_agree(self) -> None:
        assert books.differences([self.wallet], self.rows.values()) == ()

    def exactly_the_open_jobs_hold_tokens(self) -> None:
        open_tokens = sum(
            job.hold_tokens
            for job in self.jobs.values()
            if job.state not in REFUNDED and job.state is not State.DONE
        )
        assert self.wallet.held_tokens == open_tokens

    def every_job_has_the_rows_that_its_state_means(self) -> None:
        for job in self.jobs.values():
            kinds = {RowKind.HOLD}
            if job.state is State.DONE:
                kinds |= {RowKind.CAPTURE}
                kinds |= {RowKind.REST} if job.charged_tokens < job.hold_tokens else set()
            if job.state in REFUNDED:
                kinds |= {RowKind.RELEASE}
            if job.state is State.GIFTED:
                kinds |= {RowKind.GIFT}
            assert {row.kind for row in self.rows.values() if row.job_id == job.id} == kinds

    def every_receipt_says_what_the_rows_say(self) -> None:
        for job in self.jobs.values():
            by_kind = {row.kind: row.tokens for row in self.rows.values() if row.job_id == job.id}
            assert job.charged_tokens == by_kind.get(RowKind.CAPTURE, 0)
            back = by_kind.get(RowKind.RELEASE, 0) + by_kind.get(RowKind.REST, 0)
            assert job.returned_tokens == back
            if job.state in FINAL:
                assert job.charged_tokens + job.returned_tokens == job.hold_tokens

    def what_was_delivered_was_paid_in_its_part(self) -> None:
        for job in self.jobs.values():
            asked, made = job.settings.count, len(job.results)
            assert bool(made) == (job.state in {State.DONE, State.GIFTED})
            if job.state is State.DONE:
                part_tokens = job.price_tokens * min(made, asked) // asked
                assert job.charged_tokens == max(1, part_tokens)

    def jobs_and_places_belong_together_one_to_one(self) -> None:
        taken = {slot.id: slot.job_id for slot in self.places.values() if slot.job_id}
        holding = {slot_id: job.id for job in self.jobs.values() for slot_id in job.slots}
        assert taken == holding
        for job in self.jobs.values():
            assert len(job.slots) == (job.units if job.state in HOLDS_SLOTS else 0)
            where = {(self.places[name].pool, self.places[name].account) for name in job.slots}
            assert where <= {(job.pool, job.account)}


@cache
def _way(start: State, goal: State) -> tuple[Event, ...]:
    """The fewest events from one state to another; none when there is no way."""
    ways: dict[State, tuple[Event, ...]] = {start: ()}
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        for (before, event), consequence in RULES.items():
            if before is state and consequence.state not in ways:
                ways[consequence.state] = (*ways[state], event)
                waiting.append(consequence.state)
    return ways.get(goal, ())


Business.TestCase.settings = settings(HISTORIES, max_examples=200, stateful_step_count=25)
TestBusinessInAnyOrderOfEvents = Business.TestCase
