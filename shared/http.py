"""The HTTP edge with FastAPI: sessions in, errors out, limits around.

A function file has one router. `function(router)` makes it the small ASGI app that
functions-framework serves; the local runner mounts all routers in one app with `api(routers)`.
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.telemetry import TelemetryConfig
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from shared import edge, wire
from shared.edge import current_app, health, refusal, reply
from shared.errors import InvalidJson, InvalidRequest
from shared.sessions import Sessions
from shared.usecases.read_session import Session

__all__ = [
    "current_app",
    "refusal",
    "reply",
]  # what functions know this module for, besides its own

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

# Nobody reads it, and every request would look for its three providers.
_NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}

_sessions = Sessions()


class _Route(APIRoute):
    """A route that calls its handler straight away when there is nothing to validate.

    What FastAPI does otherwise between the address and the handler takes half as long as all that a
    poll does.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See FastAPI: what answers the requests of this route."""
        plain = {"request": Request, **dict.fromkeys(self.param_convertors, str)}
        if self.endpoint.__annotations__ != {**plain, "return": Response}:
            return super().get_route_handler()

        async def handle(request: Request) -> Response:
            answer: Response = await self.endpoint(request, **request.path_params)
            return answer

        return handle


def router(tag: str) -> APIRouter:
    """The router of a function; `tag` groups its addresses in the OpenAPI document."""
    return APIRouter(tags=[tag], responses=REFUSALS, route_class=_Route)


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


def api(routers: Sequence[APIRouter]) -> FastAPI:
    """One app over some routers, with the product's errors and limits."""
    app = FastAPI(
        title="Reelmint",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry=_NO_TELEMETRY,
        # `include_router` would look every address up twice.
        routes=[route for router in routers for route in router.routes],
    )
    app.add_api_route("/healthz", health, response_model=wire.Health, tags=["health"])
    for kind, handler in edge.HANDLERS.items():
        app.add_exception_handler(kind, handler)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_middleware(edge.Edge)
    return app


def openapi(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an app: its routes, and how a caller is known."""
    document = app.openapi()
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["session"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return document


def function(router: APIRouter) -> Callable[[Request], Awaitable[ASGIApp]]:
    """The target that functions-framework calls."""
    return edge.target(api([router]))


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    if first["type"] == "json_invalid":
        return refusal(InvalidJson(f"The body is not JSON: {first['ctx']['error']}."))
    return refusal(InvalidRequest(f"{where or 'body'}: {first['msg']}.", param=where or None))
