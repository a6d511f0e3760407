"""The queue port with the rules of Cloud Tasks: at least once, in no order, late, twice, and named.

A task whose handler was too slow is delivered again while the first delivery still runs.
"""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

from shared.errors import QueueUnavailable
from shared.ports import QueueSpec, Task, Verdict
from tests.simulation.kernel import Activity, Call, Kernel, Killed, Violation

NAME_KEPT_MS = 3_600_000
_LATE_MS = (30_000, 400_000)
_STORM_MS = (5_000, 120_000)

Handle = Callable[[Task], Coroutine[Any, Any, Verdict]]


class _Delivery:
    """One task on its way, with what became of it."""

    __slots__ = ("attempts", "is_over", "task")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.attempts = 0
        self.is_over = False


class _Lane:
    """One queue: what is ready, and how many requests are open."""

    def __init__(self, spec: QueueSpec) -> None:
        self.spec = spec
        self.ready: list[_Delivery] = []
        self.open = 0
        self.closed_until_ms = 0


class SimulatedQueue:
    """All queues of the product, delivering to `handle`."""

    def __init__(self, kernel: Kernel, specs: Iterable[QueueSpec], handle: Handle) -> None:
        self._kernel = kernel
        self._handle = handle
        self._lanes: Mapping[str, _Lane] = {spec.name: _Lane(spec) for spec in specs}
        self._gone_at_ms: dict[str, int | None] = {}
        self.waiting = 0

    async def push(self, task: Task) -> None:
        """See the port."""
        if self._kernel.current is not None and self._kernel.current.is_forged:
            raise Violation(f"I9: a forged webhook queued {task.name}")
        await Call("push", lambda: self._accept(task), _unavailable, task)

    def pause(self, name: str, pause_ms: int) -> None:
        """Deliver nothing from a queue for a while."""
        self._lanes[name].closed_until_ms = self._kernel.now_ms + pause_ms

    def names(self) -> list[str]:
        """The queues there are."""
        return list(self._lanes)

    def _accept(self, task: Task) -> None:
        if task.key in self._gone_at_ms:
            gone_at_ms = self._gone_at_ms[task.key]
            if gone_at_ms is None or self._kernel.now_ms < gone_at_ms + NAME_KEPT_MS:
                return
        self._gone_at_ms[task.key] = None
        self.waiting += 1
        delivery = _Delivery(task)
        delay_ms = max(0, task.at_ms - self._kernel.now_ms) + self._kernel.latency_ms()
        if self._kernel.faults.hits("task_late"):
            delay_ms += self._kernel.chance.randrange(*_LATE_MS)
        self._kernel.after(delay_ms, self._get_ready, delivery)
        if self._kernel.faults.hits("task_twice"):
            twin_ms = delay_ms + int(self._kernel.chance.random() * 30_000)
            self._kernel.after(twin_ms, self._deliver_twin, task)

    def _get_ready(self, delivery: _Delivery) -> None:
        lane = self._lanes[delivery.task.queue]
        lane.ready.append(delivery)
        self._deliver(lane)

    def _deliver(self, lane: _Lane) -> None:
        if self._kernel.now_ms < lane.closed_until_ms:
            wait_ms = lane.closed_until_ms - self._kernel.now_ms
            self._kernel.after(wait_ms, self._deliver, lane)
            return
        while lane.ready and lane.open < lane.spec.max_concurrent_dispatches:
            place = int(self._kernel.chance.random() * len(lane.ready))
            lane.ready[place], lane.ready[-1] = lane.ready[-1], lane.ready[place]
            self._attempt(lane, lane.ready.pop())

    def _attempt(self, lane: _Lane, delivery: _Delivery) -> None:
        delivery.attempts += 1
        if self._kernel.faults.hits("task_storm"):
            lane.closed_until_ms = self._kernel.now_ms + self._kernel.chance.randrange(*_STORM_MS)
            self._again(lane, delivery)
            return
        lane.open += 1
        _Attempt(self, self._kernel, lane, delivery)

    def _deliver_twin(self, task: Task) -> None:
        self._kernel.spawn(_title(task, 0), self._handle(task), lambda _activity, _value, error: _raise(error))

    def start(self, delivery: _Delivery, on_end: Callable[[Activity, Any, BaseException | None], None]) -> None:
        """Call the handler."""
        task = delivery.task
        self._kernel.spawn(_title(task, delivery.attempts), self._handle(task), on_end)

    def closed(self, lane: _Lane, delivery: _Delivery, verdict: Verdict) -> None:
        """A request is answered, or given up by the queue."""
        lane.open -= 1
        if verdict == "again":
            self._again(lane, delivery)
        else:
            self._finish(delivery)
        self._deliver(lane)

    def _again(self, lane: _Lane, delivery: _Delivery) -> None:
        spec = lane.spec
        if delivery.attempts >= spec.max_attempts:
            self._finish(delivery)
            return
        backoff_seconds = min(spec.max_backoff_seconds, spec.min_backoff_seconds * 2 ** min(delivery.attempts - 1, 16))
        self._kernel.after(int(backoff_seconds * 1000), self._get_ready, delivery)

    def _finish(self, delivery: _Delivery) -> None:
        self.waiting -= 1
        self._gone_at_ms[delivery.task.key] = self._kernel.now_ms


class _Attempt:
    """One open request of the queue, which waits no longer than its deadline."""

    def __init__(self, queue: SimulatedQueue, kernel: Kernel, lane: _Lane, delivery: _Delivery) -> None:
        self._queue = queue
        self._kernel = kernel
        self._lane = lane
        self._delivery = delivery
        self._is_open = True
        kernel.after(int(lane.spec.dispatch_deadline_seconds * 1000), self._give_up)
        queue.start(delivery, self._ended)

    def _ended(self, _activity: Activity, value: Any, error: BaseException | None) -> None:
        _raise(error)
        if self._is_open:
            self._is_open = False
            self._queue.closed(self._lane, self._delivery, "again" if error else value)

    def _give_up(self) -> None:
        if self._is_open:
            self._is_open = False
            self._kernel.faults.fired["deadline"] += 1
            self._queue.closed(self._lane, self._delivery, "again")


def _raise(error: BaseException | None) -> None:
    """Only a dead instance and our own injected errors may end a task without a verdict."""
    if error is not None and not isinstance(error, Killed | OSError):
        raise Violation(f"a task ended with {type(error).__name__}: {error}") from error


def _unavailable() -> Exception:
    return QueueUnavailable("The queue does not answer.")


def _title(task: Task, attempt: int) -> str:
    about = str(task.payload.get("job_id") or task.payload.get("pool") or "")[:12]
    epoch = task.payload.get("epoch")
    return f"{task.name} {about}{f' epoch {epoch}' if epoch else ''} try {attempt or 'twin'}"
