"""All addresses of a local installation: the functions, the studio, the blobs, the vendor's
switches.
"""

from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.local.vendor_process import sandbox_of
from infra.routes import routers
from shared import http
from shared.adapters.blobs.folder import FolderBlobs
from shared.adapters.blobs.folder_http import folder_routes
from shared.app import App

_API_PATHS = ("/v1/", "/hooks/", "/tasks/", "/cron/", "/healthz")
_STUDIO = Path(__file__).parents[2] / "web" / "dist"
_FOR_EVER = "public, max-age=31536000, immutable"
_CONTROL_SECONDS = 10.0
_COMPRESSED_MIN_BYTES = 1000


def local_web(app: App) -> ASGIApp:
    """One ASGI app: what the load balancer, the buckets and the functions are in the cloud."""
    functions = http.api(routers())
    assert isinstance(app.blobs, FolderBlobs)
    others = Starlette(
        routes=[
            *folder_routes(app.blobs, app.settings.allowed_origins),
            sandbox_controls(sandbox_of(app.settings.accounts).url),
            Mount("/", studio()),
        ]
    )

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path", "").startswith(_API_PATHS):
            await functions(scope, receive, send)
        else:
            await others(scope, receive, send)

    return serve


class _Studio(StaticFiles):
    """The built studio; every unknown page is its first page, which knows its own addresses."""

    def __init__(self, media_origin: str) -> None:
        super().__init__(directory=_STUDIO, html=True)
        self._headers = {
            "content-security-policy": f"default-src 'self'; connect-src 'self' {media_origin}; "
            f"img-src 'self' blob: data: {media_origin}; media-src 'self' blob: {media_origin}; "
            "style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
        }

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with what a browser may do with it."""
        try:
            answer = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or path.startswith("assets/"):
                raise
            answer = await super().get_response("index.html", scope)
        answer.headers.update(self._headers)
        is_named_by_content = path.startswith("assets/") and answer.status_code == 200
        answer.headers["cache-control"] = _FOR_EVER if is_named_by_content else "no-cache"
        return answer


def studio(media_origin: str = "") -> ASGIApp:
    """The built studio's files, or a page that says how to build it. `media_origin` is where
    pictures and results are, when that is elsewhere.
    """
    if _STUDIO.is_dir():
        return GZipMiddleware(_Studio(media_origin), minimum_size=_COMPRESSED_MIN_BYTES)
    return HTMLResponse("<p>The studio is not built. Run <code>make setup</code>.</p>", 503)


def sandbox_controls(sandbox_url: str) -> Route:
    """The vendor's switches, for tests and demos: `/sandbox/behaviour`, `/sandbox/stats`, ..."""

    async def control(request: Request) -> Response:
        address = f"{sandbox_url}/control/{request.path_params['path']}"
        async with httpx.AsyncClient(trust_env=False, timeout=_CONTROL_SECONDS) as client:
            answer = await client.request(request.method, address, content=await request.body())
        return Response(answer.content, answer.status_code, media_type="application/json")

    return Route("/sandbox/{path:path}", control, methods=["GET", "PUT", "POST"])
