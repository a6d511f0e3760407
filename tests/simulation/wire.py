"""The Http port over the simulated vendors, who speak the sandbox's wire: JSON in, JSON out."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from shared.ports import HttpLimits, HttpReply, HttpRequest, NoReply, NotSent
from tests.simulation.blobs import BROKEN, MAGIC
from tests.simulation.kernel import Call, Kernel
from tests.simulation.vendor import Generation, Refused, Vendor

_GENERATIONS = "/v1/generations"
_FILES = "/files/"
_PAGE = b"<html><body><h1>502</h1></body></html>"


class _Answer(NamedTuple):
    """What the vendor says, and how long it takes to say it."""

    reply: HttpReply
    delay_ms: int = 0


_NEVER_MS = 10**9


class SimulatedHttp:
    """The socket to every vendor. A vendor lives at `https://{name}.example`."""

    def __init__(self, kernel: Kernel, vendors: Mapping[str, Vendor]) -> None:
        self._kernel = kernel
        self._vendors = vendors

    async def send(self, request: HttpRequest, limits: HttpLimits) -> HttpReply:
        """See the port."""
        limit_ms = int(limits.total_seconds * 1000)
        call = Call("send", lambda: self._answer(request), _no_reply, request, limit_ms)
        answer: _Answer = await call
        if answer.delay_ms >= limit_ms:
            await self._kernel.pause(limit_ms)
            raise _no_reply()
        if answer.delay_ms:
            await self._kernel.pause(answer.delay_ms)
        return answer.reply

    def stream(self, request: HttpRequest, limits: HttpLimits) -> AsyncIterator[bytes]:
        """See the port."""
        return _Stream(self._kernel, lambda: self._file(request))

    def _answer(self, request: HttpRequest) -> _Answer:
        vendor, path = self._place(request.url)
        faults = self._kernel.faults
        if faults.hits("not_sent"):
            raise NotSent("connection refused")
        is_submit = request.method == "POST" and path == _GENERATIONS
        if is_submit and faults.hits("submit_not_accepted"):
            return _Answer(_reply(200, {}), _NEVER_MS)
        if faults.hits("vendor_500"):
            return _Answer(_reply(500, {"error": {"code": "internal"}}))
        try:
            status, body = self._serve(vendor, request, path)
        except Refused as refused:
            error = {"code": refused.code, "message": "no", **refused.details}
            return _Answer(_reply(refused.status, {"error": error}))
        if is_submit and faults.hits("submit_accepted"):
            return self._accepted_in_silence()
        slow_ms = int(self._kernel.chance.random() * 20_000) if faults.hits("vendor_slow") else 0
        return _Answer(_reply(status, body), slow_ms)

    def _accepted_in_silence(self) -> _Answer:
        """Accepted, and nobody can know it from the answer."""
        if self._kernel.chance.random() < 0.5:
            return _Answer(_reply(200, {}), _NEVER_MS)
        return _Answer(HttpReply(502, {}, _PAGE))

    def _serve(self, vendor: Vendor, request: HttpRequest, path: str) -> tuple[int, dict[str, Any]]:
        if request.method == "POST" and path == _GENERATIONS:
            body = request.json or {}
            generation = vendor.order(body["client_id"], body["kind"], body.get("callback_url"))
            return 201, describe(vendor, generation)
        if path.startswith(f"{_GENERATIONS}?client_id="):
            found = vendor.look_up(unquote(path.partition("=")[2]))
            return 200, {"data": [describe(vendor, generation) for generation in found]}
        generation_id, _, verb = path.removeprefix(f"{_GENERATIONS}/").partition("/")
        generation = vendor.find(unquote(generation_id))
        if verb == "cancel":
            vendor.cancel(generation)
        return 200, describe(vendor, generation)

    def _file(self, request: HttpRequest) -> bytes:
        vendor, path = self._place(request.url)
        generation = vendor.generations.get(path.removeprefix(_FILES))
        if generation is None:
            raise _no_reply()
        if generation.result in ("result_dead", "result_huge"):
            raise _no_reply()
        end = BROKEN if generation.result == "result_bad" else b""
        return MAGIC[generation.kind] + generation.id.encode() + end

    def _place(self, url: str) -> tuple[Vendor, str]:
        host, _, path = url.removeprefix("https://").partition(".example")
        return self._vendors[host], path


class _Stream:
    """A body in two chunks. Not a generator: one that is killed half-way would run on a little."""

    def __init__(self, kernel: Kernel, open_file: Callable[[], bytes]) -> None:
        self._kernel = kernel
        self._open_file = open_file
        self._left: list[bytes] | None = None

    def __aiter__(self) -> "_Stream":
        return self

    async def __anext__(self) -> bytes:
        if self._left is None:
            content = await Call("fetch", self._open_file, _no_reply, "a result")
            self._left = [content[8:], content[:8]]
        elif self._left and self._kernel.faults.hits("partial_download"):
            raise _no_reply()
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()


def describe(vendor: Vendor, generation: Generation) -> dict[str, Any]:
    """The generation object of the wire."""
    words: dict[str, Any] = {
        "id": generation.id,
        "kind": generation.kind,
        "status": generation.state,
        "progress": 0.5,
        "created_at": generation.accepted_ms // 1000,
    }
    if vendor.traits.echoes_our_id:
        words["client_id"] = generation.client_id
    if generation.state == "succeeded":
        words["result"] = {"url": f"https://{vendor.traits.name}.example{_FILES}{generation.id}"}
    if generation.state == "failed":
        words["error"] = {"code": "render_failed", "message": "it did not work"}
    return words


def _reply(status: int, body: Mapping[str, Any]) -> HttpReply:
    return HttpReply(status, {"content-type": "application/json"}, json.dumps(body).encode())


def _no_reply() -> Exception:
    return NoReply("no whole reply")
