"""MiniMax's V2 calls (MiniMax-H3): one content list, HTTP statuses, cancelling what is queued."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.sandbox.faults import answer_status
from infra.sandbox.generations import Generation, Status
from infra.sandbox.refusals import Refusal, refuse_field
from infra.vendors._minimax_tasks import (
    find_task,
    known_desk,
    refuse_v2,
    take,
    task_number,
    v2_task,
)
from infra.vendors.bodies import Strict, read_json

_RESOLUTIONS: Mapping[str, Mapping[str, str]] = {
    "MiniMax-H3": {"768P": "720p", "2K": "1080p"},
    "MiniMax-H3-Max": {"480P": "480p", "768P": "720p"},
}
_RATIOS = ("21:9", "16:9", "4:3", "1:1", "3:4", "9:16")
_FRAME_ROLES = frozenset({"first_frame", "last_frame"})


class _Link(Strict):
    url: Annotated[str, StringConstraints(pattern=r"^(https?://|data:|mm_file://)")]


class _Part(Strict):
    type: Literal["text", "image_url"]
    text: Annotated[str, StringConstraints(min_length=1, max_length=7000)] | None = None
    image_url: _Link | None = None
    role: Literal["first_frame", "last_frame", "reference_image"] | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> "_Part":
        is_text = self.text is not None and self.image_url is None and self.role is None
        is_image = self.text is None and self.image_url is not None and self.role is not None
        if not (is_text if self.type == "text" else is_image):
            raise ValueError("a part is a text, or a picture with a role")
        return self


class _Video(Strict):
    model: Literal["MiniMax-H3", "MiniMax-H3-Max"]
    content: list[_Part]
    resolution: str
    duration: int = Field(ge=4, le=15)
    ratio: Literal["adaptive", "21:9", "16:9", "4:3", "1:1", "3:4", "9:16"] = "adaptive"
    callback_url: str | None = None
    aigc_watermark: bool = False


async def create_video(request: Request) -> Response:
    """POST /v2/video_generation."""
    desk = known_desk(request)
    body = await read_json(request, _Video)
    pictures = _pictures(body)
    order = desk.order(
        "video",
        body.model,
        next(part.text or "" for part in body.content if part.type == "text"),
        duration_seconds=body.duration,
        resolution=_RESOLUTIONS[body.model][body.resolution],
        aspect_ratio="16:9" if body.ratio in ("21:9", "adaptive") else body.ratio,
        start_image_url=pictures.get("first_frame") or pictures.get("reference_image"),
        end_image_url=pictures.get("last_frame"),
        callback_url=body.callback_url,
    )
    return await take(request, desk, order, _accept)


def _pictures(body: _Video) -> Mapping[str, str]:
    """The addresses by role, if everything fits together."""
    if body.resolution not in _RESOLUTIONS[body.model]:
        raise refuse_field("resolution", f"{body.model} has no {body.resolution}")
    if sum(part.type == "text" for part in body.content) != 1:
        raise refuse_field("content", "exactly one text")
    pictures = {part.role: part.image_url.url for part in body.content if part.image_url}
    roles = {role for role in pictures if role is not None}
    if roles & _FRAME_ROLES and roles - _FRAME_ROLES:
        raise refuse_field("content", "frames and references exclude each other")
    if "first_frame" in roles and body.ratio != "adaptive":
        raise refuse_field("ratio", "a video from a frame has the frame's shape")
    if not roles and body.ratio not in _RATIOS:
        raise refuse_field("ratio", "a video from words needs a shape")
    return {str(role): url for role, url in pictures.items()}


async def _accept(generation: Generation) -> Response:
    return JSONResponse({"task_id": task_number(generation)})


async def show_video(request: Request) -> Response:
    """GET /v2/query/video_generation/{task_id}."""
    desk = known_desk(request)
    generation = find_task(desk, request.path_params["task_id"])
    if generation is None:
        raise Refusal("not_found", "there is no such task")

    def describe(found: Generation | None) -> Mapping[str, object]:
        assert found is not None
        return {"task": v2_task(desk, found)}

    return await answer_status(desk, generation, describe)


async def remove_video(request: Request) -> Response:
    """DELETE /v2/video_generation/{task_id}: what is queued is cancelled, what is over removed."""
    desk = known_desk(request)
    generation = find_task(desk, request.path_params["task_id"])
    if generation is None:
        raise Refusal("not_found", "there is no such task")
    if generation.status in (Status.RUNNING, Status.CANCELLED):
        raise refuse_field("task_id", f"the task is {generation.status}")
    if generation.status is Status.QUEUED:
        desk.cancel(generation)
        return JSONResponse({"status": "cancelled"})
    return JSONResponse({"status": "deleted"})


def _in_its_words(
    handle: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await handle(request)
        except Refusal as refusal:
            return refuse_v2(refusal)

    return answer


ROUTES = (
    Route("/v2/video_generation", _in_its_words(create_video), methods=["POST"]),
    Route("/v2/query/video_generation/{task_id}", _in_its_words(show_video), methods=["GET"]),
    Route("/v2/video_generation/{task_id}", _in_its_words(remove_video), methods=["DELETE"]),
)
