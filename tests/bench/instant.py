"""A vendor that is done at once and a decoder that believes everything: what is left is ours."""

import asyncio
from collections.abc import AsyncGenerator

from shared.app import App
from shared.ports import (
    Abilities,
    Accepted,
    Hint,
    Inbound,
    MediaInfo,
    Outcome,
    Parcel,
    PictureFit,
    PictureInfo,
    Ticket,
    Work,
)
from shared.usecases.receive_webhook import receive_webhook

_RESULT = b"\0\0\0\x18ftypmp42" + bytes(5_000)
_THUMBNAIL = b"\xff\xd8\xff" + bytes(1_000)


class InstantVendors:
    """Every provider: accepts, is done, and sends its webhook in the next turn of the loop."""

    def __init__(self) -> None:
        self.app: App | None = None  # whom to send webhooks
        self._webhooks: set[asyncio.Task[None]] = set()

    def abilities(self, provider: str) -> Abilities:
        """See the port."""
        return Abilities(can_poll=True, can_look_up=False, can_cancel=False, takes_bytes=False)

    async def submit(self, work: Work, total_seconds: float) -> Accepted:
        """See the port."""
        webhook = asyncio.create_task(self._announce(work))
        self._webhooks.add(webhook)
        webhook.add_done_callback(self._webhooks.discard)
        return Accepted(f"gen_{work.ticket.job_id}")

    async def poll(self, ticket: Ticket) -> Outcome:
        """See the port."""
        parcel = Parcel("https://vendor.example/video.mp4")
        return Outcome(ticket.task_id, "succeeded", ticket.job_id, (parcel,))

    async def look_up(self, ticket: Ticket) -> str | None:
        """See the port."""
        return None

    async def cancel(self, ticket: Ticket) -> Outcome:
        """See the port."""
        return await self.poll(ticket)

    async def fetch(
        self, ticket: Ticket, parcel: Parcel, max_bytes: int
    ) -> AsyncGenerator[bytes, None]:
        """See the port."""
        yield _RESULT

    async def hint(self, provider: str, inbound: Inbound, now_ms: int) -> Hint:
        """See the port."""
        return Hint(inbound.body.decode())

    async def _announce(self, work: Work) -> None:
        assert self.app
        ticket, mac = work.ticket, work.callback_url.rpartition("/")[2]
        inbound = Inbound({}, f"gen_{ticket.job_id}".encode())
        await receive_webhook(self.app, ticket.provider, ticket.job_id, mac, inbound)


class BelievingMedia:
    """What was never decoded is what it was ordered to be."""

    async def inspect(self, key: str, kind: str) -> MediaInfo:
        """See the port."""
        return MediaInfo("video/mp4", 1280, 720, 4.0, _THUMBNAIL)

    async def clean_picture(self, source_key: str, target_key: str) -> PictureInfo:
        """See the port."""
        raise AssertionError("nobody uploads here")

    async def fit_picture(self, source_key: str, target_key: str, fit: PictureFit) -> None:
        """See the port."""
        raise AssertionError("nobody sends a picture here")

    async def load(self, key: str, max_bytes: int) -> bytes:
        """See the port."""
        raise AssertionError("nobody sends a picture here")
