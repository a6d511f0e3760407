"""Requests to vendors, as values."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from shared.ports.store import Data


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request to a vendor, as a value. `json` and `body` exclude each other."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Data | None = None
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A whole reply. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotSent(Exception):
    """The request did not leave: name not resolved, connection refused, host not allowed."""


class NoReply(Exception):
    """The request may have left and no whole reply came back."""


class ReplyTooLarge(NoReply):
    """The reply is over its limit, and was left unread."""


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Bounds of one exchange. Only `hosts` are called (exact names, or `*.name` for any host below
    it).
    """

    hosts: tuple[str, ...]
    connect_seconds: float = 5.0
    total_seconds: float = 30.0
    max_bytes: int = 1_000_000


class Http(Protocol):
    """The socket. It follows no redirects unless each hop passes the same limits, and refuses
    private, link-local and metadata addresses other than the explicitly allowed ones."""

    async def send(self, request: HttpRequest, limits: HttpLimits) -> HttpReply:
        """One exchange. Raises `NotSent` or `NoReply`."""
        ...

    def stream(self, request: HttpRequest, limits: HttpLimits) -> AsyncGenerator[bytes, None]:
        """The body of a 200 reply, in chunks. Raises `NotSent`, `NoReply` (also for another
        status), `ReplyTooLarge`."""
        ...
