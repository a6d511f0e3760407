"""The OpenAPI document of the functions, written by FastAPI, which reads their handlers'
annotations and serves nothing.
"""

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Annotated, Any, get_type_hints

from fastapi import FastAPI, Query
from starlette.responses import JSONResponse, RedirectResponse, Response

from shared.edge import Route, Router
from shared.wire import replies, requests

_REFUSALS: dict[int | str, dict[str, Any]] = {"4XX": {"model": replies.ErrorReply}}


def document(routers: Sequence[Router]) -> dict[str, Any]:
    """The union of some routers, and how a caller is known, as OpenAPI 3.1."""
    app = FastAPI(title="Reelmint", version="1")
    for router in routers:
        for route in router.routes:
            _add(app, route, router.tag)
    app.add_api_route("/healthz", health, response_model=replies.Health, tags=["health"])
    document = app.openapi()
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["session"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return document


def _add(app: FastAPI, route: Route, tag: str) -> None:
    app.add_api_route(
        route.path,
        _spelled_out(route.answer),
        methods=[route.method],
        status_code=route.status,
        response_class=RedirectResponse if route.status == 302 else JSONResponse,
        response_model=getattr(replies, route.reply) if route.reply else None,
        responses=_REFUSALS,
        tags=[tag],
        openapi_extra=dict(route.openapi),
    )


def _spelled_out(answer: Callable[..., Any]) -> Callable[..., Any]:
    """The handler with annotations that FastAPI understands."""
    kinds = get_type_hints(answer, {**answer.__globals__, "requests": requests})
    if "query" in kinds:
        asked = kinds["query"]
        kinds["query"] = Annotated[asked, Query()]

    @wraps(answer)
    def spelled_out() -> None: ...

    signature = inspect.signature(answer)
    parameters = [
        given.replace(annotation=kinds[name]) for name, given in signature.parameters.items()
    ]
    spelled_out.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=parameters, return_annotation=Response
    )
    return spelled_out


def health() -> None:
    """This function answers."""
