"""Gemini's Files API, as far as results lie there: a state, and bytes for whoever has the key."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from infra.sandbox import files
from infra.sandbox.generations import Generation, Media
from infra.sandbox.refusals import Refusal
from infra.vendors._gemini_words import admit, find
from infra.vendors.desk import Desk

_PREFIX = "gen_"


def file_uri(desk: Desk, generation: Generation) -> str:
    """What a result's file is called from outside."""
    return f"{desk.public_url}/v1beta/files/{generation.id.removeprefix(_PREFIX)}"


async def show(request: Request) -> Response:
    """GET /v1beta/files/{id}: PROCESSING at the first look, then ACTIVE."""
    desk = admit(request)
    generation, media = _find(desk, request)
    return JSONResponse({
        "name": f"files/{request.path_params['id']}",
        "mimeType": media.content_type,
        "sizeBytes": str(media.size_bytes),
        "state": "PROCESSING" if _is_first_look(request, generation) else "ACTIVE",
        "uri": file_uri(desk, generation),
    })  # fmt: skip


async def download(request: Request) -> Response:
    """GET /v1beta/files/{id}:download?alt=media: a redirect to where the bytes lie."""
    desk = admit(request)
    generation, _ = _find(desk, request)
    if request.query_params.get("alt") != "media":
        raise Refusal("invalid_request", "a download says alt=media")
    if desk.behaviour_of(generation).result.word == "expired":
        raise Refusal("not_found", "the file has expired")
    [address] = desk.addresses(generation)
    if urlsplit(address).netloc != request.url.netloc:
        address = address.replace("/files/", "/storage/", 1)
    return RedirectResponse(address, 302)


async def serve_stored(request: Request) -> Response:
    """GET /storage/{id}/{name}: the bytes on another host, where a key of ours has no business."""
    if "x-goog-api-key" in request.headers:
        raise Refusal("invalid_request", "a key was sent to another host")
    return await files.serve_file(request)


def _find(desk: Desk, request: Request) -> tuple[Generation, Media]:
    generation = find(desk, _PREFIX + request.path_params["id"], "video")
    if generation.media is None:
        raise Refusal("not_found", "there is no such file")
    return generation, generation.media


def _is_first_look(request: Request, generation: Generation) -> bool:
    state = request.app.state
    if not hasattr(state, "seen_files"):
        state.seen_files = set()
    seen: set[str] = state.seen_files
    is_first = generation.id not in seen
    seen.add(generation.id)
    return is_first


ROUTES = (
    Route("/v1beta/files/{id}:download", download, methods=["GET"]),
    Route("/v1beta/files/{id}", show, methods=["GET"]),
    Route("/storage/{id}/{name}", serve_stored, methods=["GET"]),
)
