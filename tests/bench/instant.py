"""A vendor that is done at once and a decoder that believes everything: what is left is ours."""

import asyncio
from collections.abc import AsyncGenerator

from shared.app import App
from shared.ports import Hint, Inbound, MediaInfo, Outcome, PictureInfo, Work
from shared.usecases.receive_webhook import receive_webhook

_RESULT = b"\0\0\0\x18ftypmp42" + bytes(5_000)
_THUMBNAIL = b"\xff\xd8\xff" + bytes(1_000)


class InstantVendors:
    """Every provider: accepts, is done, and sends its webhook in the next turn of the loop."""

    def __init__(self) -> None:
        self.app: App | None = None  # whom to send webhooks
        self._webhooks: set[asyncio.Task[None]] = set()

    async def submit(self, provider: str, work: Work) -> str:
        """See the port."""
        webhook = asyncio.create_task(self._announce(provider, work))
        self._webhooks.add(webhook)
        webhook.add_done_callback(self._webhooks.discard)
        return f"gen_{work.job_id}"

    async def poll(self, provider: str, task_id: str) -> Outcome:
        """See the port."""
        job_id = task_id.removeprefix("gen_")
        return Outcome(task_id, "succeeded", job_id, "https://vendor.example/video.mp4")

    def can_look_up(self, provider: str) -> bool:
        """See the port."""
        return False

    async def look_up(self, provider: str, job_id: str) -> str | None:
        """See the port."""
        return None

    def can_cancel(self, provider: str) -> bool:
        """See the port."""
        return False

    async def cancel(self, provider: str, task_id: str) -> Outcome:
        """See the port."""
        return await self.poll(provider, task_id)

    async def fetch(self, provider: str, url: str, max_bytes: int) -> AsyncGenerator[bytes, None]:
        """See the port."""
        yield _RESULT

    def hint(self, provider: str, inbound: Inbound, now_ms: int) -> Hint:
        """See the port."""
        return Hint(inbound.body.decode())

    async def _announce(self, provider: str, work: Work) -> None:
        assert self.app
        mac = work.callback_url.rpartition("/")[2]
        inbound = Inbound({}, f"gen_{work.job_id}".encode())
        await receive_webhook(self.app, provider, work.job_id, mac, inbound)


class BelievingMedia:
    """What was never decoded is what it was ordered to be."""

    async def inspect(self, key: str, kind: str) -> MediaInfo:
        """See the port."""
        return MediaInfo("video/mp4", 1280, 720, 4.0, _THUMBNAIL)

    async def clean_picture(self, source_key: str, target_key: str) -> PictureInfo:
        """See the port."""
        raise AssertionError("nobody uploads here")
