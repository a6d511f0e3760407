"""The vendor's public calls under /v1."""

import hmac

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.sandbox.faults import answer_create, answer_status
from infra.sandbox.generations import Generation
from infra.sandbox.orders import BODY_MAX_BYTES, read_order
from infra.sandbox.refusals import Refusal, refuse_field
from infra.sandbox.vendor import Vendor


async def create_generation(request: Request) -> Response:
    """POST /v1/generations: 201 with a queued generation that holds a place."""
    vendor = authorise(request)
    order = read_order(await read_body(request))

    async def answer(generation: Generation) -> Response:
        return JSONResponse(vendor.describe(generation), 201)

    return await answer_create(request, vendor, order, answer)


async def show_generation(request: Request) -> Response:
    """GET /v1/generations/{id}: the generation as it is now."""
    vendor = authorise(request)
    generation = vendor.register.find(request.path_params["id"])
    return await answer_status(
        vendor, generation, lambda found: vendor.describe(found or generation)
    )


async def list_generations(request: Request) -> Response:
    """GET /v1/generations?client_id=X: what was accepted under the caller's id, at most one."""
    vendor = authorise(request)
    client_id = request.query_params.get("client_id")
    if not client_id:
        raise refuse_field("client_id", "'client_id' is required")
    return await answer_status(
        vendor,
        vendor.register.find_by_client_id(client_id),
        lambda _: {"data": [vendor.describe(found) for found in vendor.look_up(client_id)]},
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


ROUTES = (
    Route("/v1/generations", create_generation, methods=["POST"]),
    Route("/v1/generations", list_generations, methods=["GET"]),
    Route("/v1/generations/{id}", show_generation, methods=["GET"]),
    Route("/v1/generations/{id}/cancel", cancel_generation, methods=["POST"]),
)
