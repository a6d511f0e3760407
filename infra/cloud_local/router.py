"""What the load balancer does: public paths to functions, everything else to the studio's files.

The paths are the manifest's, which Terraform reads too.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from infra.cloud_local.processes import Processes
from infra.local.web import sandbox_controls, studio

_MANIFEST = Path(__file__).parents[2] / "terraform" / "manifest.json"
_TIMEOUT_SECONDS = 60.0
_HOP_HEADERS = frozenset({"connection", "content-length", "host", "transfer-encoding"})
_FALLBACKS = {"/hooks/": "provider_webhook", "/v1/": "job_status"}  # as terraform/site.tf has them
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_DOWN = {
    "error": {
        "code": "unavailable",
        "message": "This part does not answer. Try again in a moment.",
        "type": "server_error",
        "param": None,
    }
}


def router(
    urls: Mapping[str, str], processes: Processes, sandbox_url: str, media_origin: str
) -> Starlette:
    """One ASGI app in front of the functions. `urls` has the address of each of them."""
    # One client for all; it ends with the process. It keeps no connections: a function closes one
    # that was idle for two seconds, and a request that was sent at that moment would be lost.
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=0)
    client = httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT_SECONDS, limits=limits)

    async def kill(request: Request) -> Response:
        processes.kill(request.path_params["name"])
        return JSONResponse({"killed": True})

    return Starlette(
        routes=[
            *_function_routes(client, urls),
            # What no function has a route for is refused by one of them, in the API's own words.
            *(
                Route(f"{prefix}{{path:path}}", _forwarder(client, urls[name]), methods=_METHODS)
                for prefix, name in _FALLBACKS.items()
            ),
            Route("/healthz", _health),
            Route("/local/kill/{name}", kill, methods=["POST"]),
            sandbox_controls(sandbox_url),
            Mount("/", studio(media_origin)),
        ]
    )


def _function_routes(client: httpx.AsyncClient, urls: Mapping[str, str]) -> list[Route]:
    functions = json.loads(_MANIFEST.read_text())["functions"]
    return [
        Route(path, _forwarder(client, urls[name]), methods=methods)
        for name, function in functions.items()
        if not function["internal"]
        for path, methods in function["routes"].items()
    ]


def _forwarder(
    client: httpx.AsyncClient, base_url: str
) -> Callable[[Request], Awaitable[Response]]:
    async def forward(request: Request) -> Response:
        headers = [entry for entry in request.headers.raw if entry[0].decode() not in _HOP_HEADERS]
        path = f"{base_url}{request.url.path}"
        address = f"{path}?{request.url.query}" if request.url.query else path
        try:
            answer = await client.request(
                request.method, address, headers=headers, content=await request.body()
            )
        except httpx.TransportError:
            return JSONResponse(_DOWN, 502)
        reply = Response(answer.content, answer.status_code)
        reply.raw_headers = [
            (name.lower(), value)
            for name, value in answer.headers.raw
            if name.lower().decode() not in _HOP_HEADERS
        ]
        reply.headers["content-length"] = str(len(answer.content))
        return reply

    return forward


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "ok", "version": "cloud-local"})
