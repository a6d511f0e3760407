"""What ModelsLab takes: the fields of each call, and the models behind it.

Source: docs.modelslab.com (the OpenAPI description of V6) and, for V7, the vendor's skills.
"""

from typing import Annotated

from pydantic import Field, StringConstraints

from infra.sandbox.refusals import refuse_field
from infra.vendors.bodies import Strict

TEXT_TO_VIDEO = frozenset({
    "Hailuo-2.3-t2v",
    "kling-v2-5-turbo-t2v",
    "seedance-1-5-pro",
    "seedance-1.0-pro-fast-t2v",
    "seedance-t2v",
    "wan2.2",
    "wan2.6-t2v",
})  # fmt: skip
PICTURE_TO_VIDEO = frozenset({
    "Hailuo-2.3-i2v",
    "ltx-2-3-pro-i2v",
    "seedance-1.0-pro-fast-i2v",
    "seedance-1.0-pro-i2v",
    "seedance-i2v",
    "wan2.2",
    "wan2.6-i2v",
})  # fmt: skip
PICTURES = frozenset({"flux", "nano-banana-pro", "seedream-4", "seedream-4.5"})

_Url = Annotated[str, StringConstraints(pattern=r"^https?://", max_length=4096)]
_Prompt = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]


class Keyed(Strict):
    """What every body has."""

    key: str


class Asked(Keyed):
    """What every order has."""

    model_id: str
    prompt: _Prompt
    negative_prompt: str | None = None
    webhook: _Url | None = None
    track_id: str | None = None


class Ultra(Asked):
    """V6's text2video_ultra. Where its pages disagree, the wider bound stands."""

    resolution: int | None = Field(default=None, ge=240, le=480)
    num_frames: int = Field(default=81, ge=1, le=120)
    num_inference_steps: int = Field(default=25, ge=1, le=50)
    guidance_scale: float = Field(default=1.0, ge=0, le=8)
    fps: int = Field(default=16, ge=1, le=18)
    portrait: bool = False
    sample_shift: int = Field(default=5, ge=0, le=10)
    seed: int | None = None
    temp: bool = False


class UltraPicture(Ultra):
    """V6's img2video_ultra."""

    init_image: _Url
    resolution: int | None = Field(default=None, ge=240, le=720)


class Image(Asked):
    """V7's text-to-image."""

    resolution: str | None = Field(default=None, pattern=r"^[0-9]+[pPK]$")
    aspect_ratio: str | None = Field(default=None, pattern=r"^[0-9]+:[0-9]+$")
    enhance_prompt: bool = False


class ImagePicture(Image):
    """V7's image-to-image."""

    init_image: _Url | list[_Url]


class Fusion(Image):
    """V7's text-to-video."""

    duration: str | None = Field(default=None, pattern=r"^([1-9]|[12][0-9]|30)$")
    generate_audio: bool = False
    camera_fixed: bool = False


class FusionPicture(Fusion):
    """V7's image-to-video."""

    init_image: _Url | list[_Url]


def first_picture(body: Fusion | Image) -> str | None:
    """The picture to start from. Both one address and a list of them are documented."""
    if not isinstance(body, FusionPicture | ImagePicture):
        return None
    if not body.init_image:
        raise refuse_field("init_image", "init_image is required")
    return body.init_image if isinstance(body.init_image, str) else body.init_image[0]
