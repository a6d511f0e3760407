"""The catalogue as data: one TOML file per provider, validated when it is loaded."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.models import Capabilities, Catalogue, ImageNeed, Model, ModelState, Pool, Price

_FOLDER = Path(__file__).parent
DEFAULT_MODEL = "sandbox-video"


_Positive = Annotated[int, Field(ge=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Capabilities(_Strict):
    durations_seconds: Annotated[list[_Positive], Field(max_length=100)] = []
    resolutions: list[str] = []
    aspect_ratios: list[str] = []
    images: dict[Literal["start", "end", "subject", "source"], ImageNeed] = {}
    negative_prompt: bool = False
    audio: bool = False
    prompt_chars_min: int = Field(default=3, ge=1)
    prompt_chars_max: int = Field(default=2000, le=10_000)

    @model_validator(mode="after")
    def _can_be_met(self) -> "_Capabilities":
        for name in ("durations_seconds", "resolutions", "aspect_ratios"):
            choices = getattr(self, name)
            if len(set(choices)) != len(choices):
                raise ValueError(f"{name} has a value twice")
        if self.prompt_chars_min > self.prompt_chars_max:
            raise ValueError("the shortest prompt is longer than the longest")
        return self


class _Price(_Strict):
    base_tokens: int = Field(default=0, ge=0)
    per_second_tokens: dict[str, _Positive] = {}
    audio_percent: int = Field(default=0, ge=0)


class _Model(_Strict):
    id: str = Field(min_length=1)
    name: str = Field(min_length=1)
    kind: Literal["video", "image"]
    vendor_model: str = Field(min_length=1)
    pool: str
    state: ModelState = "live"
    successor: str | None = None
    expected_seconds: _Positive
    run_limit_seconds: _Positive
    result_max_bytes: _Positive
    capabilities: _Capabilities
    price: _Price

    @model_validator(mode="after")
    def _has_a_price(self) -> "_Model":
        priced, can = self.price.per_second_tokens, self.capabilities
        if priced and set(priced) != set(can.resolutions):
            raise ValueError("per_second_tokens must price exactly its resolutions")
        if priced and not can.durations_seconds:
            raise ValueError("a price by the second needs durations")
        if not priced and not self.price.base_tokens:
            raise ValueError("it has no price")
        return self


class _Pool(_Strict):
    name: str = Field(min_length=1)
    slots: int = Field(ge=1, le=1000)
    submits_per_second: float = Field(default=10.0, gt=0)


class _Provider(_Strict):
    provider: str
    pools: list[_Pool]
    models: list[_Model]


@cache
def load() -> Catalogue:
    """Every model and pool. Raises `ValueError` that names the file and the field."""
    models: dict[str, Model] = {}
    pools: dict[str, Pool] = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        try:
            _add(_read(path), models, pools)
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error
    for model in models.values():
        if model.successor is not None and model.successor not in models:
            raise ValueError(f"{model.provider}.toml: {model.id} has a successor that is not there")
    catalogue = Catalogue(models, pools, DEFAULT_MODEL)
    if models.get(DEFAULT_MODEL) is None or models[DEFAULT_MODEL].state != "live":
        raise ValueError(f"the default model {DEFAULT_MODEL!r} is not for sale")
    return catalogue


def _read(path: Path) -> _Provider:
    read = _Provider.model_validate(tomllib.loads(path.read_text()))
    if read.provider != path.stem:
        raise ValueError(f"it must say provider = {path.stem!r}")
    return read


def _add(read: _Provider, models: dict[str, Model], pools: dict[str, Pool]) -> None:
    own = {pool.name for pool in read.pools}
    if len(own) != len(read.pools) or own & pools.keys():
        raise ValueError("a pool's name is there twice")
    for pool in read.pools:
        pools[pool.name] = Pool(pool.name, read.provider, pool.slots, pool.submits_per_second)
    for entry in read.models:
        if entry.id in models or entry.pool not in own:
            raise ValueError(f"{entry.id} is there twice or names no pool of its own")
        models[entry.id] = _model(read.provider, entry)


def _model(provider: str, entry: _Model) -> Model:
    can = entry.capabilities
    values = dict(entry)
    values["capabilities"] = Capabilities(
        durations_seconds=tuple(can.durations_seconds),
        resolutions=tuple(can.resolutions),
        aspect_ratios=tuple(can.aspect_ratios),
        images={str(role): need for role, need in can.images.items()},
        negative_prompt=can.negative_prompt,
        audio=can.audio,
        prompt_chars_min=can.prompt_chars_min,
        prompt_chars_max=can.prompt_chars_max,
    )
    values["price"] = Price(**dict(entry.price))
    return Model(provider=provider, **values)
