"""The ways in which a call can go wrong on the way, whatever the wire is: as the switches say."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from infra.sandbox.connections import hang_up
from infra.sandbox.generations import Generation
from infra.sandbox.grammars import Choice
from infra.sandbox.orders import Order
from infra.sandbox.refusals import Refusal, refuse_busy
from infra.sandbox.vendor import Vendor

GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502</h1></body></html>"
STATUS_PAGE = "<html><body><h1>We will be back soon</h1></body></html>"
FOREIGN_ID = "gen_0123456789abcdef01234567"

Fault = Callable[[Request, Choice], Awaitable[Response]]


async def answer_create(
    request: Request,
    vendor: Vendor,
    order: Order,
    answer: Callable[[Generation], Awaitable[Response]],
) -> Response:
    """Accept an order and answer, or do either as badly as was asked for. Raises `Refusal`."""
    create = vendor.defaults.with_overrides(order.overrides).create
    if create.word in _FAULTS_BEFORE_ACCEPTANCE:
        return await _FAULTS_BEFORE_ACCEPTANCE[create.word](request, create)
    generation = vendor.accept(order)
    answered = await answer(generation)
    if create.word in _FAULTS_AFTER_ACCEPTANCE:
        return await _FAULTS_AFTER_ACCEPTANCE[create.word](request, create)
    if create.word == "hang":
        await asyncio.sleep(*create.amounts)
    return _dripping(answered, *create.amounts) if create.word == "drip" else answered


async def answer_status(
    vendor: Vendor,
    generation: Generation | None,
    describe: Callable[[Generation | None], Mapping[str, object] | Response],
) -> Response:
    """Say how a generation stands, if there is one, or say it badly. Raises `Refusal`."""
    status = vendor.behaviour_of(generation).status
    if status.word == "http_500":
        raise Refusal("internal", "the status cannot be told")
    if status.word == "http_429":
        raise refuse_busy("too many questions", *status.amounts)
    if status.word == "unauthorized":
        raise Refusal("unauthorized", "the API key is not known any more")
    if status.word == "html":
        return HTMLResponse(STATUS_PAGE)
    if status.word == "hang":
        await asyncio.sleep(*status.amounts)
    if status.word == "foreign" and generation is not None:
        generation = replace(generation, id=FOREIGN_ID)
    described = describe(generation)
    answer = described if isinstance(described, Response) else JSONResponse(described)
    return _dripping(answer, *status.amounts) if status.word == "drip" else answer


def _dripping(answer: Response, bytes_per_second: float) -> Response:
    """The same answer, byte by byte: no single wait for it is long."""
    content = bytes(answer.body)

    async def drip() -> AsyncIterator[bytes]:
        for number in range(len(content)):
            await asyncio.sleep(1 / bytes_per_second)
            yield content[number : number + 1]

    return StreamingResponse(drip(), answer.status_code, headers=answer.headers)


async def _drop(request: Request, _create: Choice) -> Response:
    return await hang_up(request)


async def _hang_then_drop(request: Request, create: Choice) -> Response:
    await asyncio.sleep(*create.amounts)
    return await hang_up(request)


async def _break(_request: Request, _create: Choice) -> Response:
    raise Refusal("internal", "something went wrong inside the vendor")


async def _refuse_busy(request: Request, create: Choice) -> Response:
    vendor: Vendor = request.app.state.vendor
    vendor.register.counts.refused_busy += 1
    raise refuse_busy("too many generations are in progress", *create.amounts)


async def _refuse_key(_request: Request, _create: Choice) -> Response:
    raise Refusal("unauthorized", "the API key is not known any more")


async def _refuse_credit(_request: Request, _create: Choice) -> Response:
    raise Refusal("no_credit", "the account has no credit left")


async def _refuse_model(_request: Request, _create: Choice) -> Response:
    raise Refusal("unknown_model", "this model was retired")


async def _answer_as_gateway(_request: Request, _create: Choice) -> Response:
    return HTMLResponse(GATEWAY_PAGE, 502)


async def _answer_garbage(_request: Request, _create: Choice) -> Response:
    return Response('{"id": "gen_', 201, media_type="application/json")


_FAULTS_BEFORE_ACCEPTANCE: Mapping[str, Fault] = {
    "drop_before_accept": _drop,
    "hang_before_accept": _hang_then_drop,
    "http_500": _break,
    "http_429": _refuse_busy,
    "unauthorized": _refuse_key,
    "no_credit": _refuse_credit,
    "model_gone": _refuse_model,
}
_FAULTS_AFTER_ACCEPTANCE: Mapping[str, Fault] = {
    "drop_after_accept": _drop,
    "html_502": _answer_as_gateway,
    "garbage_json": _answer_garbage,
}
