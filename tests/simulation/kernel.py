"""Virtual time and the activities in it: one thread resumes every coroutine, one heap says when.

The product awaits a port; the simulated port yields a `Call`; the kernel decides when its effect
happens, whether it happens, and when the activity hears of it.
"""

from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from heapq import heappop, heappush
from random import Random
from typing import Any, NoReturn

from shared.app import App
from tests.simulation.faults import Faults

START_MS = 1_700_000_000_000

CALLS_MAX = 50_000
_LATENCY_MS = 40
_SLOW_SHARE = 0.05
_SLOW_MS = 2_000


class Violation(BaseException):
    """Something that must never happen did. No Exception, so that no code of the product's catches
    it."""


def fail(code: str, text: str) -> NoReturn:
    """Raise a `Violation` of an invariant, by its number in the specification."""
    raise Violation(f"{code}: {text}")


class Killed(Exception):
    """How a caller sees an activity whose instance died."""


class InjectedError(OSError):
    """An error of a library below a port, which has no name in the port."""


class Call:
    """One awaited port call: what it does, what the activity sees when it fails, and how a story
    tells of it. `effect` and `tell` get the same arguments."""

    __slots__ = ("arguments", "effect", "failure", "limit_ms", "port", "tell")

    def __init__(
        self,
        port: str,
        effect: Callable[..., Any],
        arguments: tuple[Any, ...],
        failure: Callable[[], Exception],
        tell: Callable[..., str],
        limit_ms: int = 0,
    ) -> None:
        self.port = port
        self.effect = effect
        self.arguments = arguments
        self.failure = failure
        self.tell = tell
        self.limit_ms = limit_ms

    def __await__(self) -> Generator["Call", Any, Any]:
        return (yield self)


class Wait:
    """Something of the simulator's own that an activity waits for: `begin` arranges the resume."""

    __slots__ = ("begin",)

    def __init__(self, begin: Callable[["Activity"], None]) -> None:
        self.begin = begin

    def __await__(self) -> Generator["Wait", Any, Any]:
        return (yield self)


OnEnd = Callable[[Any, Exception | None], None]


class Activity:
    """One coroutine that is being played: a function call in the cloud, or a person."""

    __slots__ = (
        "app",
        "asked_about",
        "coroutine",
        "has_faults",
        "is_forged",
        "is_over",
        "on_end",
        "title",
    )

    def __init__(
        self, title: object, coroutine: Coroutine[Any, Any, Any], on_end: OnEnd, app: App | None
    ) -> None:
        self.title = title
        self.coroutine = coroutine
        self.on_end = on_end
        self.app = app
        self.has_faults = app is not None  # what happens to people is not a fault of the cloud
        self.is_forged = False
        self.asked_about: str | None = None  # the vendor's task that it asked about last
        self.is_over = False


Tell = Callable[[object, str], None]


class Kernel:
    """The heap of what comes next, and the hands that do it."""

    def __init__(self, chance: Random, faults: Faults) -> None:
        self.now_ms = START_MS
        self.chance = chance
        self.faults = faults
        self.calls = 0
        self.current: Activity | None = None
        self.alive: dict[Activity, None] = {}
        self.tell: Tell | None = None
        self.before_resume: Callable[[Activity], None] | None = None
        self._draw = chance.random
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = 0
        self._dead: list[Coroutine[Any, Any, Any]] = []

    # ------------------------------------------------------------ time

    def after(self, delay_ms: int, do: Callable[..., None], *arguments: Any) -> None:
        """Do something later."""
        self._number += 1
        heappush(self._heap, (self.now_ms + delay_ms, self._number, do, arguments))

    def run_until(self, end_ms: int) -> None:
        """Do everything up to a moment."""
        heap = self._heap
        while heap and heap[0][0] <= end_ms:
            self.now_ms, _, do, arguments = heappop(heap)
            do(*arguments)
        self.now_ms = max(self.now_ms, end_ms)

    def run_some(self, steps: int) -> bool:
        """Do the next few things; False when there is nothing left."""
        heap = self._heap
        for _ in range(steps):
            if not heap:
                return False
            self.now_ms, _, do, arguments = heappop(heap)
            do(*arguments)
        return True

    @property
    def passed_ms(self) -> int:
        """Virtual time since the beginning."""
        return self.now_ms - START_MS

    def pause(self, delay_ms: int) -> Wait:
        """Let an activity wait."""
        return Wait(lambda activity: self.after(delay_ms, self.resume, activity, None))

    def soon(self, do: Callable[..., None], *arguments: Any) -> None:
        """Do something after as long as a call usually takes."""
        self._number += 1
        at_ms = self.now_ms + self.latency_ms()
        heappush(self._heap, (at_ms, self._number, do, arguments))

    def latency_ms(self) -> int:
        """How long a call usually takes."""
        draw = self._draw()
        if draw < _SLOW_SHARE:
            return int(draw / _SLOW_SHARE * _SLOW_MS) + 1
        return int(draw * _LATENCY_MS) + 1

    # ------------------------------------------------------------ activities

    def spawn(
        self,
        title: object,
        coroutine: Coroutine[Any, Any, Any],
        on_end: OnEnd,
        app: App | None = None,
    ) -> Activity:
        """Begin an activity in a moment: a function call, which has ports, or a person."""
        activity = Activity(title, coroutine, on_end, app)
        self.alive[activity] = None
        self.after(1, self.resume, activity, None)
        return activity

    def resume(self, activity: Activity, value: Any) -> None:
        """Give an activity what it waited for."""
        if not activity.is_over:
            self._step(activity, activity.coroutine.send, value)

    def throw(self, activity: Activity, error: Exception) -> None:
        """Let what an activity waited for fail."""
        if not activity.is_over:
            self._step(activity, activity.coroutine.throw, error)

    def kill(self, activity: Activity) -> None:
        """Its instance dies here and now."""
        if activity.is_over:
            return
        self._dead.append(activity.coroutine)
        self._end(activity, None, Killed())

    def bury(self) -> None:
        """Let go of the dead. Whoever is killed runs no cleanup, so this waits until the play is
        over and nobody listens."""
        self._dead += [activity.coroutine for activity in self.alive]
        for coroutine in self._dead:
            with suppress(RuntimeError):  # it would have waited for something in its cleanup
                coroutine.close()
        self._dead.clear()

    def _step(self, activity: Activity, go_on: Callable[[Any], Any], argument: Any) -> None:
        self.current = activity
        if self.before_resume is not None:
            self.before_resume(activity)
        try:
            awaited = go_on(argument)
        except StopIteration as stop:
            self._end(activity, stop.value, None)
        except Exception as error:  # noqa: BLE001 - whoever called the activity judges how it ended
            self._end(activity, None, error)
        else:
            if type(awaited) is Call:
                self._begin(activity, awaited)
            else:
                awaited.begin(activity)

    def _end(self, activity: Activity, value: Any, error: Exception | None) -> None:
        activity.is_over = True
        self.alive.pop(activity, None)
        if self.tell and activity.has_faults:
            self.tell(activity.title, _end_told(value, error))
        activity.on_end(value, error)

    # ------------------------------------------------------------ port calls

    def _begin(self, activity: Activity, call: Call) -> None:
        self.calls += 1
        if self.calls > CALLS_MAX:
            raise Violation(f"I11: {CALLS_MAX:,} port calls and no end")
        kind = self.faults.pick(call.port) if activity.has_faults else None
        if kind is None:
            self.soon(self._do, activity, call)
            return
        if self.tell:
            self.tell(activity.title, f"{_told(call)}: FAULT {kind}")
        getattr(self, f"_{kind}")(activity, call)

    def _do(self, activity: Activity, call: Call) -> None:
        """The effect happens and the activity hears of it."""
        value = self._effect(activity, call)
        if activity.is_over:
            return
        coroutine = activity.coroutine
        go_on = coroutine.throw if isinstance(value, Exception) else coroutine.send
        self._step(activity, go_on, value)

    def _effect(self, activity: Activity, call: Call) -> Any:
        self.current = activity
        try:
            value = call.effect(*call.arguments)
        except Exception as error:  # noqa: BLE001 - it is the activity's to see
            value = error
        if self.tell:
            failed = f": {type(value).__name__}" if isinstance(value, Exception) else ""
            self.tell(activity.title, f"{_told(call)}{failed}")
        return value

    # ------------------------------------------------------------ faults, by their names

    def _crash_before(self, activity: Activity, _call: Call) -> None:
        self.soon(self.kill, activity)

    def _crash_after(self, activity: Activity, call: Call) -> None:
        def happen() -> None:
            self._effect(activity, call)
            self.kill(activity)

        self.soon(happen)

    def _error_before(self, activity: Activity, call: Call) -> None:
        self.soon(self.throw, activity, call.failure())

    def _reply_lost(self, activity: Activity, call: Call) -> None:
        def happen() -> None:
            self._effect(activity, call)
            self.soon(self.throw, activity, call.failure())

        self.soon(happen)

    def _stall_before(self, activity: Activity, call: Call) -> None:
        """The process freezes before the request leaves it."""
        self.after(self.faults.stall_ms(), self._do, activity, call)

    def _stall_after(self, activity: Activity, call: Call) -> None:
        """The process freezes with the answer on its way: it may see that or its own timeout."""
        frozen_ms = self.faults.stall_ms()
        is_late = 0 < call.limit_ms < frozen_ms and self._draw() < 0.5

        def happen() -> None:
            value = self._effect(activity, call)
            if is_late:
                value = call.failure()
            thaw = self.throw if isinstance(value, Exception) else self.resume
            self.after(frozen_ms, thaw, activity, value)

        self.soon(happen)


def _told(call: Call) -> str:
    return f"{call.port} {call.tell(*call.arguments)}"


def _end_told(value: Any, error: Exception | None) -> str:
    if isinstance(error, Killed):
        return "is killed"
    if error is not None:
        return f"ends with {type(error).__name__}: {error}"
    return "ends" if value is None else f"ends: {value}"
