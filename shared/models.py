"""What can be asked for: the catalogue's models with their capabilities and prices, and the pools
they run in.
"""

import itertools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Literal

from shared.errors import ModelUnavailable, PromptLength, UnknownModel, UnsupportedSetting
from shared.jobs import Settings

ImageNeed = Literal["none", "optional", "required"]
ModelState = Literal["live", "retiring", "retired", "off"]

IMAGE_ROLES = ("start", "end", "subject", "source")
CHOSEN = ("duration_seconds", "resolution", "aspect_ratio")  # the settings that are choices


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
    prompt of at most 0 characters that it takes none.
    """

    durations_seconds: tuple[int, ...]
    resolutions: tuple[str, ...]
    aspect_ratios: tuple[str, ...]
    images: Mapping[str, ImageNeed]
    negative_prompt: bool
    audio: bool
    prompt_chars_min: int
    prompt_chars_max: int
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
            raise unavailable(model)
        return model


def unavailable(model: Model) -> ModelUnavailable:
    """Why a model cannot be bought, and what can be instead."""
    hint = f" Use {model.successor} instead." if model.successor else ""
    why = "was retired by its provider" if model.state == "retired" else "is not available now"
    return ModelUnavailable(f"{model.name} {why}.{hint}", param="model")


@dataclass(frozen=True, slots=True)
class Generation:
    """A request that fits its model: every setting that the model has carries a value."""

    model: Model
    prompt: str
    settings: Settings
    images: Mapping[str, str]  # role -> image id
    project_id: str | None
    fallback_models: tuple[str, ...] = ()


def fit(
    model: Model, prompt: str, settings: Settings, images: Mapping[str, str], project_id: str | None
) -> Generation:
    """Check a request against what its model can do and fill in what it leaves open.

    Raises `PromptLength` and `UnsupportedSetting`, each naming the field.
    """
    can = model.capabilities
    prompt = prompt.strip()
    _check_prompt(model, prompt)
    if settings.negative_prompt and not can.negative_prompt:
        raise UnsupportedSetting(f"{model.name} takes no negative prompt.", param="negative_prompt")
    if settings.audio and not can.audio:
        raise UnsupportedSetting(f"{model.name} makes no sound.", param="audio")
    _check_images(model, images)
    for name, allowed in _choices(model):
        value = getattr(settings, name)
        if value is not None and value not in allowed:
            raise _unsupported(model, name, allowed)
    if settings.count not in can.counts:
        raise _unsupported(model, "count", can.counts)
    chosen = _complete(model, settings, images)
    fitted = replace(settings, negative_prompt=settings.negative_prompt or None, **chosen)
    return Generation(model, prompt, fitted, dict(images), project_id)


def plainest(model: Model) -> Generation:
    """The least that can be asked of a model: what its cheapest price is for."""
    shortest = "x" * model.capabilities.prompt_chars_min
    needed = {role: "" for role, need in model.capabilities.images.items() if need == "required"}
    return fit(model, shortest, Settings(), needed, None)


def fit_another(model: Model, generation: Generation) -> Generation:
    """The same request as another model would do it: all is as it was asked for, except that a
    resolution or a shape which the other does not have is left to it. Raises the errors of `fit`,
    and `UnsupportedSetting` for a model of another kind.
    """
    if model.kind != generation.model.kind:
        raise UnsupportedSetting(f"{model.name} makes no {generation.model.kind}.", param="model")
    settings, can = generation.settings, model.capabilities
    if settings.resolution not in can.resolutions:
        settings = replace(settings, resolution=None)
    if not can.aspect_ratios:
        settings = replace(settings, aspect_ratio=None)
    return fit(model, generation.prompt, settings, generation.images, generation.project_id)


def wrong_with_picture(need: PictureNeed, width: int, height: int) -> str | None:
    """What is wrong with a picture of this size, as a sentence, or None."""
    if min(width, height) < need.side_min_px:
        return f"The picture is too small: its shorter side needs {need.side_min_px} pixels."
    percent = width * 100 // height
    if need.crop or need.ratio_min_percent <= percent <= need.ratio_max_percent:
        return None
    return "The picture is too long and narrow for this model. Cut it closer to a square."


def _check_prompt(model: Model, prompt: str) -> None:
    can = model.capabilities
    if can.prompt_chars_max == 0 and prompt:
        raise PromptLength(f"{model.name} takes no prompt.", param="prompt")
    if not can.prompt_chars_min <= len(prompt) <= can.prompt_chars_max:
        raise PromptLength(
            f"The prompt has {len(prompt)} characters; it takes {can.prompt_chars_min} to "
            f"{can.prompt_chars_max}.",
            param="prompt",
        )


def _check_images(model: Model, images: Mapping[str, str]) -> None:
    for role in images:
        if model.capabilities.images.get(role, "none") == "none":
            raise UnsupportedSetting(
                f"{model.name} takes no {role} picture.", param=f"images.{role}"
            )
    for role, need in model.capabilities.images.items():
        if need == "required" and role not in images:
            raise UnsupportedSetting(
                f"{model.name} needs a {role} picture.", param=f"images.{role}"
            )


def _choices(model: Model) -> Iterator[tuple[str, tuple[Any, ...]]]:
    can = model.capabilities
    yield from zip(CHOSEN, (can.durations_seconds, can.resolutions, can.aspect_ratios), strict=True)


def _complete(model: Model, settings: Settings, images: Mapping[str, str]) -> dict[str, Any]:
    """The first combination that keeps to what was given and to every condition."""
    given = [
        (getattr(settings, name),) if getattr(settings, name) is not None else (allowed or (None,))
        for name, allowed in _choices(model)
    ]
    fixed: dict[str, Any] = {role: role in images for role in IMAGE_ROLES}
    fixed["audio"] = settings.audio
    broken: Condition | None = None
    for values in itertools.product(*given):
        chosen = dict(zip(CHOSEN, values, strict=True))
        broken = _broken(model.capabilities.conditions, fixed | chosen)
        if broken is None:
            return chosen
    assert broken is not None, "without conditions the first combination is taken"
    raise _impossible(model, broken)


def _broken(conditions: Collection[Condition], values: Mapping[str, Any]) -> Condition | None:
    def hold(wanted: Mapping[str, tuple[Any, ...]]) -> bool:
        return all(values[name] in allowed for name, allowed in wanted.items())

    return next((each for each in conditions if hold(each.when) and not hold(each.then)), None)


def _impossible(model: Model, condition: Condition) -> UnsupportedSetting:
    when = " and ".join(_in_words(name, values) for name, values in condition.when.items())
    then = " and ".join(_in_words(name, values) for name, values in condition.then.items())
    name = next(iter(condition.then))
    param = f"images.{name}" if name in IMAGE_ROLES else name
    return UnsupportedSetting(f"{model.name} with {when} takes {then} only.", param=param)


def _in_words(name: str, values: tuple[Any, ...]) -> str:
    if name in IMAGE_ROLES or name == "audio":
        noun = "sound" if name == "audio" else f"{name} picture"
        return f"a {noun}" if values == (True,) else f"no {noun}"
    return f"{name} {', '.join(map(str, values))}"


def _unsupported(model: Model, name: str, allowed: tuple[Any, ...]) -> UnsupportedSetting:
    choices = ", ".join(str(choice) for choice in allowed) or "nothing"
    return UnsupportedSetting(f"{model.name} takes {choices} as {name}.", param=name)
