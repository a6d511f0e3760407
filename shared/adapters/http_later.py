"""A socket that is made when it is first needed: most webhooks need none, and a vendor waits while
the function starts.
"""

from collections.abc import AsyncGenerator, Callable

from shared.ports import Http, HttpLimits, HttpReply, HttpRequest


class HttpLater:
    """The `Http` port over what `make` makes."""

    def __init__(self, make: Callable[[], Http]) -> None:
        self._make = make
        self._http: Http | None = None

    async def send(self, request: HttpRequest, limits: HttpLimits) -> HttpReply:
        """See the port."""
        return await self._made().send(request, limits)

    def stream(self, request: HttpRequest, limits: HttpLimits) -> AsyncGenerator[bytes, None]:
        """See the port."""
        return self._made().stream(request, limits)

    def _made(self) -> Http:
        if self._http is None:
            self._http = self._make()
        return self._http
