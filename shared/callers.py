"""Who may call the internal addresses: the queue and the scheduler, nobody else."""

import hmac

from starlette.requests import Request

from shared.app import App
from shared.errors import Forbidden


def require_internal(app: App, request: Request) -> None:
    """Refuse a caller that does not carry the internal secret. Raises `Forbidden`."""
    given = request.headers.get("authorization", "").encode()
    wanted = f"Bearer {app.settings.task_secret}".encode()
    if not hmac.compare_digest(given, wanted):
        raise Forbidden("This address is not for you.")
