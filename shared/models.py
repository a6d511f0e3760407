"""What can be asked for: the catalogue's models with their capabilities and prices, and the pools
they run in.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from shared.errors import ModelUnavailable, PromptLength, UnknownModel, UnsupportedSetting
from shared.jobs import Settings

_Value = TypeVar("_Value", int, str)

ImageNeed = Literal["none", "optional", "required"]
ModelState = Literal["live", "retiring", "retired", "off"]

IMAGE_ROLES = ("start", "end", "subject", "source")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model really can. Empty tuples mean that the setting does not exist for it."""

    durations_seconds: tuple[int, ...]
    resolutions: tuple[str, ...]
    aspect_ratios: tuple[str, ...]
    images: Mapping[str, ImageNeed]
    negative_prompt: bool
    audio: bool
    prompt_chars_min: int
    prompt_chars_max: int


@dataclass(frozen=True, slots=True)
class Price:
    """What the creator pays. `per_second_tokens` is by resolution and applies to videos."""

    base_tokens: int
    per_second_tokens: Mapping[str, int]
    audio_percent: int


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
    price: Price
    expected_seconds: int
    run_limit_seconds: int
    result_max_bytes: int


@dataclass(frozen=True, slots=True)
class Pool:
    """What a vendor counts as one: an account and a pack type, with the places it has."""

    name: str
    provider: str
    slots: int
    submits_per_second: float


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All models and pools."""

    models: Mapping[str, Model]
    pools: Mapping[str, Pool]
    default_model: str

    def of_providers(self, providers: Collection[str]) -> "Catalogue":
        """The same catalogue, with the models of all other providers switched off."""
        models = {
            name: model if model.provider in providers else replace(model, state="off")
            for name, model in self.models.items()
        }
        return replace(self, models=models)

    def sellable(self, model_id: str) -> Model:
        """The model, if it can be bought. Raises `UnknownModel`, `ModelUnavailable`."""
        model = self.models.get(model_id)
        if model is None:
            raise UnknownModel(f"There is no model {model_id!r}.", param="model")
        if model.state not in ("live", "retiring"):
            hint = f" Use {model.successor} instead." if model.successor else ""
            raise ModelUnavailable(f"{model.name} is not available now.{hint}", param="model")
        return model


@dataclass(frozen=True, slots=True)
class Generation:
    """A request that fits its model: every setting that the model has carries a value."""

    model: Model
    prompt: str
    settings: Settings
    images: Mapping[str, str]  # role -> image id
    project_id: str | None


def fit(
    model: Model, prompt: str, settings: Settings, images: Mapping[str, str], project_id: str | None
) -> Generation:
    """Check a request against what its model can do and fill in defaults.

    Raises `PromptLength` and `UnsupportedSetting`, each naming the field.
    """
    can = model.capabilities
    prompt = prompt.strip()
    _check_prompt(prompt, can)
    if settings.negative_prompt and not can.negative_prompt:
        raise UnsupportedSetting(f"{model.name} takes no negative prompt.", param="negative_prompt")
    if settings.audio and not can.audio:
        raise UnsupportedSetting(f"{model.name} makes no sound.", param="audio")
    _check_images(model, images)
    fitted = Settings(
        negative_prompt=settings.negative_prompt or None,
        duration_seconds=_one_of(
            model, "duration_seconds", settings.duration_seconds, can.durations_seconds
        ),
        resolution=_one_of(model, "resolution", settings.resolution, can.resolutions),
        aspect_ratio=_one_of(model, "aspect_ratio", settings.aspect_ratio, can.aspect_ratios),
        audio=settings.audio,
    )
    return Generation(model, prompt, fitted, dict(images), project_id)


def _check_prompt(prompt: str, can: Capabilities) -> None:
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


def _one_of(
    model: Model, name: str, value: _Value | None, allowed: tuple[_Value, ...]
) -> _Value | None:
    if value is None:
        return allowed[0] if allowed else None
    if value not in allowed:
        choices = ", ".join(str(choice) for choice in allowed) or "nothing"
        raise UnsupportedSetting(f"{model.name} takes {choices} as {name}.", param=name)
    return value
