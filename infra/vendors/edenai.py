"""Eden AI as its documentation describes it: V3's jobs and instant pictures, and V2 for a while."""

import base64
import secrets
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.sandbox.api import authorise
from infra.sandbox.faults import answer_status
from infra.sandbox.generations import Generation, Status
from infra.sandbox.refusals import Refusal, refuse_field
from infra.sandbox.settings import Settings
from infra.vendors._edenai_bodies import (
    FILMS,
    V2_FILMS,
    V3_FILMS,
    V3_PICTURES,
    Film,
    Picture,
    V2Film,
)
from infra.vendors._edenai_jobs import (
    BLOCKED,
    WORDS,
    Words,
    build_order,
    complaint,
    event,
    find_job,
    public_id,
)
from infra.vendors._edenai_key import PUBLIC_KEY_PEM, EdenSigner
from infra.vendors.bodies import read_json
from infra.vendors.desk import Desk, Wire, desk_of

REQUESTS_PER_MINUTE = 600

Endpoint = Callable[[Request], Awaitable[Response]]

# ---------------------------------------------------------------- V3


async def launch(request: Request) -> Response:
    """POST /v3/universal-ai/async: 202 with the job's id."""
    desk = _known_desk(request)
    body = await read_json(request, Film)
    _require_models(body.model, body.fallbacks, V3_FILMS)
    order = build_order(
        desk,
        "video",
        body.model,
        body.input.text,
        body.input.dimension,
        parameters=body.user_webhook_parameters,
        duration_seconds=body.input.duration or 5,
        start_image_url=body.input.file,
        callback_url=body.webhook_receiver,
    )

    async def answer(generation: Generation) -> Response:
        return JSONResponse({"public_id": public_id(generation), "status": "processing"}, 202)

    return await desk.take(request, order, answer)


async def show(request: Request) -> Response:
    """GET /v3/universal-ai/async/{id}."""
    desk = _known_desk(request)
    generation = find_job(desk, request, FILMS)
    return await answer_status(desk, generation, lambda found: _job(desk, found or generation))


async def delete(request: Request) -> Response:
    """DELETE /v3/universal-ai/async/{id}: a job that runs is cancelled."""
    desk = _known_desk(request)
    generation = find_job(desk, request, FILMS)
    if not generation.is_terminal:
        desk.cancel(generation)
    return Response(status_code=204)


async def make_pictures(request: Request) -> Response:
    """POST /v3/universal-ai: the pictures, or what their maker said instead, with status 200."""
    desk = _known_desk(request)
    body = await read_json(request, Picture)
    _require_models(body.model, body.fallbacks, V3_PICTURES)
    order = build_order(
        desk,
        "image",
        body.model,
        body.input.text,
        body.input.resolution,
        start_image_url=next(iter(body.input.reference_images or []), None),
        count=body.input.num_images,
    )

    async def answer(generation: Generation) -> Response:
        try:
            media = await desk.made(generation)
        except Refusal:
            return JSONResponse(_about(generation) | _outcome(desk, generation))
        encoded = base64.b64encode(desk.content(generation, media)).decode()
        items = [
            {"image": encoded, "image_resource_url": url} for url in desk.addresses(generation)
        ]
        output = items[0] if len(items) == 1 else {"items": items}
        return JSONResponse(
            {"status": "success", "cost": 0.03, **_about(generation), "output": output}
        )

    return await desk.take(request, order, answer)


def _job(desk: Desk, generation: Generation) -> Words:
    said = {"public_id": public_id(generation), "status": WORDS[generation.status]}
    return {**said, **_about(generation), **_outcome(desk, generation)}


def _outcome(desk: Desk, generation: Generation) -> Words:
    if generation.error is not None:
        return {"status": "fail", "error": complaint(generation)}
    if generation.status is not Status.SUCCEEDED:
        return {}
    return {
        "cost": 0.11,
        "output": {"video": "", "video_resource_url": desk.addresses(generation)[0]},
    }


def _about(generation: Generation) -> Words:
    feature, subfeature, maker, *_ = generation.order.model.split("/")
    return {"provider": maker, "feature": feature, "subfeature": subfeature}


# ---------------------------------------------------------------- V2


async def v2_launch(request: Request) -> Response:
    """POST /v2/video/generation_async/."""
    desk = _known_desk(request)
    body = await read_json(request, V2Film)
    maker = body.providers[0]
    model = (body.settings or {}).get(maker)
    if maker not in V2_FILMS or (model and model not in V2_FILMS[maker]):
        raise refuse_field("providers", f"provider {maker} has no model {model}")
    order = build_order(
        desk,
        "video",
        f"v2/{maker}/{model or ''}",
        body.text,
        body.dimension,
        parameters=body.users_webhook_parameters,
        duration_seconds=body.duration,
        callback_url=body.webhook_receiver,
    )

    async def answer(generation: Generation) -> Response:
        return JSONResponse({"public_id": public_id(generation)})

    return await desk.take(request, order, answer)


async def v2_show(request: Request) -> Response:
    """GET /v2/video/generation_async/{id}/: finished, whatever the maker made of it."""
    desk = _known_desk(request)
    generation = find_job(desk, request, "v2")
    return await answer_status(desk, generation, lambda found: _v2_job(desk, found or generation))


def _v2_job(desk: Desk, generation: Generation) -> Words:
    said: Words = {"public_id": public_id(generation)}
    if not generation.is_terminal:
        return {**said, "status": "processing", "results": {}}
    result: Words = {"id": secrets.token_hex(8), "video": "", "video_resource_url": ""}
    if generation.error is not None:
        result |= {"final_status": "failed", "error": complaint(generation)}
    else:
        url = desk.addresses(generation)[0]
        result |= {"final_status": "succeeded", "video_resource_url": url, "cost": 0.28}
    maker = generation.order.model.split("/")[1]
    return {**said, "status": "finished", "error": None, "results": {maker: result}}


# ---------------------------------------------------------------- who may, and how it says no


def _require_models(model: str, fallbacks: list[str], known: frozenset[str]) -> None:
    gone = [name for name in (model, *fallbacks) if name not in known]
    if gone:
        raise Refusal("unknown_model", f"Model not found: {gone[0]}")


def _known_desk(request: Request) -> Desk:
    authorise(request)
    return desk_of(request)


_REFUSALS: Mapping[str, tuple[int, object]] = {
    "unauthorized": (401, {"type": "authentication_error", "message": "Invalid API key"}),
    "no_credit": (402, "Insufficient credits"),
    "too_many_generations": (429, {"type": "rate_limit_error", "message": "Too many jobs"}),
    "too_many_requests": (429, {"type": "rate_limit_error", "message": "Too many requests"}),
    "moderation_blocked": (400, {"type": "api_error", "message": BLOCKED}),
    "internal": (500, {"type": "server_error", "message": "Internal Server Error"}),
}


def _refuse(refusal: Refusal) -> Response:
    if refusal.code in _REFUSALS:
        status, error = _REFUSALS[refusal.code]
        return JSONResponse({"error": error}, status, headers=refusal.headers)
    if refusal.code == "unknown_model":
        return JSONResponse({"detail": {"error": refusal.message}}, 404)
    if refusal.code in {"not_found", "method_not_allowed"}:
        return JSONResponse({"details": "Not Found"}, 404)
    return JSONResponse({"detail": [_complaint(refusal)]}, 422)


def _complaint(refusal: Refusal) -> Words:
    where = ["body", *refusal.details.get("param", "").split(".")]
    return {"loc": where, "msg": refusal.message, "type": "value_error"}


def _in_v2_words(endpoint: Endpoint) -> Endpoint:
    """V2 has another status and shape for what it cannot read."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refusal as refusal:
            if refusal.code != "invalid_request":
                raise
            message = {refusal.details.get("param", "body"): [refusal.message]}
            return JSONResponse({"error": {"type": "validation_error", "message": message}}, 400)

    return answer


WIRE = Wire(
    name="edenai",
    routes=(
        Route("/v3/universal-ai", make_pictures, methods=["POST"]),
        Route("/v3/universal-ai/async", launch, methods=["POST"]),
        Route("/v3/universal-ai/async/{id}", show, methods=["GET"]),
        Route("/v3/universal-ai/async/{id}", delete, methods=["DELETE"]),
        Route("/v2/video/generation_async/", _in_v2_words(v2_launch), methods=["POST"]),
        Route("/v2/video/generation_async/{id}/", _in_v2_words(v2_show), methods=["GET"]),
    ),
    refuse=_refuse,
    settings=Settings(port=8107, api_key="edenai-key", concurrency=10),
    event=event,
    news=frozenset({Status.SUCCEEDED, Status.FAILED}),
    signer=lambda _secret: EdenSigner(),
    public_key=PUBLIC_KEY_PEM,
    submits_per_minute=REQUESTS_PER_MINUTE,
)
