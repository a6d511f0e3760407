"""What a provider's file may say; each value is checked where it stands."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.models import CHOSEN, IMAGE_ROLES, ImageNeed

_Positive = Annotated[int, Field(ge=1)]
_Name = Annotated[str, Field(min_length=1)]
_PoolName = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,50}$")]  # a queue is named after it


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Condition(_Strict):
    """Where all of `when` holds, all of `then` must."""

    when: dict[str, list[int | str | bool]]
    then: dict[str, list[int | str | bool]] = Field(min_length=1)

    @model_validator(mode="after")
    def _speaks_of_settings(self) -> Self:
        unknown = {*self.when, *self.then} - {*CHOSEN, *IMAGE_ROLES, "audio"}
        if unknown:
            raise ValueError(f"a condition speaks of {sorted(unknown)}")
        return self


class Picture(_Strict):
    """What a picture must be like."""

    types: list[Literal["image/jpeg", "image/png", "image/webp"]] = Field(
        default=["image/jpeg", "image/png", "image/webp"], min_length=1
    )
    side_min_px: _Positive = 1
    side_max_px: _Positive = 16_383
    ratio_min_percent: _Positive = 1
    ratio_max_percent: _Positive = 10_000
    max_bytes: _Positive = 10_000_000
    crop: bool = False

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.side_min_px > self.side_max_px or self.ratio_min_percent > self.ratio_max_percent:
            raise ValueError("the least is more than the most")
        return self


class Capabilities(_Strict):
    """What a model can."""

    durations_seconds: Annotated[list[_Positive], Field(max_length=100)] = []
    resolutions: list[str] = []
    aspect_ratios: list[str] = []
    images: dict[Literal["start", "end", "subject", "source"], ImageNeed] = {}
    negative_prompt: bool = False
    audio: bool = False
    prompt_chars_min: int = Field(default=3, ge=0)
    prompt_chars_max: int = Field(default=2000, ge=0, le=10_000)
    camera_moves: list[Annotated[str, Field(pattern=r"^[A-Z][a-z ]*[a-z]$")]] = []
    counts: Annotated[list[_Positive], Field(min_length=1, max_length=10)] = [1]
    conditions: list[Condition] = []
    picture: Picture = Picture()

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        for name in (
            "durations_seconds",
            "resolutions",
            "aspect_ratios",
            "camera_moves",
            "counts",
        ):
            choices = getattr(self, name)
            if len(set(choices)) != len(choices):
                raise ValueError(f"{name} has a value twice")
        if self.prompt_chars_min > self.prompt_chars_max:
            raise ValueError("the shortest prompt is longer than the longest")
        if self.counts[0] != 1:
            raise ValueError("counts begin with 1")
        return self


class Rates(_Strict):
    """What each result costs, by what it depends on."""

    base: int = Field(default=0, ge=0)
    per_second: dict[str, _Positive] = {}
    per_choice: dict[str, _Positive] = {}
    audio_percent: int = Field(default=0, ge=0)


class Model(_Strict):
    """A model."""

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
    capabilities: Capabilities
    price: Rates
    cost_microusd: Rates = Rates()

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


class Pool(_Strict):
    """A kind of work, and how much of it the vendor does at once."""

    name: _PoolName
    slots: int = Field(ge=1, le=1000)
    submits_per_minute: _Positive = 600
    extra_answer_seconds: int = Field(default=0, ge=0, le=600)
    unit: Literal["job", "picture"] = "job"


class Provider(_Strict):
    """The whole file."""

    provider: str
    home: str = ""  # its host, where other hosts of the vendor have other models
    pools: list[Pool]
    models: list[Model]


def _check_rates(rates: Rates, can: Capabilities) -> None:
    if rates.per_second and (set(rates.per_second) != set(can.resolutions or [""])):
        raise ValueError("per_second must say it for exactly the resolutions")
    if rates.per_second and not can.durations_seconds:
        raise ValueError("a rate by the second needs durations")
    if rates.per_choice:
        priced = set(rates.per_choice)
        choices = list(_choices(can))
        missing = [names for names in choices if not priced & set(names)]
        if missing:
            raise ValueError(f"per_choice says nothing of {missing[0][0]}")
        unknown = priced - {name for names in choices for name in names}
        if unknown:
            raise ValueError(f"per_choice speaks of {sorted(unknown)}: not a choice")


def _choices(can: Capabilities) -> Iterator[tuple[str, ...]]:
    """The names under which the rate of each combination may stand."""
    for resolution in can.resolutions or [""]:
        if not can.durations_seconds:
            yield (resolution,)
        for seconds in can.durations_seconds:
            if not _is_forbidden(can, resolution, seconds):
                yield (f"{resolution}/{seconds}", resolution, f"/{seconds}")


def _is_forbidden(can: Capabilities, resolution: str, seconds: int) -> bool:
    values: Mapping[str, Any] = {"resolution": resolution, "duration_seconds": seconds}
    return any(
        set(each.when) <= set(values)
        and all(values[name] in allowed for name, allowed in each.when.items())
        and any(values[name] not in each.then[name] for name in values if name in each.then)
        for each in can.conditions
    )
