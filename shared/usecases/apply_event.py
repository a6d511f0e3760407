"""Move a job by one event, with the money and the slots that must move with it, in one commit."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared import accounts, jobs, ledger, records, slots
from shared.app import App
from shared.errors import Contention, NotFound
from shared.failures import TROUBLES, Failure
from shared.job_states import FINAL, RULES, Event, Money, State
from shared.jobs import Job
from shared.ports import Documents, Key, Write
from shared.slots import Slot
from shared.usecases import tasks
from shared.usecases.pause_vendor import judge_vendor

_log = logging.getLogger(__name__)

_ATTEMPTS_MAX = 8
_ENDS = FINAL | {State.QUARANTINED}  # what a metric counts
_DONE_WELL = frozenset({Event.SUCCEEDED, Event.DELIVERED})


@dataclass(frozen=True, slots=True)
class Choice:
    """The event to apply, the fields it brings, and documents to write in the same commit."""

    event: Event
    changes: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[Write, ...] = ()


Choose = Callable[[Job], Choice | None]
"""Given the job as it is now: what to do with it, or None when it is done already or no longer
fits.
"""


class _OtherDocuments(Exception):
    """The job moved, and its event now needs documents that were not read."""


async def apply_event(app: App, job_id: str, seen: Documents, choose: Choose) -> Job:
    """Apply what `choose` picks for the job's present state; returns the job as it then stands.

    `seen` may hold the job as it was just read, or be empty. Raises `NotFound`, `Contention`.
    """
    key = records.job_key(job_id)
    for _ in range(_ATTEMPTS_MAX):
        if key not in seen:
            seen = await app.store.get([key])
        before = records.job(seen[key])
        if before is None:
            raise NotFound("There is no such job.")
        choice = choose(before)
        if choice is None:
            return before
        try:
            documents = await _commit(app, before, choice, seen, choose)
        except _OtherDocuments:
            seen = {}
            continue
        after = records.job(documents[key])
        assert after is not None
        await _follow_up(app, before, after, documents)
        return after
    raise Contention("The job is changing too fast. Try again.")


async def _commit(
    app: App, before: Job, first: Choice, seen: Documents, choose: Choose
) -> Documents:
    key = records.job_key(before.id)
    now_ms = app.clock.now_ms()

    def decide(documents: Documents) -> list[Write]:
        job = records.job(documents[key])
        assert job is not None, "jobs are never removed"
        choice = choose(job)
        if choice is None:
            return []
        if not keys_of(job, choice.event) <= documents.keys():
            raise _OtherDocuments
        return event_writes(documents, job, choice, now_ms)

    keys = sorted(keys_of(before, first.event))
    # An old job beside a fresh wallet or slot is a picture of no moment, so they are read together.
    known = {key: seen[key]} if keys == [key] else None
    return await app.store.transact(keys, decide, known=known)


async def _follow_up(app: App, before: Job, after: Job, documents: Documents) -> None:
    """What is safe to repeat, after the commit."""
    if before.slots and not after.slots:
        await tasks.push_refill(app, before.pool, f"{after.id}:{after.epoch}:{after.state}")
        keys = [records.slot_key(slot) for slot in before.slots]
        # Somebody else may have freed them, while this step was about something else.
        freed = [records.slot(documents[key]) for key in keys if key in documents]
        await judge_vendor(app, [slot for slot in freed if slot is not None])
    if after.state is not before.state and after.state in _ENDS:
        _log_end(after)


def _log_end(job: Job) -> None:
    extra = {"job_id": job.id, "provider": job.provider, "pool": job.pool}
    reason = job.failure.code.value if job.failure else ""
    _log.info("job ended", extra={**extra, "state": job.state.value, "detail": reason})


def keys_of(job: Job, event: Event) -> set[Key]:
    """The documents that this event on this job changes."""
    rule = RULES.get((job.state, event))
    if rule is None:
        raise jobs.IllegalMove(job.state, event)
    keys = {records.job_key(job.id)}
    if rule.money in (Money.CAPTURE, Money.RELEASE) or State.PARKED in (job.state, rule.state):
        keys.add(records.wallet_key(job.user_id))
    if rule.frees_slots:
        keys |= {records.slot_key(slot) for slot in job.slots}
    return keys


def event_writes(documents: Documents, job: Job, choice: Choice, now_ms: int) -> list[Write]:
    """All that one event changes: the job, the wallet with its ledger rows, the slots."""
    move = jobs.advance(job, choice.event, now_ms, **choice.changes)
    writes: list[Write] = [records.put_job(move.job), *choice.also]
    writes += _wallet_writes(documents, job, move.job, move.money, now_ms)
    for slot_id in move.freed_slots:
        slot = records.slot(documents[records.slot_key(slot_id)])
        assert slot is not None, "a held slot exists"
        freed = _judged(slots.free(slot, job.id), job, choice, now_ms)
        writes.append(records.put_slot(freed))
    return writes


def _judged(slot: Slot, job: Job, choice: Choice, now_ms: int) -> Slot:
    """The slot with what this event says of the vendor, if it says anything."""
    if choice.event in _DONE_WELL:
        return slots.did_well(slot, now_ms)
    failure: Failure | None = choice.changes.get("failure") or job.failure
    is_trouble = failure is not None and failure.code in TROUBLES
    return slots.did_badly(slot, job.user_id, now_ms) if is_trouble else slot


def _wallet_writes(
    documents: Documents, job: Job, after: Job, money: Money, now_ms: int
) -> list[Write]:
    if money is Money.GIFT:
        return [records.create_row(ledger.gift_row(job.user_id, job.id, now_ms))]
    waited, waits = job.state is State.PARKED, after.state is State.PARKED
    if money is Money.KEEP and waited == waits:
        return []
    wallet = records.wallet(documents, job.user_id)
    activity = records.activity(documents, job.user_id)
    if waited and not waits:
        activity = accounts.stopped_waiting(activity)
    if waits and not waited:
        activity = accounts.waits_again(activity)
    if money is Money.KEEP:
        return [records.put_wallet(wallet, activity)]
    if money is Money.CAPTURE:
        tokens = after.charged_tokens
        posting = ledger.capture(wallet, job.id, job.hold_tokens, tokens, now_ms)
    else:
        posting = ledger.release(wallet, job.id, job.hold_tokens, now_ms, "")
    return [records.put_wallet(posting.wallet, activity), *records.create_rows(posting)]
