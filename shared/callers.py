"""Who may call the internal addresses: the queue and the scheduler, nobody else.

The headers that Cloud Tasks adds prove nothing, since anybody can send them; its token does.
"""

import hmac
from typing import Protocol

from starlette.requests import Request

from shared.app import App
from shared.config import LOCAL
from shared.errors import Forbidden


class Callers(Protocol):
    """Knows an internal caller by what it sends."""

    async def require(self, authorization: str, audience: str, account: str) -> None:
        """Refuse everybody but this service account calling this audience. Raises `Forbidden`, and
        `Unavailable` when it cannot tell now."""
        ...


class SharedSecret:
    """The local profile's queue and scheduler: whoever knows the secret that was made for them."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    async def require(
        self,
        authorization: str,
        audience: str,  # noqa: ARG002  # the protocol gives the shape
        account: str,  # noqa: ARG002
    ) -> None:
        """See `Callers`. Without a secret, nobody is known."""
        wanted = f"Bearer {self._secret}".encode()
        if not self._secret or not hmac.compare_digest(authorization.encode(), wanted):
            raise Forbidden("This address is not for you.")


_provided: Callers | None = None


def provide(callers: Callers | None) -> None:
    """Use this from now on where the profile is not local."""
    global _provided  # noqa: PLW0603  # one process, one App: the runtime gives no place to hand it in
    _provided = callers


async def require_queue(app: App, request: Request) -> None:
    """Let only Cloud Tasks in. Raises as `Callers.require` does."""
    settings = app.settings
    await _require(app, request, settings.tasks_url, settings.tasks_service_account)


async def require_scheduler(app: App, request: Request) -> None:
    """Let only Cloud Scheduler in. Raises as `Callers.require` does."""
    settings = app.settings
    await _require(app, request, settings.sweep_url, settings.scheduler_service_account)


async def _require(app: App, request: Request, audience: str, account: str) -> None:
    authorization = request.headers.get("authorization", "")
    await _callers(app).require(authorization, audience, account)


def _callers(app: App) -> Callers:
    if app.settings.profile == LOCAL:
        return SharedSecret(app.settings.task_secret)
    assert _provided, "nobody was provided to know the internal callers"
    return _provided
