"""Jobs, ledger and slots together, over any order of events: where the tokens and the slots are.

What is committed together in the product is committed together here: the job after a move, what
the move says about the hold, and the slot that it frees.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared import books, jobs, ledger, slots
from shared.errors import InsufficientTokens
from shared.jobs import FINAL, HOLDS_SLOT, REFUNDED, RULES, Event, IllegalMove, Job, Money, State
from shared.ledger import Row, RowKind, Wallet
from shared.slots import Slot
from tests.unit.domain.values import HISTORIES, job_in

OWNER = "usr_1"
SLOTS = 3
JOBS_MAX = 8


class Business(RuleBasedStateMachine):
    """One creator with some tokens, a pool of three places, and a world that does as it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = 0
        opening = ledger.purchase(Wallet(OWNER, 0, 0), "pay_1", 200, self.now_ms)
        self.wallet = opening.wallet
        self.rows: dict[str, Row] = {}
        self.keep(opening.rows)
        self.jobs: dict[str, Job] = {}
        self.places = {slots.slot_id("lumen", i): Slot("lumen", i) for i in range(SLOTS)}

    def keep(self, rows: tuple[Row, ...]) -> None:
        for row in rows:
            assert row.id not in self.rows, f"{row.id} is written twice"
            self.rows[row.id] = row

    def open_jobs(self) -> list[str]:
        return sorted(job.id for job in self.jobs.values() if job.state not in FINAL)

    def free_place(self) -> Slot | None:
        return next((slot for slot in self.places.values() if slot.is_free), None)

    @precondition(lambda self: len(self.jobs) < JOBS_MAX)
    @rule(tokens=st.integers(1, 90))
    def ask_for_a_job(self, tokens: int) -> None:
        self.now_ms += 1
        job_id = f"job_{self.now_ms}"
        try:
            posting = ledger.hold(self.wallet, job_id, tokens, self.now_ms)
        except InsufficientTokens:
            assert tokens > self.wallet.available_tokens
            return
        self.wallet = posting.wallet
        self.keep(posting.rows)
        place = self.free_place()
        state = State.READY if place else State.PARKED
        slot_id = place.id if place else None
        self.jobs[job_id] = job_in(state, id=job_id, hold_tokens=tokens, slot=slot_id)
        if place:
            self.places[place.id] = slots.take(place, job_id, self.now_ms)

    @precondition(lambda self: self.open_jobs())
    @rule(data=st.data(), count=st.integers(1, 12), is_spared=st.booleans())
    def a_job_goes_on(self, data: st.DataObject, count: int, is_spared: bool) -> None:
        """Some events in a row. A spared job does not end while it can go on: without that, few get
        as far as a late result.
        """
        job_id = data.draw(st.sampled_from(self.open_jobs()))
        for _ in range(count):
            job = self.jobs[job_id]
            possible = [event for event in Event if jobs.can(job, event)]
            onward = [event for event in possible if RULES[job.state, event].state not in FINAL]
            if not possible or (is_spared and not onward):
                break
            self.happen(job, data.draw(st.sampled_from(onward if is_spared else possible)))
            self.look()

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), event=st.sampled_from(Event))
    def something_happens_out_of_turn(self, data: st.DataObject, event: Event) -> None:
        job = self.jobs[data.draw(st.sampled_from(sorted(self.jobs)))]
        if jobs.can(job, event):
            self.happen(job, event)
            return
        try:
            jobs.advance(job, event, self.now_ms)
        except IllegalMove:
            return
        raise AssertionError(f"{event} in {job.state} was not refused")

    def happen(self, job: Job, event: Event) -> None:
        self.now_ms += 1
        changes: dict[str, object] = {}
        if event is Event.SLOT_GRANTED:
            place = self.free_place()
            if place is None:
                return
            self.places[place.id] = slots.take(place, job.id, self.now_ms)
            changes = {"slot": place.id, "epoch": job.epoch + 1}
        if event is Event.PUT_BACK:
            changes = {"epoch": job.epoch + 1}
        move = jobs.advance(job, event, self.now_ms, **changes)
        assert move.job.epoch >= job.epoch
        self.settle(move.job, move.money)
        if move.freed_slot is not None:
            self.places[move.freed_slot] = slots.free(self.places[move.freed_slot], job.id)
        self.jobs[job.id] = move.job

    def settle(self, job: Job, money: Money) -> None:
        match money:
            case Money.CAPTURE:
                tokens = job.hold_tokens
                posting = ledger.capture(self.wallet, job.id, tokens, tokens, self.now_ms)
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
            if job.state in REFUNDED:
                kinds |= {RowKind.RELEASE}
            if job.state is State.GIFTED:
                kinds |= {RowKind.GIFT}
            assert {row.kind for row in self.rows.values() if row.job_id == job.id} == kinds

    def every_receipt_says_what_the_rows_say(self) -> None:
        for job in self.jobs.values():
            by_kind = {row.kind: row.tokens for row in self.rows.values() if row.job_id == job.id}
            assert job.charged_tokens == by_kind.get(RowKind.CAPTURE, 0)
            assert job.returned_tokens == by_kind.get(RowKind.RELEASE, 0)
            if job.state in FINAL:
                assert job.charged_tokens + job.returned_tokens == job.hold_tokens

    def jobs_and_places_belong_together_one_to_one(self) -> None:
        taken = {slot.id: slot.job_id for slot in self.places.values() if slot.job_id}
        holding = {job.slot: job.id for job in self.jobs.values() if job.slot is not None}
        assert taken == holding
        assert all(
            (job.slot is not None) == (job.state in HOLDS_SLOT) for job in self.jobs.values()
        )


Business.TestCase.settings = settings(HISTORIES, max_examples=200, stateful_step_count=25)
TestBusinessInAnyOrderOfEvents = Business.TestCase
