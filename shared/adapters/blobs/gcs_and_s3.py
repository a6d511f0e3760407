"""What Cloud Storage and S3 have in common: streams sent in parts, reading by ranges, and the
header that makes a browser save an object as a file.
"""

import io
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import BinaryIO
from urllib.parse import quote

from shared.ports import BlobTooLarge

# Cloud Storage wants multiples of 256 KiB, and S3 at least 5 MiB in every part but the last.
PIECE_BYTES = 8 * 1024 * 1024
READ_BYTES = 1024 * 1024

Fetch = Callable[[int, int], bytes]
"""The bytes from the first offset up to the second, which is not among them."""


async def pieces(chunks: AsyncIterator[bytes], max_bytes: int) -> AsyncGenerator[bytes, None]:
    """The stream in pieces of `PIECE_BYTES`, and at the end a smaller one, perhaps of no bytes.
    Raises `BlobTooLarge` as soon as there are more than `max_bytes`."""
    size_bytes = 0
    piece = bytearray()
    async for chunk in chunks:
        size_bytes += len(chunk)
        if size_bytes > max_bytes:
            raise BlobTooLarge(f"more than {max_bytes} bytes")
        piece += chunk
        while len(piece) >= PIECE_BYTES:
            whole = bytes(piece[:PIECE_BYTES])
            del piece[:PIECE_BYTES]
            yield whole
    yield bytes(piece)


def attachment(filename: str) -> str:
    """The content-disposition that saves an object as `filename`, as RFC 6266 spells it."""
    spelled = quote(filename)
    if spelled == filename:
        return f'attachment; filename="{filename}"'
    return f"attachment; filename*=utf-8''{spelled}"


def ranged_reader(size_bytes: int, fetch: Fetch) -> BinaryIO:
    """A seekable reader that fetches about `READ_BYTES` at a time."""
    return io.BufferedReader(_Ranges(size_bytes, fetch), READ_BYTES)


class _Ranges(io.RawIOBase):
    def __init__(self, size_bytes: int, fetch: Fetch) -> None:
        self._size_bytes = size_bytes
        self._fetch = fetch
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size_bytes}[whence]
        if start + offset < 0:
            raise ValueError(f"a place before the beginning: {start + offset}")
        self._place = start + offset
        return self._place

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # its type is in _typeshed alone
        data = self._next(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        return self._next(self._size_bytes)

    def _next(self, count: int) -> bytes:
        end = min(self._place + count, self._size_bytes)
        if end <= self._place:
            return b""
        data = self._fetch(self._place, end)
        if len(data) != end - self._place:
            raise OSError(f"{len(data)} bytes came of {end - self._place}")
        self._place = end
        return data
