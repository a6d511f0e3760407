"""The HTTP face of the folder: serves signed addresses as Cloud Storage does."""

import asyncio
from collections.abc import Sequence

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from shared.adapters.blobs.folder import FolderBlobs
from shared.ports import BlobTooLarge

SEND_BYTES = 256 * 1024
PREFLIGHT_SECONDS = 3600

HEADERS = {
    "cache-control": "private, max-age=3600",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class _File(FileResponse):
    chunk_size = SEND_BYTES


def folder_routes(blobs: FolderBlobs, origins: Sequence[str]) -> list[BaseRoute]:
    """Routes below `/blobs`, for an app to add. Pages of `origins` may use them too."""

    async def upload(request: Request) -> Response:
        return await _upload(blobs, request)

    async def download(request: Request) -> Response:
        return await _download(blobs, request)

    cors = Middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["GET", "HEAD", "PUT"],
        allow_headers=["content-type", "range"],
        expose_headers=["content-disposition", "content-length", "content-range", "etag"],
        max_age=PREFLIGHT_SECONDS,
    )
    routes = [
        Route("/{key:path}", upload, methods=["PUT"]),
        Route("/{key:path}", download, methods=["GET", "HEAD"]),
    ]
    return [Mount("/blobs", routes=routes, middleware=[cors])]


async def _upload(blobs: FolderBlobs, request: Request) -> Response:
    key = request.path_params["key"]
    grant = blobs.verify("PUT", key, request.query_params.multi_items())
    if grant is None:
        return _refusal(403, "forbidden", "This address is not valid, or not any more.")
    if request.headers.get("content-type") != grant.content_type:
        return _refusal(400, "invalid_request", f"The content type must be {grant.content_type}.")
    too_large = _refusal(413, "body_too_large", f"At most {grant.max_bytes} bytes.")
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > grant.max_bytes:
        return too_large
    taken = _refusal(412, "conflict", "There is an object already.")
    if await blobs.head(key):
        return taken
    try:
        made = await blobs.create(
            key,
            request.stream(),
            content_type=grant.content_type,
            max_bytes=grant.max_bytes,
        )
    except BlobTooLarge:
        return too_large
    except ClientDisconnect:
        return _refusal(400, "invalid_request", "The upload ended early.")
    return Response(status_code=200, headers=HEADERS) if made else taken


async def _download(blobs: FolderBlobs, request: Request) -> Response:
    key = request.path_params["key"]
    grant = blobs.verify("GET", key, request.query_params.multi_items())
    if grant is None:
        return _refusal(403, "forbidden", "This address is not valid, or not any more.")
    found = await asyncio.to_thread(blobs.find, key)
    if found is None:
        return _refusal(404, "not_found", "There is no such object.")
    try:
        stat = await asyncio.to_thread(found.path.stat)
    except FileNotFoundError:
        return _refusal(404, "not_found", "There is no such object.")
    return _File(
        found.path,
        headers={**HEADERS, "etag": f'"{found.tag}"'},
        media_type=found.info.content_type,
        filename=grant.filename,
        stat_result=stat,
    )


def _refusal(status: int, code: str, message: str) -> Response:
    kind = "permission_error" if status == 403 else "invalid_request_error"
    error = {"code": code, "message": message, "type": kind, "param": None}
    return JSONResponse({"error": error}, status, {**HEADERS, "cache-control": "no-store"})
