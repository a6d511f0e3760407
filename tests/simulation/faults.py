"""What can go wrong, how likely it is in one run, and how often it happened."""

from collections.abc import Mapping, Sequence
from random import Random

# Faults of a port call: kind -> (ports, odds). The names are methods of the kernel.
_EVERY = ("read", "query", "commit", "push", "send", "fetch", "put", "blob", "media")
CALL_FAULTS: Mapping[str, tuple[Sequence[str], float]] = {
    "crash_before": (_EVERY, 0.004),
    "crash_after": (("commit", "push", "send", "put"), 0.008),
    "error": (_EVERY, 0.004),
    "reply_lost": (("commit", "push", "send", "put"), 0.008),
    "stall": (_EVERY, 0.004),
}
# Faults of the world around: kind -> odds of one opportunity.
WORLD_FAULTS: Mapping[str, float] = {
    "contention": 0.02,
    "deadline": 0.0,  # counted when a request outlives its caller
    "task_twice": 0.03,
    "task_late": 0.03,
    "task_storm": 0.01,
    "hook_twice": 0.1,
    "hook_lost": 0.15,
    "hook_late": 0.1,
    "hook_forged": 0.1,
    "vendor_busy": 0.08,
    "vendor_rejects": 0.05,
    "submit_not_accepted": 0.04,
    "submit_accepted": 0.04,
    "generation_fails": 0.1,
    "generation_hangs": 0.06,
    "generation_late": 0.04,
    "accept_and_drop": 0.02,
    "lookup_lag": 0.3,
    "vendor_500": 0.03,
    "vendor_slow": 0.1,
    "not_sent": 0.03,
    "result_dead": 0.05,
    "result_bad": 0.04,
    "result_huge": 0.02,
    "partial_download": 0.04,
    "clock_skew": 0.7,
    "client_retries": 0.2,
    "client_doubles": 0.1,
    "sweep_skipped": 0.15,
    "two_versions": 0.3,
    "limit_lowered": 0.1,
    "queue_paused": 0.03,
    "store_down": 0.03,
}
KINDS = (*CALL_FAULTS, *WORLD_FAULTS)
_OFF_SHARE = 1 / 3


class Faults:
    """One run's odds, drawn from its seed: about a third of the kinds is off."""

    def __init__(self, chance: Random, allowed: Sequence[str] = KINDS) -> None:
        self._chance = chance
        self.fired: dict[str, int] = dict.fromkeys(KINDS, 0)
        self.is_on = True
        self.odds: dict[str, float] = {}
        for kind in KINDS:
            base = CALL_FAULTS[kind][1] if kind in CALL_FAULTS else WORLD_FAULTS[kind]
            scale = 4 ** (2 * chance.random() - 1)
            is_off = chance.random() < _OFF_SHARE or kind not in allowed
            self.odds[kind] = 0.0 if is_off else min(base * scale, 0.9)
        self._by_port = {port: self._stacked(port) for port in _EVERY}

    def pick(self, port: str) -> str | None:
        """The fault of this port call, if it has one."""
        if not self.is_on:
            return None
        draw = self._chance.random()
        total, stacked = self._by_port[port]
        if draw >= total:
            return None
        for upto, kind in stacked:
            if draw < upto:
                self.fired[kind] += 1
                return kind
        raise AssertionError("the total is the last step")

    def hits(self, kind: str) -> bool:
        """Whether this opportunity of a fault is taken."""
        odds = self.odds[kind]
        if odds == 0.0 or not self.is_on or self._chance.random() >= odds:
            return False
        self.fired[kind] += 1
        return True

    def _stacked(self, port: str) -> tuple[float, tuple[tuple[float, str], ...]]:
        total, steps = 0.0, []
        for kind, (ports, _) in CALL_FAULTS.items():
            if port in ports and self.odds[kind]:
                total += self.odds[kind]
                steps.append((total, kind))
        return total, tuple(steps)
