"""The vendor's public calls under /v1, and the ways in which they can go wrong on the way."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from infra.sandbox.connections import hang_up
from infra.sandbox.grammars import Choice
from infra.sandbox.orders import BODY_MAX_BYTES, read_order
from infra.sandbox.refusals import Refusal, refuse_busy, refuse_field
from infra.sandbox.vendor import Vendor

GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502</h1></body></html>"
STATUS_PAGE = "<html><body><h1>We will be back soon</h1></body></html>"

Fault = Callable[[Request, Choice], Awaitable[Response]]


async def create_generation(request: Request) -> Response:
    """POST /v1/generations: 201 with a queued generation that holds a place."""
    vendor = authorise(request)
    order = read_order(await read_body(request))
    create = vendor.defaults.with_overrides(order.overrides).create
    if create.word in _FAULTS_BEFORE_ACCEPTANCE:
        return await _FAULTS_BEFORE_ACCEPTANCE[create.word](request, create)
    generation = vendor.accept(order)
    words = vendor.describe(generation)
    if create.word in _FAULTS_AFTER_ACCEPTANCE:
        return await _FAULTS_AFTER_ACCEPTANCE[create.word](request, create)
    if create.word == "hang":
        await asyncio.sleep(*create.amounts)
    return JSONResponse(words, 201)


async def show_generation(request: Request) -> Response:
    """GET /v1/generations/{id}: the generation as it is now."""
    vendor = authorise(request)
    generation = vendor.register.find(request.path_params["id"])
    status = vendor.behaviour_of(generation).status
    return await _answer_status(status, lambda: vendor.describe(generation))


async def list_generations(request: Request) -> Response:
    """GET /v1/generations?client_id=X: what was accepted under the caller's id, at most one."""
    vendor = authorise(request)
    client_id = request.query_params.get("client_id")
    if not client_id:
        raise refuse_field("client_id", "'client_id' is required")
    status = vendor.behaviour_of(vendor.register.find_by_client_id(client_id)).status
    return await _answer_status(
        status, lambda: {"data": [vendor.describe(found) for found in vendor.look_up(client_id)]}
    )


async def cancel_generation(request: Request) -> Response:
    """POST /v1/generations/{id}/cancel: the cancelled generation, or 409 after its end."""
    vendor = authorise(request)
    generation = vendor.register.find(request.path_params["id"])
    vendor.cancel(generation)
    return JSONResponse(vendor.describe(generation))


def authorise(request: Request) -> Vendor:
    """The vendor, for a caller who has the key; raises 401."""
    vendor: Vendor = request.app.state.vendor
    given = request.headers.get("authorization", "")
    wanted = f"Bearer {vendor.settings.api_key}"
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        raise Refusal("unauthorized", "the API key is missing or wrong")
    return vendor


async def read_body(request: Request) -> bytes:
    """The whole body, if it is not over the limit."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_MAX_BYTES:
                raise Refusal("invalid_request", f"the body is over {BODY_MAX_BYTES} bytes")
    except ClientDisconnect as error:
        raise Refusal("invalid_request", "the body never arrived whole") from error
    return bytes(body)


async def _answer_status(status: Choice, describe: Callable[[], Mapping[str, object]]) -> Response:
    if status.word == "http_500":
        raise Refusal("internal", "the status cannot be told")
    if status.word == "html":
        return HTMLResponse(STATUS_PAGE)
    if status.word == "hang":
        await asyncio.sleep(*status.amounts)
    return JSONResponse(describe())


async def _drop(request: Request, _create: Choice) -> Response:
    return await hang_up(request)


async def _hang_then_drop(request: Request, create: Choice) -> Response:
    await asyncio.sleep(*create.amounts)
    return await hang_up(request)


async def _break(_request: Request, _create: Choice) -> Response:
    raise Refusal("internal", "something went wrong inside the vendor")


async def _refuse_busy(_request: Request, _create: Choice) -> Response:
    raise refuse_busy("too many generations are in progress")


async def _answer_as_gateway(_request: Request, _create: Choice) -> Response:
    return HTMLResponse(GATEWAY_PAGE, 502)


async def _answer_garbage(_request: Request, _create: Choice) -> Response:
    return Response('{"id": "gen_', 201, media_type="application/json")


_FAULTS_BEFORE_ACCEPTANCE: Mapping[str, Fault] = {
    "drop_before_accept": _drop,
    "hang_before_accept": _hang_then_drop,
    "http_500": _break,
    "http_429": _refuse_busy,
}
_FAULTS_AFTER_ACCEPTANCE: Mapping[str, Fault] = {
    "drop_after_accept": _drop,
    "html_502": _answer_as_gateway,
    "garbage_json": _answer_garbage,
}

ROUTES = (
    Route("/v1/generations", create_generation, methods=["POST"]),
    Route("/v1/generations", list_generations, methods=["GET"]),
    Route("/v1/generations/{id}", show_generation, methods=["GET"]),
    Route("/v1/generations/{id}/cancel", cancel_generation, methods=["POST"]),
)
