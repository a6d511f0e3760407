"""What Runway takes: one body for each path and model, with exactly the documented fields."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from infra.vendors.bodies import Strict

TEXT_UNITS_MAX = 1000
URL_CHARS_MAX = 2048
DATA_URL_CHARS_MAX = 5_242_880

_DATA_URL = re.compile(r"data:image/(jpeg|png|webp);base64,[A-Za-z0-9+/]+={0,2}")


def _text(value: str) -> str:
    units = len(value.encode("utf-16-le")) // 2
    if not 1 <= units <= TEXT_UNITS_MAX:
        raise ValueError(f"must have 1 to {TEXT_UNITS_MAX} UTF-16 code units")
    return value


def _uri(value: str) -> str:
    if value.startswith("data:"):
        if len(value) > DATA_URL_CHARS_MAX or not _DATA_URL.fullmatch(value):
            raise ValueError("must be a data URI of an image, of at most 5 MB")
        return value
    host = urlsplit(value).hostname or ""
    is_address = re.fullmatch(r"[0-9.]+|\[?[0-9a-f:]+\]?", host) is not None
    if not value.startswith("https://") or not host or is_address or len(value) > URL_CHARS_MAX:
        raise ValueError("must be an https address with the name of a host")
    return value


_Text = Annotated[str, AfterValidator(_text)]
_Uri = Annotated[str, AfterValidator(_uri)]
_Tag = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{2,15}$")]
_Seed = Annotated[int, Field(ge=0, le=4_294_967_295)]
_Seconds = Annotated[int, Field(ge=2, le=10)]
_WideRatio = Literal["1280:720", "720:1280"]
_Gen4Ratio = Literal["1280:720", "720:1280", "1104:832", "960:960", "832:1104", "1584:672"]
_VeoRatio = Literal["1280:720", "720:1280", "1080:1920", "1920:1080"]
_ImageRatio = Literal[
    "1024:1024", "1080:1080", "1168:880", "1360:768", "1440:1080", "1080:1440", "1808:768",
    "1920:1080", "1080:1920", "2112:912", "1280:720", "720:1280", "720:720", "960:720", "720:960",
    "1680:720",
]  # fmt: skip


class _Camel(Strict):
    model_config = ConfigDict(alias_generator=to_camel)


class _Moderation(_Camel):
    public_figure_threshold: Literal["auto", "low"] = "auto"


class Body(_Camel):
    """What all bodies have; those without a field have its default."""

    model: str
    ratio: str
    prompt_text: str | None = None
    seed: _Seed | None = None

    @property
    def pictures(self) -> list[str]:
        """The addresses of its pictures, the first frame first."""
        return []


class _First(_Camel):
    uri: _Uri
    position: Literal["first"]


class _Frame(_Camel):
    uri: _Uri
    position: Literal["first", "last"]


class Film(Body):
    """A body that asks for a film."""

    duration: int = 5


class _Gen45Film(Film):
    prompt_text: _Text
    duration: _Seconds
    content_moderation: _Moderation | None = None


class _Gen45Text(_Gen45Film):
    ratio: _WideRatio


class _Gen45Image(_Gen45Film):
    ratio: _Gen4Ratio
    prompt_image: _Uri | Annotated[list[_First], Field(min_length=1, max_length=1)]
    output_format: Literal["mp4", "prores", "png_sequence", "hdr10", "hlg"] = "mp4"

    @property
    def pictures(self) -> list[str]:
        """See Body."""
        return _uris(self.prompt_image)


class _Gen4TurboImage(Film):
    prompt_text: _Text | None = None
    prompt_image: _Uri | Annotated[list[_First], Field(min_length=1, max_length=1)]
    ratio: _Gen4Ratio
    duration: _Seconds = 5
    content_moderation: _Moderation | None = None

    @property
    def pictures(self) -> list[str]:
        """See Body."""
        return _uris(self.prompt_image)


class _VeoText(Film):
    prompt_text: _Text
    ratio: _VeoRatio
    duration: Literal[4, 6, 8]
    audio: bool = True
    negative_prompt: _Text | None = None


def _begins_with_the_first(frames: list[_Frame]) -> list[_Frame]:
    if [frame.position for frame in frames] not in (["first"], ["first", "last"]):
        raise ValueError("must be a first frame and perhaps a last one")
    return frames


class _VeoImage(_VeoText):
    prompt_image: _Uri | Annotated[list[_Frame], AfterValidator(_begins_with_the_first)]

    @property
    def pictures(self) -> list[str]:
        """See Body."""
        return _uris(self.prompt_image)


class _Reference(_Camel):
    uri: _Uri
    tag: _Tag | None = None


class _Gen4Picture(Body):
    prompt_text: _Text
    ratio: _ImageRatio
    reference_images: Annotated[list[_Reference], Field(max_length=3)] = Field(default=[])
    content_moderation: _Moderation | None = None

    @property
    def pictures(self) -> list[str]:
        """See Body."""
        return [reference.uri for reference in self.reference_images]


class _Gen4TurboPicture(_Gen4Picture):
    reference_images: Annotated[list[_Reference], Field(min_length=1, max_length=3)]


def _uris(prompt_image: str | list[_First] | list[_Frame]) -> list[str]:
    return [prompt_image] if isinstance(prompt_image, str) else [each.uri for each in prompt_image]


BODIES: Mapping[str, Mapping[str, type[Body]]] = {
    "/v1/image_to_video": {
        "gen4.5": _Gen45Image,
        "gen4_turbo": _Gen4TurboImage,
        "veo3.1": _VeoImage,
        "veo3.1_fast": _VeoImage,
    },
    "/v1/text_to_video": {
        "gen4.5": _Gen45Text,
        "veo3.1": _VeoText,
        "veo3.1_fast": _VeoText,
    },
    "/v1/text_to_image": {
        "gen4_image": _Gen4Picture,
        "gen4_image_turbo": _Gen4TurboPicture,
    },
}
