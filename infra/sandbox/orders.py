"""What a caller may ask for: the body of `POST /v1/generations`, checked field by field."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from infra.sandbox.behaviour import UnknownBehaviour, read_switches, split_prompt
from infra.sandbox.refusals import Refusal, refuse_field

KIND_BY_MODEL: Mapping[str, str] = {"sandbox-video-1": "video", "sandbox-image-1": "image"}
RESOLUTIONS = ("480p", "720p", "1080p")
ASPECT_RATIOS = ("16:9", "9:16", "1:1", "3:4", "4:3")
CLIENT_ID_MAX = 128
PROMPT_MAX = 4000
URL_MAX = 2048
DATA_URL_MAX = 12_000_000
DATA_URL_KEPT = 64
BODY_MAX_BYTES = 25_000_000
DURATION_MAX_SECONDS = 10
DEFAULT_DURATION_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Order:
    """A checked request. `caption` is the prompt without the switches, which are `overrides`."""

    client_id: str
    kind: str
    model: str
    prompt: str
    caption: str
    negative_prompt: str | None = None
    duration_seconds: int = DEFAULT_DURATION_SECONDS
    resolution: str = RESOLUTIONS[0]
    aspect_ratio: str | None = None
    start_image_url: str | None = None
    end_image_url: str | None = None
    callback_url: str | None = None
    count: int = 1  # results of this one generation
    units: int = 1  # places that it holds
    overrides: Mapping[str, object] = field(default_factory=dict)

    def without_pictures(self) -> "Order":
        """What is kept after the end: a picture inside a data address is cut off."""
        kept = {
            name: url[:DATA_URL_KEPT]
            for name in ("start_image_url", "end_image_url")
            if (url := getattr(self, name))
        }
        return replace(self, **kept) if kept else self


def read_order(body: bytes) -> Order:
    """The order in a body. Raises Refusal: 400 with the field in `param`, or 404 unknown_model."""
    raw = read_object(body)
    unknown = sorted(set(raw) - set(_READERS))
    if unknown:
        raise refuse_field(unknown[0], f"there is no field {unknown[0]!r}")
    missing = [name for name in _REQUIRED if name not in raw]
    if missing:
        raise refuse_field(missing[0], f"{missing[0]!r} is required")
    values: dict[str, Any] = {name: _read_field(name, value) for name, value in raw.items()}
    _check_model(values)
    caption, directive = read_prompt(values["prompt"])
    overrides = {**values.pop("behaviour", {}), **directive}
    return Order(caption=caption, overrides=overrides, **values)


def read_object(body: bytes) -> dict[str, object]:
    """The JSON object in a body, or a 400."""
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal("invalid_request", "the body must be JSON") from error
    if not isinstance(raw, dict):
        raise Refusal("invalid_request", "the body must be a JSON object")
    return raw


def read_behaviour(raw: Mapping[str, object]) -> dict[str, object]:
    """Checked switches; one that does not fit is a 400 that names it."""
    try:
        return read_switches(raw)
    except UnknownBehaviour as error:
        raise refuse_field(f"behaviour.{error.name}", str(error)) from error


def read_prompt(prompt: str) -> tuple[str, dict[str, object]]:
    """The caption and the checked switches of a prompt."""
    try:
        caption, directive = split_prompt(prompt)
        return caption, read_switches(directive)
    except UnknownBehaviour as error:
        raise refuse_field("prompt", str(error)) from error


def _read_field(name: str, value: object) -> object:
    try:
        return _READERS[name](value)
    except ValueError as error:
        raise refuse_field(name, f"{name!r} {error}") from error


def _check_model(values: Mapping[str, object]) -> None:
    model, kind = values["model"], values["kind"]
    if model not in KIND_BY_MODEL:
        known = ", ".join(KIND_BY_MODEL)
        raise Refusal("unknown_model", f"there is no model {model!r}; there are {known}")
    if KIND_BY_MODEL[str(model)] != kind:
        raise refuse_field("model", f"model {model!r} does not make {kind!r}")
    if kind == "image":
        for name in ("duration_seconds", "end_image_url"):
            if name in values:
                raise refuse_field(name, f"{name!r} is for videos")


def _text(longest: int, shortest: int = 1) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError("must be text")
        if not shortest <= len(value) <= longest:
            raise ValueError(f"must have {shortest} to {longest} characters")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError("must be well-formed Unicode") from error
        return value

    return read


def _one_of(options: tuple[str, ...]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in options:
            raise ValueError(f"must be one of {', '.join(options)}")
        return value

    return read


def _duration(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("must be a whole number")
    if not 1 <= value <= DURATION_MAX_SECONDS:
        raise ValueError(f"must be from 1 to {DURATION_MAX_SECONDS}")
    return value


def _web_url(value: object) -> str:
    url = _text(URL_MAX)(value)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http or https address")
    return url


def _picture_url(value: object) -> str:
    if isinstance(value, str) and value.startswith("data:image/"):
        return _text(DATA_URL_MAX)(value)
    return _web_url(value)


def _behaviour(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    return read_behaviour(value)


_REQUIRED = ("client_id", "kind", "model", "prompt")
_READERS: Mapping[str, Callable[[object], object]] = {
    "client_id": _text(CLIENT_ID_MAX),
    "kind": _one_of(("video", "image")),
    "model": _text(CLIENT_ID_MAX),
    "prompt": _text(PROMPT_MAX),
    "negative_prompt": _text(PROMPT_MAX, shortest=0),
    "duration_seconds": _duration,
    "resolution": _one_of(RESOLUTIONS),
    "aspect_ratio": _one_of(ASPECT_RATIOS),
    "start_image_url": _picture_url,
    "end_image_url": _picture_url,
    "callback_url": _web_url,
    "behaviour": _behaviour,
}
