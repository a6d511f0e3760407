"""The baseline: a functions-framework ASGI function that does nothing."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


async def nothing(_request: Request) -> Response:
    """Answer."""
    return JSONResponse({"status": "ok"})
