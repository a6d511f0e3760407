"""What Eden AI takes: the fields of V3 and V2, and the models that its makers still make.

Source: edenai.co/docs (video and image generation, 2026-07-27) and V2's OpenAPI description.
"""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from infra.vendors.bodies import Strict

FILMS = "video/generation_async"
PICTURES = "image/generation"

# By maker; the price list's rows of Google, OpenAI and Amazon are dead at their makers.
V3_FILMS = frozenset({
    f"{FILMS}/bytedance",
    f"{FILMS}/bytedance/seedance-1-0-pro-250528",
    f"{FILMS}/bytedance/seedance-1-0-pro-fast-251015",
    f"{FILMS}/bytedance/seedance-1-5-pro-251215",
    f"{FILMS}/bytedance/seedance-2-0-260128",
    f"{FILMS}/minimax",
    f"{FILMS}/minimax/MiniMax-Hailuo-02",
    f"{FILMS}/minimax/MiniMax-Hailuo-2.3",
    f"{FILMS}/minimax/S2V-01",
    f"{FILMS}/minimax/T2V/I2V-01-Director",
    f"{FILMS}/pixverse",
    f"{FILMS}/pixverse/c1",
    f"{FILMS}/pixverse/v5",
    f"{FILMS}/pixverse/v5.5",
    f"{FILMS}/pixverse/v6",
})  # fmt: skip
V3_PICTURES = frozenset({
    f"{PICTURES}/bytedance",
    f"{PICTURES}/bytedance/seedream-4-5-251128",
    f"{PICTURES}/bytedance/seedream-5-0-260128",
    f"{PICTURES}/minimax",
    f"{PICTURES}/minimax/image-01",
})  # fmt: skip
V2_FILMS = {
    "bytedance": frozenset({"seedance-1-0-pro-250528", "seedance-1-0-lite-t2v-250428"}),
    "minimax": frozenset({"MiniMax-Hailuo-02", "MiniMax-Hailuo-2.3", "S2V-01"}),
}

_Url = Annotated[str, StringConstraints(pattern=r"^https?://", max_length=4096)]
_Size = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{2,3}x[1-9][0-9]{2,3}$")]
_Text = Annotated[str, StringConstraints(min_length=1)]
_Seed = Annotated[int, Field(ge=0, le=2_147_483_646)]
_Seconds = Annotated[int, Field(ge=1, le=30)]


class _FilmInput(Strict):
    text: _Text
    file: _Url | None = None
    duration: _Seconds | None = None
    dimension: _Size | None = None
    seed: _Seed | None = None


class _PictureInput(Strict):
    text: _Text
    resolution: _Size | None = None
    num_images: int = Field(default=1, ge=1, le=10)
    reference_images: list[_Url] | None = None


class _V3(Strict):
    model: str
    fallbacks: list[str] = Field(default_factory=list, max_length=3)
    provider_params: dict[str, Any] | None = None
    show_original_response: bool = False


class Film(_V3):
    """POST /v3/universal-ai/async."""

    input: _FilmInput
    webhook_receiver: _Url | None = None
    user_webhook_parameters: dict[str, Any] | None = None


class Picture(_V3):
    """POST /v3/universal-ai."""

    input: _PictureInput


class V2Film(Strict):
    """POST /v2/video/generation_async/, as JSON: without a file."""

    providers: list[str] = Field(min_length=1, max_length=1)
    text: _Text
    duration: _Seconds = 6
    fps: int = Field(default=24, ge=1, le=60)
    dimension: _Size = "1280x720"
    seed: _Seed = 12
    settings: dict[str, str] | None = None
    webhook_receiver: _Url | None = None
    users_webhook_parameters: dict[str, Any] | None = None
    send_webhook_data: bool = True
    show_original_response: bool = False
    show_base_64: bool = True
