"""Every single fault, and every pair of faults, at every port call of the small scenarios."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

from shared import records
from tests.simulation.campaign import in_parallel
from tests.simulation.faults import PORT_FAULTS, Script
from tests.simulation.kernel import Tell
from tests.simulation.scenarios import SCENARIOS, Scenario, build
from tests.simulation.seeds import Ran, play

# Long enough to outlive every deadline but the quarantine; and just past the send window.
LONG_STALL_MS, SHORT_STALL_MS = 205_000, 15_000

At = Mapping[int, str]


class Run(NamedTuple):
    """One run of a scenario: what came of it, and the port of each call that it made."""

    ran: Ran
    calls: list[str]
    states: tuple[str, ...]


def run(scenario: Scenario, at: At, stall_ms: int = LONG_STALL_MS, tell: Tell | None = None) -> Run:
    """A scenario with faults at some of its calls."""
    faults = Script(at, scenario.world, frozen_ms=stall_ms)
    world = build(scenario, faults)
    ran = play(world, 0, 0, tell)
    if ran.violations:
        ran.violations = {0: f"{scenario.name} with {dict(at)}: {ran.violations[0]}"}
    states = tuple(job["state"] for job in world.store.all(records.JOBS))
    return Run(ran, faults.calls, states)


def singles(calls: list[str], start: int = 0) -> Iterator[tuple[int, str]]:
    """Every fault that some call from `start` on can have."""
    for number in range(start, len(calls)):
        for kind, fault in PORT_FAULTS.items():
            if calls[number] in fault.ports:
                yield number, kind


def run_singles(scenario: Scenario) -> Ran:
    """Every single fault; a stall is tried short and long."""
    total = _numbered(Ran(), run(scenario, {}))
    for number, kind in singles(run(scenario, {}).calls):
        _numbered(total, run(scenario, {number: kind}))
        if kind.startswith("stall"):
            _numbered(total, run(scenario, {number: kind}, SHORT_STALL_MS))
    return total


def run_pairs_after(piece: tuple[int, int, str]) -> Ran:
    """Every second fault after a first one."""
    scenario = SCENARIOS[piece[0]]
    first = {piece[1]: piece[2]}
    total = Ran()
    for number, kind in singles(run(scenario, first).calls, piece[1] + 1):
        _numbered(total, run(scenario, {**first, number: kind}))
    return total


def run_all(processes: int) -> Ran:
    """All singles and all pairs of all scenarios."""
    total = Ran()
    pieces = []
    for index, scenario in enumerate(SCENARIOS):
        _merge(total, run_singles(scenario))
        calls = run(scenario, {}).calls
        pieces += [(index, number, kind) for number, kind in singles(calls)]
    for ran in in_parallel(partial(run_pairs_after), pieces, processes):
        _merge(total, ran)
    return total


def _numbered(total: Ran, done: Run) -> Ran:
    """Add a run; violations are numbered, since there is no seed."""
    return _merge(total, done.ran)


def _merge(total: Ran, ran: Ran) -> Ran:
    texts = list(ran.violations.values())
    ran.violations = {len(total.violations) + n: text for n, text in enumerate(texts)}
    total.add(ran)
    return total
