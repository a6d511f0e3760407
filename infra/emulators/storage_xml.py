"""The XML API of the storage emulator: what a browser does with a signed address, really checked.

Signature, expiry, content-length range, generation precondition and CORS are those of Cloud
Storage. Nothing is let in without a signature. A header of Google's that it does not know is
refused (501), never ignored. Source: https://cloud.google.com/storage/docs/xml-api/reference-headers
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from infra.emulators.storage_objects import Arrival, ConditionNotMet, Objects, StoredObject
from infra.emulators.storage_signatures import Refused, Verifier

# What the bucket's CORS rule has to allow, in Terraform too, for the studio to upload and play.
CORS_METHODS = ("GET", "HEAD", "PUT")
CORS_HEADERS = (
    "content-disposition",
    "content-length",
    "content-range",
    "content-type",
    "etag",
    "range",
    "x-goog-content-length-range",
    "x-goog-if-generation-match",
)
CORS_SECONDS = 3600

_SEND_BYTES = 256 * 1024
_KNOWN_HEADERS = {"x-goog-content-length-range", "x-goog-if-generation-match"}
_KNOWN_QUERY = {"response-content-disposition", "response-content-type"}


class _File(FileResponse):
    chunk_size = _SEND_BYTES


def xml_routes(objects: Objects, verifier: Verifier, origins: Sequence[str]) -> list[Route]:
    """The routes of `/{bucket}/{object}`, which match nearly everything: the last in an app."""
    bucket = _Bucket(objects)

    async def answer(request: Request) -> Response:
        allowed = _cors(request.headers, origins)
        if request.method == "OPTIONS":
            return Response(headers=allowed)
        try:
            query = verifier.check(
                request.method,
                request.scope["raw_path"].decode("latin-1"),
                request.scope["query_string"].decode("latin-1"),
                dict(request.headers),
                time.time(),
            )
            _check_known(request, query)
            if request.method == "PUT":
                response = await bucket.take(request)
            else:
                response = await bucket.show(request, query)
        except Refused as error:
            response = _refusal(error)
        response.headers.update(allowed)
        return response

    return [Route("/{bucket}/{name:path}", answer, methods=[*CORS_METHODS, "OPTIONS"])]


class _Bucket:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def show(self, request: Request, query: Mapping[str, str]) -> Response:
        bucket, name = request.path_params["bucket"], request.path_params["name"]
        stored = await asyncio.to_thread(self._objects.find, bucket, name)
        if stored is None:
            raise Refused(404, "NoSuchKey", "The specified key does not exist.")
        path = self._objects.data_path(stored)
        try:
            stat = await asyncio.to_thread(path.stat)
        except FileNotFoundError as error:
            raise Refused(404, "NoSuchKey", "The specified key does not exist.") from error
        headers = _described(stored)
        if "response-content-disposition" in query:
            headers["content-disposition"] = query["response-content-disposition"]
        content_type = query.get("response-content-type", stored.content_type)
        return _File(path, headers=headers, media_type=content_type, stat_result=stat)

    async def take(self, request: Request) -> Response:
        least, most = _length_range(request.headers)
        length = request.headers.get("content-length")
        if length is not None:
            _check_length(int(length), least, most)
        wanted = request.headers.get("x-goog-if-generation-match")
        arrival = Arrival(
            bucket=request.path_params["bucket"],
            name=request.path_params["name"],
            content_type=request.headers.get("content-type", "application/octet-stream"),
            part=self._objects.new_part(),
            wanted_generation=None if wanted is None else int(wanted),
            checksums={},
        )
        try:
            return await self._store(request, arrival, least, most)
        except ConditionNotMet as error:
            raise Refused(412, "PreconditionFailed", str(error)) from error
        except ClientDisconnect as error:
            raise Refused(400, "IncompleteBody", "The upload ended early.") from error
        finally:
            await asyncio.to_thread(arrival.part.unlink, missing_ok=True)

    async def _store(self, request: Request, arrival: Arrival, least: int, most: int) -> Response:
        place = arrival.bucket, arrival.name, arrival.wanted_generation
        await asyncio.to_thread(self._objects.check, *place)
        size_bytes = await _receive(request, arrival.part, most)
        _check_length(size_bytes, least, most)
        stored = await asyncio.to_thread(self._objects.publish, arrival)
        return Response(headers=_described(stored))


def _check_known(request: Request, query: Mapping[str, str]) -> None:
    headers = {name for name in request.headers if name.startswith("x-goog-")}
    if unknown := (headers - _KNOWN_HEADERS) | (set(query) - _KNOWN_QUERY):
        raise Refused(501, "NotImplemented", f"not known here: {', '.join(sorted(unknown))}")


def _length_range(headers: Mapping[str, str]) -> tuple[int, int]:
    least, _, most = headers.get("x-goog-content-length-range", "0,5497558138880").partition(",")
    try:
        return int(least), int(most)
    except ValueError as error:
        raise Refused(400, "InvalidArgument", "This is not a range of lengths.") from error


def _check_length(size_bytes: int, least: int, most: int) -> None:
    if size_bytes > most:
        raise Refused(400, "EntityTooLarge", f"At most {most} bytes.")
    if size_bytes < least:
        raise Refused(400, "EntityTooSmall", f"At least {least} bytes.")


async def _receive(request: Request, part: Path, most: int) -> int:
    size_bytes = 0
    file = await asyncio.to_thread(part.open, "xb")
    try:
        async for chunk in request.stream():
            size_bytes += len(chunk)
            _check_length(size_bytes, 0, most)
            await asyncio.to_thread(file.write, chunk)
    finally:
        await asyncio.to_thread(file.close)
    return size_bytes


def _described(stored: StoredObject) -> dict[str, str]:
    return {
        "etag": stored.etag,
        "x-goog-generation": str(stored.generation),
        "x-goog-hash": f"crc32c={stored.crc32c},md5={stored.md5}",
        "x-goog-stored-content-length": str(stored.size_bytes),
    }


def _cors(headers: Mapping[str, str], origins: Sequence[str]) -> dict[str, str]:
    """What a page of this origin may do: all that the rule says, or nothing."""
    origin = headers.get("origin", "")
    method = headers.get("access-control-request-method")
    asked = headers.get("access-control-request-headers", "").lower().replace(" ", "")
    if origin not in origins or (method or "GET") not in CORS_METHODS:
        return {}
    allowed = {"access-control-allow-origin": origin, "vary": "Origin"}
    if method is None:
        return {**allowed, "access-control-expose-headers": ", ".join(CORS_HEADERS)}
    if not {name for name in asked.split(",") if name} <= set(CORS_HEADERS):
        return {}
    return {
        **allowed,
        "access-control-allow-methods": ", ".join(CORS_METHODS),
        "access-control-allow-headers": ", ".join(CORS_HEADERS),
        "access-control-max-age": str(CORS_SECONDS),
    }


def _refusal(error: Refused) -> Response:
    body = (
        "<?xml version='1.0' encoding='UTF-8'?>"
        f"<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
    )
    return Response(body, error.status, media_type="application/xml")
