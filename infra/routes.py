"""The deployed functions and their routers, found by file name."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

from fastapi import APIRouter

from shared import http

_FOLDER = Path(__file__).parents[1] / "functions"

FUNCTIONS = tuple(sorted(path.stem for path in _FOLDER.glob("*.py") if path.stem != "__init__"))


def routers() -> list[APIRouter]:
    """Every function's router."""
    return [router_of(import_module(f"functions.{name}")) for name in FUNCTIONS]


def router_of(function: ModuleType) -> APIRouter:
    """A function's router; one that stands on bare Starlette gets it here, so that it is in OpenAPI
    and in the local runner like the others."""
    if hasattr(function, "router"):
        router: APIRouter = function.router
        return router
    router = APIRouter(responses=http.REFUSALS)
    for route in function.routes:
        router.add_api_route(route.path, route.answer, methods=["POST"], tags=[route.tag])
    return router
