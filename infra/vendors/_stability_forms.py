"""What Stability takes: one form for each call, with exactly the documented fields and limits."""

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from infra.sandbox.refusals import Refusal, refuse_field
from infra.vendors._multipart import Part

TEXT_CHARS_MAX = 10_000
SEED_MAX = 4_294_967_294
# Letters from here on are of no language that is written like English.
_LATIN_END = 0x250

_RATIOS = ("21:9", "16:9", "3:2", "5:4", "1:1", "4:5", "2:3", "9:16", "9:21")
_STYLES = (
    "enhance", "anime", "photographic", "digital-art", "comic-book", "fantasy-art", "line-art",
    "analog-film", "neon-punk", "isometric", "low-poly", "origami", "modeling-compound",
    "cinematic", "3d-model", "pixel-art", "tile-texture",
)  # fmt: skip

Reader = Callable[[Part], object]


def _text(part: Part) -> str:
    """Prompts are in English alone."""
    text = _plain(part)
    if not 1 <= len(text) <= TEXT_CHARS_MAX:
        raise ValueError(f"must have 1 to {TEXT_CHARS_MAX} characters")
    if any(letter.isalpha() and ord(letter) >= _LATIN_END for letter in text):
        raise Refusal(
            "invalid_request", "English is the only language", details={"name": "invalid_language"}
        )
    return text


def _one_of(*options: str) -> Reader:
    def read(part: Part) -> str:
        text = _plain(part)
        if text not in options:
            raise ValueError(f"must be one of {', '.join(options)}")
        return text

    return read


def _number(least: float, most: float) -> Reader:
    def read(part: Part) -> float:
        number = float(_plain(part))
        if not least <= number <= most:
            raise ValueError(f"must be from {least} to {most}")
        return number

    return read


def _seed(part: Part) -> int:
    seed = int(_plain(part))
    if not 0 <= seed <= SEED_MAX:
        raise ValueError(f"must be from 0 to {SEED_MAX}")
    return seed


def _picture(pixels_max: int = 9_437_184, side_min: int = 64, side_max: int = 16_384) -> Reader:
    def read(part: Part) -> str:
        """The picture as a data address, for the studio."""
        from PIL import Image

        if part.filename is None:
            raise ValueError("must be a file")
        try:
            picture = Image.open(io.BytesIO(part.content), formats=("JPEG", "PNG", "WEBP"))
        except OSError as error:
            raise ValueError("must be a JPEG, PNG or WebP") from error
        if not side_min <= min(picture.size) <= max(picture.size) <= side_max:
            raise ValueError(f"must have sides of {side_min} to {side_max} pixels")
        if picture.width * picture.height > pixels_max:
            raise ValueError(f"must have at most {pixels_max} pixels")
        kind = f"image/{(picture.format or '').lower()}"
        return f"data:{kind};base64,{base64.b64encode(part.content).decode()}"

    return read


def _plain(part: Part) -> str:
    if part.filename is not None:
        raise ValueError("must not be a file")
    return part.content.decode()


@dataclass(frozen=True, slots=True)
class Form:
    """One call: its fields, those that must be there, and whether it starts a task."""

    fields: Mapping[str, Reader]
    required: frozenset[str]
    is_task: bool = False

    def read(self, parts: Mapping[str, Part]) -> dict[str, object]:
        """The values of the fields. Raises `Refusal` that names the first at fault."""
        for name in sorted(self.required - set(parts)):
            raise refuse_field(name, f"{name}: required")
        return {name: self._value(name, part) for name, part in parts.items()}

    def _value(self, name: str, part: Part) -> object:
        if name not in self.fields:
            raise refuse_field(name, f"{name}: unrecognized key")
        try:
            return self.fields[name](part)
        except ValueError as error:
            raise refuse_field(name, f"{name}: {error}") from error


_SEED: Mapping[str, Reader] = {"seed": _seed}
_FORMAT: Mapping[str, Reader] = {"output_format": _one_of("png", "jpeg", "webp")}
_STYLE: Mapping[str, Reader] = {"style_preset": _one_of(*_STYLES)}
_GENERATE: Mapping[str, Reader] = {
    "prompt": _text,
    "negative_prompt": _text,
    "aspect_ratio": _one_of(*_RATIOS),
    **_SEED,
    **_FORMAT,
    **_STYLE,
}
_FROM_PICTURE: Mapping[str, Reader] = {"image": _picture(), "strength": _number(0, 1)}

FORMS: Mapping[str, Form] = {
    "generate/core": Form(_GENERATE, frozenset({"prompt"})),
    "generate/ultra": Form({**_GENERATE, **_FROM_PICTURE}, frozenset({"prompt"})),
    "generate/sd3": Form(
        {
            **_GENERATE,
            **_FROM_PICTURE,
            "model": _one_of("sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium"),
            "mode": _one_of("text-to-image", "image-to-image"),
            "cfg_scale": _number(1, 10),
        },
        frozenset({"prompt"}),
    ),
    "edit/remove-background": Form(
        {"image": _picture(pixels_max=4_194_304), "output_format": _one_of("png", "webp")},
        frozenset({"image"}),
    ),
    "edit/replace-background-and-relight": Form(
        {
            "subject_image": _picture(),
            "background_prompt": _text,
            "background_reference": _picture(),
            "foreground_prompt": _text,
            "negative_prompt": _text,
            "preserve_original_subject": _number(0, 1),
            "original_background_depth": _number(0, 1),
            "keep_original_background": _one_of("true", "false"),
            "light_source_direction": _one_of("above", "below", "left", "right"),
            "light_reference": _picture(),
            "light_source_strength": _number(0, 1),
            **_SEED,
            **_FORMAT,
        },
        frozenset({"subject_image"}),
        is_task=True,
    ),
    "upscale/fast": Form(
        {"image": _picture(pixels_max=1_048_576, side_min=32, side_max=1536), **_FORMAT},
        frozenset({"image"}),
    ),
    "upscale/creative": Form(
        {
            "image": _picture(pixels_max=1_048_576),
            "prompt": _text,
            "creativity": _number(0.1, 0.5),
            **_SEED,
            **_FORMAT,
            **_STYLE,
        },
        frozenset({"image", "prompt"}),
        is_task=True,
    ),
}


def require_sense(path: str, values: Mapping[str, object]) -> None:
    """Refuse fields that do not go together."""
    has_picture = "image" in values
    if path.startswith("generate/") and has_picture is not ("strength" in values):
        raise refuse_field("strength", "strength: goes with an image, and an image with it")
    if path != "generate/sd3":
        return
    if has_picture is not (values.get("mode") == "image-to-image"):
        raise refuse_field("mode", "mode: image-to-image goes with an image")
    if has_picture and "aspect_ratio" in values:
        raise refuse_field("aspect_ratio", "aspect_ratio: not with an image")
