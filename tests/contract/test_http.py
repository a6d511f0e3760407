"""What the Http port owes: limits that hold, and knowing what may have left."""

import asyncio
import gzip
import socket
import ssl
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from shared.adapters.http_client import HttpxClient
from shared.ports import HttpLimits, HttpReply, HttpRequest, NoReply, NotSent

# No test here needs trust, and loading all the world's certificates takes a while.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Local:
    """A server on this machine, and a client that may call it."""

    client: HttpxClient
    url: str
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        total_seconds: float = 5,
        max_bytes: int = 10_000,
        json: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
    ) -> HttpReply:
        return await self.client.send(
            HttpRequest(method, self.url + path, headers=headers or {}, json=json),
            HttpLimits(("127.0.0.1",), total_seconds=total_seconds, max_bytes=max_bytes),
        )

    async def stream(
        self, path: str = "/", *, total_seconds: float = 5, max_bytes: int = 10_000
    ) -> bytes:
        chunks = self.client.stream(
            HttpRequest("GET", self.url + path, headers={"x-secret": "for the first hop"}),
            HttpLimits(("127.0.0.1",), total_seconds=total_seconds, max_bytes=max_bytes),
        )
        return b"".join([chunk async for chunk in chunks])


@asynccontextmanager
async def local(answer: Answer) -> AsyncIterator[Local]:
    """One handler for all connections; it is left at the end, however long it would take."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        here.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                here.heard.append(head)
                await answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            here.left.set()
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    endpoint = f"127.0.0.1:{port}"
    client = HttpxClient(tls=NO_TLS, plain_hosts={"127.0.0.1"}, allowed_private={endpoint})
    here = Local(client, f"http://{endpoint}")
    async with server:
        yield here
        await client.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def saying(*parts: bytes, pause_seconds: float = 0) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_seconds)

    return answer


def whole(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"", body])


async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.05)


async def drip_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(1000):
        writer.write(b"x-%d: y\r\n" % number)
        await writer.drain()
        await asyncio.sleep(0.05)


async def drip_interim(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf")
    await writer.drain()
    await asyncio.sleep(0.05)
    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


BOMB = gzip.compress(b"\0" * 5_000_000)
assert len(BOMB) < 10_000

BAD_ANSWERS: dict[str, Answer] = {
    "hangs": hang,
    "drips its body": drip,
    "drips its headers": drip_headers,
    "drips interim replies": drip_interim,
    "never stops": flood,
    "resets the connection": reset,
    "closes without a word": leave,
    "declares too much": saying(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n"),
    "ends too early": saying(b"HTTP/1.0 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nx"),
    "speaks nonsense": saying(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "has endless headers": saying(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 500_000),
    "has two lengths": saying(
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx"
    ),
    "has a bad chunk": saying(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
    "is a bomb": saying(whole(BOMB, b"content-encoding: gzip")),
    "does not unpack": saying(whole(b"not gzip at all", b"content-encoding: gzip")),
    "is packed and cut short": saying(whole(gzip.compress(b"x")[:-6], b"content-encoding: gzip")),
    "is packed strangely": saying(whole(b"x", b"content-encoding: br")),
}


@pytest.mark.parametrize("way", BAD_ANSWERS)
async def test_an_answer_that_is_not_whole_is_no_reply(way: str) -> None:
    async with local(BAD_ANSWERS[way]) as here:
        began = time.monotonic()
        with pytest.raises(NoReply):
            await here.send(total_seconds=0.6)
        with pytest.raises(NoReply):
            await here.stream(total_seconds=0.6)
        assert time.monotonic() - began < 4


async def test_nobody_listening_means_not_sent() -> None:
    async with local(hang) as here:
        url = here.url
    client = HttpxClient(
        tls=NO_TLS, plain_hosts={"127.0.0.1"}, allowed_private={url.removeprefix("http://")}
    )
    with pytest.raises(NotSent):
        await client.send(HttpRequest("GET", url), HttpLimits(("127.0.0.1",)))
    await client.close()


async def test_a_whole_reply_comes_back_with_lower_case_headers() -> None:
    answer = saying(whole(b"{}", b"Content-Type: application/json", b"X-A: 1", b"X-a: 2"))
    async with local(answer) as here:
        reply = await here.send()
    assert (reply.status, reply.body) == (200, b"{}")
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-a"] == "1, 2"


@pytest.mark.parametrize("status", [b"302 Found", b"404 Not Found", b"500 Oops"])
async def test_any_status_is_a_reply_and_no_redirect_is_followed(status: bytes) -> None:
    async with local(saying(whole(b"x", b"location: /", status=status))) as here:
        assert (await here.send()).status == int(status[:3])
        assert len(here.heard) == 1


PACKED = {"gzip": gzip.compress(b"word " * 1000), "deflate": zlib.compress(b"word " * 1000)}


@pytest.mark.parametrize("coding", PACKED)
async def test_a_reply_that_is_packed_unasked_is_unpacked(coding: str) -> None:
    body = b"word " * 1000
    header = b"content-encoding: " + coding.encode()
    async with local(saying(whole(PACKED[coding], header))) as here:
        assert (await here.send()).body == body
        assert await here.stream() == body


async def test_a_bomb_is_not_unpacked_beyond_its_limit() -> None:
    async with local(saying(whole(BOMB, b"content-encoding: gzip"))) as here:
        tracemalloc.start()
        with pytest.raises(NoReply):
            await here.send()
        _now_bytes, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak_bytes < 1_000_000


async def test_json_is_sent_as_json_and_headers_as_given() -> None:
    sent = b'{"prompt":"\\u043a\\u043e\\u0442"}'
    bodies: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bodies.append(await reader.readexactly(len(sent)))
        writer.write(whole(b""))

    async with local(answer) as here:
        await here.send(
            method="POST", json={"prompt": "кот"}, headers={"Authorization": "Bearer k"}
        )
        head = here.heard[0].split(b"\r\n")
    assert bodies == [sent]
    assert b"content-length: %d" % len(sent) in head
    assert b"authorization: Bearer k" in head
    assert b"content-type: application/json" in head


async def test_a_key_with_a_line_break_is_not_sent_and_not_shown() -> None:
    async with local(saying(whole(b""))) as here:
        with pytest.raises(NotSent) as caught:
            await here.send(headers={"authorization": "Bearer canary\n"})
        assert here.connections == 0
    assert "canary" not in f"{caught.value!r}{caught.value.__cause__!r}{caught.value.__context__!r}"


async def test_connections_are_kept_and_cookies_are_not() -> None:
    async with local(saying(whole(b"", b"set-cookie: id=1; path=/"))) as here:
        await here.send()
        await here.send()
        assert here.connections == 1
        assert all(b"cookie" not in head for head in here.heard)


async def test_a_call_without_a_free_connection_was_not_sent() -> None:
    async with local(hang) as here:
        endpoint = here.url.removeprefix("http://")
        client = HttpxClient(
            tls=NO_TLS, plain_hosts={"127.0.0.1"}, allowed_private={endpoint}, connections_max=1
        )
        limits = HttpLimits(("127.0.0.1",), connect_seconds=0.2, total_seconds=1)
        first = asyncio.create_task(client.send(HttpRequest("GET", here.url), limits))
        await asyncio.sleep(0.05)
        with pytest.raises(NotSent):
            await client.send(HttpRequest("GET", here.url), limits)
        with pytest.raises(NoReply):
            await first
        await client.close()


async def test_a_stream_is_only_the_body_of_a_200() -> None:
    async with local(saying(whole(b"x" * 5000))) as here:
        assert await here.stream() == b"x" * 5000
    async with local(saying(whole(b"x", status=b"206 Partial Content"))) as here:
        with pytest.raises(NoReply):
            await here.stream()


async def test_a_stream_that_is_left_early_frees_its_connection() -> None:
    async with local(flood) as here:
        chunks = here.client.stream(
            HttpRequest("GET", here.url), HttpLimits(("127.0.0.1",), max_bytes=10**9)
        )
        assert await anext(chunks)
        await chunks.aclose()
        await asyncio.wait_for(here.left.wait(), 5)


async def test_the_time_of_a_stream_ends_between_its_chunks_too() -> None:
    async with local(flood) as here:
        chunks = here.client.stream(
            HttpRequest("GET", here.url),
            HttpLimits(("127.0.0.1",), total_seconds=0.2, max_bytes=10**9),
        )
        await anext(chunks)
        await asyncio.sleep(0.3)
        with pytest.raises(NoReply):
            [chunk async for chunk in chunks]


# ---------------------------------------------------------------- redirects of a stream


def leading(*locations: str) -> Answer:
    """Each reply leads to the next location; the last one is the body."""
    left = list(locations)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not left:
            writer.write(whole(b"the film"))
        else:
            location = b"location: " + left.pop(0).encode()
            writer.write(whole(b"moved", location, status=b"302 Found"))

    return answer


async def test_a_stream_follows_three_redirects_and_tells_the_next_hop_nothing() -> None:
    async with local(leading("/a", "b?c=%2F", "/d")) as here:
        assert await here.stream() == b"the film"
    asked = [head.split(b" ")[1] for head in here.heard]
    assert asked == [b"/", b"/a", b"/b?c=%2F", b"/d"]
    assert b"x-secret" in here.heard[0]
    assert all(b"x-secret" not in head for head in here.heard[1:])


async def test_a_stream_does_not_follow_a_fourth_redirect() -> None:
    async with local(leading("/a", "/b", "/c", "/d")) as here:
        with pytest.raises(NoReply):
            await here.stream()


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:1/",
        "http://[::1]/",
        "http://localhost/",
        "https://evil.test/",
        "https://127.0.0.1/",
        "//evil.test/",
        "\\\\evil.test\\",
        "file:///etc/passwd",
        "http://127.0.0.1@evil.test/",
        "http://[",
        "",
    ],
)
async def test_a_stream_is_not_led_to_where_it_may_not_go(location: str) -> None:
    async with local(leading(location, "/", "/", "/")) as here:
        with pytest.raises(NoReply):
            await here.stream(total_seconds=2)
        assert all(b"evil" not in head for head in here.heard)
