"""Gemini's generateContent: a picture in the answer, or the reason why there is none."""

import base64
from collections.abc import Sequence
from typing import Literal

from pydantic import AliasChoices, Field, model_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.sandbox.generations import Generation
from infra.sandbox.refusals import Refusal, refuse_field
from infra.vendors._gemini_words import admit, data_url, refuse_overload
from infra.vendors._shapes import nearest_ratio, nearest_resolution
from infra.vendors.bodies import Strict, read_json
from infra.vendors.desk import Desk

FLASH = "gemini-3.1-flash-image"
MODELS = (FLASH, "gemini-3-pro-image", "gemini-3.1-flash-lite-image")

_FLASH_RATIOS = ("1:4", "4:1", "1:8", "8:1")
_DRAFT = base64.b64encode(b"a draft of a thought").decode()


class _Inline(Strict):
    mime_type: Literal["image/png", "image/jpeg", "image/webp"] = Field(
        validation_alias=AliasChoices("mime_type", "mimeType")
    )
    data: str


class _Part(Strict):
    text: str | None = None
    inline_data: _Inline | None = Field(
        default=None, validation_alias=AliasChoices("inline_data", "inlineData")
    )

    @model_validator(mode="after")
    def _is_one_thing(self) -> "_Part":
        if (self.text is None) == (self.inline_data is None):
            raise ValueError("a part is a text or a picture")
        return self


class _Content(Strict):
    role: Literal["user"] = "user"
    parts: list[_Part] = Field(min_length=1)


class _ImageConfig(Strict):
    aspectRatio: (  # noqa: N815 - the vendor's names
        Literal["1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"]
        | Literal["1:4", "4:1", "1:8", "8:1"]
        | None
    ) = None
    imageSize: Literal["512", "1K", "2K", "4K"] = "1K"  # noqa: N815


class _Config(Strict):
    responseModalities: list[Literal["TEXT", "IMAGE"]]  # noqa: N815
    imageConfig: _ImageConfig = _ImageConfig()  # noqa: N815


class _Request(Strict):
    contents: list[_Content] = Field(min_length=1)
    generationConfig: _Config  # noqa: N815


async def generate_content(request: Request) -> Response:
    """POST /v1beta/models/{model}:generateContent."""
    desk, model = admit(request), request.path_params["model"]
    if model not in MODELS:
        raise Refusal("unknown_model", f"models/{model} is no longer available")
    body = await read_json(request, _Request)
    config = body.generationConfig.imageConfig
    _check(body, model)
    parts = [part for content in body.contents for part in content.parts]
    shown = [data_url(each.mime_type, each.data) for p in parts if (each := p.inline_data)]
    order = desk.order(
        "image",
        model,
        " ".join(part.text for part in parts if part.text),
        resolution=nearest_resolution("512p" if config.imageSize == "512" else config.imageSize),
        aspect_ratio=nearest_ratio(config.aspectRatio),
        start_image_url=shown[0] if shown else None,
    )

    async def answer(generation: Generation) -> Response:
        return await _answer(desk, generation)

    try:
        return await desk.take(request, order, answer)
    except Refusal as refusal:
        if refusal.code != "moderation_blocked":
            raise
        feedback = {"blockReason": "PROHIBITED_CONTENT"}
        return JSONResponse({"promptFeedback": feedback, "usageMetadata": {}})


def _check(body: _Request, model: str) -> None:
    config = body.generationConfig.imageConfig
    if "IMAGE" not in body.generationConfig.responseModalities:
        raise refuse_field("responseModalities", "this model makes pictures")
    if model != FLASH and (config.aspectRatio in _FLASH_RATIOS or config.imageSize == "512"):
        raise refuse_field("imageConfig", f"{model} has no such size")


async def _answer(desk: Desk, generation: Generation) -> Response:
    try:
        media = await desk.made(generation)
    except Refusal as refusal:
        if refusal.code == "moderation_blocked":
            return JSONResponse(_empty("IMAGE_SAFETY", "Unable to show the generated image."))
        if refusal.message == "out_of_capacity":
            return refuse_overload()
        if refusal.message == "render_failed":
            return JSONResponse(_empty("IMAGE_OTHER", "No image was generated."))
        raise
    content = desk.content(generation, media)
    return JSONResponse(_candidate(generation, _parts(media.content_type, content)))


def _parts(content_type: str, content: bytes) -> Sequence[dict[str, object]]:
    """The picture, after a draft of it that is none of the result."""
    data = base64.b64encode(content).decode()
    return [
        {"thought": True, "inlineData": {"mimeType": content_type, "data": _DRAFT}},
        {"text": "Here is the picture."},
        {"inlineData": {"mimeType": content_type, "data": data}},
    ]


def _candidate(generation: Generation, parts: Sequence[dict[str, object]]) -> dict[str, object]:
    content = {"role": "model", "parts": parts}
    return {
        "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {
            "promptTokenCount": 270,
            "candidatesTokenCount": 1290,
            "totalTokenCount": 1560,
        },
        "modelVersion": generation.order.model,
    }


def _empty(reason: str, message: str) -> dict[str, object]:
    candidate = {"finishReason": reason, "finishMessage": message, "index": 0}
    return {"candidates": [candidate], "usageMetadata": {}}


ROUTES = (Route("/v1beta/models/{model}:generateContent", generate_content, methods=["POST"]),)
