"""The catalogue as data: one TOML file per provider, validated when it is loaded."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.models import Capabilities, Catalogue, ImageNeed, Model, ModelState, Pool, Price

_FOLDER = Path(__file__).parent
DEFAULT_MODEL = "sandbox-video"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Capabilities(_Strict):
    durations_seconds: tuple[int, ...] = ()
    resolutions: tuple[str, ...] = ()
    aspect_ratios: tuple[str, ...] = ()
    images: dict[Literal["start", "end", "subject", "source"], ImageNeed] = {}
    negative_prompt: bool = False
    audio: bool = False
    prompt_chars_min: int = Field(default=3, ge=1)
    prompt_chars_max: int = Field(default=2000, le=10_000)


class _Price(_Strict):
    base_tokens: int = Field(default=0, ge=0)
    per_second_tokens: dict[str, int] = {}
    audio_percent: int = Field(default=0, ge=0)


class _Model(_Strict):
    id: str
    name: str
    kind: Literal["video", "image"]
    vendor_model: str
    pool: str
    state: ModelState = "live"
    successor: str | None = None
    expected_seconds: int = Field(ge=1)
    run_limit_seconds: int = Field(ge=1)
    result_max_bytes: int = Field(ge=1)
    capabilities: _Capabilities
    price: _Price


class _Pool(_Strict):
    name: str
    slots: int = Field(ge=1, le=1000)
    submits_per_second: float = Field(default=10.0, gt=0)


class _Provider(_Strict):
    provider: str
    pools: tuple[_Pool, ...]
    models: tuple[_Model, ...]


@cache
def load() -> Catalogue:
    """Every model and pool. Raises `ValueError` that names the file and the field."""
    models: dict[str, Model] = {}
    pools: dict[str, Pool] = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        read = _Provider.model_validate(tomllib.loads(path.read_text()))
        if read.provider != path.stem:
            raise ValueError(f"{path.name} must say provider = {path.stem!r}")
        for pool in read.pools:
            pools[pool.name] = Pool(pool.name, read.provider, pool.slots, pool.submits_per_second)
        for entry in read.models:
            if entry.id in models or entry.pool not in pools:
                raise ValueError(
                    f"{path.name}: {entry.id} is there twice or names no pool of its own"
                )
            models[entry.id] = _model(read.provider, entry)
    return Catalogue(models, pools, DEFAULT_MODEL)


def _model(provider: str, entry: _Model) -> Model:
    priced = entry.price.per_second_tokens
    if priced and set(priced) != set(entry.capabilities.resolutions):
        raise ValueError(f"{entry.id}: per_second_tokens must price exactly its resolutions")
    values = dict(entry)
    values["capabilities"] = Capabilities(**dict(entry.capabilities))
    values["price"] = Price(**dict(entry.price))
    return Model(provider=provider, **values)
