"""What Replicate's official models take. The schemas can be read only with a key (facts G1): these
hold what is well known of them, and everything else is refused.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, StringConstraints

from infra.vendors._shapes import nearest_ratio, nearest_resolution
from infra.vendors.bodies import Strict

Prompt = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
Address = Annotated[str, StringConstraints(pattern=r"^(https?://|data:image/)")]
Ratio = Literal["16:9", "4:3", "1:1", "3:4", "9:16", "21:9", "9:21"]
PictureRatio = Literal["1:1", "16:9", "3:2", "2:3", "4:5", "5:4", "9:16", "3:4", "4:3", "21:9"]
Several = Annotated[int, Field(ge=1, le=4)]


class _Seedance(Strict):
    prompt: Prompt
    image: Address | None = None
    duration: Literal[5, 10] = 5
    resolution: Literal["480p", "720p", "1080p"] = "1080p"
    aspect_ratio: Ratio = "16:9"
    fps: Literal[24] = 24
    camera_fixed: bool = False
    seed: int | None = None


class _Hailuo(Strict):
    prompt: Prompt
    first_frame_image: Address | None = None
    duration: Literal[6, 10] = 6
    resolution: Literal["512p", "768p", "1080p"] = "768p"
    prompt_optimizer: bool = True


class _FluxPro(Strict):
    prompt: Prompt
    aspect_ratio: PictureRatio = "1:1"
    image_prompt: Address | None = None
    output_format: Literal["webp", "jpg", "png"] = "webp"
    safety_tolerance: Annotated[int, Field(ge=1, le=6)] = 2
    seed: int | None = None


class _FluxSchnell(Strict):
    prompt: Prompt
    aspect_ratio: PictureRatio = "1:1"
    num_outputs: Several = 1
    output_format: Literal["webp", "jpg", "png"] = "webp"
    seed: int | None = None


class _Kontext(Strict):
    prompt: Prompt
    input_image: Address | None = None
    aspect_ratio: PictureRatio | Literal["match_input_image"] = "match_input_image"
    output_format: Literal["jpg", "png"] = "png"
    safety_tolerance: Annotated[int, Field(ge=0, le=6)] = 2
    seed: int | None = None


class _NanoBanana(Strict):
    prompt: Prompt
    image_input: Annotated[list[Address], Field(max_length=14)] | None = None
    aspect_ratio: PictureRatio | Literal["match_input_image"] = "match_input_image"
    resolution: Literal["1K", "2K", "4K"] = "2K"
    output_format: Literal["jpg", "png"] = "jpg"


class Model(NamedTuple):
    """One official model: what it makes, what it takes, and whether it gives a list."""

    kind: str
    inputs: type[Strict]
    gives_list: bool = False


MODELS: Mapping[str, Model] = {
    "bytedance/seedance-1-pro": Model("video", _Seedance),
    "minimax/hailuo-02": Model("video", _Hailuo),
    "black-forest-labs/flux-1.1-pro": Model("image", _FluxPro),
    "black-forest-labs/flux-schnell": Model("image", _FluxSchnell, gives_list=True),
    "black-forest-labs/flux-kontext-pro": Model("image", _Kontext),
    "google/nano-banana-pro": Model("image", _NanoBanana),
}


def details(inputs: Strict) -> dict[str, Any]:
    """Checked inputs as the details of an order."""
    given = inputs.model_dump()
    pictures = [given.get(name) for name in ("image", "first_frame_image", "input_image")]
    pictures += given.get("image_input") or []
    return {
        "duration_seconds": given.get("duration"),
        "resolution": nearest_resolution(given.get("resolution")),
        # A film of a picture has the picture's shape, whatever was said.
        "aspect_ratio": None if given.get("image") else nearest_ratio(given.get("aspect_ratio")),
        "start_image_url": next((url for url in pictures if url), None),
        "count": given.get("num_outputs"),
    }
