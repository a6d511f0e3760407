"""How the tests talk to a running sandbox, and the callback address where its webhooks arrive."""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

WAIT_SECONDS = 20
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A caller with the right key, and a stranger without one."""

    url: str
    http: httpx.Client
    stranger: httpx.Client

    def order(
        self, prompt: str = "a red fox", *, timeout_seconds: float = 5, **fields: Any
    ) -> httpx.Response:
        """Ask for a small video unless the fields say otherwise."""
        kind = fields.get("kind", "video")
        body = {
            "client_id": f"ours-{next(_numbers)}",
            "kind": kind,
            "model": f"sandbox-{kind}-1",
            "prompt": prompt,
            **fields,
        }
        return self.http.post("/v1/generations", content=json.dumps(body), timeout=timeout_seconds)

    def accept(self, prompt: str = "a red fox", **fields: Any) -> dict[str, Any]:
        """An accepted order."""
        reply = self.order(prompt, **fields)
        assert reply.status_code == 201, reply.text
        return read_object(reply)

    def finish(self, prompt: str = "a red fox", **fields: Any) -> dict[str, Any]:
        """An accepted order, when it has ended."""
        return self.wait_for_end(self.accept(prompt, **fields)["id"])

    def show(self, generation_id: str) -> dict[str, Any]:
        reply = self.http.get(f"/v1/generations/{generation_id}")
        assert reply.status_code == 200, reply.text
        return read_object(reply)

    def find(self, client_id: str) -> list[dict[str, Any]]:
        reply = self.http.get("/v1/generations", params={"client_id": client_id})
        assert reply.status_code == 200, reply.text
        found: list[dict[str, Any]] = reply.json()["data"]
        return found

    def wait_for_end(self, generation_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            generation = self.show(generation_id)
            if generation["status"] not in {"queued", "running"}:
                return generation
            time.sleep(0.02)
        raise AssertionError(f"{generation_id} did not end")

    def download(self, generation: dict[str, Any]) -> httpx.Response:
        return self.stranger.get(generation["result"]["url"])

    def switch(self, **switches: Any) -> dict[str, Any]:
        """Set process-wide switches."""
        return read_object(self.http.put("/control/behaviour", json=switches).raise_for_status())

    def stats(self) -> dict[str, Any]:
        return read_object(self.http.get("/control/stats").raise_for_status())


@dataclass(frozen=True, slots=True)
class Event:
    """One webhook as it came over the wire."""

    timestamp: str
    signature: str
    raw_body: bytes
    arrived_at: float

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.raw_body)
        return body


@dataclass(slots=True)
class Inbox:
    """A callback address. `answers` are the next statuses it gives, then 200."""

    url: str
    events: list[Event] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def wait_for(self, count: int) -> list[Event]:
        deadline = time.monotonic() + WAIT_SECONDS
        while len(self.events) < count:
            assert time.monotonic() < deadline, f"only {len(self.events)} of {count} events came"
            time.sleep(0.01)
        return self.events


@contextmanager
def open_inbox() -> Iterator[Inbox]:
    """A callback address on this machine until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw_body = self.rfile.read(int(self.headers["Content-Length"]))
            timestamp = self.headers["Sandbox-Timestamp"]
            signature = self.headers["Sandbox-Signature"]
            inbox.events.append(Event(timestamp, signature, raw_body, time.monotonic()))
            self.send_response(inbox.answers.pop(0) if inbox.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    inbox = Inbox(f"http://127.0.0.1:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield inbox
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def read_object(reply: httpx.Response) -> dict[str, Any]:
    body = reply.json()
    assert isinstance(body, dict)
    return body


def read_error(reply: httpx.Response) -> tuple[int, str]:
    """Status and code of an error; its shape is checked."""
    error = reply.json()["error"]
    assert set(reply.json()) == {"error"}
    assert error["message"]
    return reply.status_code, error["code"]
