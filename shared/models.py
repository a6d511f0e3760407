"""What can be asked for: the catalogue's models with their capabilities and prices, and the pools
they run in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

from shared.errors import ModelUnavailable, UnknownModel

ImageNeed = Literal["none", "optional", "required"]
ModelState = Literal["live", "retiring", "retired", "off"]

IMAGE_ROLES = ("start", "end", "subject", "source")
CHOSEN = ("duration_seconds", "resolution", "aspect_ratio")  # the settings that are choices
ADAPTIVE = "adaptive"  # the aspect ratio of the picture that is changed or begun with


@dataclass(frozen=True, slots=True)
class Condition:
    """Where all of `when` holds, all of `then` must. Both say which values a setting, `audio` or
    a picture's role (true: there is one) may have.
    """

    when: Mapping[str, tuple[Any, ...]]
    then: Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class PictureNeed:
    """What a picture must be like. `crop` means that we cut it to the chosen aspect ratio, because
    the vendor takes the video's from the picture's. Ratios are width to height, in hundredths.
    """

    types: tuple[str, ...] = ("image/jpeg", "image/png", "image/webp")
    side_min_px: int = 1
    side_max_px: int = 16_383
    ratio_min_percent: int = 1
    ratio_max_percent: int = 10_000
    max_bytes: int = 10_000_000
    crop: bool = False

    @property
    def wants_another(self) -> bool:
        """Whether a checked picture may have to be made anew, and is not only looked at."""
        usual = PictureNeed()
        is_narrow = self.side_max_px < usual.side_max_px or self.max_bytes < usual.max_bytes
        return self.crop or is_narrow or set(self.types) != set(usual.types)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model really can. Empty tuples mean that the setting does not exist for it, and a
    prompt of at most 0 characters that it takes none. A camera move is a word that the vendor
    understands in the prompt, in square brackets.
    """

    durations_seconds: tuple[int, ...]
    resolutions: tuple[str, ...]
    aspect_ratios: tuple[str, ...]
    images: Mapping[str, ImageNeed]
    negative_prompt: bool
    audio: bool
    prompt_chars_min: int
    prompt_chars_max: int
    camera_moves: tuple[str, ...] = ()
    counts: tuple[int, ...] = (1,)
    conditions: tuple[Condition, ...] = ()
    picture: PictureNeed = field(default_factory=PictureNeed)


@dataclass(frozen=True, slots=True)
class Rates:
    """An amount for each result, in tokens (what the creator pays) or in millionths of a dollar
    (what the vendor takes). `per_choice` is by `resolution`, by `resolution/duration` or by
    `/duration`; `per_second` is by resolution.
    """

    base: int = 0
    per_second: Mapping[str, int] = field(default_factory=dict)
    per_choice: Mapping[str, int] = field(default_factory=dict)
    audio_percent: int = 0


@dataclass(frozen=True, slots=True)
class Model:
    """One line of the catalogue."""

    id: str
    name: str
    kind: Literal["video", "image"]
    provider: str
    vendor_model: str
    pool: str
    state: ModelState
    successor: str | None
    capabilities: Capabilities
    price: Rates
    cost_microusd: Rates
    expected_seconds: int
    run_limit_seconds: int
    result_max_bytes: int
    retires_on: date | None = None
    equal: str | None = None  # the operator's: who does as well when the vendor takes nothing
    hosts: tuple[str, ...] = ()  # where it exists, when that is not everywhere

    def __hash__(self) -> int:
        return hash(self.id)

    def state_at(self, now_ms: int) -> ModelState:
        """Its state now: the day comes on which a retiring model is retired."""
        if self.retires_on is None or now_ms < _midnight_ms(self.retires_on):
            return self.state
        return "retired"


def _midnight_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Pool:
    """What a vendor counts as one: a kind of work, with the places of each of our accounts.

    A job takes one place, or one for each picture. `extra_answer_seconds` is how much longer than
    others the vendor may take to answer a submit: its answer is the result.
    """

    name: str
    provider: str
    places: Mapping[str, int]  # by account
    submits_per_minute: int
    extra_answer_seconds: int = 0
    unit: Literal["job", "picture"] = "job"
    units_max: int = 1  # of one job

    @property
    def slots(self) -> int:
        """The places of all accounts."""
        return sum(self.places.values())

    @property
    def free_to_see(self) -> int:
        """Of so many free places one account has enough for any job, beside those kept for one."""
        return len(self.places) * (self.units_max - 1) + 1 + self.units_max

    @property
    def units_most(self) -> int:
        """How many places a job can have: they are of one account."""
        return max(self.places.values())

    def units(self, count: int) -> int:
        """How many places a job takes that makes so many results."""
        return count if self.unit == "picture" else 1


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All models and pools."""

    models: Mapping[str, Model]
    pools: Mapping[str, Pool]
    default_model: str

    def sellable(self, model_id: str, now_ms: int) -> Model:
        """The model, if it can be bought. Raises `UnknownModel`, `ModelUnavailable`."""
        model = self.models.get(model_id)
        if model is None:
            raise UnknownModel(f"There is no model {model_id!r}.", param="model")
        if model.state_at(now_ms) not in ("live", "retiring"):
            raise unavailable(model, now_ms)
        return model


def unavailable(model: Model, now_ms: int) -> ModelUnavailable:
    """Why a model cannot be bought, and what can be instead."""
    hint = f" Use {model.successor} instead." if model.successor else ""
    why = (
        "was retired by its provider"
        if model.state_at(now_ms) == "retired"
        else "is not available now"
    )
    return ModelUnavailable(f"{model.name} {why}.{hint}", param="model")


def cut_size(width: int, height: int, aspect_ratio: str) -> tuple[int, int]:
    """The largest size of a ratio like `3:4` within a picture."""
    across, down = (int(part) for part in aspect_ratio.split(":"))
    return min(width, max(1, height * across // down)), min(height, max(1, width * down // across))


def wrong_with_picture(
    need: PictureNeed, width: int, height: int, aspect_ratio: str | None
) -> str | None:
    """What is wrong with a picture of this size, when this shape was chosen, as a sentence, or
    None.
    """
    if need.crop and aspect_ratio is not None:
        width, height = cut_size(width, height, aspect_ratio)
    if min(width, height) < need.side_min_px:
        return f"The picture is too small: its shorter side needs {need.side_min_px} pixels."
    percent = width * 100 // height
    if need.crop or need.ratio_min_percent <= percent <= need.ratio_max_percent:
        return None
    return "The picture is too long and narrow for this model. Cut it closer to a square."
