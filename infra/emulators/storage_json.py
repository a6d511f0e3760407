"""The JSON API of the storage emulator, as far as google-cloud-storage uses it for objects.

Sources: https://cloud.google.com/storage/docs/json_api/v1/objects and
https://cloud.google.com/storage/docs/performing-resumable-uploads. It asks for no credentials.
A parameter that it does not know is refused (501), never ignored.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from email.message import Message
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from infra.emulators.storage_objects import (
    Arrival,
    ChecksumMismatch,
    ConditionNotMet,
    Objects,
    StoredObject,
)
from infra.emulators.storage_resumable import BadChunk, Sessions

BODY_BYTES_MAX = 64 * 1024 * 1024

_KNOWN = {"alt", "generation", "ifGenerationMatch", "name", "prettyPrint", "projection"}
_KNOWN_UPLOAD = _KNOWN | {"uploadType", "upload_id"}
_REASONS = {
    400: "invalid",
    404: "notFound",
    412: "conditionNotMet",
    413: "uploadTooLarge",
    416: "requestedRangeNotSatisfiable",
    501: "notImplemented",
}

Handler = Callable[[Request], Awaitable[Response]]


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def json_routes(objects: Objects) -> list[Route]:
    """The routes below `/storage`, `/download` and `/upload`."""
    api = _Api(objects)
    one = "/storage/v1/b/{bucket}/o/{name:path}"
    upload = "/upload/storage/v1/b/{bucket}/o"
    return [
        Route(one, _answering(api.show, _KNOWN), methods=["GET"]),
        Route(one, _answering(api.remove, _KNOWN), methods=["DELETE"]),
        Route(f"/download{one}", _answering(api.show, _KNOWN), methods=["GET"]),
        Route(upload, _answering(api.begin, _KNOWN_UPLOAD), methods=["POST"]),
        Route(upload, _answering(api.go_on, _KNOWN_UPLOAD), methods=["PUT"]),
        Route(upload, _answering(api.cancel, _KNOWN_UPLOAD), methods=["DELETE"]),
    ]


class _Api:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._sessions = Sessions(objects)

    async def show(self, request: Request) -> Response:
        bucket, name = request.path_params["bucket"], request.path_params["name"]
        stored = await asyncio.to_thread(
            self._objects.check, bucket, name, _number(request, "ifGenerationMatch")
        )
        if stored is None or _number(request, "generation") not in (None, stored.generation):
            raise Refused(404, f"No such object: {bucket}/{name}")
        if request.query_params.get("alt") != "media":
            return JSONResponse(_described(stored, request))
        path = self._objects.data_path(stored)
        return FileResponse(
            path,
            stat_result=await asyncio.to_thread(path.stat),
            headers={
                "etag": stored.etag,
                "x-goog-generation": str(stored.generation),
                "x-goog-hash": f"crc32c={stored.crc32c},md5={stored.md5}",
            },
            media_type=stored.content_type,
        )

    async def remove(self, request: Request) -> Response:
        bucket, name = request.path_params["bucket"], request.path_params["name"]
        wanted = _number(request, "ifGenerationMatch")
        if not await asyncio.to_thread(self._objects.remove, bucket, name, wanted):
            raise Refused(404, f"No such object: {bucket}/{name}")
        return Response(status_code=204)

    async def begin(self, request: Request) -> Response:
        kind = request.query_params.get("uploadType")
        body = await _body(request)
        if kind == "multipart":
            about, content_type, data = _split(request.headers["content-type"], body)
            arrival = self._arrival(request, about, content_type)
            await asyncio.to_thread(arrival.part.write_bytes, data)
            stored = await asyncio.to_thread(self._objects.publish, arrival)
            return JSONResponse(_described(stored, request))
        if kind == "resumable":
            content_type = request.headers.get("x-upload-content-type", "")
            arrival = self._arrival(request, json.loads(body or b"{}"), content_type)
            wanted = arrival.wanted_generation
            await asyncio.to_thread(self._objects.check, arrival.bucket, arrival.name, wanted)
            session = await asyncio.to_thread(self._sessions.begin, arrival)
            place = f"{request.url.path}?uploadType=resumable&upload_id={session}"
            return Response(headers={"location": f"{_base(request)}{place}"})
        raise Refused(501, f"uploadType {kind} is not known here")

    async def go_on(self, request: Request) -> Response:
        session = request.query_params.get("upload_id", "")
        said = request.headers.get("content-range", "")
        body = await _body(request)
        checksums = _checksums(request.headers.get("x-goog-hash", ""))
        stored, size_bytes = await asyncio.to_thread(
            self._sessions.add, session, said, body, checksums
        )
        if stored:
            return JSONResponse(_described(stored, request))
        there = {"range": f"bytes=0-{size_bytes - 1}"} if size_bytes else {}
        return Response(status_code=308, headers=there)

    async def cancel(self, request: Request) -> Response:
        await asyncio.to_thread(self._sessions.cancel, request.query_params.get("upload_id", ""))
        return Response(status_code=499)

    def _arrival(self, request: Request, about: Mapping[str, Any], content_type: str) -> Arrival:
        said = {"crc32c": about.get("crc32c"), "md5": about.get("md5Hash")}
        name = about.get("name") or request.query_params.get("name")
        if not name:
            raise Refused(400, "Required parameter: name")
        return Arrival(
            bucket=request.path_params["bucket"],
            name=name,
            content_type=about.get("contentType") or content_type or "application/octet-stream",
            part=self._objects.new_part(),
            wanted_generation=_number(request, "ifGenerationMatch"),
            checksums={kind: value for kind, value in said.items() if value},
        )


def _answering(handler: Handler, known: set[str]) -> Handler:
    """The handler with errors in the shape of the API."""

    async def answer(request: Request) -> Response:
        try:
            _check_known(request, known)
            return await handler(request)
        except Refused as error:
            return _refusal(error.status, error.message)
        except ConditionNotMet as error:
            return _refusal(412, str(error))
        except (BadChunk, ChecksumMismatch, ValueError) as error:
            return _refusal(400, str(error))
        except FileNotFoundError:
            return _refusal(404, "It is not there, or not any more.")

    return answer


def _check_known(request: Request, known: set[str]) -> None:
    if unknown := set(request.query_params) - known:
        raise Refused(501, f"not known here: {', '.join(sorted(unknown))}")


def _refusal(status: int, message: str) -> JSONResponse:
    reason = {"domain": "global", "reason": _REASONS[status], "message": message}
    error = {"code": status, "message": message, "errors": [reason]}
    return JSONResponse({"error": error}, status)


def _described(stored: StoredObject, request: Request) -> dict[str, Any]:
    """The object resource. Cloud Storage writes 64-bit numbers as text."""
    created = datetime.fromtimestamp(stored.created_at_ms / 1000, UTC).isoformat()
    place = f"/storage/v1/b/{stored.bucket}/o/{quote(stored.name, safe='')}"
    media = f"/download{place}?generation={stored.generation}&alt=media"
    return {
        "kind": "storage#object",
        "id": f"{stored.bucket}/{stored.name}/{stored.generation}",
        "selfLink": f"{_base(request)}{place}",
        "mediaLink": f"{_base(request)}{media}",
        "name": stored.name,
        "bucket": stored.bucket,
        "generation": str(stored.generation),
        "metageneration": "1",
        "contentType": stored.content_type,
        "storageClass": "STANDARD",
        "size": str(stored.size_bytes),
        "md5Hash": stored.md5,
        "crc32c": stored.crc32c,
        "etag": stored.etag,
        "timeCreated": created,
        "updated": created,
    }


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _number(request: Request, name: str) -> int | None:
    value = request.query_params.get(name)
    return None if value is None else int(value)


def _checksums(header: str) -> dict[str, str]:
    """`crc32c=…,md5=…`, which are in base64 and so may end with more equals signs."""
    pairs = (entry.strip().partition("=") for entry in header.split(",") if entry)
    return {kind: value for kind, _, value in pairs if kind in ("crc32c", "md5")}


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise Refused(413, f"at most {BODY_BYTES_MAX} bytes in one request here")
    return bytes(body)


def _split(content_type: str, body: bytes) -> tuple[dict[str, Any], str, bytes]:
    """The resource, the content type and the bytes of a multipart/related upload."""
    message = Message()
    message["content-type"] = content_type
    boundary = str(message.get_param("boundary", "")).encode()
    parts = body.split(b"--" + boundary) if boundary else []
    if len(parts) != 4 or parts[3].strip() != b"--":
        raise Refused(400, "a resource and the bytes are wanted as multipart/related")
    _, _, about = parts[1].partition(b"\r\n\r\n")
    head, _, data = parts[2].partition(b"\r\n\r\n")
    for line in head.decode("latin-1").splitlines():
        name, _, value = line.partition(":")
        message[f"part-{name.lower()}"] = value.strip()
    return json.loads(about), message["part-content-type"] or "", data.removesuffix(b"\r\n")
