"""The catalogue as data: one TOML file per provider, validated when it is loaded."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.config import VendorAccount
from shared.models import (
    CHOSEN,
    IMAGE_ROLES,
    Capabilities,
    Catalogue,
    Condition,
    ImageNeed,
    Model,
    ModelState,
    PictureNeed,
    Pool,
    Rates,
)

_FOLDER = Path(__file__).parent
# What a newcomer gets, the first that is for sale.
_DEFAULT_MODELS = ("MiniMax-Hailuo-02", "kling-v2-6", "sandbox-video")

_Positive = Annotated[int, Field(ge=1)]
_Name = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Condition(_Strict):
    when: dict[str, list[int | str | bool]]
    then: dict[str, list[int | str | bool]] = Field(min_length=1)

    @model_validator(mode="after")
    def _speaks_of_settings(self) -> Self:
        unknown = {*self.when, *self.then} - {*CHOSEN, *IMAGE_ROLES, "audio"}
        if unknown:
            raise ValueError(f"a condition speaks of {sorted(unknown)}")
        return self


class _Picture(_Strict):
    types: list[Literal["image/jpeg", "image/png", "image/webp"]] = Field(
        default=["image/jpeg", "image/png", "image/webp"], min_length=1
    )
    side_min_px: _Positive = 1
    side_max_px: _Positive = 16_383
    ratio_min_percent: _Positive = 1
    ratio_max_percent: _Positive = 10_000
    max_bytes: _Positive = 10_000_000
    crop: bool = False


class _Capabilities(_Strict):
    durations_seconds: Annotated[list[_Positive], Field(max_length=100)] = []
    resolutions: list[str] = []
    aspect_ratios: list[str] = []
    images: dict[Literal["start", "end", "subject", "source"], ImageNeed] = {}
    negative_prompt: bool = False
    audio: bool = False
    prompt_chars_min: int = Field(default=3, ge=0)
    prompt_chars_max: int = Field(default=2000, ge=0, le=10_000)
    counts: Annotated[list[_Positive], Field(min_length=1, max_length=10)] = [1]
    conditions: list[_Condition] = []
    picture: _Picture = _Picture()

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        for name in ("durations_seconds", "resolutions", "aspect_ratios", "counts"):
            choices = getattr(self, name)
            if len(set(choices)) != len(choices):
                raise ValueError(f"{name} has a value twice")
        if self.prompt_chars_min > self.prompt_chars_max:
            raise ValueError("the shortest prompt is longer than the longest")
        if self.counts[0] != 1:
            raise ValueError("counts begin with 1")
        return self


class _Rates(_Strict):
    base: int = Field(default=0, ge=0)
    per_second: dict[str, _Positive] = {}
    per_choice: dict[str, _Positive] = {}
    audio_percent: int = Field(default=0, ge=0)


class _Model(_Strict):
    id: _Name
    name: _Name
    kind: Literal["video", "image"]
    vendor_model: _Name
    pool: str
    state: Literal["live", "retiring", "retired"] = "live"
    retires_on: date | None = None
    successor: str | None = None
    equal: str | None = None
    hosts: list[str] = []
    expected_seconds: _Positive
    run_limit_seconds: _Positive
    result_max_bytes: _Positive
    capabilities: _Capabilities
    price: _Rates
    cost_microusd: _Rates = _Rates()

    @model_validator(mode="after")
    def _says_what_it_is(self) -> Self:
        for rates in (self.price, self.cost_microusd):
            _check_rates(rates, self.capabilities)
        if not (self.price.base or self.price.per_second or self.price.per_choice):
            raise ValueError("it has no price")
        if (self.state == "retiring") != (self.retires_on is not None):
            raise ValueError("a retiring model has a date, and no other has")
        if self.kind == "video" and self.capabilities.counts != [1]:
            raise ValueError("videos are made one by one")
        return self


class _Pool(_Strict):
    name: _Name
    slots: int = Field(ge=1, le=1000)
    submits_per_minute: _Positive = 600
    extra_answer_seconds: int = Field(default=0, ge=0, le=600)
    unit: Literal["job", "picture"] = "job"


class _Provider(_Strict):
    provider: str
    home: str = ""  # its host, where other hosts of the vendor have other models
    pools: list[_Pool]
    models: list[_Model]


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
def _files() -> tuple[_Provider, ...]:
    providers = []
    for path in sorted(_FOLDER.glob("*.toml")):
        try:
            providers.append(_read(path))
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error
    entries = {entry.id: read.provider for read in providers for entry in read.models}
    if len(entries) != sum(len(read.models) for read in providers):
        raise ValueError("a model's id is there twice")
    for read in providers:
        for entry in read.models:
            for other in (entry.successor, entry.equal):
                if other is not None and other not in entries:
                    raise ValueError(f"{read.provider}.toml: {entry.id} names {other}: not there")
    return tuple(providers)


def _read(path: Path) -> _Provider:
    read = _Provider.model_validate(tomllib.loads(path.read_text()))
    if read.provider != path.stem:
        raise ValueError(f"it must say provider = {path.stem!r}")
    own = {pool.name for pool in read.pools}
    if len(own) != len(read.pools):
        raise ValueError("a pool's name is there twice")
    for entry in read.models:
        if entry.pool not in own:
            raise ValueError(f"{entry.id} names no pool of its own")
    return read


def _check_rates(rates: _Rates, can: _Capabilities) -> None:
    if rates.per_second and (set(rates.per_second) != set(can.resolutions or [""])):
        raise ValueError("per_second must say it for exactly the resolutions")
    if rates.per_second and not can.durations_seconds:
        raise ValueError("a rate by the second needs durations")
    if rates.per_choice:
        priced = set(rates.per_choice)
        missing = [names for names in _choices(can) if not priced & set(names)]
        if missing:
            raise ValueError(f"per_choice says nothing of {missing[0][0]}")


def _choices(can: _Capabilities) -> Iterator[tuple[str, ...]]:
    """The names under which the rate of each combination may stand."""
    for resolution in can.resolutions or [""]:
        if not can.durations_seconds:
            yield (resolution,)
        for seconds in can.durations_seconds:
            if not _is_forbidden(can, resolution, seconds):
                yield (f"{resolution}/{seconds}", resolution, f"/{seconds}")


def _is_forbidden(can: _Capabilities, resolution: str, seconds: int) -> bool:
    values: Mapping[str, Any] = {"resolution": resolution, "duration_seconds": seconds}
    return any(
        set(each.when) <= set(values)
        and all(values[name] in allowed for name, allowed in each.when.items())
        and any(values[name] not in each.then[name] for name in values if name in each.then)
        for each in can.conditions
    )


def _pools(read: _Provider, accounts: Sequence[VendorAccount]) -> Iterator[Pool]:
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


def _units_max(read: _Provider, pool: _Pool) -> int:
    counts = [max(model.capabilities.counts) for model in read.models if model.pool == pool.name]
    return max(counts, default=1) if pool.unit == "picture" else 1


def _model(
    provider: str, entry: _Model, pools: Mapping[str, Pool], accounts: Sequence[VendorAccount]
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


def _is_there(entry: _Model, provider: str, accounts: Sequence[VendorAccount]) -> bool:
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
