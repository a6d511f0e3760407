"""Runs: one seed is one world; many seeds are a campaign with a report."""

import logging
from random import Random
from typing import NamedTuple

from tests.simulation.faults import KINDS, Faults
from tests.simulation.kernel import Violation
from tests.simulation.people import Wish
from tests.simulation.stage import set_stage
from tests.simulation.world import World

LOAD_MS = 240_000


class Outcome(NamedTuple):
    seed: int
    jobs: int
    calls: int
    violation: str | None
    fired: dict[str, int]
    states: dict[str, int]


def build(seed: int, allowed=KINDS) -> World:
    chance = Random(seed)
    faults = Faults(chance, allowed)
    stage = set_stage(chance, has_two_versions=faults.hits("two_versions"))
    world = World(chance, faults, stage)
    users = 2 + int(chance.random() * 3)
    world.open(users, 100 if chance.random() < 0.2 else 500)
    models = list(stage.catalogue.models)
    window_ms = LOAD_MS if chance.random() < 0.5 else LOAD_MS // 8
    for number in range(6 + int(chance.random() * 13)):
        user = int(chance.random() * users)
        model = models[int(chance.random() * len(models))]
        key = f"key-{number}" if chance.random() < 0.7 else None
        wish = Wish(f"usr_{user}", number, model, key, int(chance.random() * window_ms))
        world.wish(wish, f"usr_{(user + 1) % users}")
    return world


def run(seed: int, allowed=KINDS, tell=None) -> Outcome:
    world = build(seed, allowed)
    if tell:
        world.kernel.tell = lambda who, what: tell(world.kernel.now_ms, who, what)
    violation = None
    try:
        world.play(LOAD_MS)
    except Violation as found:
        violation = str(found)
        if tell:
            tell(world.kernel.now_ms, "VIOLATION", violation)
    except Exception as e:
        import traceback
        violation = "crash " + traceback.format_exc()
    states = {}
    jobs = list(world.store.all("jobs"))
    for job in jobs:
        states[job["state"]] = states.get(job["state"], 0) + 1
    return Outcome(seed, len(jobs), world.kernel.calls, violation, world.faults.fired, states)


if __name__ == "__main__":
    import sys, time
    logging.disable(logging.CRITICAL)
    if sys.argv[1] == "trace":
        def tell(now, who, what):
            print(f"{(now-1_700_000_000_000)/1000:10.3f} {who:40.40} {what}"[:260])
        o = run(int(sys.argv[2]), tell=tell)
        print(o)
        sys.exit()
    t = time.time()
    n = jobs = calls = 0
    fired = {}; states = {}; bad = {}
    for seed in range(int(sys.argv[1]), int(sys.argv[2])):
        o = run(seed)
        n += 1; jobs += o.jobs; calls += o.calls
        for k, v in o.fired.items(): fired[k] = fired.get(k, 0) + v
        for k, v in o.states.items(): states[k] = states.get(k, 0) + v
        if o.violation:
            bad.setdefault(o.violation[:40] if not o.violation.startswith("crash") else o.violation[-200:], []).append((seed, o.violation))
    dt = time.time() - t
    print(f"{n} seeds {jobs} jobs {calls} calls {dt:.1f}s: {jobs/dt:.0f} jobs/s {calls/dt:.0f} calls/s {dt/n*1000:.1f} ms/seed")
    print(fired); print(states)
    for k, v in bad.items():
        print(len(v), k, v[:3])
