"""OpenAI's images as its reference describes them: the answer is the result, in base64."""

import base64
import time
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.sandbox import generations
from infra.sandbox.api import authorise, read_body
from infra.sandbox.refusals import BUSY_RETRY_AFTER_SECONDS, Refusal, refuse_field
from infra.sandbox.settings import Settings
from infra.vendors._multipart import read_parts
from infra.vendors._openai_bodies import MODELS, Generation, Wanted, read_edit, read_size
from infra.vendors._shapes import nearest_ratio
from infra.vendors.bodies import read_json
from infra.vendors.desk import Desk, Wire, desk_of

PICTURES_PER_MINUTE = 250
OUTPUT_TOKENS = 1566

# How it says no, by the machinery's word: the status, the type and the code.
_ERRORS: Mapping[str, tuple[int, str, str | None]] = {
    "invalid_request": (400, "invalid_request_error", "invalid_value"),
    "unauthorized": (401, "invalid_request_error", "invalid_api_key"),
    "no_credit": (429, "insufficient_quota", "insufficient_quota"),
    "moderation_blocked": (400, "image_generation_user_error", "moderation_blocked"),
    "not_found": (404, "invalid_request_error", None),
    "unknown_model": (404, "invalid_request_error", "model_not_found"),
    "too_many_generations": (429, "input-images", "rate_limit_exceeded"),
    "too_many_requests": (429, "input-images", "rate_limit_exceeded"),
    "internal": (500, "server_error", "server_error"),
}
_MODERATION = {"moderation_stage": "input", "categories": ["violence"]}


async def create(request: Request) -> Response:
    """POST /v1/images/generations: pictures of words."""
    desk = _known_desk(request)
    return await _take(request, desk, await read_json(request, Generation), [])


async def edit(request: Request) -> Response:
    """POST /v1/images/edits: pictures of pictures."""
    desk = _known_desk(request)
    parts = read_parts(request.headers.get("content-type", ""), await read_body(request))
    wanted, pictures = read_edit(parts)
    return await _take(request, desk, wanted, pictures)


async def _take(request: Request, desk: Desk, wanted: Wanted, pictures: list[str]) -> Response:
    if wanted.model not in MODELS:
        message = f"The model `{wanted.model}` does not exist or you do not have access to it."
        raise Refusal("unknown_model", message)
    order = desk.order(
        "image",
        wanted.model,
        wanted.prompt,
        resolution="720p",
        aspect_ratio=_ratio(wanted.size),
        start_image_url=next(iter(pictures), None),
        count=wanted.n,
    )

    async def answer(generation: generations.Generation) -> Response:
        media = await desk.made(generation)
        # The machinery draws PNGs, so these are PNGs whatever `output_format` says.
        content = base64.b64encode(desk.content(generation, media)).decode()
        usage = {
            "total_tokens": OUTPUT_TOKENS + 50,
            "input_tokens": 50,
            "output_tokens": OUTPUT_TOKENS,
            "input_tokens_details": {"text_tokens": 50, "image_tokens": 0},
        }
        return JSONResponse({
            "created": int(time.time()),
            "background": "opaque",
            "output_format": "png",
            "quality": wanted.quality,
            "size": wanted.size,
            "data": [{"b64_json": content}] * wanted.n,
            "usage": usage,
        })  # fmt: skip

    return await desk.take(request, order, answer)


def refuse(refusal: Refusal) -> Response:
    """An error with a type, a code, and the parameter at fault."""
    status, kind, code = _ERRORS.get(refusal.code, _ERRORS["invalid_request"])
    error = {
        "message": refusal.message,
        "type": kind,
        "param": refusal.details.get("param"),
        "code": code,
    }
    if code == "moderation_blocked":
        return JSONResponse({"error": {**error, "moderation_details": _MODERATION}}, status)
    headers = {"retry-after": str(BUSY_RETRY_AFTER_SECONDS)} if status == 429 else {}
    return JSONResponse({"error": error}, status, headers=headers)


def _known_desk(request: Request) -> Desk:
    authorise(request)
    if request.query_params:
        raise refuse_field(next(iter(request.query_params)), "Unknown query parameter.")
    return desk_of(request)


def _ratio(size: str) -> str | None:
    if size == "auto":
        return None
    width, height = read_size(size)
    return nearest_ratio(f"{width}:{height}")


WIRE = Wire(
    name="openai",
    routes=(
        Route("/v1/images/generations", create, methods=["POST"]),
        Route("/v1/images/edits", edit, methods=["POST"]),
    ),
    refuse=refuse,
    # Nothing is published on how many may be drawn at once: this is no limit, only a bound.
    settings=Settings(port=8110, api_key="sk-proj-openai-simulated", concurrency=100),
    submits_per_minute=PICTURES_PER_MINUTE,
)
