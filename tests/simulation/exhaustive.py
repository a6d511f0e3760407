"""Every single fault at every port call of the scenarios, and every pair of them in small ones."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

from shared import records
from tests.simulation.campaign import in_parallel
from tests.simulation.faults import PORT_FAULTS, Script
from tests.simulation.kernel import START_MS, Tell
from tests.simulation.scenarios import SCENARIOS, Scenario, build
from tests.simulation.seeds import Ran, play

# Long enough to outlive every deadline but the quarantine; and just past the send window.
LONG_STALL_MS, SHORT_STALL_MS = 205_000, 15_000
PAIRS_CALLS_MAX = 100  # a scenario with more calls is tried with single faults alone

At = Mapping[int, str]


class Run(NamedTuple):
    """One run of a scenario: what came of it, and the port of each call that it made."""

    ran: Ran
    calls: list[str]
    states: tuple[str, ...]
    seconds: float  # until the last change of a job


def run(scenario: Scenario, at: At, stall_ms: int = LONG_STALL_MS, tell: Tell | None = None) -> Run:
    """A scenario with faults at some of its calls."""
    always = {"client_retries": range(1000)}
    faults = Script(at, {**always, **scenario.world}, frozen_ms=stall_ms)
    world = build(scenario, faults)
    ran = play(world, 0, 0, tell)
    if ran.violations:
        ran.violations = {0: f"{scenario.name} with {dict(at)}: {ran.violations[0]}"}
    jobs = world.store.all(records.JOBS)
    last_ms = max((job["updated_at_ms"] for job in jobs), default=START_MS)
    states = tuple(job["state"] for job in jobs)
    return Run(ran, faults.calls, states, (last_ms - START_MS) / 1000)


def is_as_expected(scenario: Scenario, plain: Run) -> bool:
    """Whether a scenario without faults ended as it should, and soon enough."""
    is_soon = plain.seconds <= scenario.within_seconds
    return not plain.ran.violations and plain.states == scenario.ends and is_soon


def singles(calls: list[str], start: int = 0) -> Iterator[tuple[int, str]]:
    """Every fault that some call from `start` on can have."""
    for number in range(start, len(calls)):
        for kind, fault in PORT_FAULTS.items():
            if calls[number] in fault.ports:
                yield number, kind


def run_singles(scenario: Scenario) -> Ran:
    """Every single fault; a stall is tried short and long."""
    plain = run(scenario, {})
    total = _merge(Ran(), plain.ran)
    for number, kind in singles(plain.calls):
        _merge(total, run(scenario, {number: kind}).ran)
        if kind.startswith("stall"):
            _merge(total, run(scenario, {number: kind}, SHORT_STALL_MS).ran)
    return total


def run_pairs_after(scenario: Scenario, number: int, kind: str) -> Ran:
    """Every second fault after a first one."""
    first = {number: kind}
    total = Ran()
    for later, second in singles(run(scenario, first).calls, number + 1):
        _merge(total, run(scenario, {**first, later: second}).ran)
    return total


def run_all(processes: int) -> dict[str, Ran]:
    """All singles, and all pairs in small scenarios, by scenario."""
    totals = {scenario.name: Ran() for scenario in SCENARIOS}
    pieces: list[tuple[int, int, str]] = []
    for index, scenario in enumerate(SCENARIOS):
        pieces.append((index, -1, ""))
        calls = run(scenario, {}).calls
        if len(calls) <= PAIRS_CALLS_MAX:
            pieces += [(index, number, kind) for number, kind in singles(calls)]
    done = in_parallel(partial(_run_piece), pieces, processes)
    for (index, _, _), ran in zip(pieces, done, strict=True):
        _merge(totals[SCENARIOS[index].name], ran)
    return totals


def report(totals: Mapping[str, Ran], seconds: float) -> Iterator[str]:
    """What was tried and found, for a person."""
    for name, ran in totals.items():
        yield f"{ran.seeds:>9,} runs, {len(ran.violations)} violations: {name}"
        for text in list(ran.violations.values())[:5]:
            yield f"            {text}"
    runs = sum(ran.seeds for ran in totals.values())
    violations = sum(len(ran.violations) for ran in totals.values())
    yield f"{runs:>9,} runs, {violations} violations, {seconds:,.0f} s"


def _run_piece(piece: tuple[int, int, str]) -> Ran:
    index, number, kind = piece
    scenario = SCENARIOS[index]
    return run_pairs_after(scenario, number, kind) if kind else run_singles(scenario)


def _merge(total: Ran, ran: Ran) -> Ran:
    """Add runs; their violations are numbered, since there is no seed."""
    texts = list(ran.violations.values())
    ran.violations = {len(total.violations) + n: text for n, text in enumerate(texts)}
    total.add(ran)
    return total
