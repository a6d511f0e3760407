"""A simulator on a socket: its own routes, the sandbox's for files and controls, one app."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra import vendors
from infra.sandbox import control, files
from infra.sandbox.refusals import Refusal
from infra.sandbox.server import serve_in_thread, show_health
from infra.sandbox.settings import Settings
from infra.vendors.desk import Desk, Wire


def build_app(wire: Wire, settings: Settings, public_url: str) -> Starlette:
    """The whole vendor as one ASGI app."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        desk = Desk(wire, settings, public_url)
        await desk.open()
        app.state.vendor = desk
        try:
            yield
        finally:
            await desk.close()

    async def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        if request.url.path.startswith(("/control/", "/files/")):
            return error.answer()
        return wire.refuse(error)

    async def refuse_route(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return await refuse(request, Refusal("not_found", "there is nothing at this address"))

    async def refuse_broken(request: Request, _error: Exception) -> Response:
        return await refuse(request, Refusal("internal", "something broke inside the vendor"))

    return Starlette(
        routes=[
            *wire.routes,
            *files.ROUTES,
            *control.ROUTES,
            Route("/healthz", show_health),
        ],
        exception_handlers={
            Refusal: refuse,
            HTTPException: refuse_route,
            Exception: refuse_broken,
        },
        lifespan=lifespan,
    )


@contextlib.contextmanager
def simulated(name: str, **changes: object) -> Iterator[str]:
    """The address of a simulator in a thread of this process until the block ends. Settings may be
    changed: `port` (a free one unless given), `concurrency`, `behaviour`, `api_key`,
    `webhook_secret`, `seed`.
    """
    wire = vendors.load(name)
    settings = replace(wire.settings, **{"port": 0, **changes})  # type: ignore[arg-type]
    with serve_in_thread(settings, lambda s, url: build_app(wire, s, url)) as url:
        yield url
