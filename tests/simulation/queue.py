"""The queue port with the rules of Cloud Tasks: at least once, in no order, late, twice, and named.

A task whose handler was too slow is delivered again while the first delivery still runs.
"""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

from shared.app import App
from shared.errors import QueueUnavailable
from shared.ports import QueueSpec, Task, Verdict
from tests.simulation.faults import note
from tests.simulation.kernel import Call, InjectedError, Kernel, Killed, Violation

NAME_KEPT_MS = 3_600_000
_LATE_MS = (30_000, 400_000)
_STORM_MS = (5_000, 120_000)
_TWIN_MS = 30_000

Start = Callable[[Task], tuple[App, Coroutine[Any, Any, Verdict]]]
"""Calls the function that does a task: the ports it gets, and its coroutine."""


class _Delivery:
    """One task on its way, with what became of it."""

    __slots__ = ("attempts", "born_ms", "task")

    def __init__(self, task: Task, born_ms: int) -> None:
        self.task = task
        self.born_ms = born_ms
        self.attempts = 0

    def __str__(self) -> str:
        payload = self.task.payload
        about = str(payload.get("job_id") or payload.get("pool") or "")[:14]
        epoch = f" epoch {payload['epoch']}" if "epoch" in payload else ""
        return f"{self.task.name} {about}{epoch}, try {self.attempts}"


class _Lane:
    """One queue: what is ready, and how many requests are open."""

    __slots__ = ("closed_until_ms", "open", "purged_at_ms", "ready", "spec")

    def __init__(self, spec: QueueSpec) -> None:
        self.spec = spec
        self.ready: list[_Delivery] = []
        self.open = 0
        self.closed_until_ms = 0
        self.purged_at_ms = 0


class SimulatedQueue:
    """All queues of the product, delivering to the function that `start` calls."""

    def __init__(self, kernel: Kernel, specs: Iterable[QueueSpec], start: Start) -> None:
        self._kernel = kernel
        self._start = start
        self._lanes: Mapping[str, _Lane] = {spec.name: _Lane(spec) for spec in specs}
        self._gone_at_ms: dict[str, int | None] = {}
        self.waiting = 0  # tasks that are neither done nor given up
        self.given_up = 0
        self.lost_time = False  # whether a queue was paused or purged

    async def push(self, task: Task) -> None:
        """See the port."""
        if self._kernel.current is not None and self._kernel.current.is_forged:
            raise Violation(f"I9: a forged webhook queued {task.name}")
        await Call("push", self._accept, (task,), _unavailable, _told)

    def names(self) -> list[str]:
        """The queues there are."""
        return list(self._lanes)

    def is_open(self) -> bool:
        """Whether every queue delivers."""
        return all(lane.closed_until_ms <= self._kernel.now_ms for lane in self._lanes.values())

    def pause(self, name: str, pause_ms: int) -> None:
        """Deliver nothing from a queue for a while, perhaps for longer than a quarantine."""
        self.lost_time = True
        self._close(self._lanes[name], pause_ms)

    def purge(self, name: str) -> None:
        """Forget every task of a queue, as an operator can. What is being done goes on."""
        self.lost_time = True
        lane = self._lanes[name]
        lane.purged_at_ms = self._kernel.now_ms
        for delivery in lane.ready:
            self._finish(delivery)
        lane.ready.clear()

    def resize(self, specs: Iterable[QueueSpec]) -> None:
        """Give the queues other limits."""
        for spec in specs:
            self._lanes[spec.name].spec = spec

    def _accept(self, task: Task) -> None:
        kernel = self._kernel
        if task.key in self._gone_at_ms:
            gone_at_ms = self._gone_at_ms[task.key]
            if gone_at_ms is None or kernel.now_ms < gone_at_ms + NAME_KEPT_MS:
                return
        self._gone_at_ms[task.key] = None
        delay_ms = max(0, task.at_ms - kernel.now_ms) + kernel.latency_ms()
        if kernel.faults.hits("task_late"):
            delay_ms += kernel.chance.randrange(*_LATE_MS)
        self.waiting += 1
        kernel.after(delay_ms, self._get_ready, _Delivery(task, kernel.now_ms))
        if kernel.faults.hits("task_twice"):
            twin_ms = delay_ms + int(kernel.chance.random() * _TWIN_MS)
            kernel.after(twin_ms, self._call, _Delivery(task, kernel.now_ms), _judge)

    def _get_ready(self, delivery: _Delivery) -> None:
        lane = self._lanes[delivery.task.queue]
        if delivery.born_ms <= lane.purged_at_ms:
            self._finish(delivery)
            return
        lane.ready.append(delivery)
        self._deliver(lane)

    def _deliver(self, lane: _Lane) -> None:
        """Open as many requests as the queue may, in no order."""
        if self._kernel.now_ms < lane.closed_until_ms:
            return
        ready = lane.ready
        while ready and lane.open < lane.spec.max_concurrent_dispatches:
            place = int(self._kernel.chance.random() * len(ready)) if len(ready) > 1 else 0
            ready[place], ready[-1] = ready[-1], ready[place]
            delivery = ready.pop()
            delivery.attempts += 1
            if self._kernel.faults.hits("task_storm"):
                self._close(lane, self._kernel.chance.randrange(*_STORM_MS))
                self._try_again(lane, delivery)
                return
            lane.open += 1
            self._attempt(lane, delivery)

    def _close(self, lane: _Lane, pause_ms: int) -> None:
        lane.closed_until_ms = max(lane.closed_until_ms, self._kernel.now_ms + pause_ms)
        self._kernel.after(pause_ms, self._deliver, lane)

    def _attempt(self, lane: _Lane, delivery: _Delivery) -> None:
        """One request, which the queue keeps open no longer than its deadline."""
        is_open = True

        def close(verdict: Verdict) -> None:
            nonlocal is_open
            if is_open:
                is_open = False
                self._closed(lane, delivery, verdict)

        def ended(value: Any, error: Exception | None) -> None:
            _judge(value, error)
            close("again" if error else value)

        def give_up() -> None:
            if is_open:
                note(self._kernel.faults, "deadline")
                close("again")

        self._call(delivery, ended)
        self._kernel.after(int(lane.spec.dispatch_deadline_seconds * 1000), give_up)

    def _call(self, delivery: _Delivery, ended: Callable[[Any, Exception | None], None]) -> None:
        app, coroutine = self._start(delivery.task)
        self._kernel.spawn(delivery, coroutine, ended, app)

    def _closed(self, lane: _Lane, delivery: _Delivery, verdict: Verdict) -> None:
        lane.open -= 1
        if verdict == "again":
            self._try_again(lane, delivery)
        else:
            self._finish(delivery)
        if lane.ready:
            self._deliver(lane)

    def _try_again(self, lane: _Lane, delivery: _Delivery) -> None:
        spec = lane.spec
        if delivery.attempts >= spec.max_attempts:
            self.given_up += 1
            self._finish(delivery)
            return
        doubled = spec.min_backoff_seconds * 2 ** min(delivery.attempts - 1, 16)
        backoff_seconds = min(spec.max_backoff_seconds, doubled)
        self._kernel.after(int(backoff_seconds * 1000), self._get_ready, delivery)

    def _finish(self, delivery: _Delivery) -> None:
        self.waiting -= 1
        self._gone_at_ms[delivery.task.key] = self._kernel.now_ms


def _judge(value: Any, error: Exception | None) -> None:
    """Only a dead instance and our own injected errors may end a task without a verdict, and none
    of the product's tasks is ever impossible."""
    if error is not None and not isinstance(error, Killed | InjectedError | FileNotFoundError):
        raise Violation(f"a task ended with {type(error).__name__}: {error}") from error
    if value == "final":
        raise Violation("a task of ours was called impossible")


def _unavailable() -> Exception:
    return QueueUnavailable("The queue does not answer.")


def _told(task: Task) -> str:
    payload = " ".join(f"{name}={str(value)[:24]}" for name, value in task.payload.items())
    return f"{task.name} {payload}"
