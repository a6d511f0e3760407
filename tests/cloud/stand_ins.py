"""A queue that only remembers, and a vendor that answers at once: the store alone is under test."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

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
    Task,
    Ticket,
    Work,
)

MP4 = b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 64


@dataclass
class RememberedQueue:
    """Keeps what was pushed."""

    tasks: list[Task] = field(default_factory=list)

    async def push(self, task: Task) -> None:
        self.tasks.append(task)

    def taken(self, name: str) -> Task:
        """The oldest task of this name, taken out."""
        task = next(task for task in self.tasks if task.name == name)
        self.tasks.remove(task)
        return task


class InstantVendor:
    """Accepts everything and is done when asked."""

    def abilities(self, provider: str) -> Abilities:
        return Abilities(can_poll=True, can_look_up=False, can_cancel=False, takes_bytes=False)

    async def submit(self, work: Work, total_seconds: float) -> Accepted:
        return Accepted(f"task-{work.ticket.job_id}")

    async def poll(self, ticket: Ticket) -> Outcome:
        parcel = Parcel("https://vendor.example/result")
        return Outcome(ticket.task_id, "succeeded", parcels=(parcel,))

    async def look_up(self, ticket: Ticket) -> str | None:
        return None

    async def cancel(self, ticket: Ticket) -> Outcome:
        return Outcome(ticket.task_id, "running")

    async def fetch(
        self, ticket: Ticket, parcel: Parcel, max_bytes: int
    ) -> AsyncGenerator[bytes, None]:
        yield MP4

    async def hint(self, provider: str, inbound: Inbound, now_ms: int) -> Hint:
        return Hint("task")


class TrustingMedia:
    """Believes every result, and leaves pictures as they are."""

    async def inspect(self, key: str, kind: str) -> MediaInfo:
        return MediaInfo("video/mp4", 64, 64, 2.0, b"\xff\xd8\xff")

    async def clean_picture(self, source_key: str, target_key: str) -> PictureInfo:
        return PictureInfo("image/png", 64, 64, 1)

    async def fit_picture(self, source_key: str, target_key: str, fit: PictureFit) -> None: ...

    async def load(self, key: str, max_bytes: int) -> bytes:
        return b"\x89PNG"
