"""Places at a vendor, and the fair order in which waiting jobs get them.

One slot is one document, so at most as many generations run as there are enabled slots. A pool's
slots belong to accounts of ours with the vendor, and a job takes all of its slots from one account.
Waiting jobs are served by start-time fair queueing: a job's start tag is the later of the pool's
virtual time and its owner's last finish tag; its finish tag lies its cost, divided by the owner's
weight, after that.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of an account in a pool. `start_tag` is that of the last job that got it."""

    pool: str
    account: str
    index: int
    enabled: bool = True
    is_kept: bool = False  # for the job at the head of the line, which needs several at once
    on_trial: bool = False  # open for one job, to see whether the vendor works again
    job_id: str | None = None
    start_tag: int = 0
    failures: int = 0  # of the vendor, one after the other, in this place
    failed_user_ids: tuple[str, ...] = ()  # whose jobs failed last, at most two
    judged_at_ms: int = 0  # when the vendor last did well or badly here

    @property
    def id(self) -> str:
        """The slot's document id."""
        return slot_id(self.pool, self.account, self.index)

    @property
    def is_free(self) -> bool:
        """Whether a job may take it."""
        return self.enabled and self.job_id is None


@dataclass(frozen=True, slots=True)
class Tags:
    """Where a job stands in its pool's fair order."""

    start: int
    finish: int


def slot_id(pool: str, account: str, index: int) -> str:
    """The id of the slot document."""
    return f"{pool}:{account}:{index}"


def tags(virtual_time: int, last_finish: int, weighted_cost: int) -> Tags:
    """Start and finish tag of the owner's next job."""
    assert weighted_cost > 0, "every job costs something in the fair order"
    start = max(virtual_time, last_finish)
    return Tags(start, start + weighted_cost)


def weighted_cost(cost_ms: int, weight: int) -> int:
    """What a job costs its owner in the fair order: a plan of weight 4 pays a quarter."""
    assert cost_ms > 0
    assert weight > 0
    return max(1, cost_ms // weight)


def take(slot: Slot, job_id: str, start_tag: int) -> Slot:
    """Give a free slot to a job."""
    assert slot.is_free, "only a free slot is taken"
    start_tag = max(slot.start_tag, start_tag)
    return replace(slot, job_id=job_id, start_tag=start_tag, is_kept=False)


def keep(slot: Slot) -> Slot:
    """Keep a free slot for the head of the line."""
    assert slot.is_free, "only a free slot is kept"
    return replace(slot, is_kept=True)


def free(slot: Slot, job_id: str) -> Slot:
    """Take the slot back from its owner."""
    assert slot.job_id == job_id, "a slot is freed only by its owner"
    return replace(slot, job_id=None)


def did_well(slot: Slot, now_ms: int) -> Slot:
    """The vendor made something in this place."""
    return replace(slot, failures=0, failed_user_ids=(), judged_at_ms=now_ms)


def did_badly(slot: Slot, user_id: str, now_ms: int) -> Slot:
    """The vendor failed in this place, by no fault of the creator's. A place that was open to see
    whether it works again is closed with that.
    """
    others = [each for each in slot.failed_user_ids if each != user_id]
    return replace(
        slot,
        enabled=slot.enabled and not slot.on_trial,
        failures=slot.failures + 1,
        failed_user_ids=(user_id, *others[:1]),
        judged_at_ms=now_ms,
    )


def together(free_slots: Iterable[Slot], units: int) -> tuple[Slot, ...]:
    """Enough free slots of one account for a job, or none. The account that comes first and has
    enough is taken.
    """
    by_account: dict[str, list[Slot]] = {}
    for slot in free_slots:
        found = by_account.setdefault(slot.account, [])
        found.append(slot)
        if len(found) == units:
            return tuple(found)
    return ()


def is_failing(slots: Iterable[Slot], failures_max: int, since_ms: int) -> bool:
    """Whether an account's places say that its vendor does not work: each that was used lately saw
    a failure last, enough of them altogether, and not all of one user.
    """
    used = [slot for slot in slots if slot.judged_at_ms >= since_ms]
    users = {user_id for slot in used for user_id in slot.failed_user_ids}
    failures = sum(slot.failures for slot in used)
    return failures >= failures_max and len(users) > 1 and all(slot.failures for slot in used)
