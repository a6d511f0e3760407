"""How our key goes into a request, where several vendors want it alike."""

from dataclasses import replace

from shared.adapters.providers.translator import Account
from shared.ports import HttpRequest


def bearer(request: HttpRequest, account: Account, now_ms: int) -> HttpRequest:
    """The key as a bearer token."""
    headers = {**request.headers, "authorization": f"Bearer {account.api_key}"}
    return replace(request, headers=headers)
