"""Files in a bucket."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class SignedUpload:
    """An address that takes the bytes of one object, once, until `expires_at_ms`."""

    method: str
    url: str
    headers: Mapping[str, str]
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """What is stored under a key."""

    key: str
    size_bytes: int
    content_type: str


class BlobTooLarge(Exception):
    """The stream went over its cap; nothing was stored."""


class Blobs(Protocol):
    """Immutable objects in a private bucket."""

    async def sign_upload(
        self, key: str, *, content_type: str, max_bytes: int, expires_seconds: int
    ) -> SignedUpload:
        """An address for one create-only upload of at most `max_bytes` with exactly this content
        type.
        """
        ...

    async def sign_download(self, key: str, *, filename: str | None, expires_seconds: int) -> str:
        """An address that serves the object (range requests too) as an attachment called
        `filename`, or inline when that is None."""
        ...

    async def put(
        self, key: str, chunks: AsyncIterator[bytes], *, content_type: str, max_bytes: int
    ) -> BlobInfo:
        """Store a stream, all or nothing. An object already there wins and is described instead;
        the stream is then left unread. Raises `BlobTooLarge`."""
        ...

    async def head(self, key: str) -> BlobInfo | None:
        """What is there, if anything."""
        ...

    async def delete(self, key: str) -> None:
        """Remove it; removing nothing is fine."""
        ...

    def open(self, key: str) -> BinaryIO:
        """A seekable reader for a library that runs in a thread. Raises FileNotFoundError."""
        ...
