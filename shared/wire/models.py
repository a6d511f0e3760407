"""The catalogue as buyers see it."""

from typing import Literal

from pydantic import BaseModel


class Reply(BaseModel):
    """What we send. Views are tested against it, and not validated as they go out."""


class Condition(Reply):
    """Where all of `when` holds, all of `then` must: which values a setting, `audio` or a picture's
    role (true: there is one) may have."""

    when: dict[str, list[int | str | bool]]
    then: dict[str, list[int | str | bool]]


class PictureNeed(Reply):
    """What a picture must be like. Ratios are width to height, in hundredths. `crop`: it is cut to
    the chosen aspect ratio."""

    types: list[str]
    side_min_px: int
    side_max_px: int
    ratio_min_percent: int
    ratio_max_percent: int
    max_bytes: int
    crop: bool


class Capabilities(Reply):
    """What a model really can. A prompt of at most 0 characters: it takes none. `camera_moves` are
    understood in the prompt, in square brackets."""

    durations_seconds: list[int]
    resolutions: list[str]
    aspect_ratios: list[str]
    images: dict[str, Literal["none", "optional", "required"]]
    negative_prompt: bool
    audio: bool
    prompt_chars_min: int
    prompt_chars_max: int
    camera_moves: list[str]
    counts: list[int]
    conditions: list[Condition]
    picture: PictureNeed


class ModelDefaults(Reply):
    """What a request gets when it does not say."""

    duration_seconds: int | None
    resolution: str | None
    aspect_ratio: str | None


class Model(Reply):
    """One model of the catalogue."""

    id: str
    object: Literal["model"]
    kind: Literal["video", "image"]
    name: str
    provider: str
    state: Literal["live", "retiring", "retired", "off"]
    retires_on: str | None
    successor: str | None
    price_from_tokens: int
    expected_seconds: int
    capabilities: Capabilities
    defaults: ModelDefaults
