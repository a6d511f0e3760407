"""Many runs on all cores, and the report of what they were and what they found."""

import gc
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from tests.simulation.faults import KINDS, WORLD_FAULTS
from tests.simulation.seeds import Ran, run_seed, unfired

_CHUNK = 50
VIOLATIONS_SHOWN = 10


def run_seeds(
    first: int, count: int, allowed: Collection[str] = KINDS, processes: int = 2
) -> tuple[Ran, float]:
    """Play `count` seeds; what came of them, and the seconds it took."""
    began = time.perf_counter()
    chunks = [
        range(start, min(start + _CHUNK, first + count))
        for start in range(first, first + count, _CHUNK)
    ]
    total = Ran()
    for ran in in_parallel(partial(_run_chunk, allowed=tuple(allowed)), chunks, processes):
        total.add(ran)
    return total, time.perf_counter() - began


def in_parallel(work: partial[Ran], pieces: Collection[object], processes: int) -> Iterator[Ran]:
    """Do pieces of work in processes of their own, which start afresh and share nothing."""
    if processes == 1:
        yield from map(work, pieces)
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=relax_gc) as pool:
        yield from pool.map(work, pieces)


def relax_gc() -> None:
    """Less often than usual, since a world lives long; but before the next worlds have pushed a
    dropped one out of the processor's caches, after which taking it apart costs three times as
    much."""
    gc.set_threshold(2_000, 50, 50)


def report(ran: Ran, seconds: float, processes: int, allowed: Collection[str] = KINDS) -> str:
    """What a campaign was and found, for a person."""
    cores = max(1, processes) * seconds
    hours, per_job = ran.virtual_seconds / 3600, ran.calls / max(1, ran.jobs)
    speed = f"{ran.jobs / cores:,.0f} jobs and {ran.calls / cores:,.0f} port calls"
    lines = [
        f"{ran.seeds:,} seeds, {ran.jobs:,} jobs, {hours:,.0f} hours of virtual time",
        f"{seconds:.1f} s on {processes} processes: {speed} a second and process",
        f"{per_job:.0f} port calls a job, {ran.commits:,} commits, {ran.checks:,} things checked",
        f"overtaken at most {ran.overtakings_max} times; {ran.barged:,} newcomers passed a line",
        "jobs ended as: " + _counted(ran.states),
        "refused: " + _counted(ran.refusals),
        f"{sum(ran.fired.values()):,} faults:",
        *_fault_lines(ran),
    ]
    silent = unfired(ran.fired, allowed)
    if silent:
        lines.append("NEVER FIRED: " + ", ".join(silent))
    lines.append(f"{len(ran.violations)} violations")
    for seed, text in list(ran.violations.items())[:VIOLATIONS_SHOWN]:
        lines.append(f"  seed {seed}: {text}")
    return "\n".join(lines)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {counts[name]:,}" for name in sorted(counts)) or "none"


def _fault_lines(ran: Ran) -> list[str]:
    lines = [f"  {ran.fired[kind]:>9,}  {kind}" for kind in KINDS if kind not in WORLD_FAULTS]
    for kind, fault in WORLD_FAULTS.items():
        lines.append(f"  {ran.fired[kind]:>9,}  {kind}: {fault.story}")
    return lines


def _run_chunk(seeds: range, allowed: Collection[str]) -> Ran:
    total = Ran()
    for seed in seeds:
        total.add(run_seed(seed, allowed))
    return total
