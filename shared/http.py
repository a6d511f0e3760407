"""The HTTP edge, once for all functions: sessions in, errors out, limits around.

A function file has one router. `function(router)` makes it the small ASGI app that
functions-framework serves; the local runner mounts all routers in one app with `api(routers)`.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import bootstrap, views, wire
from shared.app import App
from shared.errors import (
    AppError,
    BodyTooLarge,
    InvalidJson,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
)
from shared.sessions import Sessions
from shared.usecases.read_session import Session

_log = logging.getLogger(__name__)

BODY_MAX_BYTES = 64 * 1024
IDEMPOTENCY_KEY_MAX = 255

SIGNED_IN: dict[str, Any] = {"security": [{"session": []}]}
REPEATABLE: dict[str, Any] = {
    **SIGNED_IN,
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The caller's name for this request: sent again, it means the same one.",
            "schema": {"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_MAX},
        }
    ],
}
REFUSALS: dict[int | str, dict[str, Any]] = {"4XX": {"model": wire.ErrorReply}}

_sessions = Sessions()
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]


def current_app() -> App:
    """The ports of this process."""
    return bootstrap.app()


def caller(request: Request) -> Session:
    """Whose request this is, by its signed token alone. Raises `Unauthorized`, `SessionExpired`."""
    return _sessions.verify(current_app(), request.headers.get("authorization", ""))


async def checked_caller(request: Request) -> Session:
    """As `caller`, and the session has not been ended. Raises `SessionRevoked` too."""
    session = caller(request)
    await _sessions.check(current_app(), session)
    return session


def idempotency_key(request: Request) -> str | None:
    """The caller's own name for this request. Raises `InvalidRequest`."""
    key = request.headers.get("idempotency-key")
    if key is not None and not (1 <= len(key) <= IDEMPOTENCY_KEY_MAX and key.isprintable()):
        raise InvalidRequest("An Idempotency-Key has 1 to 255 printable characters.")
    return key


def is_client_retry(request: Request) -> bool:
    """Whether the client's library says that it is sending this again."""
    return request.headers.get("x-stainless-retry-count", "0") != "0"


def reply(body: wire.Json, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer, past FastAPI's second validation: views are tested against their models."""
    return Response(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        status,
        headers,
        "application/json",
    )


def api(routers: Sequence[APIRouter]) -> FastAPI:
    """One app over some routers, with the product's errors and limits."""
    app = FastAPI(
        title="Reelmint",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    for router in routers:
        app.include_router(router)
    app.add_api_route("/healthz", health, response_model=wire.Health, tags=["health"])
    app.add_exception_handler(AppError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _routing)
    app.add_exception_handler(Exception, _crashed)
    app.add_middleware(_Edge)
    return app


def openapi(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an app: its routes, and how a caller is known."""
    document = app.openapi()
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["session"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return document


def function(router: APIRouter) -> Callable[[Request], Awaitable[ASGIApp]]:
    """The target that functions-framework calls: it hands the ASGI app back, which then answers."""
    app = api([router])

    async def target(_request: Request) -> ASGIApp:
        return app

    return target


async def health() -> Response:
    """This function answers."""
    return reply({"status": "ok", "version": current_app().settings.version})


def refusal(error: AppError) -> Response:
    """The answer to an expected error."""
    retry_after = error.details.get("retry_after_seconds")
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return reply(views.error(error), error.status, headers)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)
    return refusal(error)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    if first["type"] == "json_invalid":
        return refusal(InvalidJson(f"The body is not JSON: {first['ctx']['error']}."))
    return refusal(InvalidRequest(f"{where or 'body'}: {first['msg']}.", param=where or None))


async def _routing(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return refusal(NotFound("There is nothing at this address."))
    if error.status_code == 405:
        answer = refusal(MethodNotAllowed("This address does not take that method."))
        answer.headers.update(error.headers or {})
        return answer
    return refusal(InvalidJson("The body could not be read as JSON."))


async def _crashed(request: Request, error: Exception) -> JSONResponse:
    _log.error("unexpected error", exc_info=error, extra={"path": request.scope.get("path")})
    message = "Something went wrong on our side. Nothing was charged. Try again in a moment."
    return JSONResponse(views.error(AppError(message)), 500)


class _Edge:
    """Bounds every body, and says how answers may be used."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = next(
            (value for name, value in scope["headers"] if name == b"content-length"), b"0"
        )
        if not declared.isdigit() or int(declared) > BODY_MAX_BYTES:
            await refusal(_too_large())(scope, receive, send)
            return
        seen_bytes = 0

        async def bounded() -> Message:
            nonlocal seen_bytes
            message = await receive()
            seen_bytes += len(message.get("body", b""))
            if seen_bytes > BODY_MAX_BYTES:
                raise _too_large()
            return message

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                message["headers"] += [entry for entry in _HEADERS if entry[0] not in present]
            await send(message)

        await self._app(scope, bounded, marked)


def _too_large() -> BodyTooLarge:
    return BodyTooLarge(f"The body is over {BODY_MAX_BYTES // 1024} KiB.")
