"""What fal's endpoints take. Each model's page has a schema of its own, none of them in the facts:
these hold what is well known of them, and everything else is refused.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, StringConstraints

from infra.vendors._shapes import nearest_ratio, nearest_resolution
from infra.vendors.bodies import Strict

Prompt = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
Address = Annotated[str, StringConstraints(pattern=r"^(https?://|data:image/)")]
Several = Annotated[int, Field(ge=1, le=4)]
SeedanceSeconds = Literal["2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]
Share = Annotated[float, Field(ge=0, le=1)]

_RATIOS: Mapping[str, str] = {
    "square_hd": "1:1",
    "square": "1:1",
    "portrait_4_3": "3:4",
    "portrait_16_9": "9:16",
    "landscape_4_3": "4:3",
    "landscape_16_9": "16:9",
}


class _FluxDev(Strict):
    prompt: Prompt
    image_size: Literal[
        "square_hd",
        "square",
        "portrait_4_3",
        "portrait_16_9",
        "landscape_4_3",
        "landscape_16_9",
    ] = "landscape_4_3"
    num_images: Several = 1
    num_inference_steps: Annotated[int, Field(ge=1, le=50)] = 28
    guidance_scale: float = 3.5
    enable_safety_checker: bool = True
    output_format: Literal["jpeg", "png"] = "jpeg"
    seed: int | None = None


class _Kontext(Strict):
    prompt: Prompt
    image_url: Address
    num_images: Several = 1
    aspect_ratio: Literal["21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16"] | None = None
    guidance_scale: float = 3.5
    safety_tolerance: Literal["1", "2", "3", "4", "5", "6"] = "2"
    output_format: Literal["jpeg", "png"] = "jpeg"
    seed: int | None = None


class _SeedanceWords(Strict):
    prompt: Prompt
    aspect_ratio: Literal["21:9", "16:9", "4:3", "1:1", "3:4", "9:16"] = "16:9"
    resolution: Literal["480p", "720p", "1080p"] = "1080p"
    duration: SeedanceSeconds = "5"
    camera_fixed: bool = False
    enable_safety_checker: bool = True
    seed: int | None = None


class _SeedancePicture(Strict):
    prompt: Prompt
    image_url: Address
    aspect_ratio: Literal["21:9", "16:9", "4:3", "1:1", "3:4", "9:16", "auto"] = "auto"
    resolution: Literal["480p", "720p", "1080p"] = "1080p"
    duration: SeedanceSeconds = "5"
    camera_fixed: bool = False
    enable_safety_checker: bool = True
    seed: int | None = None


class _KlingWords(Strict):
    prompt: Prompt
    duration: Literal["5", "10"] = "5"
    aspect_ratio: Literal["16:9", "9:16", "1:1"] = "16:9"
    negative_prompt: Annotated[str, StringConstraints(max_length=2500)] | None = None
    cfg_scale: Share = 0.5


class _KlingPicture(Strict):
    prompt: Prompt
    image_url: Address
    duration: Literal["5", "10"] = "5"
    negative_prompt: Annotated[str, StringConstraints(max_length=2500)] | None = None
    cfg_scale: Share = 0.5


class Endpoint(NamedTuple):
    """One address that takes orders: what it makes, and what it takes."""

    kind: str
    inputs: type[Strict]


ENDPOINTS: Mapping[str, Endpoint] = {
    "fal-ai/flux/dev": Endpoint("image", _FluxDev),
    "fal-ai/flux-pro/kontext": Endpoint("image", _Kontext),
    "fal-ai/bytedance/seedance/v1/pro/text-to-video": Endpoint("video", _SeedanceWords),
    "fal-ai/bytedance/seedance/v1/pro/image-to-video": Endpoint("video", _SeedancePicture),
    "fal-ai/kling-video/v2.5-turbo/pro/text-to-video": Endpoint("video", _KlingWords),
    "fal-ai/kling-video/v2.5-turbo/pro/image-to-video": Endpoint("video", _KlingPicture),
}


def details(inputs: Strict) -> dict[str, Any]:
    """Checked inputs as the details of an order."""
    given = inputs.model_dump()
    ratio = _RATIOS.get(given.get("image_size", ""), given.get("aspect_ratio"))
    seconds = given.get("duration")
    return {
        "negative_prompt": given.get("negative_prompt"),
        "duration_seconds": int(seconds) if seconds else None,
        "resolution": nearest_resolution(given.get("resolution")),
        "aspect_ratio": nearest_ratio(ratio),
        "start_image_url": given.get("image_url"),
        "count": given.get("num_images"),
    }
