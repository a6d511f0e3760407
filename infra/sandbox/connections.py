"""Lets a handler close its TCP connection without an answer, which no HTTP framework offers."""

import asyncio
from dataclasses import dataclass, field
from typing import cast

from starlette.requests import Request
from starlette.responses import Response
from uvicorn.protocols.http.auto import AutoHTTPProtocol

Address = tuple[str, int]
Ends = tuple[Address, Address]


@dataclass(frozen=True, slots=True)
class Connection:
    """An open connection; `was_lost` is set when it is closed from either side."""

    transport: asyncio.Transport
    was_lost: asyncio.Event = field(default_factory=asyncio.Event)


_open: dict[Ends, Connection] = {}


# Which protocol class uvicorn picks depends on what is installed, so a type checker cannot know it.
class RememberedConnection(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's own protocol, which also remembers its connection by the two ends."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        ends = (transport.get_extra_info("peername"), transport.get_extra_info("sockname"))
        self.ends: Ends | None = (ends[0][:2], ends[1][:2]) if all(ends) else None
        if self.ends:
            _open[self.ends] = Connection(cast("asyncio.Transport", transport))
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        if self.ends:
            _open.pop(self.ends).was_lost.set()


async def hang_up(request: Request) -> Response:
    """Close the connection of this request after what was sent so far; the answer goes nowhere."""
    connection = _open.get((request.scope["client"], request.scope["server"]))
    if connection is not None:
        connection.transport.close()
        await connection.was_lost.wait()
    return Response(status_code=500)
