"""Virtual time and the activities in it: one thread resumes every coroutine, one heap says when.

The product awaits a port; the simulated port yields a `Call`; the kernel decides when its effect
happens, whether it happens, and when the activity hears of it.
"""

from collections.abc import Callable, Coroutine, Generator
from heapq import heappop, heappush
from random import Random
from typing import Any

from tests.simulation.faults import Faults

START_MS = 1_700_000_000_000

_LATENCY_MS = 40
_SLOW_SHARE = 0.05
_SLOW_MS = 2_000
_STALL_MS = (1_000, 400_000)


class Violation(BaseException):
    """Something that must never happen did. Not an Exception, so that no product code catches it."""


class Killed(Exception):
    """How a caller sees an activity whose instance died."""


class Call:
    """One awaited port call: what it does, and what the activity sees when it fails."""

    __slots__ = ("about", "effect", "failure", "limit_ms", "port")

    def __init__(
        self,
        port: str,
        effect: Callable[[], Any],
        failure: Callable[[], Exception],
        about: object = None,
        limit_ms: int = 0,
    ) -> None:
        self.port = port
        self.effect = effect
        self.failure = failure
        self.about = about
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


OnEnd = Callable[["Activity", Any, BaseException | None], None]


class Activity:
    """One coroutine that is being played: a function call in the cloud, or a person."""

    __slots__ = ("coroutine", "has_faults", "is_forged", "is_over", "name", "on_end")

    def __init__(
        self, name: str, coroutine: Coroutine[Any, Any, Any], on_end: OnEnd, has_faults: bool
    ) -> None:
        self.name = name
        self.coroutine = coroutine
        self.on_end = on_end
        self.has_faults = has_faults
        self.is_forged = False
        self.is_over = False


class Kernel:
    """The heap of what comes next, and the hands that do it."""

    def __init__(self, chance: Random, faults: Faults) -> None:
        self.now_ms = START_MS
        self.chance = chance
        self.faults = faults
        self.calls = 0
        self.steps = 0
        self.current: Activity | None = None
        self.alive: dict[Activity, None] = {}
        self.tell: Callable[[str, str], None] | None = None
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = 0

    # ------------------------------------------------------------ time

    def after(self, delay_ms: int, do: Callable[..., None], *arguments: Any) -> None:
        """Do something later."""
        self._number += 1
        heappush(self._heap, (self.now_ms + delay_ms, self._number, do, arguments))

    def step(self) -> bool:
        """Do the next thing; False when there is none."""
        if not self._heap:
            return False
        self.now_ms, _, do, arguments = heappop(self._heap)
        self.steps += 1
        do(*arguments)
        return True

    def next_ms(self) -> int | None:
        """When the next thing happens."""
        return self._heap[0][0] if self._heap else None

    def pause(self, delay_ms: int) -> Wait:
        """Let an activity wait."""
        return Wait(lambda activity: self.after(delay_ms, self.resume, activity))

    def latency_ms(self) -> int:
        """How long a call usually takes."""
        r = self.chance.random()
        if r < _SLOW_SHARE:
            return int(r / _SLOW_SHARE * _SLOW_MS) + 1
        return int(r * _LATENCY_MS) + 1

    # ------------------------------------------------------------ activities

    def spawn(
        self,
        name: str,
        coroutine: Coroutine[Any, Any, Any],
        on_end: OnEnd,
        *,
        has_faults: bool = True,
    ) -> Activity:
        """Begin an activity in a moment."""
        activity = Activity(name, coroutine, on_end, has_faults)
        self.alive[activity] = None
        self.after(1, self.resume, activity)
        return activity

    def resume(self, activity: Activity, value: Any = None) -> None:
        """Give an activity what it waited for."""
        if activity.is_over:
            return
        self.current = activity
        try:
            awaited = activity.coroutine.send(value)
        except StopIteration as stop:
            self._end(activity, stop.value, None)
        except Exception as error:
            self._end(activity, None, error)
        else:
            self._begin(activity, awaited)

    def throw(self, activity: Activity, error: Exception) -> None:
        """Let what an activity waited for fail."""
        if activity.is_over:
            return
        self.current = activity
        try:
            awaited = activity.coroutine.throw(error)
        except StopIteration as stop:
            self._end(activity, stop.value, None)
        except Exception as raised:
            self._end(activity, None, raised)
        else:
            self._begin(activity, awaited)

    def kill(self, activity: Activity) -> None:
        """Its instance dies here and now."""
        if activity.is_over:
            return
        activity.coroutine.close()
        self._end(activity, None, Killed())

    def _end(self, activity: Activity, value: Any, error: BaseException | None) -> None:
        activity.is_over = True
        self.alive.pop(activity, None)
        if self.tell:
            self.tell(activity.name, _said(value, error))
        activity.on_end(activity, value, error)

    # ------------------------------------------------------------ port calls

    def _begin(self, activity: Activity, awaited: Call | Wait) -> None:
        if type(awaited) is not Call:
            assert isinstance(awaited, Wait)
            awaited.begin(activity)
            return
        self.calls += 1
        fault = self.faults.pick(awaited.port) if activity.has_faults else None
        if fault is None:
            self.after(self.latency_ms(), self._do, activity, awaited)
            return
        if self.tell:
            self.tell(activity.name, f"{awaited.port} {awaited.about}: {fault}")
        getattr(self, f"_{fault}")(activity, awaited)

    def _do(self, activity: Activity, call: Call) -> None:
        """The effect happens and the activity hears of it."""
        if activity.is_over:
            return
        self.current = activity
        try:
            value = call.effect()
        except Exception as error:
            if self.tell:
                self.tell(activity.name, f"{call.port} {call.about}: {type(error).__name__}")
            self.throw(activity, error)
        else:
            if self.tell:
                self.tell(activity.name, f"{call.port} {call.about}")
            self.resume(activity, value)

    def _effect_alone(
        self, activity: Activity, call: Call, then: Callable[[Activity, Call, Any], None]
    ) -> None:
        """The effect happens; what the activity hears is another matter."""
        self.current = activity
        value: Any = None
        try:
            value = call.effect()
        except Exception as error:
            value = error
        then(activity, call, value)

    def _crash_before(self, activity: Activity, call: Call) -> None:
        self.after(self.latency_ms(), self.kill, activity)

    def _crash_after(self, activity: Activity, call: Call) -> None:
        self.after(self.latency_ms(), self._effect_alone, activity, call, self._then_kill)

    def _then_kill(self, activity: Activity, call: Call, value: Any) -> None:
        self.kill(activity)

    def _error(self, activity: Activity, call: Call) -> None:
        self.after(self.latency_ms(), self.throw, activity, call.failure())

    def _reply_lost(self, activity: Activity, call: Call) -> None:
        self.after(self.latency_ms(), self._effect_alone, activity, call, self._then_fail)

    def _then_fail(self, activity: Activity, call: Call, value: Any) -> None:
        self.after(self.latency_ms(), self.throw, activity, call.failure())

    def _stall(self, activity: Activity, call: Call) -> None:
        """The process freezes, before the effect or after it."""
        frozen_ms = self.chance.randrange(*_STALL_MS)
        if self.chance.random() < 0.5:
            self.after(frozen_ms, self._do, activity, call)
        else:
            self.after(
                self.latency_ms(),
                self._effect_alone,
                activity,
                call,
                lambda activity, call, value: self._thaw(activity, call, value, frozen_ms),
            )

    def _thaw(self, activity: Activity, call: Call, value: Any, frozen_ms: int) -> None:
        is_late = 0 < call.limit_ms < frozen_ms and self.chance.random() < 0.5
        if is_late:
            self.after(frozen_ms, self.throw, activity, call.failure())
        elif isinstance(value, Exception):
            self.after(frozen_ms, self.throw, activity, value)
        else:
            self.after(frozen_ms, self.resume, activity, value)


def _said(value: Any, error: BaseException | None) -> str:
    if isinstance(error, Killed):
        return "is killed"
    if error is not None:
        return f"ends with {type(error).__name__}: {error}"
    return "ends" if value is None else f"ends: {str(value)[:120]}"
