"""Session tokens: signed by us, short to check, over when their time or their account says so."""

from typing import TypeVar

import jwt

from shared.app import App
from shared.errors import SessionExpired, Unauthorized
from shared.usecases.read_session import Session, read_session

_Name = TypeVar("_Name")
_Value = TypeVar("_Value")

_ALGORITHM = "HS256"
_REMEMBERED_MAX = 10_000


def issue(app: App, session: Session) -> str:
    """A token for a session that begins now."""
    now_seconds = app.clock.now_ms() // 1000
    claims = {
        "sub": session.user_id,
        "epoch": session.epoch,
        "iat": now_seconds,
        "exp": now_seconds + app.settings.session_seconds,
    }
    return jwt.encode(claims, app.settings.session_secret, algorithm=_ALGORITHM)


class Sessions:
    """Verified tokens and the accounts' epochs, remembered for a moment.

    Reads see an ended session within `session_cache_seconds`; everything that moves money checks
    the account inside its own transaction and sees it at once.
    """

    def __init__(self) -> None:
        self._verified: dict[str, tuple[Session, int]] = {}
        self._checked_at_ms: dict[Session, int] = {}

    def verify(self, app: App, authorization: str) -> Session:
        """The session of an `Authorization` header. Raises `Unauthorized`, `SessionExpired`."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized("Sign in first: the Authorization header has no session.")
        known = self._verified.get(token)
        session, expires_seconds = known or _decode(app, token)
        if expires_seconds * 1000 <= app.clock.now_ms():
            raise SessionExpired("Your session is over. Sign in again.")
        if known is None:
            _remember(self._verified, token, (session, expires_seconds))
        return session

    async def check(self, app: App, session: Session) -> None:
        """Refuse an ended session. Raises `SessionRevoked`."""
        now_ms = app.clock.monotonic_ms()
        checked_at_ms = self._checked_at_ms.get(session)
        is_fresh = (
            checked_at_ms is not None
            and now_ms - checked_at_ms < app.settings.session_cache_seconds * 1000
        )
        if not is_fresh:
            await read_session(app, session)
            _remember(self._checked_at_ms, session, now_ms)


def _decode(app: App, token: str) -> tuple[Session, int]:
    try:
        claims = jwt.decode(
            token,
            app.settings.session_secret,
            algorithms=[_ALGORITHM],
            options={
                "require": ["sub", "epoch", "exp", "iat"],
                "verify_exp": False,
                "verify_iat": False,
            },
        )
        return Session(str(claims["sub"]), int(claims["epoch"])), int(claims["exp"])
    except (jwt.InvalidTokenError, TypeError, ValueError) as error:
        raise Unauthorized("This session is not one of ours.") from error


def _remember(memory: dict[_Name, _Value], name: _Name, value: _Value) -> None:
    if len(memory) >= _REMEMBERED_MAX:
        memory.pop(next(iter(memory)))
    memory[name] = value
