"""Puts the sandbox together: the routes as one app, the app on a socket, or all in a thread."""

import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.sandbox import api, control, files
from infra.sandbox.connections import RememberedConnection
from infra.sandbox.refusals import Refusal
from infra.sandbox.settings import Settings
from infra.sandbox.vendor import Vendor

BACKLOG = 2048
# As vendors' load balancers do, it keeps an idle connection for longer than its callers, so that no
# request meets one that is just being closed.
KEEPALIVE_SECONDS = 60
SHUTDOWN_SECONDS = 1
START_TIMEOUT_SECONDS = 30
_CODE_BY_STATUS = {404: "not_found", 405: "method_not_allowed"}
_ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


class SandboxServer(uvicorn.Server):
    """A uvicorn server that knows its own address and says when it takes requests."""

    def __init__(
        self,
        settings: Settings,
        announce: Callable[[str], None],
        build: Callable[[Settings, str], Starlette] | None = None,
    ) -> None:
        self.listener = bind(settings.host, settings.port)
        self.url = settings.public_url or _address_of(self.listener)
        self._announce = announce
        super().__init__(
            uvicorn.Config(
                (build or build_app)(settings, self.url),
                http=RememberedConnection,
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                timeout_keep_alive=KEEPALIVE_SECONDS,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce(self.url)

    def serve_until_stopped(self) -> None:
        """Block until a signal or `should_exit`."""
        self.run(sockets=[self.listener])


def build_app(settings: Settings, public_url: str) -> Starlette:
    """The whole wire of the vendor as one ASGI app."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        vendor = Vendor(settings, public_url)
        await vendor.open()
        app.state.vendor = vendor
        try:
            yield
        finally:
            await vendor.close()

    return Starlette(
        routes=[*api.ROUTES, *files.ROUTES, *control.ROUTES, Route("/healthz", show_health)],
        exception_handlers={
            Refusal: _answer_refusal,
            HTTPException: _answer_http_exception,
            Exception: _answer_breakage,
        },
        lifespan=lifespan,
    )


async def show_health(_request: Request) -> Response:
    """GET /healthz: the service takes requests."""
    return JSONResponse({"status": "ok"})


def bind(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Raises OSError when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


@contextlib.contextmanager
def serve_in_thread(
    settings: Settings, build: Callable[[Settings, str], Starlette] | None = None
) -> Iterator[str]:
    """The address of a vendor that runs in a thread of this process until the block ends: the
    sandbox, unless `build` makes the app of another.
    """
    server = SandboxServer(settings, announce=lambda _: None, build=build)
    thread = threading.Thread(target=server.serve_until_stopped, name="sandbox", daemon=True)
    thread.start()
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while not server.started:
        assert thread.is_alive(), "the sandbox did not start"
        assert time.monotonic() < deadline, "the sandbox took too long to start"
        time.sleep(0.01)
    try:
        yield server.url
    finally:
        server.should_exit = True
        thread.join()


def _address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if host in _ANY_ADDRESS:
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _answer_refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return error.answer()


async def _answer_http_exception(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODE_BY_STATUS.get(error.status_code, "invalid_request")
    return Refusal(code, str(error.detail)).answer()


async def _answer_breakage(_request: Request, _error: Exception) -> Response:
    return Refusal("internal", "something went wrong inside the vendor").answer()
