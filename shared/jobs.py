"""A job, and what an event makes of it: the one way in which it moves."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.failures import Failure
from shared.job_states import FINAL, HOLDS_SLOTS, RULES, STATUS, Event, Money, State


@dataclass(frozen=True, slots=True)
class Settings:
    """What the creator chose, besides prompt and pictures."""

    negative_prompt: str | None = None
    duration_seconds: int | None = None
    resolution: str | None = None
    aspect_ratio: str | None = None
    audio: bool = False
    count: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    """One video or picture in the bucket."""

    blob_key: str
    thumbnail_key: str
    content_type: str
    size_bytes: int
    width: int
    height: int
    duration_seconds: float | None


@dataclass(frozen=True, slots=True)
class Job:
    """One generation. Times are unix milliseconds; `due_at_ms` is when the sweeper looks again."""

    id: str
    user_id: str
    model: str
    kind: str
    provider: str
    pool: str
    prompt: str
    settings: Settings
    images: Mapping[str, str]  # role -> key of the checked picture
    body_hash: str
    project_id: str | None
    hold_tokens: int
    price_tokens: int  # for all that was asked for: the hold, or less after a cheaper model took it
    units: int  # how many of the pool's places it takes
    fallback_models: tuple[str, ...]  # the creator's: who may do it when the vendor takes nothing
    weighted_cost_ms: int  # fair-queue cost of this job
    expected_ms: int
    run_limit_ms: int
    state: State
    created_at_ms: int
    updated_at_ms: int
    deadline_at_ms: int
    epoch: int = 1  # grows with every slot granted and every put back; part of dispatch names
    attempt: int = 0  # grows with every repair; part of task names
    busy_count: int = 0
    account: str | None = None  # ours with the vendor; its slots belong to it
    slots: tuple[str, ...] = ()
    start_tag: int = 0
    claim: str | None = None
    submitted_at_ms: int | None = None
    vendor_task_id: str | None = None
    delivered_count: int = 0  # results that came with the answer to the submit
    due_at_ms: int | None = None
    started_at_ms: int | None = None
    completed_at_ms: int | None = None
    quarantine_until_ms: int | None = None
    charged_tokens: int = 0
    returned_tokens: int = 0
    results: tuple[Result, ...] = ()
    failure: Failure | None = None
    deleted_at_ms: int | None = None

    @property
    def status(self) -> str:
        """The public word for the state."""
        return STATUS[self.state]


@dataclass(frozen=True, slots=True)
class Move:
    """One applied event: the job after it, and what must be committed with it."""

    job: Job
    money: Money
    freed_slots: tuple[str, ...]


class IllegalMove(Exception):
    """This event cannot happen in this state."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"{event} in {state}")
        self.state = state
        self.event = event


REMOVED_AGAIN_AFTER_MS = 1_800_000
"""Longer than a frozen process holds on to an upload."""

CHANGEABLE = frozenset({
    "account", "busy_count", "claim", "deadline_at_ms", "delivered_count", "due_at_ms", "epoch",
    "failure", "quarantine_until_ms", "results", "slots", "start_tag", "started_at_ms",
    "submitted_at_ms", "vendor_task_id",
})  # fmt: skip
# What another model brings with it. The hold stays: the price never rises.
REROUTABLE = frozenset({
    "expected_ms", "fallback_models", "model", "pool", "price_tokens", "provider",
    "run_limit_ms", "settings", "units", "weighted_cost_ms",
})  # fmt: skip


def can(job: Job, event: Event) -> bool:
    """Whether the table has this pair."""
    return (job.state, event) in RULES


def advance(job: Job, event: Event, now_ms: int, **changes: Any) -> Move:
    """Apply one event with the field changes that it brings. Raises `IllegalMove`."""
    rule = RULES.get((job.state, event))
    if rule is None:
        raise IllegalMove(job.state, event)
    freed_slots = job.slots if rule.frees_slots else ()
    changeable = CHANGEABLE | REROUTABLE if event is Event.REROUTED else CHANGEABLE
    assert changes.keys() <= changeable, "an event brings news; it does not change what was agreed"
    assert changes.get("epoch", job.epoch) >= job.epoch, "the epoch never goes back"
    assert event is not Event.STORED or job.deleted_at_ms is None, "a deleted job gets no media"
    changes |= {"state": rule.state, "updated_at_ms": now_ms}
    if rule.money is Money.CAPTURE:
        changes["charged_tokens"] = due_tokens(job, len(changes["results"]))
        changes["returned_tokens"] = job.hold_tokens - changes["charged_tokens"]
    if rule.money is Money.RELEASE:
        changes["returned_tokens"] = job.hold_tokens
    if rule.frees_slots:
        changes["slots"] = ()
    if rule.state is State.PARKED:
        changes |= {"account": None, "claim": None}
    if rule.state in FINAL:
        is_deleted = job.deleted_at_ms is not None
        changes["due_at_ms"] = now_ms + REMOVED_AGAIN_AFTER_MS if is_deleted else None
    if rule.state in FINAL or rule.money is Money.RELEASE:
        changes["completed_at_ms"] = job.completed_at_ms or now_ms
    moved = replace(job, **changes)
    assert len(moved.slots) == (moved.units if moved.state in HOLDS_SLOTS else 0), (
        "slots are held exactly where the table says"
    )
    assert moved.price_tokens <= moved.hold_tokens, "the price never rises"
    return Move(moved, rule.money, freed_slots)


def due_tokens(job: Job, delivered: int) -> int:
    """What a job costs that delivered this many of the results that were asked for."""
    assert delivered > 0, "nothing is paid for nothing"
    return max(1, job.price_tokens * min(delivered, job.settings.count) // job.settings.count)


def postponed(job: Job, now_ms: int, due_at_ms: int) -> Job:
    """The job, to be looked at again later under new task names; its state does not change."""
    assert job.state not in FINAL, "a finished job is never due"
    return replace(job, updated_at_ms=now_ms, due_at_ms=due_at_ms, attempt=job.attempt + 1)


def deleted(job: Job, now_ms: int) -> Job:
    """The job without its media, hidden from its owner's lists; the money record stays.

    A finished job is due once more, so that its media go even when the first removal died or an
    upload from before ended after it.
    """
    if job.deleted_at_ms is not None:
        return job
    is_over = job.state in FINAL
    return replace(
        job,
        deleted_at_ms=now_ms,
        due_at_ms=now_ms + REMOVED_AGAIN_AFTER_MS if is_over else job.due_at_ms,
        results=(),
        prompt="",
        settings=replace(job.settings, negative_prompt=None),
        images={},
    )


def forgotten(job: Job, now_ms: int) -> Job:
    """The deleted job when its media are surely gone: nothing is left to be done."""
    assert job.state in FINAL, "a job that goes on is not forgotten"
    assert job.deleted_at_ms is not None, "a job is forgotten for its owner alone"
    return replace(job, updated_at_ms=now_ms, due_at_ms=None)
