"""The HTTP edge for functions with callers: sessions, the headers that clients repeat by, and what
the OpenAPI document says of both.
"""

from typing import Any

from starlette.requests import Request

from shared.edge import Router, api, current_app, function, refusal, reply
from shared.errors import InvalidRequest
from shared.sessions import Sessions
from shared.usecases.read_session import Session

__all__ = [
    "Router",
    "api",
    "current_app",
    "function",
    "refusal",
    "reply",
]  # what functions know this module for, besides its own

IDEMPOTENCY_KEY_MAX = 255

SIGNED_IN: dict[str, Any] = {"security": [{"session": []}]}
REPEATABLE: dict[str, Any] = {
    **SIGNED_IN,
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The caller's name for this request: sent again, it means the same one.",
            "schema": {"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_MAX},
        }
    ],
}

_sessions = Sessions()


def caller(request: Request) -> Session:
    """Whose request this is, by its signed token alone. Raises `Unauthorized`, `SessionExpired`."""
    return _sessions.verify(current_app(), request.headers.get("authorization", ""))


async def checked_caller(request: Request) -> Session:
    """As `caller`, and the session has not been ended. Raises `SessionRevoked` too."""
    session = caller(request)
    await _sessions.check(current_app(), session)
    return session


def idempotency_key(request: Request) -> str | None:
    """The caller's own name for this request. Raises `InvalidRequest`."""
    key = request.headers.get("idempotency-key")
    if key is not None and not (1 <= len(key) <= IDEMPOTENCY_KEY_MAX and key.isprintable()):
        raise InvalidRequest("An Idempotency-Key has 1 to 255 printable characters.")
    return key


def is_client_retry(request: Request) -> bool:
    """Whether the client's library says that it is sending this again."""
    return request.headers.get("x-stainless-retry-count", "0") != "0"
