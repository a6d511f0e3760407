"""fal.ai as its documentation describes it: one queue before all models, answers at addresses of
their own, callbacks signed with Ed25519.
"""

import hmac
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.sandbox.faults import answer_status
from infra.sandbox.generations import Generation, Status
from infra.sandbox.refusals import Refusal, refuse_field
from infra.sandbox.settings import Settings
from infra.sandbox.webhooks import Body
from infra.vendors._fal_inputs import ENDPOINTS, details
from infra.vendors._fal_signer import FalSigner, key_set
from infra.vendors.bodies import read_json
from infra.vendors.desk import Desk, Wire, desk_of

CONCURRENCY = 2  # of a new account
LISTED_MAX = 10_000
LIFECYCLE = "x-fal-object-lifecycle-preference"

_WORDS: Mapping[Status, str] = {Status.QUEUED: "IN_QUEUE", Status.RUNNING: "IN_PROGRESS"}


class Trouble(NamedTuple):
    """How a failure is told: the status of the answer, the type, and whether it is the queue's own
    (then the status of the request tells it too) or the model's.
    """

    status: int
    type: str
    is_queues: bool = False


_TROUBLES: Mapping[str, Trouble] = {
    "moderation_blocked": Trouble(422, "content_policy_violation"),
    "image_unavailable": Trouble(422, "file_download_error"),
    "image_unreadable": Trouble(422, "image_load_error"),
    "render_failed": Trouble(422, "no_media_generated"),
    "out_of_capacity": Trouble(503, "runner_scheduling_failure", is_queues=True),
    "internal": Trouble(500, "internal_server_error"),
    # Not documented: what a request becomes that was cancelled. Here it ends with an error.
    "cancelled": Trouble(499, "client_cancelled", is_queues=True),
}
_RETRYABLE = {"X-Fal-Retryable": "true"}

_REFUSALS: Mapping[str, tuple[int, str]] = {
    "unauthorized": (401, "Cannot access application: authentication is required."),
    "no_credit": (403, "User is locked. Reason: Exhausted balance."),
    "unknown_model": (404, "Application not found"),
    "not_found": (404, "Not found"),
    "too_many_generations": (429, "Too many requests"),
    "too_many_requests": (429, "Too many requests"),
    "internal": (500, "Internal Server Error"),
}


async def submit(request: Request) -> Response:
    """POST /{owner}/{app}/{path}?fal_webhook=…: a request in the queue."""
    desk = _known_desk(request)
    name = request.url.path.removeprefix("/")
    if name not in ENDPOINTS:
        raise Refusal("unknown_model", f"Application {name!r} not found")
    _check_lifecycle(request)
    inputs = await read_json(request, ENDPOINTS[name].inputs)
    order = desk.order(
        ENDPOINTS[name].kind,
        name,
        str(inputs.model_dump()["prompt"]),
        callback_url=request.query_params.get("fal_webhook"),
        **details(inputs),
    )

    async def answer(generation: Generation) -> Response:
        return JSONResponse({**_status(desk, generation), "status": "IN_QUEUE"})

    return await desk.take(request, order, answer)


async def show_status(request: Request) -> Response:
    """GET /{owner}/{app}/requests/{id}/status: 202 until it is over, then 200."""
    desk = _known_desk(request)
    generation = _requested(request, desk)
    reply = await answer_status(desk, generation, lambda found: _status(desk, found or generation))
    if isinstance(reply, JSONResponse) and not generation.is_terminal:
        reply.status_code = 202
    return reply


async def show_answer(request: Request) -> Response:
    """GET /{owner}/{app}/requests/{id}: what the model answered, with the model's own status."""
    desk = _known_desk(request)
    generation = _requested(request, desk)
    if not generation.is_terminal:
        return JSONResponse({"detail": "Request is still in progress"}, 400)
    trouble = _trouble(generation)
    if trouble is None:
        return JSONResponse(_output(desk, generation))
    headers = _RETRYABLE if trouble.status == 500 else {}
    return JSONResponse(_errors(trouble), trouble.status, headers=headers)


async def cancel(request: Request) -> Response:
    """PUT /{owner}/{app}/requests/{id}/cancel: a word on whether it may still be stopped."""
    desk = _known_desk(request)
    try:
        desk.cancel(_requested(request, desk))
    except Refusal as refusal:
        is_over = refusal.code == "not_cancellable"
        word, status = ("ALREADY_COMPLETED", 400) if is_over else ("NOT_FOUND", 404)
        return JSONResponse({"status": word}, status)
    return JSONResponse({"status": "CANCELLATION_REQUESTED"}, 202)


async def show_keys(request: Request) -> Response:
    """GET /.well-known/jwks.json: without a key, as everybody may have them."""
    return JSONResponse(key_set(desk_of(request).settings.webhook_secret))


def event(desk: Desk, generation: Generation) -> Body:
    """What a callback says: the model's answer, good or bad."""
    words: dict[str, Any] = {"request_id": generation.id, "gateway_request_id": generation.id}
    trouble = _trouble(generation)
    if trouble is None:
        return {**words, "status": "OK", "payload": _output(desk, generation)}
    said = f"Invalid status code: {trouble.status}"
    return {**words, "status": "ERROR", "error": said, "payload": _errors(trouble)}


def refuse(refusal: Refusal) -> Response:
    """`detail` is a sentence, or a list where fields are at fault."""
    if refusal.code == "moderation_blocked":
        return JSONResponse(_errors(_TROUBLES[refusal.code]), 422)
    if refusal.code in _REFUSALS:
        status, detail = _REFUSALS[refusal.code]
        return JSONResponse({"detail": detail}, status, headers=refusal.headers)
    field = refusal.details.get("param", "")
    fault = {"loc": ["body", field], "msg": refusal.message, "type": "value_error"}
    return JSONResponse({"detail": [fault]}, 422)


def _known_desk(request: Request) -> Desk:
    desk = desk_of(request)
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Key {desk.settings.api_key}".encode()):
        raise Refusal("unauthorized", "the key is missing or wrong")
    return desk


def _requested(request: Request, desk: Desk) -> Generation:
    """The request of this number, which is known below its own app alone."""
    generation = desk.register.find(request.path_params["id"])
    if not request.url.path.startswith(f"/{_app(generation)}/requests/"):
        raise Refusal("not_found", "this app has no such request")
    return generation


def _app(generation: Generation) -> str:
    return "/".join(generation.order.model.split("/")[:2])


def _check_lifecycle(request: Request) -> None:
    try:
        wish = json.loads(request.headers.get(LIFECYCLE, "{}"))
    except ValueError as error:
        raise refuse_field(LIFECYCLE, "the header is not JSON") from error
    if not isinstance(wish, dict) or not set(wish) <= {"expiration_duration_seconds"}:
        raise refuse_field(LIFECYCLE, "the header says something else than an expiration")


def _status(desk: Desk, generation: Generation) -> dict[str, object]:
    address = f"{desk.public_url}/{_app(generation)}/requests/{generation.id}"
    words: dict[str, object] = {
        "status": _WORDS.get(generation.status, "COMPLETED"),
        "request_id": generation.id,
        "response_url": address,
        "status_url": f"{address}/status",
        "cancel_url": f"{address}/cancel",
    }
    if generation.status is Status.QUEUED:
        return {**words, "queue_position": _position(desk, generation)}
    if generation.is_terminal:
        trouble = _trouble(generation)
        is_told = trouble is not None and trouble.is_queues
        words["error"] = f"Invalid status code: {trouble.status}" if trouble and is_told else None
        words["error_type"] = trouble.type if trouble and is_told else None
    return {**words, "logs": []}


def _position(desk: Desk, generation: Generation) -> int:
    """How many wait before it."""
    waiting = [g for g in desk.register.newest(LISTED_MAX) if g.status is Status.QUEUED]
    return sum(each.accepted_at < generation.accepted_at for each in waiting)


def _trouble(generation: Generation) -> Trouble | None:
    if generation.status is Status.CANCELLED:
        return _TROUBLES["cancelled"]
    if generation.error is None:
        return None
    return _TROUBLES.get(generation.error.code, _TROUBLES["internal"])


def _errors(trouble: Trouble) -> dict[str, object]:
    if trouble.is_queues:
        return {"detail": "The request was not served", "error_type": trouble.type}
    url = f"https://docs.fal.ai/errors#{trouble.type}"
    fault = {"loc": ["body"], "msg": "It did not work out.", "type": trouble.type, "url": url}
    return {"detail": [fault]}


def _output(desk: Desk, generation: Generation) -> dict[str, object]:
    assert generation.media is not None
    media, addresses = generation.media, desk.addresses(generation)
    files = [
        {"url": url, "content_type": media.content_type, "file_name": media.name}
        for url in addresses
    ]
    if generation.order.kind == "video":
        return {"video": {**files[0], "file_size": media.size_bytes}, "seed": 1}
    return {"images": files, "has_nsfw_concepts": [False] * len(files), "seed": 1}


# Other owners' apps are addresses where nothing is.
_REQUEST = "/fal-ai/{app}/requests/{id}"

WIRE = Wire(
    name="fal",
    routes=(
        Route("/.well-known/jwks.json", show_keys, methods=["GET"]),
        Route(f"{_REQUEST}/status", show_status, methods=["GET"]),
        Route(f"{_REQUEST}/cancel", cancel, methods=["PUT"]),
        Route(_REQUEST, show_answer, methods=["GET"]),
        Route("/fal-ai/{path:path}", submit, methods=["POST"]),
    ),
    refuse=refuse,
    settings=Settings(
        port=8109,
        api_key="fal-key-simulated",
        webhook_secret="fal-webhook-secret",  # noqa: S106 - known to everybody
        concurrency=CONCURRENCY,
    ),
    event=event,
    news=frozenset({Status.SUCCEEDED, Status.FAILED}),
    signer=FalSigner,
    queues=True,
)
