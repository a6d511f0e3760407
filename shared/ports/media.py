"""What a picture or a video is, and how it is made another."""

from dataclasses import dataclass
from typing import Protocol


class BadMedia(Exception):
    """The stored bytes are not what they should be; `code` says which way."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """A checked result."""

    content_type: str
    width: int
    height: int
    duration_seconds: float | None
    thumbnail_jpeg: bytes


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """A checked and cleaned picture."""

    content_type: str
    width: int
    height: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class PictureFit:
    """How a vendor wants a picture: one of these types, at most so large, and cut to a width and
    height ratio like `3:4` where one is given.
    """

    types: tuple[str, ...]
    side_max_px: int
    max_bytes: int
    aspect_ratio: str | None = None


class Media(Protocol):
    """Decoding, in a thread, of what users and vendors send."""

    async def inspect(self, key: str, kind: str) -> MediaInfo:
        """Check a stored result (`kind` video or image) by decoding it. Raises `BadMedia` with code
        `result_invalid`."""
        ...

    async def clean_picture(self, source_key: str, target_key: str) -> PictureInfo:
        """Decode an uploaded picture, turn it upright, drop all metadata, and store it under
        `target_key`. Raises `BadMedia` with code `not_an_image`, `unsupported_image_type`,
        `image_too_many_pixels` or `image_too_large`."""
        ...

    async def fit_picture(self, source_key: str, target_key: str, fit: PictureFit) -> None:
        """Store a checked picture as a vendor wants it; one that is stored already stays. Raises
        `BadMedia` with code `not_an_image`."""
        ...

    async def load(self, key: str, max_bytes: int) -> bytes:
        """A stored picture's bytes. Raises `BadMedia` with code `image_too_large`, and
        FileNotFoundError."""
        ...
