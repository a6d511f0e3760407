"""Places at a vendor, and the fair order in which waiting jobs get them.

One slot is one document, so at most as many generations run as there are enabled slots. Waiting
jobs are served by start-time fair queueing: a job's start tag is the later of the pool's virtual
time and its owner's last finish tag; its finish tag lies its cost, divided by the owner's weight,
after that.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in a pool. `start_tag` is that of the last job that got it."""

    pool: str
    index: int
    enabled: bool = True
    job_id: str | None = None
    start_tag: int = 0

    @property
    def id(self) -> str:
        """The slot's document id."""
        return slot_id(self.pool, self.index)

    @property
    def is_free(self) -> bool:
        """Whether a job may take it."""
        return self.enabled and self.job_id is None


@dataclass(frozen=True, slots=True)
class Tags:
    """Where a job stands in its pool's fair order."""

    start: int
    finish: int


def slot_id(pool: str, index: int) -> str:
    """The id of the slot document."""
    return f"{pool}:{index}"


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
    return replace(slot, job_id=job_id, start_tag=max(slot.start_tag, start_tag))


def free(slot: Slot, job_id: str) -> Slot:
    """Take the slot back from its owner."""
    assert slot.job_id == job_id, "a slot is freed only by its owner"
    return replace(slot, job_id=None)
