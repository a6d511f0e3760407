"""ModelsLab as its documentation describes it: the key in every body, V6's ultra calls, and V7.

What goes wrong has no code. Much of it comes with status 200, some of it in the old `messege`.
"""

import asyncio
import contextlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.sandbox.faults import answer_status
from infra.sandbox.generations import Generation, Status
from infra.sandbox.orders import Order
from infra.sandbox.refusals import Refusal
from infra.sandbox.settings import Settings
from infra.sandbox.webhooks import Body
from infra.vendors._modelslab_bodies import (
    PICTURE_TO_VIDEO,
    PICTURES,
    TEXT_TO_VIDEO,
    Asked,
    Fusion,
    FusionPicture,
    Image,
    ImagePicture,
    Keyed,
    Ultra,
    UltraPicture,
    first_picture,
)
from infra.vendors._shapes import nearest_ratio, nearest_resolution
from infra.vendors.bodies import read_json
from infra.vendors.desk import Desk, Wire, desk_of

RETRY_AFTER_SECONDS = 30
ETA_SECONDS = 12.5
# How long a call for pictures may take before it says that they will be there later.
PATIENCE_SECONDS = 1.0

Words = dict[str, object]


# ---------------------------------------------------------------- orders


async def make_ultra(request: Request) -> Response:
    """POST /api/v6/video/text2video_ultra; a model that it does not have is made with wan2.2."""
    return await _take_ultra(request, await read_json(request, Ultra))


async def make_ultra_from_picture(request: Request) -> Response:
    """POST /api/v6/video/img2video_ultra."""
    return await _take_ultra(request, await read_json(request, UltraPicture))


async def make_film(request: Request) -> Response:
    """POST /api/v7/video-fusion/text-to-video."""
    return await _take_film(request, await read_json(request, Fusion), TEXT_TO_VIDEO)


async def make_film_from_picture(request: Request) -> Response:
    """POST /api/v7/video-fusion/image-to-video."""
    return await _take_film(request, await read_json(request, FusionPicture), PICTURE_TO_VIDEO)


async def make_image(request: Request) -> Response:
    """POST /api/v7/images/text-to-image."""
    return await _take_image(request, await read_json(request, Image))


async def make_image_from_picture(request: Request) -> Response:
    """POST /api/v7/images/image-to-image."""
    return await _take_image(request, await read_json(request, ImagePicture))


async def fetch(request: Request) -> Response:
    """POST …/fetch/{id}, with the key."""
    desk = _known_desk(request, await read_json(request, Keyed))
    generation = desk.register.find(f"gen_{request.path_params['id']:024x}")
    if not request.url.path.startswith(f"/api/{_family(generation)}/"):
        raise Refusal("not_found", "it was ordered elsewhere")
    return await answer_status(desk, generation, lambda found: _describe(desk, found or generation))


async def _take_ultra(request: Request, body: Ultra) -> Response:
    desk = _known_desk(request, body)
    order = _order(
        desk,
        "v6/video",
        body,
        duration_seconds=max(1, round(body.num_frames / body.fps)),
        resolution=nearest_resolution(f"{body.resolution or 480}p"),
        aspect_ratio="9:16" if body.portrait else "16:9",
        start_image_url=body.init_image if isinstance(body, UltraPicture) else None,
    )
    return await _take(request, desk, order, patience_seconds=0)


async def _take_film(request: Request, body: Fusion, models: frozenset[str]) -> Response:
    desk = _known_desk(request, body)
    _require_model(body, models)
    order = _order(
        desk,
        "v7/video-fusion",
        body,
        duration_seconds=int(body.duration or 5),
        resolution=nearest_resolution(body.resolution),
        aspect_ratio=nearest_ratio(body.aspect_ratio),
        start_image_url=first_picture(body),
    )
    return await _take(request, desk, order, patience_seconds=0)


async def _take_image(request: Request, body: Image) -> Response:
    desk = _known_desk(request, body)
    _require_model(body, PICTURES)
    order = _order(
        desk,
        "v7/images",
        body,
        resolution=nearest_resolution(body.resolution),
        aspect_ratio=nearest_ratio(body.aspect_ratio),
        start_image_url=first_picture(body),
    )
    return await _take(request, desk, order, patience_seconds=PATIENCE_SECONDS)


async def _take(request: Request, desk: Desk, order: Order, *, patience_seconds: float) -> Response:
    async def answer(generation: Generation) -> Response:
        with contextlib.suppress(TimeoutError, Refusal):
            async with asyncio.timeout(patience_seconds):
                await desk.made(generation)
        return JSONResponse(_describe(desk, generation))

    return await desk.take(request, order, answer)


def _order(desk: Desk, family: str, body: Asked, **details: object) -> Order:
    return desk.order(
        "image" if family == "v7/images" else "video",
        f"{family}:{body.model_id}",
        body.prompt,
        # The caller's own id need not be the only one of its kind, so it gets a tail.
        client_id=f"{body.track_id or ''}/{secrets.token_hex(8)}",
        negative_prompt=body.negative_prompt,
        callback_url=body.webhook,
        **details,
    )


def _known_desk(request: Request, body: Keyed) -> Desk:
    desk = desk_of(request)
    if not hmac.compare_digest(body.key.encode(), desk.settings.api_key.encode()):
        raise Refusal("unauthorized", "the key is not known")
    return desk


def _require_model(body: Asked, models: frozenset[str]) -> None:
    if body.model_id not in models:
        raise Refusal("unknown_model", body.model_id)


# ---------------------------------------------------------------- what it says of a generation

_FAILURES: Mapping[str, tuple[str, str]] = {
    "render_failed": ("failed", "Processing failed: the frames could not be rendered"),
    "out_of_capacity": ("error", "Service temporarily unavailable. Please try again later."),
    "moderation_blocked": ("failed", "NSFW content detected. The request was not processed."),
}
_OTHER_FAILURE = ("failed", "Processing failed")


def _describe(desk: Desk, generation: Generation) -> Words:
    number = _number(generation)
    if generation.error is not None:
        word, message = _FAILURES.get(generation.error.code, _OTHER_FAILURE)
        return {"status": word, "id": number, "message": message}
    if generation.status is Status.SUCCEEDED:
        return _finished(desk, generation) | {"id": number}
    return {
        "status": "processing",
        "tip": "Your request is processing in background, you can get it using fetch API",
        "eta": ETA_SECONDS,
        "message": "Try to fetch request after seconds estimated",
        "fetch_result": f"{desk.public_url}/api/{_family(generation)}/fetch/{number}",
        "id": number,
        "output": [],
        "meta": {},
        # Nothing is served there before it is finished.
        "future_links": [f"{desk.public_url}/files/{generation.id}/later"],
    }


def _finished(desk: Desk, generation: Generation) -> Words:
    order, output = generation.order, desk.addresses(generation)
    took_seconds = (generation.completed_at or generation.accepted_at) - generation.accepted_at
    words: Words = {
        "status": "success",
        "generationTime": round(took_seconds, 2),
        "output": output,
        "proxy_links": output,
        "meta": {"prompt": order.prompt, "model_id": order.model.partition(":")[2]},
    }
    return {**words, "nsfw_content_detected": False} if order.kind == "image" else words


def _event(desk: Desk, generation: Generation) -> Body:
    """Callbacks have the number as a text, and know only one word for what went wrong."""
    track_id = generation.order.client_id.rpartition("/")[0] or None
    ours: Words = {"id": str(_number(generation)), "track_id": track_id}
    if generation.status is Status.SUCCEEDED:
        return _finished(desk, generation) | ours
    code = generation.error.code if generation.error else ""
    _, message = _FAILURES.get(code, _OTHER_FAILURE)
    return {"status": "failed", "message": message, **ours}


def _family(generation: Generation) -> str:
    """The group of addresses at which it was ordered, and is asked for."""
    return generation.order.model.partition(":")[0]


def _number(generation: Generation) -> int:
    return int(generation.id.removeprefix("gen_"), 16)


# ---------------------------------------------------------------- how it says no

_QUEUE_FULL: Words = {
    "message": "Rate limit exceeded. Maximum 5 queued requests allowed.",
    "retry_after": RETRY_AFTER_SECONDS,
}
_REFUSALS: Mapping[str, tuple[int, Words]] = {
    "unauthorized": (200, {"messege": "Invalid API key"}),
    "no_credit": (402, {"message": "Insufficient credits. Please add more credits to continue."}),
    "moderation_blocked": (200, {"message": "The prompt was blocked by our moderation."}),
    "not_found": (404, {"message": "Video not found"}),
    "too_many_generations": (429, _QUEUE_FULL),
    "too_many_requests": (429, _QUEUE_FULL),
    "internal": (500, {"message": "Internal server error. Please try again."}),
}


def _refuse(refusal: Refusal) -> Response:
    status, words = _REFUSALS.get(refusal.code, (400, {"message": f"Invalid: {refusal.message}"}))
    param = refusal.details.get("param")
    if refusal.code == "unknown_model":
        status, words = 200, {"message": f"Model not found: {refusal.message}"}
    elif param is not None:
        # By field, each with a list (facts D3).
        status, words = 200, {"message": {param: [refusal.message]}}
    return JSONResponse({"status": "error", **words}, status)


def _post(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
    return Route(f"/api/{path}", endpoint, methods=["POST"])


WIRE = Wire(
    name="modelslab",
    routes=(
        _post("v6/video/text2video_ultra", make_ultra),
        _post("v6/video/img2video_ultra", make_ultra_from_picture),
        _post("v6/video/fetch/{id:int}", fetch),
        _post("v7/video-fusion/text-to-video", make_film),
        _post("v7/video-fusion/image-to-video", make_film_from_picture),
        _post("v7/video-fusion/fetch/{id:int}", fetch),
        _post("v7/images/text-to-image", make_image),
        _post("v7/images/image-to-image", make_image_from_picture),
        _post("v7/images/fetch/{id:int}", fetch),
    ),
    refuse=_refuse,
    settings=Settings(port=8106, api_key="modelslab-key", concurrency=5),
    event=_event,
    news=frozenset({Status.SUCCEEDED, Status.FAILED}),
)
