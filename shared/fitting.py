"""Whether a request is one that its model can do, and what it leaves open filled in."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.errors import PromptLength, UnsupportedSetting
from shared.jobs import Settings
from shared.models import ADAPTIVE, CHOSEN, IMAGE_ROLES, Condition, Model

_IS_THERE = {"none": (False,), "optional": (False, True), "required": (True,)}


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
    """The least that can be asked of a model: nothing is said that it can fill in itself."""
    needed = {role: "" for role, need in model.capabilities.images.items() if need == "required"}
    return fit(model, _shortest_prompt(model), Settings(), needed, None)


def fit_another(model: Model, generation: Generation) -> Generation:
    """The same request as another model would do it: all is as it was asked for, except that a
    resolution which the other does not have is left to it, and so is the shape where it has no
    choice of shapes or cannot adapt its own. Raises the errors of `fit`, and `UnsupportedSetting`
    for a model of another kind.
    """
    if model.kind != generation.model.kind:
        raise UnsupportedSetting(f"{model.name} makes no {generation.model.kind}.", param="model")
    settings, can = generation.settings, model.capabilities
    if settings.resolution not in can.resolutions:
        settings = replace(settings, resolution=None)
    does_not_adapt = settings.aspect_ratio == ADAPTIVE and ADAPTIVE not in can.aspect_ratios
    if not can.aspect_ratios or does_not_adapt:
        settings = replace(settings, aspect_ratio=None)
    return fit(model, generation.prompt, settings, generation.images, generation.project_id)


def possible(model: Model) -> Iterator[Generation]:
    """Everything that can be asked of a model for one result, but for the words."""
    can = model.capabilities
    prompt = _shortest_prompt(model)
    sounds = (False, True) if can.audio else (False,)
    pictures = [_IS_THERE[can.images.get(role, "none")] for role in IMAGE_ROLES]
    allowed = [values or (None,) for _, values in _choices(model)]
    for values in itertools.product(*allowed, sounds, *pictures):
        asked = dict(zip((*CHOSEN, "audio", *IMAGE_ROLES), values, strict=True))
        if not any(_breaks(asked, condition) for condition in can.conditions):
            images = {role: "" for role in IMAGE_ROLES if asked.pop(role)}
            yield Generation(model, prompt, Settings(**asked), images, None)


def _shortest_prompt(model: Model) -> str:
    return "x" * model.capabilities.prompt_chars_min


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
    conditions = model.capabilities.conditions
    given = [
        (getattr(settings, name),) if getattr(settings, name) is not None else (allowed or (None,))
        for name, allowed in _choices(model)
    ]
    fixed: dict[str, Any] = {role: role in images for role in IMAGE_ROLES}
    fixed["audio"] = settings.audio
    ways = [fixed | dict(zip(CHOSEN, values, strict=True)) for values in itertools.product(*given)]
    for way in ways:
        if not any(_breaks(way, condition) for condition in conditions):
            return {name: way[name] for name in CHOSEN}
    # What no choice would mend is what is wrong; or else what the last choice does not.
    always = [each for each in conditions if all(_breaks(way, each) for way in ways)]
    raise _impossible(
        model, (always or [each for each in conditions if _breaks(ways[-1], each)])[0]
    )


def _breaks(way: Mapping[str, Any], condition: Condition) -> bool:
    def hold(wanted: Mapping[str, tuple[Any, ...]]) -> bool:
        return all(way[name] in allowed for name, allowed in wanted.items())

    return hold(condition.when) and not hold(condition.then)


def _impossible(model: Model, condition: Condition) -> UnsupportedSetting:
    when = " and ".join(_in_words(name, values) for name, values in condition.when.items())
    then = " and ".join(_in_words(name, values) for name, values in condition.then.items())
    name = next(iter(condition.then))
    param = f"images.{name}" if name in IMAGE_ROLES else name
    return UnsupportedSetting(f"{model.name} with {when} takes {then} only.", param=param)


def _in_words(name: str, values: tuple[Any, ...]) -> str:
    if name == "audio":
        return "sound" if values == (True,) else "no sound"
    if name in IMAGE_ROLES:
        article = "an" if name == "end" else "a"
        return f"{article} {name} picture" if values == (True,) else f"no {name} picture"
    return f"{name} {', '.join(map(str, values))}"


def _unsupported(model: Model, name: str, allowed: tuple[Any, ...]) -> UnsupportedSetting:
    choices = ", ".join(str(choice) for choice in allowed) or "nothing"
    return UnsupportedSetting(f"{model.name} takes {choices} as {name}.", param=name)
