"""A picture on its way in: asked for, uploaded, checked, then usable or refused."""

from dataclasses import dataclass
from typing import Literal

UploadState = Literal["pending", "ready", "rejected"]

IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp")
IMAGE_MAX_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Upload:
    """One picture of one user. The original is private to the check; jobs use the clean copy."""

    id: str
    user_id: str
    filename: str
    content_type: str
    state: UploadState
    created_at_ms: int
    width: int | None = None
    height: int | None = None
    error_code: str | None = None
    error_message: str | None = None

    @property
    def original_key(self) -> str:
        """Where the client puts the bytes."""
        return f"uploads/{self.user_id}/{self.id}/original"

    @property
    def clean_key(self) -> str:
        """Where the checked picture lies."""
        return clean_key(self.user_id, self.id)


def clean_key(user_id: str, image_id: str) -> str:
    """The key of a user's checked picture."""
    return f"uploads/{user_id}/{image_id}/clean"
