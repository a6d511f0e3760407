"""The stage of a run: which vendors there are, what is sold, with which timers the code runs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from shared.adapters.providers._replies import json_object, task_id_in
from shared.adapters.providers.sandbox import Sandbox
from shared.adapters.providers.translator import Account, Cancel, Lookup, Provider
from shared.config import Settings
from shared.errors import VendorUnknown, WebhookRefused
from shared.models import Capabilities, Catalogue, Model, Pool, Price
from shared.ports import Hint, Inbound
from tests.simulation.vendor import Traits

HOOK_SECRET = "the-secret-that-this-vendor-signs-with"
API_KEY = "sandbox-key"
_NAMES = ("ada", "bob")

SETTINGS = Settings(
    profile="local",
    public_url="https://reelmint.example",
    session_secret="s" * 32,
    quote_secret="q" * 32,
    hook_secret="h" * 32,
    blob_secret="b" * 32,
    task_secret="t" * 32,
    jobs_per_minute=30,
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


class Variant(Sandbox):
    """The sandbox's translator for a vendor that can less."""

    def __init__(self, traits: Traits) -> None:
        self.name = traits.name
        self._traits = traits

    @property
    def lookup(self) -> Lookup | None:
        return super().lookup if self._traits.finds_by_our_id else None

    @property
    def cancel(self) -> Cancel | None:
        return super().cancel if self._traits.can_cancel else None

    def webhook(self, inbound: Inbound, account: Account, now_ms: int) -> Hint:
        if self._traits.signs_hooks:
            return super().webhook(inbound, account, now_ms)
        try:
            return Hint(task_id_in(json_object(inbound.body), "id"))
        except VendorUnknown as error:
            raise WebhookRefused("The webhook names no generation.") from error


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that is fixed before a run begins."""

    traits: tuple[Traits, ...]
    catalogue: Catalogue
    versions: tuple[Settings, ...]

    @property
    def accounts(self) -> dict[str, Account]:
        """Our account with each vendor."""
        return {
            each.name: Account(each.name, f"https://{each.name}.example", API_KEY, (HOOK_SECRET,))
            for each in self.traits
        }

    @property
    def load(self) -> Callable[[str], Provider]:
        """The translator of each vendor."""
        variants: dict[str, Provider] = {each.name: Variant(each) for each in self.traits}
        return variants.__getitem__


def draw_stage(chance: Random, *, has_two_versions: bool) -> Stage:
    """A stage by chance."""
    is_brisk = chance.random() < _BRISK_SHARE
    names = _NAMES[: 1 + (chance.random() < 0.4)]
    traits = tuple(_draw_traits(chance, name, is_brisk) for name in names)
    first = replace(SETTINGS, late_result="gift" if chance.random() < 0.7 else "discard")
    if is_brisk:
        first = replace(first, **_BRISK)
    second = replace(first, **_OTHER_TIMERS)
    versions: tuple[Settings, ...] = (first, second)
    if not has_two_versions:
        versions = (first,) if chance.random() < 0.7 else (second,)
    return Stage(traits, catalogue_of(traits), versions)


def _draw_traits(chance: Random, name: str, is_brisk: bool) -> Traits:
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
    pools = [Pool(each.name, each.name, each.places, 10.0) for each in traits]
    return Catalogue(
        {model.id: model for model in models}, {pool.name: pool for pool in pools}, models[0].id
    )


def _model(traits: Traits, kind: str) -> Model:
    return Model(
        id=f"{traits.name}-{kind}",
        name=f"{traits.name} {kind}",
        kind="video" if kind == "video" else "image",
        provider=traits.name,
        vendor_model=f"{traits.name}-{kind}-1",
        pool=traits.name,
        state="live",
        successor=None,
        capabilities=Capabilities((), (), (), {"start": "optional"}, False, False, 3, 2000),
        price=Price(30 if kind == "video" else 5, {}, 0),
        expected_seconds=40 if kind == "video" else 10,
        run_limit_seconds=traits.run_limit_ms // 1000,
        result_max_bytes=1_000_000,
    )
