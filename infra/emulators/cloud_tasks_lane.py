"""One queue of the Cloud Tasks stand-in: what waits in it, and when the next may be delivered.

Not modelled: the slow start of new queues, and the throttling of a whole queue after 429, 503 and
many errors.
"""

import asyncio
import contextlib
import heapq
import itertools
import time
from collections.abc import Callable, Iterator

from google.cloud import tasks_v2

from infra.emulators.cloud_tasks_journal import Held
from infra.emulators.cloud_tasks_rules import QueueMessage

_LOOK_SECONDS_MAX = 1.0  # the clock on the wall may be set while we wait
_order = itertools.count()


class Lane:
    """Tasks by name, and by the time they are due."""

    def __init__(self, queue: QueueMessage) -> None:
        self.held: dict[str, Held] = {}
        self._due: list[tuple[float, int, Held]] = []
        self._running = 0
        self._wake = asyncio.Event()
        self.change(queue)

    def change(self, queue: QueueMessage) -> None:
        """Go on with other limits or another state."""
        self.queue = queue
        self._is_running = queue.state == tasks_v2.Queue.State.RUNNING
        self._at_once_max: int = queue.rate_limits.max_concurrent_dispatches
        self._per_second: float = queue.rate_limits.max_dispatches_per_second
        self._burst = float(queue.rate_limits.max_burst_size)
        self._tokens = self._burst
        self._counted = time.monotonic()
        self._wake.set()

    def wait(self, held: Held) -> None:
        """Deliver this task when it is due."""
        self.held[held.name] = held
        heapq.heappush(self._due, (held.due, next(_order), held))
        self._wake.set()

    def begin(self, held: Held) -> None:
        """A delivery begins."""
        held.running += 1
        self._running += 1

    def end(self, held: Held) -> None:
        """A delivery has ended."""
        held.running -= 1
        self._running -= 1
        self._wake.set()

    async def run(self, deliver: Callable[[Held], None]) -> None:
        """Hand over each task when its time and the limits allow, for ever."""
        while True:
            self._wake.clear()
            for held in self._take():
                self.begin(held)
                deliver(held)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause_seconds()):
                    await self._wake.wait()

    def _take(self) -> Iterator[Held]:
        now = time.time()
        while self._due and self._due[0][0] <= now and self._may_begin():
            due, _, held = heapq.heappop(self._due)
            if self.held.get(held.name) is held and held.due == due and not held.running:
                self._tokens -= 1
                yield held

    def _may_begin(self) -> bool:
        now = time.monotonic()
        earned = (now - self._counted) * self._per_second
        self._tokens = min(self._burst, self._tokens + earned)
        self._counted = now
        return self._is_running and self._running < self._at_once_max and self._tokens >= 1

    def _pause_seconds(self) -> float:
        if not self._due or not self._is_running or self._running >= self._at_once_max:
            return _LOOK_SECONDS_MAX
        until_due = self._due[0][0] - time.time()
        until_token = (1 - self._tokens) / self._per_second
        return min(_LOOK_SECONDS_MAX, max(0.0, until_due, until_token))
