"""What OpenAI's image calls take, by the reference of the API and the SDK's types."""

import base64
import io
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from infra.sandbox.refusals import refuse_field
from infra.vendors._multipart import Part
from infra.vendors.bodies import Strict, checked

PICTURES_MAX = 16
PICTURE_MAX_BYTES = 50_000_000
SIDE_MULTIPLE_PX = 16
LONG_SIDE_MAX_PX, SHORT_SIDE_MAX_PX = 3840, 2160
RATIO_MAX = 3

# Which of them may be asked for any size and for transparency, and for more than three qualities.
_ANY_SIZE = ("gpt-image-2", "gpt-image-2.5-flare", "gpt-image-2.5-sunburst")
_MORE_QUALITIES = ("gpt-image-2.5-flare", "gpt-image-2.5-sunburst")
_FEW_SIZES = ("auto", "1024x1024", "1536x1024", "1024x1536")
MODELS = (*_ANY_SIZE, "gpt-image-1.5", "gpt-image-1-mini", "chatgpt-image-latest")

_NUMBERS = ("n", "output_compression", "partial_images")


class Wanted(Strict):
    """The fields that both calls have."""

    prompt: Annotated[str, Field(min_length=1, max_length=32_000)]
    model: str = "gpt-image-2"
    n: Annotated[int, Field(ge=1, le=10)] = 1
    size: str = "auto"
    quality: Literal["auto", "low", "medium", "high", "xhigh", "max"] = "auto"
    background: Literal["auto", "opaque", "transparent"] = "auto"
    output_format: Literal["png", "jpeg", "webp"] = "png"
    output_compression: Annotated[int, Field(ge=0, le=100)] = 100
    stream: Literal[False] = False
    partial_images: Annotated[int, Field(ge=0, le=3)] = 0
    user: str = ""

    @field_validator("size")
    @classmethod
    def _is_a_size(cls, size: str) -> str:
        if size in _FEW_SIZES:
            return size
        width, height = read_size(size)
        sides = sorted((width, height))
        is_even = not width % SIDE_MULTIPLE_PX and not height % SIDE_MULTIPLE_PX
        is_within = sides[0] <= SHORT_SIDE_MAX_PX and sides[1] <= LONG_SIDE_MAX_PX
        if not (is_even and is_within and sides[1] <= sides[0] * RATIO_MAX):
            raise ValueError("the size is not one that can be made")
        return size

    @model_validator(mode="after")
    def _suits_the_model(self) -> "Wanted":
        if self.size not in _FEW_SIZES and self.model not in _ANY_SIZE:
            raise ValueError("size is not one of this model's")
        if self.quality in {"xhigh", "max"} and self.model not in _MORE_QUALITIES:
            raise ValueError("quality is not one of this model's")
        if self.background == "transparent" and self.output_format == "jpeg":
            raise ValueError("a JPEG has no transparent background")
        if "output_compression" in self.model_fields_set and self.output_format == "png":
            raise ValueError("output_compression is not for PNG")
        return self


class Generation(Wanted):
    """POST /v1/images/generations."""

    moderation: Literal["auto", "low"] = "auto"


class Edit(Wanted):
    """POST /v1/images/edits, without its pictures."""

    input_fidelity: Literal["high", "low"] = "low"


def read_edit(parts: Sequence[tuple[str, Part]]) -> tuple[Edit, list[str]]:
    """The edit of a form, and its pictures as data addresses. Raises `Refusal`."""
    values: dict[str, Any] = {}
    pictures = []
    for name, part in parts:
        if name in {"image", "image[]"}:
            pictures.append(_picture(name, part))
        elif name == "mask":
            _picture(name, part)
        elif part.filename is not None:
            raise refuse_field(name, f"Invalid type for '{name}': expected a string, got a file.")
        elif name in values:
            raise refuse_field(name, f"Duplicate parameter: '{name}'.")
        else:
            text = part.content.decode()
            values[name] = int(text) if name in _NUMBERS and text.isdecimal() else text
    if not pictures:
        raise refuse_field("image", "Missing required parameter: 'image'.")
    if len(pictures) > PICTURES_MAX:
        raise refuse_field("image", f"At most {PICTURES_MAX} images are supported.")
    return checked(values, Edit), pictures


def read_size(size: str) -> tuple[int, int]:
    """Width and height of `1536x1024`. Raises ValueError."""
    width, by, height = size.partition("x")
    if not (by and width.isdecimal() and height.isdecimal()):
        raise ValueError("the size is not like 1024x1024")
    return int(width), int(height)


def _picture(name: str, part: Part) -> str:
    from PIL import Image

    if part.filename is None:
        raise refuse_field(name, f"Invalid type for '{name}': expected a file.")
    if len(part.content) >= PICTURE_MAX_BYTES:
        raise refuse_field(name, "The image is larger than 50MB.")
    try:
        picture = Image.open(io.BytesIO(part.content), formats=("JPEG", "PNG", "WEBP"))
    except OSError as error:
        raise refuse_field(name, "Invalid image file or mode.") from error
    kind = f"image/{(picture.format or '').lower()}"
    if part.content_type != kind:
        raise refuse_field(name, f"Unsupported mimetype ('{part.content_type}').")
    return f"data:{kind};base64,{base64.b64encode(part.content).decode()}"
