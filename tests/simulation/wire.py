"""The Http port over the simulated vendors, who speak the sandbox's wire: JSON in, JSON out."""

import base64
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, NamedTuple

from shared.ports import HttpLimits, HttpReply, HttpRequest, NoReply, NotSent
from tests.simulation.blobs import BROKEN, MAGIC
from tests.simulation.kernel import Call, Kernel
from tests.simulation.vendor import Generation, Refused, Vendor

_GENERATIONS = "/v1/generations"
_BY_ID = f"{_GENERATIONS}/"
_BY_OUR_ID = f"{_GENERATIONS}?client_id="
_FILES = "/files/"
_PAGE = HttpReply(502, {}, b"<html><body><h1>502</h1></body></html>")
_HEADERS = {"content-type": "application/json"}
_SLOW_MS = 20_000
_NEVER_MS = 10**9


class _Answer(NamedTuple):
    """What the vendor says, and how long it takes to say it."""

    reply: HttpReply
    delay_ms: int = 0


class SimulatedHttp:
    """The socket to every vendor. A vendor lives at `https://{name}.example`."""

    def __init__(self, kernel: Kernel, vendors: Mapping[str, Vendor]) -> None:
        self._kernel = kernel
        self._vendors = vendors

    async def send(self, request: HttpRequest, limits: HttpLimits) -> HttpReply:
        """See the port."""
        limit_ms = int(limits.total_seconds * 1000)
        self._about_to_send(request)
        answer: _Answer = await Call("send", self._answer, (request,), _no_reply, _told, limit_ms)
        if answer.delay_ms:
            await self._kernel.pause(min(answer.delay_ms, limit_ms))
        if answer.delay_ms >= limit_ms:
            raise _no_reply()
        return answer.reply

    def stream(self, request: HttpRequest, limits: HttpLimits) -> AsyncGenerator[bytes, None]:
        """See the port."""
        return _Stream(self._kernel, lambda: self._file(request))

    def _about_to_send(self, request: HttpRequest) -> None:
        vendor, path = self._place(request.url)
        activity = self._kernel.current
        assert activity is not None
        activity.asked_about = path.removeprefix(_BY_ID)
        if request.method == "POST" and path == _GENERATIONS:
            vendor.judge.is_about_to_send((request.json or {})["client_id"])

    def _answer(self, request: HttpRequest) -> _Answer:
        vendor, path = self._place(request.url)
        faults = self._kernel.faults
        if faults.hits("not_sent"):
            raise NotSent("connection refused")
        if request.method == "POST" and path == _GENERATIONS:
            return self._submitted(vendor, request)
        if faults.hits("status_fails"):
            return _Answer(_PAGE)
        return self._slowly(self._asked(vendor, request, path))

    def _submitted(self, vendor: Vendor, request: HttpRequest) -> _Answer:
        faults = self._kernel.faults
        if faults.hits("submit_not_accepted"):
            return _Answer(_PAGE, _NEVER_MS)
        if faults.hits("vendor_500"):
            return _Answer(_refusal(Refused(500, "internal")))
        body = request.json or {}
        try:
            generation = vendor.order(
                body["client_id"], body["kind"], body["count"], body["callback_url"]
            )
        except Refused as refused:
            reply = _refusal(refused)
            return self._in_silence() if faults.hits("submit_accepted") else self._slowly(reply)
        if faults.hits("submit_accepted"):
            return self._in_silence()
        if vendor.traits.answers_with_results:
            return _Answer(_delivery(generation), generation.duration_ms + 1)
        return self._slowly(HttpReply(201, _HEADERS, _described(vendor, generation)))

    def _in_silence(self) -> _Answer:
        """Nobody can know from the answer whether the order was accepted."""
        draw = self._kernel.chance.random()
        if draw < 0.5:
            return _Answer(_PAGE, _NEVER_MS)
        return _Answer(_PAGE if draw < 0.75 else _refusal(Refused(500, "internal")))

    def _slowly(self, reply: HttpReply) -> _Answer:
        if not self._kernel.faults.hits("vendor_slow"):
            return _Answer(reply)
        return _Answer(reply, int(self._kernel.chance.random() * _SLOW_MS))

    def _asked(self, vendor: Vendor, request: HttpRequest, path: str) -> HttpReply:
        if path.startswith(_BY_OUR_ID):
            found = vendor.look_up(path.removeprefix(_BY_OUR_ID))
            described = b",".join(_described(vendor, generation) for generation in found)
            return HttpReply(200, _HEADERS, b'{"data":[' + described + b"]}")
        generation_id, _, verb = path.removeprefix(_BY_ID).partition("/")
        try:
            generation = vendor.find(generation_id)
            if verb == "cancel":
                vendor.cancel(generation)
        except Refused as refused:
            return _refusal(refused)
        return HttpReply(200, _HEADERS, _described(vendor, generation))

    def _file(self, request: HttpRequest) -> bytes:
        vendor, path = self._place(request.url)
        generation = vendor.generations.get(path.removeprefix(_FILES).partition("/")[0])
        is_served = (
            generation is not None
            and generation.result not in ("result_dead", "result_huge")
            and generation.awake_ms <= self._kernel.now_ms
        )
        if generation is None or not is_served:
            raise _no_reply()
        return _content(generation)

    def _place(self, url: str) -> tuple[Vendor, str]:
        host, _, path = url.removeprefix("https://").partition(".example")
        return self._vendors[host], path


class _Stream(AsyncGenerator[bytes, None]):
    """A body in two chunks."""

    def __init__(self, kernel: Kernel, open_file: Callable[[], bytes]) -> None:
        self._kernel = kernel
        self._open_file = open_file
        self._left: list[bytes] | None = None

    async def asend(self, _value: None) -> bytes:
        """The next chunk."""
        if self._left is None:
            content: bytes = await Call("fetch", self._open_file, (), _no_reply, lambda: "a result")
            self._left = [content[8:], content[:8]]
        elif self._left and self._kernel.faults.hits("partial_download"):
            raise _no_reply()
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()

    async def athrow(self, error: Any, _value: object = None, _traceback: object = None) -> bytes:
        """Nobody throws anything in."""
        raise error

    async def aclose(self) -> None:
        """The connection is closed."""
        self._left = []


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
        address = f"https://{vendor.account}.example{_FILES}{generation.id}"
        results = [{"url": f"{address}/{index}"} for index in range(generation.count)]
        words |= {"result": results[0], "results": results}
    if generation.state == "failed":
        words["error"] = {"code": "render_failed", "message": "it did not work"}
    return words


def _content(generation: Generation) -> bytes:
    end = BROKEN if generation.result == "result_bad" else b""
    return MAGIC[generation.kind] + generation.id.encode() + end


def _delivery(generation: Generation) -> HttpReply:
    """The answer of a vendor that answers with the result."""
    if generation.fate == "failed":
        return _refusal(Refused(422, "render_failed"))
    content = base64.b64encode(_content(generation)).decode()
    contents = [{"bytes": content} for _ in range(generation.count)]
    words = {"id": generation.id, "contents": contents}
    return HttpReply(200, _HEADERS, json.dumps(words).encode())


def _described(vendor: Vendor, generation: Generation) -> bytes:
    """As JSON, made once while it runs and once when it is over."""
    if not generation.described:
        generation.described = json.dumps(describe(vendor, generation)).encode()
    return generation.described


def _refusal(refused: Refused) -> HttpReply:
    error = {"code": refused.code, "message": "no", **refused.details}
    return HttpReply(refused.status, _HEADERS, json.dumps({"error": error}).encode())


def _told(request: HttpRequest) -> str:
    return f"{request.method} {request.url.removeprefix('https://')[:90]}"


def _no_reply() -> Exception:
    return NoReply("no whole reply")
