"""Plays seeds, tells one seed's story, tries every fault and every pair, and hunts the mutants.

The simulator itself is in tests/simulation. The exit status is 1 when anything was found, and when
a kind of fault never fired.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence

from tests.simulation import campaign, exhaustive, hunting, story
from tests.simulation.faults import KINDS
from tests.simulation.seeds import unfired

SEEDS = 10_000
MUTANT_SEEDS = 2_000


def main(arguments: Sequence[str]) -> int:
    """Run one of the four; returns the exit status."""
    asked = _parser().parse_args(arguments)
    if asked.trace:
        return story.tell(asked.seed, _allowed(asked.faults))
    if asked.exhaustive:
        return _exhaust(asked.jobs)
    if asked.mutants:
        return hunting.hunt_all(asked.seeds or MUTANT_SEEDS, asked.jobs)
    first, count = (
        (asked.seed, 1) if asked.seed is not None else (asked.first, asked.seeds or SEEDS)
    )
    return _play(first, count, _allowed(asked.faults), asked.jobs)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--seeds", type=int, help=f"how many seeds (default {SEEDS})")
    add("--from", dest="first", type=int, default=0, help="the first of them")
    add("--seed", type=int, help="this one seed")
    add("--trace", action="store_true", help="with --seed: who did what when, line by line")
    add("--faults", help="only these kinds, with commas; their names stand in the report")
    add("--exhaustive", action="store_true", help="every fault and every pair in small scenarios")
    add("--mutants", action="store_true", help="hunt every mutant with up to --seeds seeds")
    add("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    return parser


def _allowed(faults: str | None) -> Sequence[str]:
    if not faults:
        return KINDS
    wanted = [kind.strip() for kind in faults.split(",") if kind.strip()]
    allowed = [kind for kind in KINDS if any(kind == w or kind.startswith(f"{w} ") for w in wanted)]
    unknown = [
        w for w in wanted if not any(kind == w or kind.startswith(f"{w} ") for kind in KINDS)
    ]
    if unknown:
        sys.exit(f"there are no faults {unknown}; there are: {', '.join(KINDS)}")
    return allowed


def _play(first: int, count: int, allowed: Sequence[str], processes: int) -> int:
    ran, seconds = campaign.run_seeds(first, count, allowed, processes)
    print(campaign.report(ran, seconds, processes, allowed))
    is_large = count >= SEEDS
    silent = unfired(ran.fired, allowed) if is_large else []
    return 1 if ran.violations or silent else 0


def _exhaust(processes: int) -> int:
    began = time.perf_counter()
    counts = exhaustive.run_all(processes)
    for line in exhaustive.report(counts, time.perf_counter() - began):
        print(line)
    return 1 if any(counted.violations for counted in counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
