"""Stability AI as its documentation describes it: forms in, pictures out, so many requests."""

import base64
import hashlib
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.sandbox.api import authorise, read_body
from infra.sandbox.faults import answer_status
from infra.sandbox.generations import Generation, Status
from infra.sandbox.orders import Order
from infra.sandbox.refusals import Refusal
from infra.sandbox.settings import Settings
from infra.vendors._multipart import read_multipart
from infra.vendors._shapes import nearest_ratio
from infra.vendors._stability_forms import FORMS, require_sense
from infra.vendors.desk import MINUTE_SECONDS, Desk, Wire, desk_of

BODY_MAX_BYTES = 10 * 1024 * 1024
REQUESTS_PER_MINUTE = 900  # 150 in ten seconds, which are the window
WINDOW_SECONDS = 10.0
TIME_OUT_SECONDS = 60.0
SEED = 343940597

# How it says no: by the machinery's word, or by the name that a reader gives.
_ERRORS: Mapping[str, tuple[int, str]] = {
    "invalid_request": (400, "bad_request"),
    "unauthorized": (401, "unauthorized"),
    "no_credit": (402, "payment_required"),
    "moderation_blocked": (403, "content_moderation"),
    "not_found": (404, "generation_not_found"),
    "unknown_model": (404, "not_found"),
    "too_many_generations": (429, "rate_limit_exceeded"),
    "too_many_requests": (429, "rate_limit_exceeded"),
    "internal": (500, "internal_error"),
}
_STATUSES: Mapping[str, int] = {"payload_too_large": 413, "invalid_language": 422}
_DENIED = (
    "Your request was flagged by our content moderation system, as a result your request was "
    "denied and you were not charged."
)


@dataclass(slots=True)
class _Pace:
    """How often the account came lately, and until when it is not heard."""

    times: deque[float] = field(default_factory=deque)
    closed_until: float = 0.0


_paces: WeakKeyDictionary[Desk, _Pace] = WeakKeyDictionary()


async def create(request: Request) -> Response:
    """POST /v2beta/stable-image/{call}: the picture, or the id of a task."""
    desk = _known_desk(request)
    path = request.url.path.removeprefix("/v2beta/stable-image/")
    wants_bytes = _wants_bytes(request)
    form = FORMS[path]
    parts = read_multipart(request.headers.get("content-type", ""), await _body(request))
    values = form.read(parts)
    require_sense(path, values)

    async def answer_with_id(generation: Generation) -> Response:
        return JSONResponse({"id": _task_id(generation.id)})

    async def answer_with_picture(generation: Generation) -> Response:
        try:
            media = await desk.made(generation)
        except Refusal as refusal:
            if refusal.code != "moderation_blocked":
                raise
            return _shown(_blur(), "CONTENT_FILTERED", as_bytes=wants_bytes)
        return _shown(desk.content(generation, media), "SUCCESS", as_bytes=wants_bytes)

    answer = answer_with_id if form.is_task else answer_with_picture
    return await desk.take(request, _order(desk, path, values), answer)


async def show_result(request: Request) -> Response:
    """GET /v2beta/results/{id}: 202 while it is made, then the picture for a day."""
    desk = _known_desk(request)
    as_bytes = _wants_bytes(request)
    generation = _find(desk, request.path_params["id"])
    return await answer_status(
        desk, generation, lambda found: _result(desk, found or generation, as_bytes=as_bytes)
    )


def refuse(refusal: Refusal) -> Response:
    """An id, a name, and a list of errors that begin with the field at fault."""
    status, name = _ERRORS.get(refusal.code, _ERRORS["invalid_request"])
    name = refusal.details.get("name", name)
    text = _DENIED if name == "content_moderation" else refusal.message
    return _error(_STATUSES.get(name, status), name, text)


def _known_desk(request: Request) -> Desk:
    authorise(request)
    desk = desk_of(request)
    per_minute = desk.settings.submits_per_minute or REQUESTS_PER_MINUTE
    most = int(per_minute * WINDOW_SECONDS / MINUTE_SECONDS)
    _require_pace(_paces.setdefault(desk, _Pace()), most, time.monotonic())
    return desk


def _require_pace(pace: _Pace, most: int, now: float) -> None:
    """Every request counts, polls too; one too many, and none is heard for a while."""
    while pace.times and now - pace.times[0] >= WINDOW_SECONDS:
        pace.times.popleft()
    pace.times.append(now)
    if len(pace.times) > most:
        pace.closed_until = now + TIME_OUT_SECONDS
    if now < pace.closed_until:
        raise Refusal(
            "too_many_requests",
            f"You have exceeded the rate limit of {most} requests within 10 seconds, and have "
            "been timed out for 60 seconds.",
        )


def _wants_bytes(request: Request) -> bool:
    accept = request.headers.get("accept", "image/*")
    if accept not in {"image/*", "application/json", "*/*"}:
        raise Refusal("invalid_request", "accept: must be image/* or application/json")
    return accept != "application/json"


async def _body(request: Request) -> bytes:
    body = await read_body(request)
    if len(body) > BODY_MAX_BYTES:
        raise Refusal(
            "invalid_request",
            "body: payloads cannot be larger than 10MiB in size",
            details={"name": "payload_too_large"},
        )
    return body


def _order(desk: Desk, path: str, values: Mapping[str, Any]) -> Order:
    return desk.order(
        "image",
        str(values.get("model", path)),
        str(values.get("prompt", values.get("background_prompt", ""))),
        negative_prompt=values.get("negative_prompt"),
        resolution="720p",
        aspect_ratio=nearest_ratio(values.get("aspect_ratio")),
        start_image_url=values.get("image", values.get("subject_image")),
    )


def _result(desk: Desk, generation: Generation, *, as_bytes: bool) -> Response:
    if desk.behaviour_of(generation).result.word == "expired":
        raise Refusal("not_found", "id: results are kept for a day")
    if generation.status is Status.SUCCEEDED and generation.media is not None:
        content = desk.content(generation, generation.media)
        return _shown(content, "SUCCESS", as_bytes=as_bytes)
    if generation.error is None:
        words = {"id": _task_id(generation.id), "status": "in-progress"}
        return JSONResponse(words, 202)
    if generation.error.code == "moderation_blocked":
        return _shown(_blur(), "CONTENT_FILTERED", as_bytes=as_bytes)
    if generation.error.code == "internal":
        raise Refusal("internal", generation.error.message)
    # The documentation has no name for a task that failed, only that 422 has others than these.
    return _error(422, "unprocessable_entity", generation.error.message)


def _shown(content: bytes, reason: str, *, as_bytes: bool) -> Response:
    # The machinery draws PNGs, so these are PNGs whatever `output_format` says.
    if as_bytes:
        headers = {"finish-reason": reason, "seed": str(SEED)}
        return Response(content, media_type="image/png", headers=headers)
    image = base64.b64encode(content).decode()
    return JSONResponse({"image": image, "seed": SEED, "finish_reason": reason})


@cache
def _blur() -> bytes:
    """What is shown in the place of a picture that must not be."""
    from infra.sandbox.films import tiny_media

    return tiny_media("image").content or b""


def _error(status: int, name: str, text: str) -> JSONResponse:
    error_id = hashlib.sha256(f"{time.time()}".encode()).hexdigest()[:32]
    return JSONResponse({"id": error_id, "name": name, "errors": [text]}, status)


def _find(desk: Desk, task_id: str) -> Generation:
    generation_id = f"gen_{task_id[:24]}"
    if task_id != _task_id(generation_id):
        raise Refusal("not_found", "id: there is no such generation")
    return desk.register.find(generation_id)


def _task_id(generation_id: str) -> str:
    """64 hex digits, as the vendor's ids have."""
    digits = generation_id.removeprefix("gen_")
    return digits + hashlib.sha256(digits.encode()).hexdigest()[:40]


WIRE = Wire(
    name="stability",
    routes=(
        *(Route(f"/v2beta/stable-image/{path}", create, methods=["POST"]) for path in FORMS),
        Route("/v2beta/results/{id}", show_result, methods=["GET"]),
    ),
    refuse=refuse,
    # Nothing is published on how many may be drawn at once: this is no limit, only a bound.
    settings=Settings(port=8105, api_key="sk-stability-simulated", concurrency=100),
    submits_per_minute=REQUESTS_PER_MINUTE,
)
