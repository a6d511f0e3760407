"""The HTTP edge around every function: its addresses, errors out, limits, health, logs.

It stands on Starlette, for the cold start: pydantic is loaded by the first request that has
something to validate, and FastAPI, which would be a quarter of a start, only writes the OpenAPI
document (`infra/openapi.py`). `shared/http.py` adds sessions.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette import routing
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
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


Answer = Callable[..., Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """One address of a function.

    `answer` gets the request, what the path's braces name, and what it asks for by an annotation in
    quotes: `body: "requests.JobRequest"` or `query: "requests.JobsQuery"`, validated.
    """

    method: str
    path: str
    answer: Answer
    status: int = 200
    reply: str | None = None  # the model in shared/wire/replies.py that the answer looks like
    openapi: Mapping[str, Any] = field(default_factory=dict)  # what else the document says


class Router:
    """The addresses of a function; `tag` groups them in the OpenAPI document."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.routes: list[Route] = []

    def get(self, path: str, **about: Any) -> Callable[[Answer], Answer]:
        """Declare what answers GET; `about` are the other fields of `Route`."""
        return self._declaring("GET", path, about)

    def post(self, path: str, **about: Any) -> Callable[[Answer], Answer]:
        """As `get`."""
        return self._declaring("POST", path, about)

    def delete(self, path: str, **about: Any) -> Callable[[Answer], Answer]:
        """As `get`."""
        return self._declaring("DELETE", path, about)

    def _declaring(
        self, method: str, path: str, about: Mapping[str, Any]
    ) -> Callable[[Answer], Answer]:
        def declare(answer: Answer) -> Answer:
            self.routes.append(Route(method, path, answer, **about))
            return answer

        return declare


def function(router: Router) -> Callable[[Request], Awaitable[ASGIApp]]:
    """The target that functions-framework calls."""
    return target(api([router]))


def api(routers: Sequence[Router]) -> Starlette:
    """One app over some routers, with the product's errors and limits."""
    app = Starlette(
        routes=[
            *(
                routing.Route(route.path, _endpoint(route), methods=[route.method])
                for router in routers
                for route in router.routes
            ),
            routing.Route("/healthz", _health),
        ],
        exception_handlers=HANDLERS,
    )
    app.router.redirect_slashes = False
    app.add_middleware(Edge)
    return app


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
    """A JSON answer. It is not validated again: views are tested against their models."""
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


async def _health(_request: Request) -> Response:
    return reply({"status": "ok", "version": current_app().settings.version})


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


def _endpoint(route: Route) -> Callable[[Request], Awaitable[Response]]:
    kinds = {
        name: kind
        for name, kind in route.answer.__annotations__.items()
        if name in ("body", "query")
    }

    async def endpoint(request: Request) -> Response:
        read = await _read(request, kinds) if kinds else {}
        return await route.answer(request, **request.path_params, **read)

    return endpoint


async def _read(request: Request, kinds: Mapping[str, str]) -> dict[str, Any]:
    from shared.wire import reading  # noqa: PLC0415  # it loads pydantic

    return await reading.read(request, kinds)
