"""From a seed to a world: who comes, what they want, which troubles befall everybody, and when."""

import logging
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from traceback import format_exception

from shared import bootstrap, records
from tests.simulation.faults import KINDS, Swarm
from tests.simulation.kernel import Tell, Violation
from tests.simulation.people import Wish
from tests.simulation.stage import draw_stage
from tests.simulation.world import SWEEP_MS, World, image_of

_WISHES = (2, 20)
_LOAD_MS = (20_000, 240_000)
_FAULTS_MS = (240_000, 1_200_000, 3_600_000)
_PAUSE_MS = 3_600_000
_DOWN_MS = 600_000
# Through HTTP and with every rule of the real stores: slower, so only some seeds.
_HTTP_EVERY = 64
_STRICT_EVERY = 32


_SUMS = ("seeds", "jobs", "calls", "commits", "checks", "virtual_seconds", "barged")


@dataclass(slots=True)
class Ran:
    """What came of one run, or of many."""

    seeds: int = 0
    jobs: int = 0
    calls: int = 0
    commits: int = 0
    checks: int = 0
    virtual_seconds: int = 0
    barged: int = 0
    overtakings_max: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    violations: dict[int, str] = field(default_factory=dict)

    def add(self, other: "Ran") -> None:
        """Sum up."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.overtakings_max = max(self.overtakings_max, other.overtakings_max)
        self.fired += other.fired
        self.states += other.states
        self.refusals += other.refusals
        self.violations |= other.violations


def run_seed(seed: int, allowed: Collection[str] = KINDS, tell: Tell | None = None) -> Ran:
    """Play one seed to its end."""
    world, fault_ms = build(seed, allowed)
    return play(world, fault_ms, seed, tell)


def play(world: World, fault_ms: int, seed: int = 0, tell: Tell | None = None) -> Ran:
    """Play a world to its end, and say what happened. Violations are told, not raised."""
    world.kernel.tell = tell
    violation = None
    with _quiet(world):
        try:
            world.play(fault_ms)
        except Violation as found:
            violation = str(found)
        except Exception as error:  # noqa: BLE001 - a broken simulator must not look like a clean run
            violation = "the simulator broke: " + "".join(format_exception(error))
        if violation is not None and tell is not None:
            tell("VIOLATION", violation)
    return _count(world, seed, violation)


def build(seed: int, allowed: Collection[str] = KINDS) -> tuple[World, int]:
    """The world of a seed, and for how long it has faults."""
    chance = Random(seed)
    faults = Swarm(chance, allowed)
    stage = draw_stage(chance, has_two_versions=faults.hits("two_versions"))
    world = World(
        chance,
        faults,
        stage,
        sweep_ms=SWEEP_MS * (1 if chance.random() < 0.5 else 3),
        over_http=seed % _HTTP_EVERY == 0,
        strict=seed % _STRICT_EVERY == 1,
    )
    users = 2 + int(chance.random() * 3)
    world.open(users, 100 if chance.random() < 0.2 else 500)
    load_ms = _LOAD_MS[int(chance.random() * 2)]
    models = list(stage.catalogue.models)
    for number in range(_draw_wishes(chance)):
        user = int(chance.random() * users)
        model = models[int(chance.random() * len(models))]
        world.wish(
            _draw_wish(world, f"usr_{user}", number, model, load_ms), f"usr_{(user + 1) % users}"
        )
    fault_ms = _FAULTS_MS[int(chance.random() * 3)]
    _plan_troubles(world, load_ms)
    return world, fault_ms


def _draw_wishes(chance: Random) -> int:
    """Mostly few, since small worlds are many; sometimes enough to fill every line."""
    draw = chance.random()
    return _WISHES[0] + int(draw * draw * (_WISHES[1] - _WISHES[0]))


def _draw_wish(world: World, user_id: str, number: int, model: str, load_ms: int) -> Wish:
    draw = world.chance.random
    has_twin = world.faults.hits("client_doubles")
    has_key = draw() < 0.7
    after = draw()
    others = [
        other
        for other in world.stage.catalogue.models
        if other != model and other.rpartition("-")[2] == model.rpartition("-")[2]
    ]
    counts = world.stage.catalogue.models[model].capabilities.counts
    return Wish(
        user_id,
        number,
        model,
        start_ms=int(draw() * load_ms),
        key=f"key-{number}" if has_key else None,
        image_id=image_of(user_id) if draw() < 0.2 else None,
        count=counts[int(draw() * draw() * len(counts))],
        fallback_models=tuple(others) if draw() < 0.5 else (),
        twin_after_ms=int(draw() * 400) if has_twin else None,
        twin_wants_other=has_key and draw() < 0.3,
        cancel_after_ms=int(draw() * draw() * 60_000) if after < 0.25 else None,
        looks=2 if 0.25 <= after < 0.4 else 0,
        delete_after_ms=int(draw() * 120_000) if after > 0.85 else None,
    )


def _plan_troubles(world: World, load_ms: int) -> None:
    chance, faults = world.chance, world.faults
    for kind, by in (("limit_lowered", -1), ("limit_raised", 1)):
        if faults.hits(kind):
            world.plan(int(chance.random() * load_ms), lambda by=by: world.change_places(by))  # type: ignore[misc]
    names = world.queue.names()
    if faults.hits("queue_paused"):
        name, pause_ms = names[int(chance.random() * len(names))], int(chance.random() * _PAUSE_MS)
        world.plan(int(chance.random() * load_ms), lambda: world.queue.pause(name, pause_ms))
    if faults.hits("queue_purged"):
        purged = names[int(chance.random() * len(names))]
        world.plan(int(chance.random() * load_ms), lambda: world.queue.purge(purged))
    for kind, is_revoked in (("key_revoked", True), ("vendor_broken", False)):
        if faults.hits(kind):
            length_ms = int(chance.random() * _DOWN_MS)
            world.plan(
                int(chance.random() * load_ms),
                lambda r=is_revoked, ms=length_ms: world.trouble(ms, is_revoked=r),  # type: ignore[misc]
            )
    if faults.hits("switched_off"):
        off_ms = int(chance.random() * _DOWN_MS)
        world.plan(int(chance.random() * load_ms), lambda: world.switch_off(off_ms))
    if faults.hits("store_down"):
        down_ms = int(chance.random() * _DOWN_MS)
        world.plan(int(chance.random() * load_ms), lambda: _take_down(world, down_ms))


def _take_down(world: World, down_ms: int) -> None:
    world.store.down_until_ms = world.kernel.now_ms + down_ms


def _count(world: World, seed: int, violation: str | None) -> Ran:
    jobs = list(world.store.all(records.JOBS))
    invariants = world.invariants
    return Ran(
        seeds=1,
        jobs=len(jobs),
        calls=world.kernel.calls,
        commits=invariants.commits,
        checks=invariants.checks,
        virtual_seconds=world.kernel.passed_ms // 1000,
        barged=invariants.fairness.barged,
        overtakings_max=invariants.fairness.overtakings_max,
        fired=Counter(world.faults.fired),
        states=Counter(job["state"] for job in jobs),
        refusals=Counter(world.refusals),
        violations={} if violation is None else {seed: violation},
    )


@contextmanager
def _quiet(world: World) -> Iterator[None]:
    """The product's log is silent, the dead say nothing, and no App of a run stays behind."""
    before, hook = logging.root.manager.disable, sys.unraisablehook
    logging.disable(logging.CRITICAL)
    sys.unraisablehook = _say_nothing
    try:
        yield
    finally:
        world.kernel.tell = None
        world.kernel.bury()
        logging.disable(before)
        sys.unraisablehook = hook
        bootstrap.provide(None)


def _say_nothing(_unraisable: object) -> None:
    """Generators of the dead complain that they were not closed."""


def unfired(fired: Mapping[str, int], allowed: Collection[str] = KINDS) -> list[str]:
    """The kinds of faults that should have happened and never did."""
    return [kind for kind in KINDS if kind in allowed and not fired.get(kind)]
