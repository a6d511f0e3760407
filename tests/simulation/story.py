"""One seed as a story: a line for everything that happened, with its time and who did it."""

import hashlib
from collections.abc import Callable, Collection

from tests.simulation.faults import KINDS
from tests.simulation.seeds import Ran, build, play

_WHO = 44
_LINE_MAX = 220


def tell(seed: int, allowed: Collection[str] = KINDS) -> int:
    """Print a seed's story; returns 1 when it ends badly."""
    ran = listen(seed, print, allowed)
    states = ", ".join(f"{count} {state}" for state, count in sorted(ran.states.items()))
    print(f"seed {seed}: {ran.jobs} jobs ({states}), {ran.calls} port calls")
    return 1 if ran.violations else 0


def fingerprint(seed: int) -> str:
    """What tells two runs of a seed apart, should they differ in anything that can be told."""
    digest = hashlib.sha256()
    listen(seed, lambda line: digest.update(line.encode()))
    return digest.hexdigest()


def listen(seed: int, hear: Callable[[str], object], allowed: Collection[str] = KINDS) -> Ran:
    """Play a seed and hear every line of its story."""
    world, fault_ms = build(seed, allowed)

    def line(who: object, what: str) -> None:
        seconds = world.kernel.passed_ms / 1000
        hear(f"{seconds:10.3f}  {who!s:{_WHO}.{_WHO}} {what}"[:_LINE_MAX])

    return play(world, fault_ms, seed, line)
