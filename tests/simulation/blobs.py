"""The bucket and the decoder: create-only objects in memory, and media that say who made them.

A picture or video of the simulated vendors is its magic bytes followed by the id of its generation.
"""

from collections.abc import AsyncIterator, Callable
from io import BytesIO
from typing import Any, BinaryIO

from shared.ports import (
    BadMedia,
    BlobInfo,
    BlobTooLarge,
    MediaInfo,
    PictureFit,
    PictureInfo,
    SignedUpload,
)
from tests.simulation.kernel import Call, InjectedError, Kernel

MAGIC = {"video": b"\0\0\0\x18ftyp", "image": b"\x89PNG\r\n\x1a\n"}
BROKEN = b"broken"


class SimulatedBlobs:
    """Objects by key."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.objects: dict[str, tuple[bytes, str]] = {}

    async def put(
        self, key: str, chunks: AsyncIterator[bytes], *, content_type: str, max_bytes: int
    ) -> BlobInfo:
        """See the port."""
        info: BlobInfo
        if key in self.objects:
            info = await _call("blob", lambda: self._info(key), "describe", key)
            return info
        content = b"".join([chunk async for chunk in chunks])
        if len(content) > max_bytes:
            raise BlobTooLarge
        info = await _call("put", lambda: self._keep(key, content, content_type), "", key)
        return info

    async def head(self, key: str) -> BlobInfo | None:
        """See the port."""
        info: BlobInfo | None = await _call(
            "blob", lambda: self._info(key) if key in self.objects else None, "head", key
        )
        return info

    async def delete(self, key: str) -> None:
        """See the port."""
        await _call("blob", lambda: self.objects.pop(key, None), "delete", key)

    async def sign_download(self, key: str, *, filename: str | None, expires_seconds: int) -> str:
        """See the port."""
        url: str = await _call("blob", lambda: f"https://bucket.example/{key}", "sign", key)
        return url

    async def sign_upload(
        self, key: str, *, content_type: str, max_bytes: int, expires_seconds: int
    ) -> SignedUpload:
        """See the port."""
        raise AssertionError("nobody uploads here")

    def open(self, key: str) -> BinaryIO:
        """See the port."""
        if key not in self.objects:
            raise FileNotFoundError(key)
        return BytesIO(self.objects[key][0])

    def _keep(self, key: str, content: bytes, content_type: str) -> BlobInfo:
        self.objects.setdefault(key, (content, content_type))
        return self._info(key)

    def _info(self, key: str) -> BlobInfo:
        if key not in self.objects:
            raise InjectedError(f"{key} was removed in between")
        content, content_type = self.objects[key]
        return BlobInfo(key, len(content), content_type)


class SimulatedMedia:
    """A decoder that believes a whole file and refuses a broken one."""

    def __init__(self, blobs: SimulatedBlobs) -> None:
        self._blobs = blobs

    async def inspect(self, key: str, kind: str) -> MediaInfo:
        """See the port."""
        info: MediaInfo = await _call("media", lambda: self._look(key, kind), "inspect", key)
        return info

    async def clean_picture(self, source_key: str, target_key: str) -> PictureInfo:
        """See the port."""
        raise AssertionError("nobody uploads here")

    async def fit_picture(self, source_key: str, target_key: str, fit: PictureFit) -> None:
        """See the port."""
        raise AssertionError("every picture is as it should be here")

    async def load(self, key: str, max_bytes: int) -> bytes:
        """See the port."""
        raise AssertionError("no vendor here takes bytes")

    def _look(self, key: str, kind: str) -> MediaInfo:
        content = self._blobs.open(key).read()
        if not content.startswith(MAGIC[kind]) or content.endswith(BROKEN):
            raise BadMedia("result_invalid", "it does not decode")
        content_type = self._blobs.objects[key][1]
        return MediaInfo(content_type, 640, 360, 2.0 if kind == "video" else None, b"thumbnail")


def _call(port: str, effect: Callable[[], Any], verb: str, key: str) -> Call:
    return Call(port, effect, (), InjectedError, lambda: f"{verb} {key[:40]}")
