"""Gemini's Interactions API, as far as it makes videos: asked for, told of, stopped, announced."""

import contextlib
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.sandbox.faults import answer_status
from infra.sandbox.generations import Generation, Status
from infra.sandbox.refusals import Refusal, refuse_field
from infra.sandbox.webhooks import Body
from infra.vendors._gemini_files import file_uri
from infra.vendors._gemini_words import admit, data_url, find, without_tags
from infra.vendors._shapes import nearest_ratio, nearest_resolution
from infra.vendors.bodies import Strict, read_json
from infra.vendors.desk import Desk

MODELS = ("gemini-omni-1.1-flash",)

TOKENS_PER_SECOND = 5792
_PREFIX = "v1_"
_FIRST, _LAST = "<FIRST_FRAME>", "<LAST_FRAME>"

_STATUSES: Mapping[Status, str] = {
    Status.QUEUED: "queued",
    Status.RUNNING: "in_progress",
    Status.SUCCEEDED: "completed",
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled",
}


class _Text(Strict):
    type: Literal["text"]
    text: str


class _Image(Strict):
    type: Literal["image"]
    mime_type: Literal["image/png", "image/jpeg", "image/webp"]
    data: str


class _Format(Strict):
    type: Literal["video"]
    aspect_ratio: Literal["16:9", "9:16"] | None = None
    resolution: Literal["360p", "720p", "1080p", "4k"] = "720p"
    duration: Annotated[str, StringConstraints(pattern=r"^([3-9]|10)s$")] = "8s"
    delivery: Literal["uri"]  # what is made here has an address, as all above 4 MB must


class _VideoConfig(Strict):
    task: Literal["text_to_video", "image_to_video"]


class _GenerationConfig(Strict):
    video_config: _VideoConfig


class _WebhookConfig(Strict):
    uris: list[Annotated[str, StringConstraints(pattern=r"^https?://")]] = Field(
        min_length=1, max_length=1
    )
    user_metadata: dict[str, str] | None = None


class _Request(Strict):
    model: str
    input: str | list[Annotated[_Text | _Image, Field(discriminator="type")]]
    background: bool = False
    store: bool = True
    response_format: _Format
    generation_config: _GenerationConfig | None = None
    webhook_config: _WebhookConfig | None = None


def _in_short_form(
    handle: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """These calls say in small letters what is wrong with a request."""

    @wraps(handle)
    async def answer(request: Request) -> Response:
        try:
            return await handle(request)
        except Refusal as refusal:
            if refusal.code not in ("invalid_request", "not_cancellable", "moderation_blocked"):
                raise
            is_unsafe = refusal.code == "moderation_blocked"
            message = f"Blocked: PROHIBITED_CONTENT. {refusal.message}"
            error = {
                "code": "invalid_request",
                "message": message if is_unsafe else refusal.message,
            }
            return JSONResponse({"error": error}, 400)

    return answer


@_in_short_form
async def create(request: Request) -> Response:
    """POST /v1beta/interactions."""
    desk = admit(request)
    body = await read_json(request, _Request)
    if body.model not in MODELS:
        raise Refusal("unknown_model", f"models/{body.model} is no longer available")
    prompt, images = _taken_apart(body)
    wanted = body.response_format
    order = desk.order(
        "video",
        body.model,
        without_tags(prompt),
        duration_seconds=int(wanted.duration.removesuffix("s")),
        resolution=nearest_resolution(wanted.resolution),
        aspect_ratio=nearest_ratio(wanted.aspect_ratio),
        start_image_url=images[0] if images else None,
        end_image_url=images[1] if len(images) > 1 else None,
        callback_url=body.webhook_config.uris[0] if body.webhook_config else None,
    )

    async def answer(generation: Generation) -> Response:
        if not body.background:
            with contextlib.suppress(Refusal):  # it waits for the end, whatever that is
                await desk.made(generation)
        return JSONResponse(_interaction(desk, generation))

    return await desk.take(request, order, answer)


def _taken_apart(body: _Request) -> tuple[str, list[str]]:
    """The prompt and the pictures, if they fit together."""
    if body.webhook_config and not body.background:
        raise refuse_field("webhook_config", "webhook_config needs background")
    if body.background and not body.store:
        raise refuse_field("store", "what runs in the background is stored")
    parts = [_Text(type="text", text=body.input)] if isinstance(body.input, str) else body.input
    prompt = " ".join(part.text for part in parts if isinstance(part, _Text))
    images = [data_url(part.mime_type, part.data) for part in parts if isinstance(part, _Image)]
    tags = re.findall(f"{_FIRST}|{_LAST}", prompt)
    if _LAST in tags and _FIRST not in tags:
        raise refuse_field("input", f"{_LAST} is used with {_FIRST}")
    if len(tags) > len(images) or len(images) > 2:
        raise refuse_field("input", "the pictures and the tags do not match")
    config = body.generation_config
    if config and (config.video_config.task == "image_to_video") is not bool(images):
        raise refuse_field("generation_config", f"{config.video_config.task} of this input")
    return prompt, images


@_in_short_form
async def show(request: Request) -> Response:
    """GET /v1beta/interactions/{id}."""
    desk = admit(request)
    generation = _find(desk, request)

    def describe(found: Generation | None) -> Mapping[str, object]:
        return _interaction(desk, found or generation)

    return await answer_status(desk, generation, describe)


@_in_short_form
async def cancel(request: Request) -> Response:
    """POST /v1beta/interactions/{id}/cancel."""
    desk = admit(request)
    generation = _find(desk, request)
    desk.cancel(generation)
    return JSONResponse(_interaction(desk, generation))


def event(desk: Desk, generation: Generation) -> Body:
    """What a webhook says: next to nothing."""
    data = {"id": _PREFIX + generation.id}
    if _status_of(generation) == "failed":
        assert generation.error is not None, "what failed has a reason"
        data |= {"error_code": generation.error.code, "error_message": generation.error.message}
    return {
        "type": f"interaction.{_status_of(generation)}",
        "version": "v1",
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "data": data,
    }


def _find(desk: Desk, request: Request) -> Generation:
    prefix, _, generation_id = request.path_params["id"].partition(_PREFIX)
    try:
        return find(desk, "" if prefix else generation_id, "video")
    except Refusal as refusal:
        raise Refusal("invalid_request", "Invalid interaction name") from refusal


def _status_of(generation: Generation) -> str:
    return "completed" if _is_refused(generation) else _STATUSES[generation.status]


def _is_refused(generation: Generation) -> bool:
    """Its safety rules end an interaction as completed, with words instead of a video."""
    return generation.error is not None and generation.error.code == "moderation_blocked"


def _interaction(desk: Desk, generation: Generation) -> dict[str, object]:
    words: dict[str, object] = {
        "id": _PREFIX + generation.id,
        "object": "interaction",
        "status": _status_of(generation),
        "model": generation.order.model,
    }
    if words["status"] != "completed":
        return words
    output: dict[str, object] = {"type": "text", "text": "I cannot make this video."}
    if not _is_refused(generation):
        uri = file_uri(desk, generation)
        output = {"type": "video", "mime_type": "video/mp4", "uri": f"{uri}:download?alt=media"}
    asked = {"type": "text", "text": generation.order.prompt}
    seconds = 0 if _is_refused(generation) else generation.order.duration_seconds
    tokens = {"modality": "video", "tokens": seconds * TOKENS_PER_SECOND}
    return words | {
        "steps": [
            {"type": "user_input", "content": [asked]},
            {"type": "thought"},
            {"type": "model_output", "content": [output]},
        ],
        "usage": {"output_tokens_by_modality": [tokens]},
    }


ROUTES = (
    Route("/v1beta/interactions", create, methods=["POST"]),
    Route("/v1beta/interactions/{id}", show, methods=["GET"]),
    Route("/v1beta/interactions/{id}/cancel", cancel, methods=["POST"]),
)
