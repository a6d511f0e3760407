"""Tasks that are delivered at least once."""

from dataclasses import dataclass
from typing import Literal, Protocol

from shared.ports.store import Data


@dataclass(frozen=True, slots=True)
class Task:
    """One call of `/tasks/{name}`. `key` names it: a key already seen is not queued again for an
    hour.
    """

    name: str
    key: str
    payload: Data
    queue: str
    at_ms: int = 0


class Queue(Protocol):
    """Durable tasks, delivered at least once, in no order, retried with backoff until done or
    final.
    """

    async def push(self, task: Task) -> None:
        """Queue a task. A repeated key is success. Raises `QueueUnavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """Limits of one queue, the same here and in Terraform."""

    name: str
    max_concurrent_dispatches: int
    max_dispatches_per_second: float = 500.0
    max_attempts: int = 100
    min_backoff_seconds: float = 1.0
    max_backoff_seconds: float = 60.0
    dispatch_deadline_seconds: float = 60.0


Verdict = Literal["done", "final", "again"]
"""What a task handler says: done, can never work (both end the task), deliver it again."""
