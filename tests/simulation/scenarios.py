"""Small plays, always the same: into each, faults are put at every port call."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from tests.simulation.faults import Script
from tests.simulation.kernel import START_MS
from tests.simulation.people import Wish
from tests.simulation.stage import SETTINGS, Stage, catalogue_of
from tests.simulation.vendor import Traits
from tests.simulation.world import World

VENDOR = Traits("ada", places=1, run_limit_ms=300_000)
_ALWAYS = range(1000)
_PURGE_EVERY_MS = 10


@dataclass(frozen=True, slots=True)
class Scenario:
    """A play, and how its jobs end, and how soon, when nothing goes wrong besides what it is about.

    Where a job stays long in one place, the timers make the product look at it less often: there
    are fewer calls then to put faults at, and not fewer kinds of calls.
    """

    name: str
    wishes: tuple[Wish, ...]
    ends: tuple[str, ...]
    vendor: Traits = VENDOR
    world: Mapping[str, Collection[int]] = field(default_factory=dict)
    others: tuple[Traits, ...] = ()
    revoked_ms: int = 0  # how long the vendor does not know our key
    purged_until_ms: int = 0  # how long every task is lost while it waits
    late_result: str = "gift"
    within_seconds: int = 40
    timers: Mapping[str, int] = field(default_factory=dict)


def _wish(number: int, start_ms: int = 0, **more: Any) -> Wish:
    key = f"key-{number}"
    return Wish(f"usr_{number % 2}", number, "ada-image", start_ms, key, **more)


_SELDOM = {"check_first_seconds": 60, "check_max_seconds": 900, "unknown_again_seconds": 60}
ANSWERING = replace(
    VENDOR,
    finds_by_our_id=False,
    can_cancel=False,
    sends_hooks=False,
    refuses_duplicates=False,
    answers_with_results=True,
)
_UNHEARD = replace(VENDOR, finds_by_our_id=False, sends_hooks=False, echoes_our_id=False)

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("success", (_wish(0),), ("done",)),
    Scenario("success by polling", (_wish(0),), ("done",), replace(VENDOR, sends_hooks=False)),
    Scenario(
        "two successes, seen late",
        (_wish(0), _wish(1, 500)),
        ("done", "done"),
        replace(VENDOR, sends_hooks=False),
        {"lookup_lag": _ALWAYS},
        within_seconds=60,
    ),
    Scenario(
        "hangs until its limit, seen late",
        (_wish(0),),
        ("gifted",),
        replace(VENDOR, sends_hooks=False),
        {"lookup_lag": _ALWAYS, "generation_hangs": _ALWAYS},
        within_seconds=2_500,
        timers={"check_max_seconds": 900},
    ),
    Scenario(
        "the first tasks are purged",
        (_wish(0),),
        ("done",),
        purged_until_ms=5_000,
        within_seconds=150,
    ),
    Scenario("vendor failure", (_wish(0),), ("failed",), world={"generation_fails": _ALWAYS}),
    Scenario("busy, then success", (_wish(0),), ("done",), world={"vendor_busy": {0}}),
    Scenario(
        "busy, then unknown",
        (_wish(0),),
        ("failed",),
        replace(_UNHEARD, refuses_duplicates=False),
        {"vendor_busy": {0}, "submit_accepted": {1}},
        within_seconds=2_500,
        timers=_SELDOM,
    ),
    Scenario(
        "busy for ever",
        (_wish(0),),
        ("failed",),
        world={"vendor_busy": _ALWAYS},
        within_seconds=300,
    ),
    Scenario("rejected", (_wish(0),), ("failed",), world={"vendor_rejects": _ALWAYS}),
    Scenario(
        "unknown submit, looked up",
        (_wish(0),),
        ("done",),
        replace(VENDOR, sends_hooks=False),
        {"submit_accepted": {0}},
        within_seconds=240,
    ),
    Scenario(
        "unknown submit, told by webhook",
        (_wish(0),),
        ("done",),
        replace(VENDOR, finds_by_our_id=False),
        {"submit_accepted": {0}},
    ),
    Scenario(
        "unknown submit, never heard of",
        (_wish(0),),
        ("failed",),
        _UNHEARD,
        {"submit_accepted": {0}},
        within_seconds=2_500,
        timers=_SELDOM,
    ),
    Scenario(
        "never accepted",
        (_wish(0),),
        ("failed",),
        world={"submit_not_accepted": {0}},
        within_seconds=2_500,
        timers=_SELDOM,
    ),
    Scenario(
        "cancelled while it runs",
        (_wish(0, cancel_after_ms=2_000),),
        ("cancelled",),
        world={"generation_late": _ALWAYS},
    ),
    Scenario(
        "full pool, one cancelled, refill",
        (_wish(0), _wish(1, 500), _wish(2, 1_000, cancel_after_ms=300)),
        ("done", "cancelled", "done"),
        within_seconds=50,
    ),
    Scenario(
        "the answer is the result",
        (_wish(0, count=2),),
        ("done",),
        ANSWERING,
    ),
    Scenario(
        "the answer is a failure",
        (_wish(0),),
        ("failed",),
        ANSWERING,
        world={"generation_fails": _ALWAYS},
    ),
    Scenario(
        "three pictures need three places",
        (_wish(0), _wish(1, 500, count=3), _wish(2, 1_000)),
        ("done", "done", "done"),
        replace(VENDOR, places=3, counts_pictures=True),
        within_seconds=150,
    ),
    Scenario(
        "another account has room for one picture, not for three",
        (_wish(0, count=3), _wish(1, 500, count=3), _wish(2, 1_000), _wish(3, 1_500)),
        ("done", "done", "done", "done"),
        replace(VENDOR, places=3, second_places=1, counts_pictures=True),
        within_seconds=110,
    ),
    Scenario(
        "the account with room for three is closed",
        (_wish(0, count=3, fallback_models=("bob-image",)), _wish(1, 500)),
        ("done", "done"),
        replace(VENDOR, places=3, second_places=1, counts_pictures=True),
        others=(replace(VENDOR, name="bob"),),
        revoked_ms=10_000_000,
        within_seconds=60,
    ),
    Scenario("one picture less", (_wish(0, count=3),), ("done",), world={"result_fewer": {0}}),
    Scenario(
        "key revoked for a while",
        (_wish(0),),
        ("done",),
        revoked_ms=30_000,
        within_seconds=260,
        timers=_SELDOM,
    ),
    Scenario(
        "key revoked, another does it",
        (_wish(0, fallback_models=("bob-image",)),),
        ("done",),
        others=(replace(VENDOR, name="bob"),),
        revoked_ms=10_000_000,
        within_seconds=60,
    ),
    Scenario(
        "key revoked, another does it, by the picture",
        (
            _wish(0, count=2, fallback_models=("bob-image",)),
            _wish(1, fallback_models=("bob-image",)),
        ),
        ("done", "done"),
        others=(replace(VENDOR, name="bob", places=2, counts_pictures=True),),
        revoked_ms=10_000_000,
        within_seconds=60,
    ),
    Scenario(
        "late result, given",
        (_wish(0),),
        ("gifted",),
        world={"generation_late": _ALWAYS},
        within_seconds=1_000,
        timers=_SELDOM,
    ),
    Scenario(
        "late result, discarded",
        (_wish(0),),
        ("failed",),
        replace(VENDOR, sends_hooks=False),
        world={"generation_late": _ALWAYS},
        late_result="discard",
        within_seconds=1_500,
        timers=_SELDOM,
    ),
    Scenario("broken result", (_wish(0),), ("failed",), world={"result_bad": _ALWAYS}),
    Scenario("deleted", (_wish(0, delete_after_ms=60_000),), ("done",), within_seconds=2_000),
)


def build(scenario: Scenario, faults: Script) -> World:
    """The scenario's world with these faults."""
    traits = (scenario.vendor, *scenario.others)
    timers: dict[str, Any] = dict(scenario.timers)
    settings = replace(SETTINGS, late_result=scenario.late_result, **timers)
    world = World(Random(22), faults, Stage(traits, catalogue_of(traits), (settings,)))
    world.open(users=2, tokens=100)
    world.vendors[scenario.vendor.name].revoked_until_ms = START_MS + scenario.revoked_ms
    for after_ms in range(0, scenario.purged_until_ms, _PURGE_EVERY_MS):
        for queue in world.queue.names():
            world.kernel.after(after_ms, world.queue.purge, queue)
    for wish in scenario.wishes:
        world.wish(wish, "usr_1" if wish.user_id == "usr_0" else "usr_0")
    return world
