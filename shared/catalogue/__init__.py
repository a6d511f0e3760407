"""The catalogue as data: one TOML file per provider, validated when it is loaded."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shared.catalogue import schema
from shared.models import (
    Capabilities,
    Catalogue,
    Condition,
    Model,
    ModelState,
    PictureNeed,
    Pool,
    Rates,
)
from shared.vendor_accounts import VendorAccount

_FOLDER = Path(__file__).parent
# What a newcomer gets, the first that is for sale.
_DEFAULT_MODELS = ("MiniMax-Hailuo-02", "kling-v2-6", "sandbox-video")


def load(accounts: Sequence[VendorAccount] | None = None) -> Catalogue:
    """Every model, and the pools in which our accounts have places; a model that none of them can
    make is off. Without a list there is one account with each vendor. Raises `ValueError` that
    names the file and the field.
    """
    providers = _files()
    if accounts is None:
        accounts = [VendorAccount(read.provider) for read in providers]
    pools = {
        pool.name: pool for read in providers for pool in _pools(read, accounts) if pool.places
    }
    models = {
        entry.id: _model(read.provider, entry, pools, accounts)
        for read in providers
        for entry in read.models
    }
    live = [model.id for model in models.values() if model.state in ("live", "retiring")]
    wanted = [name for name in _DEFAULT_MODELS if name in live]
    return Catalogue(models, pools, (wanted or live or [""])[0])


@cache
def _files() -> tuple[schema.Provider, ...]:
    providers = []
    for path in sorted(_FOLDER.glob("*.toml")):
        try:
            providers.append(_read(path))
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error
    _check_once("the model", [entry.id for read in providers for entry in read.models])
    _check_once("the pool", [pool.name for read in providers for pool in read.pools])
    entries = {entry.id for read in providers for entry in read.models}
    for read in providers:
        for entry in read.models:
            for other in (entry.successor, entry.equal):
                if other is not None and other not in entries:
                    raise ValueError(f"{read.provider}.toml: {entry.id} names {other}: not there")
    return tuple(providers)


def _check_once(what: str, names: Sequence[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise ValueError(f"{what} {name} is there twice")


def _read(path: Path) -> schema.Provider:
    read = schema.Provider.model_validate(tomllib.loads(path.read_text()))
    if read.provider != path.stem:
        raise ValueError(f"it must say provider = {path.stem!r}")
    own = {pool.name for pool in read.pools}
    for entry in read.models:
        if entry.pool not in own:
            raise ValueError(f"{entry.id} names no pool of its own")
    return read


def _pools(read: schema.Provider, accounts: Sequence[VendorAccount]) -> Iterator[Pool]:
    for pool in read.pools:
        places = {
            account.name: account.places.get(pool.name, pool.slots)
            for account in accounts
            if account.provider == read.provider
        }
        rates = [
            account.rates.get(pool.name, pool.submits_per_minute)
            for account in accounts
            if account.name in places
        ]
        yield Pool(
            name=pool.name,
            provider=read.provider,
            places=places,
            submits_per_minute=sum(rates),
            extra_answer_seconds=pool.extra_answer_seconds,
            unit=pool.unit,
            units_max=_units_max(read, pool),
        )


def _units_max(read: schema.Provider, pool: schema.Pool) -> int:
    counts = [max(model.capabilities.counts) for model in read.models if model.pool == pool.name]
    return max(counts, default=1) if pool.unit == "picture" else 1


def _model(
    provider: str, entry: schema.Model, pools: Mapping[str, Pool], accounts: Sequence[VendorAccount]
) -> Model:
    can = entry.capabilities
    state: ModelState = entry.state
    if state != "retired" and (entry.pool not in pools or not _is_there(entry, provider, accounts)):
        state = "off"
    values = dict(entry) | {
        "state": state,
        "hosts": tuple(entry.hosts),
        "price": Rates(**dict(entry.price)),
        "cost_microusd": Rates(**dict(entry.cost_microusd)),
        "capabilities": Capabilities(
            durations_seconds=tuple(can.durations_seconds),
            resolutions=tuple(can.resolutions),
            aspect_ratios=tuple(can.aspect_ratios),
            images={str(role): need for role, need in can.images.items()},
            negative_prompt=can.negative_prompt,
            audio=can.audio,
            prompt_chars_min=can.prompt_chars_min,
            prompt_chars_max=can.prompt_chars_max,
            counts=tuple(can.counts),
            conditions=tuple(Condition(_tuples(c.when), _tuples(c.then)) for c in can.conditions),
            picture=PictureNeed(**(dict(can.picture) | {"types": tuple(can.picture.types)})),
        ),
    }
    return Model(provider=provider, **values)


def _is_there(entry: schema.Model, provider: str, accounts: Sequence[VendorAccount]) -> bool:
    """Whether one of our accounts is where the model exists. An address that no entry of the
    vendor speaks of, like a simulator's, has everything."""
    read = next(read for read in _files() if read.provider == provider)
    known = {host for other in read.models for host in other.hosts}
    ours = {
        urlsplit(each.url).hostname or read.home for each in accounts if each.provider == provider
    }
    return not entry.hosts or any(host in entry.hosts or host not in known for host in ours)


def _tuples(values: Mapping[str, list[Any]]) -> Mapping[str, tuple[Any, ...]]:
    return {name: tuple(allowed) for name, allowed in values.items()}
