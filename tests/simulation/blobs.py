"""The bucket and the decoder: create-only objects in memory, and media that say which task made them.

A picture or video of the simulated vendors is its magic bytes followed by the id of its generation.
"""

from collections.abc import AsyncIterator
from io import BytesIO
from typing import BinaryIO

from shared.ports import BadMedia, BlobInfo, BlobTooLarge, MediaInfo, PictureInfo, SignedUpload
from tests.simulation.kernel import Call, Kernel

MAGIC = {"video": b"\0\0\0\x18ftyp", "image": b"\x89PNG\r\n\x1a\n"}
BROKEN = b"broken"


class InjectedError(OSError):
    """An error of a library below a port, which has no name in the port."""


class SimulatedBlobs:
    """Objects by key."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.objects: dict[str, tuple[bytes, str]] = {}

    async def put(
        self, key: str, chunks: AsyncIterator[bytes], *, content_type: str, max_bytes: int
    ) -> BlobInfo:
        """See the port."""
        if key in self.objects:
            return await self._call("blob", lambda: self._info(key), f"put {key}")
        parts: list[bytes] = []
        async for chunk in chunks:
            parts.append(chunk)
        content = b"".join(parts)
        if len(content) > max_bytes:
            raise BlobTooLarge
        return await self._call("put", lambda: self._keep(key, content, content_type), key)

    async def head(self, key: str) -> BlobInfo | None:
        """See the port."""
        return await self._call(
            "blob", lambda: self._info(key) if key in self.objects else None, f"head {key}"
        )

    async def delete(self, key: str) -> None:
        """See the port."""
        await self._call("blob", lambda: self.objects.pop(key, None), f"delete {key}")

    async def sign_download(self, key: str, *, filename: str | None, expires_seconds: int) -> str:
        """See the port."""
        return await self._call("blob", lambda: f"https://bucket.example/{key}", f"sign {key}")

    async def sign_upload(
        self, key: str, *, content_type: str, max_bytes: int, expires_seconds: int
    ) -> SignedUpload:
        """See the port."""
        raise AssertionError("nobody uploads here")

    def open(self, key: str) -> BinaryIO:
        """See the port."""
        return BytesIO(self.objects[key][0])

    def _keep(self, key: str, content: bytes, content_type: str) -> BlobInfo:
        self.objects.setdefault(key, (content, content_type))
        return self._info(key)

    def _info(self, key: str) -> BlobInfo:
        content, content_type = self.objects[key]
        return BlobInfo(key, len(content), content_type)

    def _call(self, port: str, effect: object, about: str) -> Call:
        return Call(port, effect, InjectedError, about)  # type: ignore[arg-type]


class SimulatedMedia:
    """A decoder that believes a whole file and refuses a broken one."""

    def __init__(self, blobs: SimulatedBlobs) -> None:
        self._blobs = blobs

    async def inspect(self, key: str, kind: str) -> MediaInfo:
        """See the port."""
        return await Call("media", lambda: self._look(key, kind), InjectedError, key)

    async def clean_picture(self, source_key: str, target_key: str) -> PictureInfo:
        """See the port."""
        raise AssertionError("nobody uploads here")

    def _look(self, key: str, kind: str) -> MediaInfo:
        if key not in self._blobs.objects:
            raise FileNotFoundError(key)
        content, content_type = self._blobs.objects[key]
        if not content.startswith(MAGIC[kind]) or content.endswith(BROKEN):
            raise BadMedia("result_invalid", "it does not decode")
        return MediaInfo(content_type, 640, 360, 2.0 if kind == "video" else None, b"thumbnail")
