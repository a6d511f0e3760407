"""Serves results, well or badly: `GET /files/{id}/{name}` with the token of a minted address."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from infra.sandbox.connections import hang_up
from infra.sandbox.generations import Media
from infra.sandbox.refusals import Refusal
from infra.sandbox.vendor import Vendor

PIECE_BYTES = 65_536
MEGABYTE = 1_000_000
SLOW_PIECES_PER_SECOND = 10
HESITATION_SECONDS = 0.3
PRIVATE_ADDRESS = "http://169.254.169.254/latest/meta-data/"
ERROR_PAGE = "<html><body><h1>Access denied</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Serving:
    """One request for one result."""

    request: Request
    media: Media
    content: bytes


async def serve_file(request: Request) -> Response:
    """The bytes; 403 for a wrong token, 410 for an expired address."""
    vendor: Vendor = request.app.state.vendor
    generation_id, name = request.path_params["id"], request.path_params["name"]
    query = request.query_params
    vendor.links.check(generation_id, name, query.get("expires", ""), query.get("token", ""))
    generation = vendor.register.find(generation_id)
    if generation.media is None or generation.media.content is None:
        raise Refusal("expired", "this result is not kept any more")
    vendor.register.counts.results_served += 1
    result = vendor.behaviour_of(generation).result
    serving = Serving(request, generation.media, generation.media.content)
    return await _SERVINGS[result.word](serving, *result.amounts)


async def _serve_whole(serving: Serving) -> Response:
    pieces = _in_pieces(serving.content, PIECE_BYTES)
    return _stream(serving, _at_full_speed(pieces), length=len(serving.content))


async def _serve_huge(serving: Serving, megabytes: float) -> Response:
    """The real file, padded to the size while it is sent; no Content-Length warns the reader."""
    padding_bytes = max(0, int(megabytes * MEGABYTE) - len(serving.content))
    is_video = serving.media.content_type == "video/mp4"
    padding = _padding_box(padding_bytes) if is_video else _zeros(padding_bytes)
    pieces = itertools.chain(_in_pieces(serving.content, PIECE_BYTES), padding)
    return _stream(serving, _at_full_speed(pieces))


async def _serve_corrupt(serving: Serving) -> Response:
    noise = corrupt(serving.media.name, serving.content)
    return Response(noise, media_type=serving.media.content_type)


def corrupt(name: str, content: bytes) -> bytes:
    """As many bytes as the real file has, of nothing."""
    return Random(name).randbytes(len(content))


async def _serve_html(serving: Serving) -> Response:
    return HTMLResponse(ERROR_PAGE)


async def _serve_truncated(serving: Serving) -> Response:
    """Promises the whole file, sends half of it and closes the connection."""

    async def send_half() -> AsyncIterator[bytes]:
        yield serving.content[: len(serving.content) // 2]
        await hang_up(serving.request)

    return _stream(serving, send_half(), length=len(serving.content))


async def _serve_empty(serving: Serving) -> Response:
    return Response(b"", media_type=serving.media.content_type)


async def _serve_slowly(serving: Serving, bytes_per_second: float) -> Response:
    piece_bytes = max(1, int(bytes_per_second / SLOW_PIECES_PER_SECOND))

    async def drip() -> AsyncIterator[bytes]:
        for piece in _in_pieces(serving.content, piece_bytes):
            yield piece
            await asyncio.sleep(len(piece) / bytes_per_second)

    return _stream(serving, drip(), length=len(serving.content))


async def _serve_hesitantly(serving: Serving) -> Response:
    """A single byte comes first, so that no reader sees by it what the file is."""

    async def hesitate() -> AsyncIterator[bytes]:
        yield serving.content[:1]
        await asyncio.sleep(HESITATION_SECONDS)
        yield serving.content[1:]

    return _stream(serving, hesitate(), length=len(serving.content))


async def _refuse_as_forbidden(_serving: Serving) -> Response:
    raise Refusal("bad_token", "this address is not for you")


async def _refuse_as_missing(_serving: Serving) -> Response:
    raise Refusal("not_found", "there is nothing at this address")


async def _redirect_to_private(serving: Serving) -> Response:
    return RedirectResponse(PRIVATE_ADDRESS, 302)


async def _redirect_on(serving: Serving, times: float) -> Response:
    """From one address of ours to the next, and in the end the file."""
    hops = int(serving.request.query_params.get("hops", "0"))
    if hops >= times:
        return await _serve_whole(serving)
    return RedirectResponse(serving.request.url.include_query_params(hops=hops + 1), 302)


def _stream(
    serving: Serving, pieces: AsyncIterator[bytes], length: int | None = None
) -> StreamingResponse:
    headers = {} if length is None else {"Content-Length": str(length)}
    return StreamingResponse(pieces, headers=headers, media_type=serving.media.content_type)


async def _at_full_speed(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Lets others run between the pieces; without that, a reader who left would go unnoticed."""
    for piece in pieces:
        yield piece
        await asyncio.sleep(0)


def _in_pieces(content: bytes, piece_bytes: int) -> Iterator[bytes]:
    for start in range(0, len(content), piece_bytes):
        yield content[start : start + piece_bytes]


def _padding_box(size_bytes: int) -> Iterator[bytes]:
    """An MP4 `free` box (ISO/IEC 14496-12, 8.1.2) with a 64-bit size: the file stays valid."""
    header = b"\x00\x00\x00\x01free" + size_bytes.to_bytes(8, "big")
    return itertools.chain([header], _zeros(size_bytes - len(header)))


def _zeros(size_bytes: int) -> Iterator[bytes]:
    piece = bytes(PIECE_BYTES)
    for _ in range(size_bytes // PIECE_BYTES):
        yield piece
    yield piece[: max(0, size_bytes) % PIECE_BYTES]


_SERVINGS: Mapping[str, Callable[..., Awaitable[Response]]] = {
    "normal": _serve_whole,
    "huge": _serve_huge,
    "corrupt": _serve_corrupt,
    "html": _serve_html,
    "truncated": _serve_truncated,
    "empty": _serve_empty,
    "expired": _serve_whole,
    "http_403": _refuse_as_forbidden,
    "http_404": _refuse_as_missing,
    "slow": _serve_slowly,
    "hesitant": _serve_hesitantly,
    "redirect_private": _redirect_to_private,
    "redirects": _redirect_on,
}

ROUTES = (Route("/files/{id}/{name}", serve_file, methods=["GET"]),)
