"""The stage of a run: which vendors there are, what is sold, with which timers the code runs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from typing import Any

from shared.adapters.providers.translator import Account, Provider
from shared.config import Settings
from shared.models import Capabilities, Catalogue, Model, Pool, Rates
from tests.simulation.variants import variant
from tests.simulation.vendor import Traits

HOOK_SECRET = "the-secret-that-this-vendor-signs-with"
API_KEY = "sandbox-key"
_NAMES = ("ada", "bob")
PICTURES_MAX = 3
ANSWER_SECONDS = 60

SETTINGS = Settings(
    profile="local",
    public_url="https://reelmint.example",
    session_secret="s" * 32,
    quote_secret="q" * 32,
    hook_secret="h" * 32,
    blob_secret="b" * 32,
    task_secret="t" * 32,
    jobs_per_minute=30,
    pause_after_failures=3,
)
# Another version of the code: the same rules, other timers.
_OTHER_TIMERS: dict[str, Any] = {
    "send_window_seconds": 8,
    "ready_again_seconds": 60,
    "unknown_after_seconds": 150,
    "unknown_again_seconds": 20,
    "absent_after_seconds": 240,
    "check_first_seconds": 9,
    "check_max_seconds": 90,
    "store_again_seconds": 90,
    "busy_again_seconds": 8,
}
# Shorter ends, so that more happens in the time there is to play. A vendor's own limit is shorter
# there too: a quarantine must outlast it, and a process frozen before its order left.
_BRISK: dict[str, Any] = {
    "wait_limit_seconds": 900,
    "store_limit_seconds": 420,
    "quarantine_margin_seconds": 800,
}
_BRISK_SHARE = 0.75
_BRISK_BEYOND_MS = 200_000


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that is fixed before a run begins."""

    traits: tuple[Traits, ...]
    catalogue: Catalogue
    versions: tuple[Settings, ...]

    @property
    def accounts(self) -> dict[str, Account]:
        """Our accounts with each vendor."""
        return {
            name: Account(name, each.name, f"https://{name}.example", API_KEY, (HOOK_SECRET,))
            for each in self.traits
            for name in each.accounts
        }

    @property
    def load(self) -> Callable[[str], Provider]:
        """The translator of each vendor."""
        variants = {each.name: variant(each) for each in self.traits}
        return variants.__getitem__


def draw_stage(chance: Random, *, has_two_versions: bool) -> Stage:
    """A stage by chance."""
    is_brisk = chance.random() < _BRISK_SHARE
    names = _NAMES[: 1 + (chance.random() < 0.4)]
    traits = tuple(_draw_traits(chance, name, is_brisk) for name in names)
    late_result = "gift" if chance.random() < 0.7 else "discard"
    versions = _versions(late_result, is_brisk)
    if not has_two_versions:
        versions = versions[:1] if chance.random() < 0.7 else versions[1:]
    return Stage(traits, catalogue_of(traits), versions)


@cache
def _versions(late_result: str, is_brisk: bool) -> tuple[Settings, ...]:
    first = replace(SETTINGS, late_result=late_result, **(_BRISK if is_brisk else {}))
    return first, replace(first, **_OTHER_TIMERS)


def _draw_traits(chance: Random, name: str, is_brisk: bool) -> Traits:
    traits = _draw_asynchronous(chance, name, is_brisk)
    counts_pictures = chance.random() < 0.3
    has_two_accounts = chance.random() < 0.25
    traits = replace(
        traits,
        # Too few for some jobs, where pictures count.
        second_places=traits.places if has_two_accounts else 0,
        counts_pictures=counts_pictures,
        places=max(traits.places, PICTURES_MAX) if counts_pictures else traits.places,
    )
    if chance.random() < 0.85:
        return traits
    # Its answer is the result, so there is nothing to ask it, and nothing that it could tell.
    return replace(
        traits,
        answers_with_results=True,
        finds_by_our_id=False,
        can_cancel=False,
        sends_hooks=False,
        refuses_duplicates=False,
    )


def _draw_asynchronous(chance: Random, name: str, is_brisk: bool) -> Traits:
    echoes = chance.random() < 0.7
    return Traits(
        name=name,
        places=1 + int(chance.random() * 3),
        run_limit_ms=(120_000 if is_brisk else 900_000) if chance.random() < 0.5 else 300_000,
        beyond_ms=_BRISK_BEYOND_MS if is_brisk else 900_000,
        finds_by_our_id=echoes and chance.random() < 0.6,
        can_cancel=chance.random() < 0.5,
        sends_hooks=chance.random() < 0.7,
        signs_hooks=chance.random() < 0.5,
        echoes_our_id=echoes,
        refuses_duplicates=chance.random() < 0.5,
        enforces_places=chance.random() < 0.15,
    )


def catalogue_of(traits: tuple[Traits, ...]) -> Catalogue:
    """One pool for each vendor, a video and an image in it."""
    models = [_model(each, kind) for each in traits for kind in ("video", "image")]
    pools = [_pool(each) for each in traits]
    return Catalogue(
        {model.id: model for model in models}, {pool.name: pool for pool in pools}, models[0].id
    )


def _pool(traits: Traits) -> Pool:
    return Pool(
        name=traits.name,
        provider=traits.name,
        places=traits.accounts,
        submits_per_minute=600,
        extra_answer_seconds=ANSWER_SECONDS if traits.answers_with_results else 0,
        unit="picture" if traits.counts_pictures else "job",
        units_max=PICTURES_MAX if traits.counts_pictures else 1,
    )


def _model(traits: Traits, kind: str) -> Model:
    is_video = kind == "video"
    counts = (1,) if is_video else tuple(range(1, PICTURES_MAX + 1))
    return Model(
        id=f"{traits.name}-{kind}",
        name=f"{traits.name} {kind}",
        kind="video" if is_video else "image",
        provider=traits.name,
        vendor_model=f"{traits.name}-{kind}-1",
        pool=traits.name,
        state="live",
        successor=None,
        capabilities=Capabilities(
            (), (), (), {"start": "optional"}, False, False, 3, 2000, counts=counts
        ),
        price=Rates(30 if is_video else 5),
        cost_microusd=Rates(),
        expected_seconds=40 if is_video else 10,
        run_limit_seconds=traits.run_limit_ms // 1000,
        result_max_bytes=1_000_000,
    )
