"""Replicate as its documentation describes it: predictions of official models, one hour of memory,
Standard Webhooks.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.sandbox.api import authorise
from infra.sandbox.faults import answer_status
from infra.sandbox.generations import Generation, Status
from infra.sandbox.refusals import Refusal, refuse_field
from infra.sandbox.settings import Settings
from infra.vendors._replicate_inputs import MODELS, details
from infra.vendors.bodies import Strict, checked, read_json
from infra.vendors.desk import Desk, Wire, desk_of
from infra.vendors.signers import StandardWebhooks

KEPT_SECONDS = 3600
SUBMITS_PER_MINUTE = 600
# Nothing is published on how many may run at once: this is no limit, only a bound.
CONCURRENCY = 1000

_WORDS: Mapping[Status, str] = {
    Status.QUEUED: "starting",
    Status.RUNNING: "processing",
    Status.SUCCEEDED: "succeeded",
    Status.FAILED: "failed",
    Status.CANCELLED: "canceled",
}
_SENSITIVE = (
    "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"
)
_ERRORS: Mapping[str, str] = {
    "moderation_blocked": _SENSITIVE,
    "out_of_capacity": "Prediction interrupted; please retry (code: PA)",
    "render_failed": "The model ran out of memory. (E1001)",
    "internal": "Something unexpected went wrong. (E1000)",
}
_THROTTLED = "Request was throttled. Your rate limit resets in ~30s."
_TITLES: Mapping[str, tuple[int, str]] = {
    "unauthorized": (401, "Unauthenticated"),
    "no_credit": (402, "Insufficient credit"),
    "moderation_blocked": (422, "Input rejected"),
}


class _Body(Strict):
    """`additionalProperties: false` at the top; what a model takes is its own affair."""

    input: dict[str, Any]
    webhook: str | None = None
    webhook_events_filter: list[Literal["start", "output", "logs", "completed"]] | None = None
    stream: bool | None = None


async def create(request: Request) -> Response:
    """POST /v1/models/{owner}/{name}/predictions: 201 with a prediction that is starting."""
    desk = _known_desk(request)
    name = f"{request.path_params['owner']}/{request.path_params['name']}"
    if name not in MODELS:
        raise Refusal("unknown_model", "The requested resource could not be found.")
    body = await read_json(request, _Body)
    inputs = checked(body.input, MODELS[name].inputs)
    _require_reachable(body.webhook)
    prompt = str(body.input["prompt"])
    order = desk.order(
        MODELS[name].kind, name, prompt, callback_url=body.webhook, **details(inputs)
    )

    async def answer(generation: Generation) -> Response:
        return JSONResponse(prediction(desk, generation), 201)

    return await desk.take(request, order, answer)


async def show(request: Request) -> Response:
    """GET /v1/predictions/{id}."""
    desk = _known_desk(request)
    generation = desk.register.find(request.path_params["id"])
    return await answer_status(
        desk, generation, lambda found: prediction(desk, found or generation)
    )


async def cancel(request: Request) -> Response:
    """POST /v1/predictions/{id}/cancel: how it is then. That one which is over is answered with as
    it was is not documented, only likely.
    """
    desk = _known_desk(request)
    generation = desk.register.find(request.path_params["id"])
    if not generation.is_terminal:
        desk.cancel(generation)
    return JSONResponse(prediction(desk, generation))


def prediction(desk: Desk, generation: Generation) -> dict[str, object]:
    """The prediction object, of replies and webhooks alike."""
    is_removed = is_forgotten(generation, time.time())
    address = f"{desk.public_url}/v1/predictions/{generation.id}"
    error = generation.error
    words: dict[str, object] = {
        "id": generation.id,
        "model": generation.order.model,
        "version": "hidden",
        "input": {} if is_removed else {"prompt": generation.order.prompt},
        "logs": "",
        "output": None if is_removed else _output(desk, generation),
        "data_removed": is_removed,
        "error": _ERRORS.get(error.code, error.message) if error else None,
        "source": "api",
        "status": _WORDS[generation.status],
        "created_at": _moment(generation.accepted_at),
        "urls": {"web": address, "get": address, "cancel": f"{address}/cancel"},
    }
    if generation.completed_at is not None:
        words["completed_at"] = _moment(generation.completed_at)
        words["metrics"] = {"total_time": generation.completed_at - generation.accepted_at}
    return words


def is_forgotten(generation: Generation, now: float) -> bool:
    """Whether inputs, outputs and files were thrown away: one hour after the end."""
    return generation.completed_at is not None and now - generation.completed_at > KEPT_SECONDS


def refuse(refusal: Refusal) -> Response:
    """Errors have three shapes, and all of them occur here."""
    if refusal.code in {"too_many_generations", "too_many_requests"}:
        return JSONResponse({"detail": _THROTTLED}, 429, headers=refusal.headers)
    if refusal.code in {"unknown_model", "not_found"}:
        return JSONResponse({"detail": "The requested resource could not be found."}, 404)
    if refusal.code == "internal":
        return JSONResponse({"error": "Internal server error"}, 500)
    if refusal.code in _TITLES:
        status, title = _TITLES[refusal.code]
        is_refused = refusal.code == "moderation_blocked"
        detail = _SENSITIVE if is_refused else refusal.message
        return JSONResponse({"title": title, "detail": detail, "status": status}, status)
    field = refusal.details.get("param", "input")
    return JSONResponse(
        {
            "title": "Input validation failed",
            "detail": f"- {refusal.message}\n",
            "status": 422,
            "invalid_fields": [{"type": "invalid", "field": field, "description": refusal.message}],
        },
        422,
    )


def _known_desk(request: Request) -> Desk:
    authorise(request)
    return desk_of(request)


def _require_reachable(webhook: str | None) -> None:
    """Webhooks go to https alone, and to this machine, so that a product on it can be called."""
    if webhook is None:
        return
    parts = urlsplit(webhook)
    if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "localhost"}:
        raise refuse_field("webhook", "webhook: must be an https address")


def _output(desk: Desk, generation: Generation) -> object:
    addresses = desk.addresses(generation)
    if not addresses:
        return None
    return addresses if MODELS[generation.order.model].gives_list else addresses[0]


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


WIRE = Wire(
    name="replicate",
    routes=(
        Route("/v1/models/{owner}/{name}/predictions", create, methods=["POST"]),
        Route("/v1/predictions/{id}", show, methods=["GET"]),
        Route("/v1/predictions/{id}/cancel", cancel, methods=["POST"]),
    ),
    refuse=refuse,
    settings=Settings(
        port=8108,
        api_key="r8_simulated",
        webhook_secret="whsec_cmVwbGljYXRlLXdlYmhvb2stc2VjcmV0",  # noqa: S106 - known to everybody
        concurrency=CONCURRENCY,
    ),
    event=prediction,
    signer=StandardWebhooks,
    signs_with_secret=True,
    submits_per_minute=SUBMITS_PER_MINUTE,
)
