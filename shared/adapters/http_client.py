"""The one socket to vendors: bounded in time and bytes, and closed to addresses of our own network.

It stands on httpcore, the engine inside httpx, because only there can a connection be pinned to the
address that was checked. What an httpx client would add is unwanted here: cookies, proxies from the
environment, and a log of every address, signed ones too.
"""

import asyncio
import json
import re
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Sequence,
)
from contextlib import aclosing, contextmanager
from socket import SOCK_STREAM
from ssl import SSLContext
from typing import TypeVar

import httpcore
import httpx

from shared.adapters.addresses import Refused, Target, endpoint, is_open, target_of
from shared.adapters.http_body import bounded, lowered
from shared.ports import HttpLimits, HttpReply, HttpRequest, NoReply, NotSent

CONNECTIONS_MAX = 100
# Shorter than any server's own: a request that meets a connection just being closed leaves us not
# knowing whether it arrived.
KEEPALIVE_SECONDS = 5.0
ADDRESSES_TRIED_MAX = 3
REDIRECT_HOPS_MAX = 3
USER_AGENT = "reelmint"

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
_HEADER_VALUE = re.compile(r"[ -~]*")

T = TypeVar("T")
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, best first, from the system's resolver. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class HttpxClient:
    """The `Http` port. One for a process and its event loop; `close` it at the end.

    `plain_hosts` may be called without TLS. `allowed_private` are the `host:port` endpoints that
    may have a loopback or private address and a port of their own: for the local profile only.
    """

    def __init__(
        self,
        *,
        plain_hosts: Collection[str] = (),
        allowed_private: Collection[str] = (),
        connections_max: int = CONNECTIONS_MAX,
        resolve: Resolve = resolve,
        sockets: httpcore.AsyncNetworkBackend | None = None,
        tls: SSLContext | None = None,
    ) -> None:
        self._plain_hosts = frozenset(name.lower() for name in plain_hosts)
        self._allowed_private = frozenset(name.lower() for name in allowed_private)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or httpx.create_ssl_context(trust_env=False),
            max_connections=connections_max,
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=_Pinned(
                resolve, sockets or httpcore.AnyIOBackend(), self._allowed_private
            ),
        )

    async def send(self, request: HttpRequest, limits: HttpLimits) -> HttpReply:
        """One exchange; a redirect is a reply like any other. Raises `NotSent` or `NoReply`."""
        target = self._target(request.url, limits)
        outgoing = _outgoing(target, request, limits)
        with _failures_of(target.host):
            async with asyncio.timeout(limits.total_seconds):
                reply = await self._pool.handle_async_request(outgoing)
                async with aclosing(reply), aclosing(bounded(reply, limits.max_bytes)) as chunks:
                    body = b"".join([chunk async for chunk in chunks])
        return HttpReply(reply.status, lowered(reply.headers), body)

    async def stream(self, request: HttpRequest, limits: HttpLimits) -> AsyncGenerator[bytes, None]:
        """The body of a 200 reply, in chunks. Raises `NotSent` or `NoReply`."""
        deadline = asyncio.get_running_loop().time() + limits.total_seconds
        target = self._target(request.url, limits)
        for hops_left in reversed(range(REDIRECT_HOPS_MAX + 1)):
            outgoing = _outgoing(target, request, limits)
            unsent = NotSent if hops_left == REDIRECT_HOPS_MAX else NoReply
            with _failures_of(target.host, unsent):
                reply = await _before(deadline, self._pool.handle_async_request(outgoing))
                async with aclosing(reply), aclosing(bounded(reply, limits.max_bytes)) as chunks:
                    if reply.status == 200:
                        # The clock stands around each wait, because a timeout around a yield would
                        # strike the consumer.
                        while chunk := await _before(deadline, anext(chunks, b"")):
                            yield chunk
                        return
            target = self._next_hop(target, reply, limits, hops_left)
            # The next server gets nothing that was meant for the first.
            request = HttpRequest("GET", target.url)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    def _target(self, url: str, limits: HttpLimits) -> Target:
        try:
            return target_of(
                url,
                hosts=limits.hosts,
                plain_hosts=self._plain_hosts,
                allowed_private=self._allowed_private,
            )
        except Refused as error:
            raise NotSent(str(error)) from error

    def _next_hop(
        self, target: Target, reply: httpcore.Response, limits: HttpLimits, hops_left: int
    ) -> Target:
        location = lowered(reply.headers).get("location")
        if reply.status not in _REDIRECTS or location is None:
            raise NoReply(f"{target.host} answered {reply.status}")
        if hops_left == 0:
            raise NoReply(f"{target.host} redirects once too often")
        try:
            return self._target(str(httpx.URL(target.url).join(location)), limits)
        except (NotSent, httpx.InvalidURL, ValueError) as error:
            raise NoReply(f"{target.host} redirects to where we do not go") from error


class _Pinned(httpcore.AsyncNetworkBackend):
    """Resolves a name once, checks every address it has, and connects to one that was checked.

    TLS and the Host header still speak of the name: they are taken from the URL.
    """

    def __init__(
        self,
        resolve: Resolve,
        sockets: httpcore.AsyncNetworkBackend,
        allowed_private: Collection[str],
    ) -> None:
        self._resolve = resolve
        self._sockets = sockets
        self._allowed_private = allowed_private

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._checked(host, port)
                share_seconds = timeout and timeout / len(addresses)
                for address in addresses[:-1]:
                    try:
                        return await self._sockets.connect_tcp(address, port, share_seconds)
                    except (httpcore.ConnectError, httpcore.ConnectTimeout):
                        continue
                return await self._sockets.connect_tcp(addresses[-1], port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"{host} took too long") from error

    async def _checked(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} was not resolved") from error
        may_be_private = endpoint(host, port) in self._allowed_private
        # All of them must pass: a name that mixes public and private addresses is a trick.
        if not addresses or not all(is_open(a, may_be_private=may_be_private) for a in addresses):
            raise httpcore.ConnectError(f"{host} has an address that is not called")
        return addresses[:ADDRESSES_TRIED_MAX]


@contextmanager
def _failures_of(host: str, unsent: type[NotSent] | type[NoReply] = NotSent) -> Iterator[None]:
    """Tell what surely did not leave from what may have. Messages name the host alone, because the
    rest of an URL may be signed."""
    try:
        yield
    except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout) as error:
        raise unsent(f"{type(error).__name__}: {host}") from error
    except (httpcore.NetworkError, httpcore.TimeoutException, OSError) as error:
        raise NoReply(f"{type(error).__name__}: {host}") from error
    except httpcore.ProtocolError as error:
        # Its text quotes the offending bytes.
        raise NoReply(f"{type(error).__name__}: {host}") from None


async def _before(deadline: float, step: Awaitable[T]) -> T:
    async with asyncio.timeout_at(deadline):
        return await step


def _outgoing(target: Target, request: HttpRequest, limits: HttpLimits) -> httpcore.Request:
    assert request.json is None or request.body is None, "a request has one body"
    headers = {name.lower(): value for name, value in request.headers.items()}
    content = request.body
    if request.json is not None:
        content = json.dumps(request.json, allow_nan=False, separators=(",", ":")).encode()
        headers["content-type"] = "application/json"
    if content is not None or request.method != "GET":
        headers["content-length"] = str(len(content or b""))
    headers |= {
        "host": target.authority,
        "user-agent": USER_AGENT,
        "accept-encoding": "identity",
    }
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            # The value is not shown: it is most likely a key with a line break at its end.
            raise NotSent(f"the header {name!r} cannot be sent")
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path),
        headers=list(headers.items()),
        content=content,
        extensions={
            "timeout": {
                "connect": limits.connect_seconds,
                "pool": limits.connect_seconds,
                "read": limits.total_seconds,
                "write": limits.total_seconds,
            }
        },
    )
