"""What can go wrong, how likely it is in one run, and how often it happened.

The numbers are those of the fault list in the specification.
"""

from collections.abc import Collection, Mapping
from random import Random
from typing import NamedTuple, Protocol

READS = ("read", "query")
WRITES = ("commit", "push", "send", "put")
PORTS = (*READS, *WRITES, "fetch", "blob", "media")


class PortFault(NamedTuple):
    """A fault of one awaited port call; its name is that of the kernel's method."""

    number: int
    ports: tuple[str, ...]
    odds: float


class WorldFault(NamedTuple):
    """A fault of the world around: odds of one opportunity, and what it is."""

    number: int | None
    odds: float
    story: str


PORT_FAULTS: Mapping[str, PortFault] = {
    "crash_before": PortFault(1, PORTS, 0.004),
    "crash_after": PortFault(2, WRITES, 0.008),
    "error_before": PortFault(3, PORTS, 0.004),
    "reply_lost": PortFault(4, WRITES, 0.008),  # of a push it is fault 10
    "stall_before": PortFault(5, PORTS, 0.002),
    "stall_after": PortFault(5, PORTS, 0.002),
}
WORLD_FAULTS: Mapping[str, WorldFault] = {
    "deadline": WorldFault(6, 0, "a request outlives its caller"),
    "contention": WorldFault(7, 0.02, "a commit is aborted"),
    "task_twice": WorldFault(8, 0.03, "a task is delivered twice at once"),
    "task_late": WorldFault(9, 0.03, "a task comes minutes late"),
    "task_storm": WorldFault(11, 0.01, "a queue meets 503 for up to two minutes"),
    "hook_twice": WorldFault(12, 0.1, "a webhook comes three times"),
    "hook_lost": WorldFault(13, 0.15, "a webhook is lost"),
    "hook_late": WorldFault(14, 0.1, "a webhook is minutes late"),
    "hook_early": WorldFault(14, 0.1, "a generation ends before its submit is answered"),
    "hook_mixed_up": WorldFault(15, 0.1, "a genuine webhook names another job's task"),
    "hook_forged": WorldFault(15, 0.15, "a webhook with a wrong mac, signature, task or job"),
    "vendor_busy": WorldFault(16, 0.08, "the vendor takes nothing now"),
    "not_sent": WorldFault(16, 0.02, "the vendor's address refuses the connection"),
    "vendor_rejects": WorldFault(17, 0.05, "the vendor refuses an order for good"),
    "submit_not_accepted": WorldFault(18, 0.05, "a submit times out and was not accepted"),
    "vendor_500": WorldFault(18, 0.03, "the vendor breaks, and nothing happened"),
    "submit_accepted": WorldFault(19, 0.06, "a submit was accepted and no answer says so"),
    "accept_and_drop": WorldFault(19, 0.02, "an order is accepted and forgotten"),
    "generation_fails": WorldFault(20, 0.1, "a generation fails"),
    "generation_hangs": WorldFault(21, 0.04, "a generation runs until the vendor's own limit"),
    "generation_late": WorldFault(21, 0.04, "a result comes after our deadline"),
    "lookup_lag": WorldFault(22, 0.3, "what was accepted cannot be seen for 20 s"),
    "clock_skew": WorldFault(23, 0.7, "every function call has a clock up to 20 s wrong"),
    "client_retries": WorldFault(25, 0.7, "a client tries again after no usable answer"),
    "client_doubles": WorldFault(25, 0.15, "a client sends the same wish twice at once"),
    "sweep_skipped": WorldFault(26, 0.15, "the scheduler leaves a sweep out"),
    "vendor_slow": WorldFault(None, 0.1, "the vendor thinks for up to 20 s"),
    "status_fails": WorldFault(None, 0.05, "a status call is answered by an error page"),
    "result_dead": WorldFault(None, 0.02, "a result's address never serves it"),
    "result_asleep": WorldFault(None, 0.05, "a result's address serves it minutes later"),
    "result_bad": WorldFault(None, 0.04, "a result does not decode"),
    "result_huge": WorldFault(None, 0.02, "a result is larger than its cap"),
    "partial_download": WorldFault(None, 0.04, "a download breaks off"),
    "two_versions": WorldFault(None, 0.3, "two versions of the code are deployed"),
    "result_fewer": WorldFault(None, 0.1, "the vendor makes one picture less than asked for"),
    "key_revoked": WorldFault(None, 0.1, "the vendor does not know our key for up to ten minutes"),
    "vendor_broken": WorldFault(None, 0.1, "every generation fails for up to ten minutes"),
    "switched_off": WorldFault(None, 0.1, "the operator switches a vendor or a model off, and on"),
    "limit_lowered": WorldFault(None, 0.1, "a pool loses a place while it is in use"),
    "limit_raised": WorldFault(None, 0.1, "a pool gets a place"),
    "queue_paused": WorldFault(None, 0.06, "a queue is paused for up to an hour"),
    "queue_purged": WorldFault(None, 0.08, "a queue is purged: its tasks are gone"),
    "store_down": WorldFault(None, 0.06, "the store is away for up to ten minutes"),
}
# Every port fault counts for itself at every port: `crash_after commit`.
PORT_KINDS = tuple(f"{kind} {port}" for kind, fault in PORT_FAULTS.items() for port in fault.ports)
KINDS = (*PORT_KINDS, *WORLD_FAULTS)
_OFF_SHARE = 1 / 3
_ODDS_MAX = 0.9
_STALL_MS = (1_000, 400_000)


class Faults(Protocol):
    """Who decides what goes wrong. `fired` counts by kind."""

    fired: dict[str, int]
    is_on: bool

    def pick(self, port: str) -> str | None:
        """The fault of this port call, if it has one: a method of the kernel."""
        ...

    def hits(self, kind: str) -> bool:
        """Whether this opportunity of a fault of the world is taken."""
        ...

    def stall_ms(self) -> int:
        """For how long a process freezes."""
        ...


def note(faults: Faults, kind: str) -> None:
    """Count a fault."""
    faults.fired[kind] = faults.fired.get(kind, 0) + 1


class Swarm:
    """One run's odds, drawn from its seed: about a third of the kinds is off."""

    def __init__(self, chance: Random, allowed: Collection[str] = KINDS) -> None:
        self._draw = chance.random
        self.fired: dict[str, int] = {}
        self.is_on = True
        self._odds = {kind: self._odd(kind, fault.odds) for kind, fault in WORLD_FAULTS.items()}
        by_fault = {kind: self._odd(kind, fault.odds) for kind, fault in PORT_FAULTS.items()}
        self._by_port = {port: self._stack(port, by_fault, allowed) for port in PORTS}
        for kind in WORLD_FAULTS:
            if kind not in allowed:
                self._odds[kind] = 0.0

    def pick(self, port: str) -> str | None:
        """See Faults."""
        if not self.is_on:
            return None
        draw = self._draw()
        total, stacked = self._by_port[port]
        if draw >= total:
            return None
        kind = next(kind for upto, kind in stacked if draw < upto)
        note(self, f"{kind} {port}")
        return kind

    def hits(self, kind: str) -> bool:
        """See Faults."""
        odds = self._odds[kind]
        if odds == 0.0 or not self.is_on or self._draw() >= odds:
            return False
        note(self, kind)
        return True

    def stall_ms(self) -> int:
        """See Faults."""
        return _STALL_MS[0] + int(self._draw() * (_STALL_MS[1] - _STALL_MS[0]))

    def _odd(self, kind: str, odds: float) -> float:
        scale, off = 4 ** (2 * self._draw() - 1), self._draw() < _OFF_SHARE
        return 0.0 if off else min(odds * scale, _ODDS_MAX)

    def _stack(
        self, port: str, odds: Mapping[str, float], allowed: Collection[str]
    ) -> tuple[float, tuple[tuple[float, str], ...]]:
        total, steps = 0.0, []
        for kind, fault in PORT_FAULTS.items():
            if port in fault.ports and odds[kind] and f"{kind} {port}" in allowed:
                total += odds[kind]
                steps.append((total, kind))
        return total, tuple(steps)


class Script:
    """Chosen faults at chosen port calls, and a world that always does the same: `world` says at
    which opportunities a kind happens."""

    def __init__(
        self,
        at: Mapping[int, str],
        world: Mapping[str, Collection[int]],
        *,
        frozen_ms: int = 205_000,
    ) -> None:
        self.fired: dict[str, int] = {}
        self.is_on = True
        self.calls: list[str] = []  # the port of every call that could have had a fault
        self._at = at
        self._world = world
        self._frozen_ms = frozen_ms
        self._seen: dict[str, int] = {}

    def pick(self, port: str) -> str | None:
        """See Faults. A fault that this port cannot have does not happen."""
        kind = self._at.get(len(self.calls))
        self.calls.append(port)
        if kind is None or port not in PORT_FAULTS[kind].ports:
            return None
        note(self, f"{kind} {port}")
        return kind

    def hits(self, kind: str) -> bool:
        """See Faults."""
        planned = self._world.get(kind)
        if planned is None:
            return False
        opportunity = self._seen.get(kind, 0)
        self._seen[kind] = opportunity + 1
        if opportunity not in planned:
            return False
        note(self, kind)
        return True

    def stall_ms(self) -> int:
        """See Faults."""
        return self._frozen_ms
