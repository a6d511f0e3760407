"""What both Cloud Tasks adapters ask for, and how often they ask.

CreateTask has no retry of its own. Every task of ours has a name, and a name that is taken is
success, so asking again after a lost reply is safe; it stays bounded, since somebody waits.
Source: the reference of google.cloud.tasks.v2 (CloudTasks.CreateTask, Task, HttpRequest).
"""

import asyncio
import hashlib
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from shared.adapters.queue import rules
from shared.errors import QueueUnavailable
from shared.ports import QueueSpec, Task

_log = logging.getLogger(__name__)

ATTEMPTS_MAX = 4
CALL_SECONDS = 3.0
TOTAL_SECONDS = 6.0
PAUSE_FIRST_MILLISECONDS = 25
DEADLINE_SECONDS_MIN = 15.0
DEADLINE_SECONDS_MAX = 1_800.0

_TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,500}")


@dataclass(frozen=True, slots=True)
class Creation:
    """One task as Cloud Tasks is asked for it. Paths are full resource names; `at_ms` 0 is now."""

    queue_path: str
    task_path: str
    url: str
    body: bytes
    at_ms: int
    deadline_seconds: float
    audience: str
    service_account: str


class Creations:
    """Tasks of one project, region and worker."""

    def __init__(
        self,
        project: str,
        region: str,
        specs: Sequence[QueueSpec],
        tasks_url: str,
        service_account: str,
    ) -> None:
        self._parent = f"projects/{project}/locations/{region}"
        self._tasks_url = tasks_url
        self._service_account = service_account
        self._deadlines = {spec.name: spec.dispatch_deadline_seconds for spec in specs}
        for seconds in self._deadlines.values():
            assert DEADLINE_SECONDS_MIN <= seconds <= DEADLINE_SECONDS_MAX, seconds

    def creation(self, task: Task) -> Creation:
        """What creates a task. One that no queue takes is a programming error: ValueError."""
        if task.queue not in self._deadlines:
            raise ValueError(f"no such queue: {task.queue!r}")
        payload = rules.encode_payload(task, time.time_ns() // 1_000_000)
        queue_path = f"{self._parent}/queues/{task.queue}"
        return Creation(
            queue_path=queue_path,
            task_path=f"{queue_path}/tasks/{task_id(task.key)}",
            url=f"{self._tasks_url}/tasks/{task.name}",
            body=payload.encode(),
            at_ms=task.at_ms,
            deadline_seconds=self._deadlines[task.queue],
            audience=self._tasks_url,
            service_account=self._service_account,
        )


class NotCreated(Exception):
    """One call that did not end well. `again`: the next one may."""

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.again = again


def task_id(key: str) -> str:
    """The key itself where Cloud Tasks takes it as a name, else a digest of it."""
    if _TASK_ID.fullmatch(key):
        return key
    return f"key-{hashlib.sha256(key.encode()).hexdigest()}"


async def ask_until_created(ask: Callable[[], Awaitable[None]], creation: Creation) -> None:
    """Ask a few times, with growing random pauses. `ask` returns when the task is there, whoever
    created it, and raises `NotCreated`. Raises `QueueUnavailable`."""
    reason: Exception | None = None
    try:
        async with asyncio.timeout(TOTAL_SECONDS):
            for attempt in range(ATTEMPTS_MAX):
                if attempt:
                    await asyncio.sleep(_pause_seconds(attempt))
                try:
                    await ask()
                    return
                except NotCreated as error:
                    reason = error
                    if not error.again:
                        break
    except TimeoutError as error:
        reason = reason or error
    # A refusal that lasts is a fault of the deployment: a missing queue, a missing role.
    level = logging.ERROR if isinstance(reason, NotCreated) and not reason.again else logging.INFO
    _log.log(level, "task not created", extra={"task": creation.task_path, "detail": str(reason)})
    raise QueueUnavailable("The task could not be queued.") from reason


def _pause_seconds(attempt: int) -> float:
    """Growing fourfold and jittered, so that those who failed together do not come back so."""
    half_milliseconds = PAUSE_FIRST_MILLISECONDS << 2 * (attempt - 1)
    return (half_milliseconds + secrets.randbelow(half_milliseconds)) / 1000
