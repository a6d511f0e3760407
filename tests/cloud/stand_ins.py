"""A queue that only remembers, and a vendor that answers at once: the store alone is under test."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from shared.ports import Hint, Inbound, MediaInfo, Outcome, PictureInfo, Task, Work

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

    async def submit(self, provider: str, work: Work) -> str:
        return f"task-{work.job_id}"

    async def poll(self, provider: str, task_id: str) -> Outcome:
        return Outcome(task_id, "succeeded", result_url="https://vendor.example/result")

    def can_look_up(self, provider: str) -> bool:
        return False

    async def look_up(self, provider: str, job_id: str) -> str | None:
        return None

    def can_cancel(self, provider: str) -> bool:
        return False

    async def cancel(self, provider: str, task_id: str) -> Outcome:
        return Outcome(task_id, "running")

    async def fetch(self, provider: str, url: str, max_bytes: int) -> AsyncGenerator[bytes, None]:
        yield MP4

    def hint(self, provider: str, inbound: Inbound, now_ms: int) -> Hint:
        return Hint("task")


class TrustingMedia:
    """Believes every result."""

    async def inspect(self, key: str, kind: str) -> MediaInfo:
        return MediaInfo("video/mp4", 64, 64, 2.0, b"\xff\xd8\xff")

    async def clean_picture(self, source_key: str, target_key: str) -> PictureInfo:
        return PictureInfo("image/png", 64, 64, 1)
