"""Runway as its documentation describes it: tasks behind a versioned API, no callbacks.

What an account's places do not hold is taken all the same and waits as THROTTLED.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.sandbox.api import authorise
from infra.sandbox.behaviour import read_switches
from infra.sandbox.faults import answer_status
from infra.sandbox.generations import Generation, Status
from infra.sandbox.orders import Order
from infra.sandbox.refusals import Refusal
from infra.sandbox.settings import Settings
from infra.vendors._runway_bodies import BODIES, Body, Film
from infra.vendors._shapes import nearest_ratio, nearest_resolution
from infra.vendors.bodies import checked, read_json
from infra.vendors.desk import Desk, Wire, desk_of

VERSION = "2024-11-06"

_WORDS: Mapping[Status, str] = {
    Status.QUEUED: "PENDING",
    Status.RUNNING: "RUNNING",
    Status.SUCCEEDED: "SUCCEEDED",
    Status.FAILED: "FAILED",
    Status.CANCELLED: "CANCELLED",
}
# Why a task failed: the code and the sentence. Any other is a failure without a code.
_FAILURES: Mapping[str, tuple[str, str]] = {
    "moderation_blocked": (
        "SAFETY.INPUT.TEXT",
        "An input to the task did not pass content moderation.",
    ),
    "out_of_capacity": ("THIRD_PARTY.UNAVAILABLE", "A third party is not available."),
    "render_failed": ("INTERNAL.BAD_OUTPUT.CODE01", "The output did not pass our checks."),
    "internal": ("INTERNAL", "An internal error occurred."),
    "image_unreadable": ("ASSET.INVALID", "An asset of the task cannot be used."),
    "image_unavailable": ("ASSET.INVALID", "An asset of the task cannot be fetched."),
}
# How it says no; what is absent is a field at fault.
_ERRORS: Mapping[str, tuple[int, str]] = {
    "unauthorized": (401, "The API key is missing, unknown or disabled."),
    "no_credit": (400, "You do not have enough credits to run this task."),
    "moderation_blocked": (400, "The request did not pass content moderation."),
    "not_found": (404, "Not found"),
    "too_many_generations": (429, "You have reached the limit of generations for now."),
    "too_many_requests": (429, "You have made too many requests."),
    "internal": (500, "An internal error occurred."),
}
_CREDITS_PER_SECOND: Mapping[str, int] = {
    "gen4.5": 12,
    "gen4_turbo": 5,
    "veo3.1": 40,
    "veo3.1_fast": 15,
}
_CREDITS: Mapping[str, int] = {"gen4_image": 8, "gen4_image_turbo": 2}

# Tasks that were stopped or deleted are not shown any more.
_deleted: WeakKeyDictionary[Desk, set[str]] = WeakKeyDictionary()


class _Named(BaseModel):
    """A body of which only the model is known yet: the other fields are that model's."""

    model_config = ConfigDict(extra="allow", strict=True)

    model: str


async def create(request: Request) -> Response:
    """POST /v1/image_to_video, text_to_video, text_to_image: 200 with the id of a task."""
    desk = _known_desk(request)
    named = await read_json(request, _Named)
    kinds = BODIES[request.url.path]
    if named.model not in kinds:
        known = ", ".join(kinds)
        raise Refusal("unknown_model", f"must be one of {known}")
    body = checked(named.model_dump(), kinds[named.model])

    async def answer(generation: Generation) -> Response:
        return JSONResponse({"id": _task_id(generation.id), **_estimate(generation)})

    return await desk.take(request, _order(desk, body), answer)


async def show(request: Request) -> Response:
    """GET /v1/tasks/{id}."""
    desk = _known_desk(request)
    generation = _find(desk, request.path_params["id"])
    return await answer_status(desk, generation, lambda found: _task(desk, found or generation))


async def delete(request: Request) -> Response:
    """DELETE /v1/tasks/{id}: stops what is unfinished, deletes what is finished; then 404."""
    desk = _known_desk(request)
    generation = _find(desk, request.path_params["id"])
    if not generation.is_terminal:
        desk.cancel(generation)
    _deleted.setdefault(desk, set()).add(generation.id)
    return Response(status_code=204)


def refuse(refusal: Refusal) -> Response:
    """An `error`, with `issues` where fields are at fault."""
    if refusal.code in _ERRORS:
        status, text = _ERRORS[refusal.code]
        return JSONResponse({"error": text}, status, headers=refusal.headers)
    param = "model" if refusal.code == "unknown_model" else refusal.details.get("param")
    if param is None:
        return JSONResponse({"error": refusal.message}, 400)
    # Between the names of fields are pydantic's own words for the shapes that it tried.
    path = [part for part in param.split(".") if part.isalnum() or part.isidentifier()]
    issue = {"path": path, "message": refusal.message}
    return JSONResponse({"error": "Validation of body failed", "issues": [issue]}, 400)


def _known_desk(request: Request) -> Desk:
    authorise(request)
    if request.headers.get("x-runway-version") != VERSION:
        raise Refusal("invalid_request", "The header X-Runway-Version is missing or not valid.")
    return desk_of(request)


def _order(desk: Desk, body: Body) -> Order:
    width, height = map(int, body.ratio.split(":"))
    pictures = [*body.pictures, None, None]
    is_film = isinstance(body, Film)
    order = desk.order(
        "video" if is_film else "image",
        body.model,
        body.prompt_text or "",
        duration_seconds=body.duration if isinstance(body, Film) else None,
        resolution=nearest_resolution(f"{min(width, height)}p"),
        aspect_ratio=nearest_ratio(body.ratio),
        start_image_url=pictures[0],
        end_image_url=pictures[1] if is_film else None,
    )
    return _looked_at_later(desk, order)


def _looked_at_later(desk: Desk, order: Order) -> Order:
    """Runway looks at prompts and pictures after it has taken a task, never before."""
    if desk.defaults.with_overrides(order.overrides).moderation.word != "refuse":
        return order
    return replace(order, overrides={**order.overrides, **read_switches({"moderation": "late"})})


def _task(desk: Desk, generation: Generation) -> dict[str, object]:
    words: dict[str, object] = {
        "id": _task_id(generation.id),
        "status": _status(desk, generation),
        "createdAt": _moment(generation.accepted_at),
    }
    if generation.status is Status.RUNNING:
        words["progress"] = desk.describe(generation)["progress"]
    if not generation.is_terminal:
        return words | _estimate(generation)
    words["cost"] = {"credits": _credits(generation.order)}
    if generation.error is not None:
        code, sentence = _FAILURES[generation.error.code]
        words |= {"failure": sentence, "failureCode": code}
    if generation.status is Status.SUCCEEDED:
        words["output"] = desk.addresses(generation)
    return words


def _status(desk: Desk, generation: Generation) -> str:
    is_full = desk.register.counts.running > desk.register.places
    if generation.status is Status.QUEUED and is_full:
        return "THROTTLED"
    return _WORDS[generation.status]


def _estimate(generation: Generation) -> dict[str, object]:
    return {"estimatedCost": {"credits": _credits(generation.order)}}


def _credits(order: Order) -> int:
    if order.model in _CREDITS:
        return _CREDITS[order.model]
    return _CREDITS_PER_SECOND[order.model] * order.duration_seconds


def _find(desk: Desk, task_id: str) -> Generation:
    try:
        generation_id = f"gen_{UUID(task_id).hex[:24]}"
    except ValueError as error:
        raise Refusal("not_found", "this is not the id of a task") from error
    if generation_id in _deleted.get(desk, ()):
        raise Refusal("not_found", "this task was stopped or deleted")
    return desk.register.find(generation_id)


def _task_id(generation_id: str) -> str:
    """A UUID, because the vendor's ids are."""
    return str(UUID(f"{generation_id.removeprefix('gen_')}00000000"))


def _moment(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return moment.replace("+00:00", "Z")


WIRE = Wire(
    name="runway",
    routes=(
        *(Route(path, create, methods=["POST"]) for path in BODIES),
        Route("/v1/tasks/{id}", show, methods=["GET"]),
        Route("/v1/tasks/{id}", delete, methods=["DELETE"]),
    ),
    refuse=refuse,
    # Tier 2 has three places for each model; here they are three for all.
    settings=Settings(port=8104, api_key=f"key_{'0' * 128}", concurrency=3),
    queues=True,
)
