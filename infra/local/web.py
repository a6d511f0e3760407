"""All addresses of a local installation: the functions, the studio, the blobs, the vendor's
switches.
"""

from pathlib import Path

import httpx
from shared.adapters.blobs.folder import FolderBlobs
from shared.adapters.blobs.folder_http import folder_routes
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.routes import routers
from shared import http
from shared.app import App

_API_PATHS = ("/v1/", "/hooks/", "/tasks/", "/cron/", "/healthz")
_STUDIO = Path(__file__).parents[2] / "web" / "dist"
_CONTROL_SECONDS = 10.0
_PAGE_HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def local_web(app: App) -> ASGIApp:
    """One ASGI app: what the load balancer, the buckets and the functions are in the cloud."""
    functions = http.api(routers())
    document = http.openapi(functions)

    async def openapi(_request: Request) -> Response:
        return JSONResponse(document)

    async def control(request: Request) -> Response:
        return await _control(app.settings.sandbox_url, request)

    assert isinstance(app.blobs, FolderBlobs)
    others = Starlette(
        routes=[
            *folder_routes(app.blobs, app.settings.allowed_origins),
            Route("/sandbox/{path:path}", control, methods=["GET", "PUT", "POST"]),
            *_studio_routes(),
        ]
    )
    described = Starlette(routes=[Route("/v1/openapi.json", openapi)])

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path == "/v1/openapi.json":
            await described(scope, receive, send)
        elif path.startswith(_API_PATHS):
            await functions(scope, receive, send)
        else:
            await others(scope, receive, send)

    return serve


def _studio_routes() -> list[Route | Mount]:
    """The built studio; every unknown page is its first page, which knows its own addresses."""
    index = _STUDIO / "index.html"

    async def page(_request: Request) -> Response:
        if not index.exists():
            return HTMLResponse("<p>The studio is not built. Run <code>make setup</code>.</p>", 503)
        return HTMLResponse(index.read_text(), headers=_PAGE_HEADERS)

    routes: list[Route | Mount] = []
    if (_STUDIO / "assets").is_dir():
        routes.append(Mount("/assets", StaticFiles(directory=_STUDIO / "assets")))
    return [*routes, Route("/{path:path}", page)]


async def _control(sandbox_url: str, request: Request) -> Response:
    """The vendor's switches, for tests and demos: `/sandbox/behaviour`, `/sandbox/stats` and so
    on.
    """
    address = f"{sandbox_url}/control/{request.path_params['path']}"
    async with httpx.AsyncClient(trust_env=False, timeout=_CONTROL_SECONDS) as client:
        answer = await client.request(request.method, address, content=await request.body())
    return Response(answer.content, answer.status_code, media_type="application/json")
