"""MiniMax V1: video, Video Agent templates, images. Errors stand inside `base_resp`."""

import base64
import secrets
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.sandbox.faults import answer_status
from infra.sandbox.generations import Generation, Status
from infra.sandbox.refusals import refuse_field
from infra.vendors._minimax_tables import FRAMES, IMAGE_RATIOS, TEMPLATES, V1_MODELS, Template
from infra.vendors._minimax_tasks import (
    KEPT_MAX,
    SUCCESS,
    base_resp,
    file_number,
    find_task,
    known_desk,
    take,
    task_number,
)
from infra.vendors.bodies import Strict, read_json
from infra.vendors.desk import Desk

_WORDS: Mapping[Status, str] = {
    Status.QUEUED: "Queueing",
    Status.RUNNING: "Processing",
    Status.SUCCEEDED: "Success",
    Status.FAILED: "Fail",
    Status.CANCELLED: "Fail",
}
Words = dict[str, object]

_Url = Annotated[str, StringConstraints(pattern=r"^(https?://|data:image/)", max_length=30_000_000)]
_Prompt = Annotated[str, StringConstraints(min_length=1, max_length=2000)]

# ---------------------------------------------------------------- V1 video


class _Subject(Strict):
    type: Literal["character"]
    image: list[_Url] = Field(min_length=1, max_length=1)


class _Video(Strict):
    model: str
    prompt: _Prompt | None = None
    first_frame_image: _Url | None = None
    last_frame_image: _Url | None = None
    subject_reference: list[_Subject] | None = Field(default=None, min_length=1, max_length=1)
    prompt_optimizer: bool = True
    fast_pretreatment: bool = False
    duration: int | None = None
    resolution: Literal["512P", "720P", "768P", "1080P"] | None = None
    callback_url: str | None = None
    aigc_watermark: bool = False


async def create_video(request: Request) -> Response:
    """POST /v1/video_generation."""
    desk = known_desk(request)
    body = await read_json(request, _Video)
    _check_video(body)
    subject = body.subject_reference[0].image[0] if body.subject_reference else None
    order = desk.order(
        "video",
        body.model,
        body.prompt or "",
        duration_seconds=body.duration or 6,
        resolution=FRAMES[body.resolution or "768P"],
        start_image_url=body.first_frame_image or subject,
        end_image_url=body.last_frame_image,
        callback_url=body.callback_url,
    )
    return await take(request, desk, order, _accept)


def _check_video(body: _Video) -> None:
    """Which model takes which mode, resolution and duration: the table of the create pages."""
    model = V1_MODELS.get(body.model)
    if model is None:
        raise refuse_field("model", f"there is no model {body.model}")
    mode = _mode(body)
    if mode not in model.modes:
        raise refuse_field("model", f"{body.model} has no mode {mode}")
    if mode == "t2v" and body.prompt is None:
        raise refuse_field("prompt", "a prompt is needed")
    if not model.combinations:
        if body.duration is not None or body.resolution is not None:
            raise refuse_field("resolution", f"{body.model} is 6 s at 720P")
        return
    chosen = body.resolution or "768P", body.duration or 6
    if chosen not in model.combinations:
        raise refuse_field("duration", f"{body.model} does not do {chosen}")
    if body.resolution == "512P" and mode != "i2v":
        raise refuse_field("resolution", "512P is for videos from a first frame")


def _mode(body: _Video) -> str:
    if body.subject_reference is not None:
        return "s2v"
    if body.last_frame_image is not None:
        return "fl2v"
    return "t2v" if body.first_frame_image is None else "i2v"


async def show_video(request: Request) -> Response:
    """GET /v1/query/video_generation."""
    return await _show(request, {"file_id": "", "video_width": 0, "video_height": 0}, _with_file)


def _with_file(_desk: Desk, generation: Generation) -> Words:
    return {"file_id": file_number(generation), "video_width": 1366, "video_height": 768}


async def retrieve_file(request: Request) -> Response:
    """GET /v1/files/retrieve: where a file lies now. The id is a number here."""
    desk = known_desk(request)
    file_id = request.query_params.get("file_id", "")
    kept = desk.register.newest(KEPT_MAX)
    found = next((g for g in kept if file_number(g) == file_id), None)
    if found is None or found.media is None:
        raise refuse_field("file_id", "there is no such file")
    file = {
        "file_id": int(file_id),
        "bytes": found.media.size_bytes,
        "created_at": int(found.accepted_at),
        "filename": "output_aigc.mp4",
        "purpose": "video_generation",
        "download_url": desk.addresses(found)[0],
    }
    return JSONResponse({"file": file, "base_resp": SUCCESS})


# ---------------------------------------------------------------- templates


class _Input(Strict):
    value: Annotated[str, StringConstraints(min_length=1, max_length=30_000_000)]


class _FromTemplate(Strict):
    template_id: str
    text_inputs: list[_Input] | None = Field(default=None, min_length=1)
    media_inputs: list[_Input] | None = Field(default=None, min_length=1)
    callback_url: str | None = None


async def create_from_template(request: Request) -> Response:
    """POST /v1/video_template_generation."""
    desk = known_desk(request)
    body = await read_json(request, _FromTemplate)
    template = TEMPLATES.get(body.template_id)
    if template is None:
        raise refuse_field("template_id", f"there is no template {body.template_id}")
    _check_inputs(body, template)
    order = desk.order(
        "video",
        template.name,
        body.text_inputs[0].value if body.text_inputs else template.name,
        duration_seconds=4,
        start_image_url=body.media_inputs[0].value if body.media_inputs else None,
        callback_url=body.callback_url,
    )
    return await take(request, desk, order, _accept)


def _check_inputs(body: _FromTemplate, template: Template) -> None:
    if template.needs_media != (body.media_inputs is not None):
        raise refuse_field("media_inputs", f"{template.name} needs {template.needs_media}")
    if template.needs_text != (body.text_inputs is not None):
        raise refuse_field("text_inputs", f"{template.name} needs {template.needs_text}")


async def show_from_template(request: Request) -> Response:
    """GET /v1/query/video_template_generation: the address itself, without a second call."""
    return await _show(
        request, {"video_url": ""}, lambda desk, g: {"video_url": desk.addresses(g)[0]}
    )


# ---------------------------------------------------------------- images


class _ImageSubject(Strict):
    type: Literal["character"]
    image_file: _Url


class _Image(Strict):
    model: Literal["image-01", "image-01-live"]
    prompt: Annotated[str, StringConstraints(min_length=1, max_length=1500)]
    aspect_ratio: str = "1:1"
    response_format: Literal["url", "base64"] = "url"
    n: int = Field(default=1, ge=1, le=9)
    seed: int | None = None
    prompt_optimizer: bool = False
    aigc_watermark: bool = False
    subject_reference: list[_ImageSubject] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _has_a_shape(self) -> "_Image":
        if self.aspect_ratio not in IMAGE_RATIOS:
            raise ValueError("aspect_ratio")
        if self.aspect_ratio == "21:9" and self.model != "image-01":
            raise ValueError("aspect_ratio")
        return self


async def create_images(request: Request) -> Response:
    """POST /v1/image_generation: the answer is the result."""
    desk = known_desk(request)
    body = await read_json(request, _Image)
    order = desk.order(
        "image",
        body.model,
        body.prompt,
        aspect_ratio=IMAGE_RATIOS[body.aspect_ratio],
        count=body.n,
        start_image_url=body.subject_reference[0].image_file if body.subject_reference else None,
    )

    async def answer(generation: Generation) -> Response:
        media = await desk.made(generation)
        if body.response_format == "url":
            data = {"image_urls": desk.addresses(generation)}
        else:
            content = base64.b64encode(desk.content(generation, media)).decode()
            data = {"image_base64": [content] * body.n}
        counts = {"failed_count": "0", "success_count": str(body.n)}
        reply = {"id": secrets.token_hex(16), "data": data, "metadata": counts}
        return JSONResponse({**reply, "base_resp": SUCCESS})

    return await desk.take(request, order, answer)


# ---------------------------------------------------------------- what the calls share


async def _accept(generation: Generation) -> Response:
    return JSONResponse({"task_id": task_number(generation), "base_resp": SUCCESS})


async def _show(
    request: Request, empty: Words, result: Callable[[Desk, Generation], Words]
) -> Response:
    desk = known_desk(request)
    generation = find_task(desk, request.query_params.get("task_id", ""))
    if generation is None:
        raise refuse_field("task_id", "there is no such task")

    def describe(found: Generation | None) -> Mapping[str, object]:
        assert found is not None
        words = {"task_id": task_number(found), "status": _WORDS[found.status], **empty}
        if found.status is Status.SUCCEEDED:
            words |= result(desk, found)
        return {**words, "base_resp": base_resp(found)}

    return await answer_status(desk, generation, describe)


ROUTES = (
    Route("/v1/video_generation", create_video, methods=["POST"]),
    Route("/v1/query/video_generation", show_video, methods=["GET"]),
    Route("/v1/files/retrieve", retrieve_file, methods=["GET"]),
    Route("/v1/video_template_generation", create_from_template, methods=["POST"]),
    Route("/v1/query/video_template_generation", show_from_template, methods=["GET"]),
    Route("/v1/image_generation", create_images, methods=["POST"]),
)
