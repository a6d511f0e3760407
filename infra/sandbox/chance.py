"""What a generation's fate is: drawn once, when it is accepted, from one seeded source."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from infra.sandbox.behaviour import SECONDS_MAX, Behaviour

_LATENCIES: Mapping[str, Callable[..., float]] = {
    "fixed": lambda _, seconds: seconds,
    "uniform": lambda chance, low, high: chance.uniform(low, high),
    "lognormal": lambda chance, median, sigma: median * chance.lognormvariate(0, sigma),
}


@dataclass(frozen=True, slots=True)
class Fate:
    """How long a generation takes, the code it fails with, if any, and whether it never ends."""

    latency_seconds: float
    failure_code: str | None
    hangs: bool


def draw_fate(behaviour: Behaviour, chance: Random) -> Fate:
    """The fate of the next generation; with a seed, the same for the same row of orders."""
    latency = behaviour.latency
    drawn_seconds = _LATENCIES[latency.word](chance, *latency.amounts)
    failure_code = None
    if behaviour.failure_rate and chance.random() < behaviour.failure_rate:
        failure_code = chance.choice(behaviour.failure_kinds)
    if behaviour.fail.word != "never":
        failure_code = behaviour.fail.word
    if behaviour.moderation.word == "late":
        failure_code = "moderation_blocked"
    return Fate(min(drawn_seconds, SECONDS_MAX), failure_code, behaviour.hang)
