"""Move a job by one event, with the money and the slot that must move with it, in one commit."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared import accounts, jobs, ledger, records, slots
from shared.app import App
from shared.errors import Contention, NotFound
from shared.jobs import Event, Job, Money, State
from shared.ports import Documents, Key, Write
from shared.usecases import tasks

_log = logging.getLogger(__name__)

_ATTEMPTS_MAX = 8
_ENDS = jobs.FINAL | {State.QUARANTINED}  # what a metric counts


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
            after = await _commit(app, before, choice, seen, choose)
        except _OtherDocuments:
            seen = {}
            continue
        if before.slot is not None and after.slot is None:
            await tasks.push_refill(app, after.pool, after.id)
        if after.state is not before.state and after.state in _ENDS:
            _log_end(after)
        return after
    raise Contention("The job is changing too fast. Try again.")


async def _commit(app: App, before: Job, first: Choice, seen: Documents, choose: Choose) -> Job:
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
    documents = await app.store.transact(keys, decide, known=known)
    after = records.job(documents[key])
    assert after is not None
    return after


def _log_end(job: Job) -> None:
    extra = {"job_id": job.id, "provider": job.provider, "pool": job.pool}
    reason = job.failure.code.value if job.failure else ""
    _log.info("job ended", extra={**extra, "state": job.state.value, "detail": reason})


def keys_of(job: Job, event: Event) -> set[Key]:
    """The documents that this event on this job changes."""
    rule = jobs.RULES.get((job.state, event))
    if rule is None:
        raise jobs.IllegalMove(job.state, event)
    keys = {records.job_key(job.id)}
    if rule.money in (Money.CAPTURE, Money.RELEASE) or job.state is State.PARKED:
        keys.add(records.wallet_key(job.user_id))
    if rule.frees_slot and job.slot is not None:
        keys.add(records.slot_key(job.slot))
    return keys


def event_writes(documents: Documents, job: Job, choice: Choice, now_ms: int) -> list[Write]:
    """All that one event changes: the job, the wallet with its ledger rows, the slot."""
    move = jobs.advance(job, choice.event, now_ms, **choice.changes)
    writes: list[Write] = [records.put_job(move.job), *choice.also]
    writes += _money_writes(documents, job, move.money, now_ms)
    if move.freed_slot is not None:
        slot = records.slot(documents[records.slot_key(move.freed_slot)])
        assert slot is not None, "a held slot exists"
        writes.append(records.put_slot(slots.free(slot, job.id)))
    return writes


def _money_writes(documents: Documents, job: Job, money: Money, now_ms: int) -> list[Write]:
    if money is Money.GIFT:
        return [records.create_row(ledger.gift_row(job.user_id, job.id, now_ms))]
    if money is Money.KEEP and job.state is not State.PARKED:
        return []
    wallet = records.wallet(documents, job.user_id)
    activity = records.activity(documents, job.user_id)
    if job.state is State.PARKED:
        activity = accounts.stopped_waiting(activity)
    if money is Money.KEEP:
        return [records.put_wallet(wallet, activity)]
    if money is Money.CAPTURE:
        posting = ledger.capture(wallet, job.id, job.hold_tokens, job.hold_tokens, now_ms)
    else:
        posting = ledger.release(wallet, job.id, job.hold_tokens, now_ms, "")
    return [records.put_wallet(posting.wallet, activity), *records.create_rows(posting)]
