"""The HTTP face of the Cloud Tasks stand-in: the key set of its tokens, the REST API as far as we
use it, and the metadata server that hands out the access token for it.
"""

import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.cloud import tasks_v2
from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.emulators.cloud_tasks_identity import Identity
from infra.emulators.cloud_tasks_queues import Queues
from infra.emulators.cloud_tasks_rules import Refused

_TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105
_TOKEN_SECONDS = 3_599
_HTTP_STATUS = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
}


def web(queues: Queues, identity: Identity) -> Starlette:
    """The app."""
    face = _Face(queues, identity)
    routes = [
        Route("/healthz", face.health),
        Route("/certs", face.certs),
        Route(_TOKEN_PATH, face.token),
        Route("/v2/{parent:path}/tasks", _answering(face.create_task), methods=["POST"]),
        Route("/v2/{parent:path}/tasks", _answering(face.list_tasks), methods=["GET"]),
        Route("/v2/{name:path}:pause", _answering(face.pause), methods=["POST"]),
        Route("/v2/{name:path}:resume", _answering(face.resume), methods=["POST"]),
    ]
    return Starlette(routes=routes)


class _Face:
    def __init__(self, queues: Queues, identity: Identity) -> None:
        self._queues = queues
        self._identity = identity
        # One for the life of the process: after a restart, callers must fetch another.
        self._token = secrets.token_urlsafe(32)

    async def health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def certs(self, _request: Request) -> Response:
        return JSONResponse(self._identity.jwks(), headers={"cache-control": "public, max-age=300"})

    async def token(self, request: Request) -> Response:
        if request.headers.get("metadata-flavor") != "Google":
            return Response("Missing Metadata-Flavor:Google header.", 403)
        body = {
            "access_token": self._token,
            "expires_in": _TOKEN_SECONDS,
            "token_type": "Bearer",
        }
        return JSONResponse(body, headers={"metadata-flavor": "Google"})

    async def create_task(self, request: Request) -> Any:
        self._require(request)
        wanted = tasks_v2.CreateTaskRequest.pb()()
        try:
            json_format.Parse(await request.body(), wanted)
        except (json_format.ParseError, UnicodeDecodeError) as error:
            message = f"Invalid JSON payload received. {error}"
            raise Refused(grpc.StatusCode.INVALID_ARGUMENT, message) from error
        return self._queues.create_task(request.path_params["parent"], wanted.task)

    async def list_tasks(self, request: Request) -> Any:
        self._require(request)
        found = self._queues.list_tasks(request.path_params["parent"])
        return tasks_v2.ListTasksResponse.pb()(tasks=found)

    async def pause(self, request: Request) -> Any:
        return self._queues.pause_queue(request.path_params["name"])

    async def resume(self, request: Request) -> Any:
        return self._queues.resume_queue(request.path_params["name"])

    def _require(self, request: Request) -> None:
        given = request.headers.get("authorization", "").encode()
        if not secrets.compare_digest(given, f"Bearer {self._token}".encode()):
            raise Refused(
                grpc.StatusCode.UNAUTHENTICATED,
                "Request had invalid authentication credentials.",
            )


def _answering(
    call: Callable[[Request], Awaitable[Any]],
) -> Callable[[Request], Awaitable[Response]]:
    """The message as JSON, or the refusal as the API spells it."""

    async def answer(request: Request) -> Response:
        try:
            message = await call(request)
        except Refused as refused:
            status = _HTTP_STATUS[refused.status]
            error = {"code": status, "message": refused.message, "status": refused.status.name}
            return JSONResponse({"error": error}, status)
        return JSONResponse(json.loads(json_format.MessageToJson(message)))

    return answer
