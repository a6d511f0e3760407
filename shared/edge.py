"""The HTTP edge on bare Starlette, around every function: errors out, limits, health, logs.

`shared/http.py` adds sessions and FastAPI. A function whose start must be the lightest stands on
this alone: neither FastAPI nor pydantic are loaded.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, ExceptionHandler, Message, Receive, Scope, Send

from shared import bootstrap, logs
from shared.app import App
from shared.errors import AppError, BodyTooLarge, InvalidJson, MethodNotAllowed, NotFound

_log = logging.getLogger(__name__)

BODY_MAX_BYTES = 64 * 1024

_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]


@dataclass(frozen=True, slots=True)
class Post:
    """A route without a body model: `answer` gets the request, and what the path's braces name."""

    path: str
    answer: Callable[..., Awaitable[Response]]
    tag: str


def function(routes: Sequence[Post]) -> Callable[[Request], Awaitable[ASGIApp]]:
    """The target that functions-framework calls, of routes that need no FastAPI."""
    app = Starlette(
        routes=[
            *(Route(route.path, _endpoint(route), methods=["POST"]) for route in routes),
            Route("/healthz", _health),
        ],
        exception_handlers=HANDLERS,
    )
    app.router.redirect_slashes = False
    app.add_middleware(Edge)
    return target(app)


def target(app: ASGIApp) -> Callable[[Request], Awaitable[ASGIApp]]:
    """What functions-framework calls: it hands the ASGI app back, which then answers."""

    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        scope["path_params"] = {}  # the framework has its own idea of the address
        try:
            await app(scope, receive, send)
        except Exception:  # noqa: BLE001
            # Logged and answered by `_crashed`. The framework would do both again, with every word.
            return

    async def target(_request: Request) -> ASGIApp:
        return answering

    return target


def current_app() -> App:
    """The ports of this process."""
    return bootstrap.app()


def reply(
    body: Mapping[str, Any], status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """A JSON answer, past FastAPI's second validation: views are tested against their models."""
    return Response(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        status,
        headers,
        "application/json",
    )


def refusal(error: AppError) -> Response:
    """The answer to an expected error, in the shape that the `openai` SDK reads."""
    retry_after = error.details.get("retry_after_seconds")
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    told = {"code": error.code, "message": error.message, "type": error.type, "param": error.param}
    return reply({"error": told | error.details}, error.status, headers)


async def health() -> Response:
    """This function answers."""
    return reply({"status": "ok", "version": current_app().settings.version})


async def _health(_request: Request) -> Response:
    return await health()


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)
    return refusal(error)


async def _routing(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return refusal(NotFound("There is nothing at this address."))
    if error.status_code == 405:
        answer = refusal(MethodNotAllowed("This address does not take that method."))
        answer.headers.update(error.headers or {})
        return answer
    return refusal(InvalidJson("The body could not be read as JSON."))


async def _crashed(request: Request, error: Exception) -> Response:
    # The route as it is written: what stands in an address can be a secret.
    route = getattr(request.scope.get("route"), "path", "none")
    extra = {"method": request.method, "route": route}
    _log.error("unexpected error", exc_info=error, extra=extra)
    message = "Something went wrong on our side. Nothing was charged. Try again in a moment."
    return refusal(AppError(message))


HANDLERS: Mapping[Any, ExceptionHandler] = {
    AppError: _refused,
    HTTPException: _routing,
    Exception: _crashed,
}


class Edge:
    """Bounds every body, and says how answers may be used."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        logs.about_request(scope)
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


def _endpoint(route: Post) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await route.answer(request, **request.path_params)

    return endpoint
