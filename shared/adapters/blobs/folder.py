"""The blobs port on a folder of files, for one machine.

An object `results/ab12/video.mp4` is two files below `objects/results/ab12/`: the bytes, in
`<chance>=video.mp4`, and `video.mp4=info`, which says what they are and which file has them. The
object is there when the second one is, and that is linked into place whole, by one writer at most.
Keys have no `=`, so nothing else can have these names.
"""

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from shared.adapters.blobs import rules
from shared.adapters.blobs.folder_addresses import Addresses, Grant, Parameters
from shared.ports import BlobInfo, BlobTooLarge, Clock, SignedUpload

PIECE_BYTES = 1024 * 1024
LEAVINGS_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Stored:
    """An object and the file that has its bytes; `tag` differs for every object ever stored."""

    info: BlobInfo
    path: Path
    tag: str


class FolderBlobs:
    """Objects below `root`; `shared.adapters.blobs.folder_http` serves its signed addresses."""

    def __init__(self, root: Path, *, base_url: str, secret: bytes, clock: Clock) -> None:
        """`base_url` is where the HTTP face is reached, `secret` signs what it accepts."""
        self._objects = root / "objects"
        self._incoming = root / "incoming"
        self._addresses = Addresses(base_url, secret)
        self._clock = clock
        self._objects.mkdir(parents=True, exist_ok=True)
        self._incoming.mkdir(parents=True, exist_ok=True)
        _sweep(self._incoming, clock.now_ms() / 1000 - LEAVINGS_SECONDS)

    async def sign_upload(
        self, key: str, *, content_type: str, max_bytes: int, expires_seconds: int
    ) -> SignedUpload:
        """See the port."""
        rules.check_key(key)
        rules.check_content_type(content_type)
        rules.check_expires(expires_seconds)
        expires_at_ms = self._clock.now_ms() + expires_seconds * 1000
        url = self._addresses.upload(key, content_type, max_bytes, expires_at_ms)
        return SignedUpload("PUT", url, {"content-type": content_type}, expires_at_ms)

    async def sign_download(self, key: str, *, filename: str | None, expires_seconds: int) -> str:
        """See the port."""
        rules.check_key(key)
        rules.check_expires(expires_seconds)
        if filename is not None:
            rules.check_filename(filename)
        return self._addresses.download(
            key, filename, self._clock.now_ms() + expires_seconds * 1000
        )

    def verify(self, method: str, key: str, parameters: Parameters) -> Grant | None:
        """What the bearer of an address may do with the key, now."""
        return self._addresses.verify(method, key, parameters, self._clock.now_ms())

    async def put(
        self, key: str, chunks: AsyncIterator[bytes], *, content_type: str, max_bytes: int
    ) -> BlobInfo:
        """See the port."""
        if there := await self.head(key):
            return there
        made = await self.create(key, chunks, content_type=content_type, max_bytes=max_bytes)
        # None: another writer was first, and its object is the one that counts.
        if found := made or await self.head(key):
            return found
        raise FileNotFoundError(f"{key} was deleted while it was being stored")

    async def create(
        self, key: str, chunks: AsyncIterator[bytes], *, content_type: str, max_bytes: int
    ) -> BlobInfo | None:
        """Store a stream, or None when there is an object already. Raises `BlobTooLarge`."""
        rules.check_key(key)
        rules.check_content_type(content_type)
        part = self._incoming / secrets.token_hex(16)
        file = await asyncio.to_thread(part.open, "xb")
        try:
            size_bytes = await _fill(file, chunks, max_bytes)
            info = BlobInfo(key, size_bytes, content_type)
            return info if await asyncio.to_thread(self._publish, file, part, info) else None
        finally:
            await asyncio.to_thread(_discard, file, part)

    async def head(self, key: str) -> BlobInfo | None:
        """See the port."""
        found = await asyncio.to_thread(self.find, key)
        return found.info if found else None

    async def delete(self, key: str) -> None:
        """See the port."""
        await asyncio.to_thread(self._delete, key)

    def open(self, key: str) -> BinaryIO:
        """See the port."""
        found = self.find(key)
        if found is None:
            raise FileNotFoundError(key)
        return found.path.open("rb")

    def find(self, key: str) -> Stored | None:
        """The object and its file. Reads the disk, so it belongs in a thread."""
        info_path = self._info_path(key)
        try:
            about = json.loads(info_path.read_bytes())
        except FileNotFoundError:
            return None
        info = BlobInfo(key, about["size_bytes"], about["content_type"])
        return Stored(info, info_path.with_name(about["file"]), about["file"].partition("=")[0])

    def _info_path(self, key: str) -> Path:
        rules.check_key(key)
        return self._objects / f"{key}=info"

    def _publish(self, file: BinaryIO, part: Path, info: BlobInfo) -> bool:
        """Make complete bytes an object; False when there is one."""
        info_path = self._info_path(info.key)
        folder = info_path.parent
        data_path = folder / f"{part.name}={info_path.name.removesuffix('=info')}"
        _sync(file)
        _make_folder(folder)
        part.rename(data_path)
        about = {
            "file": data_path.name,
            "size_bytes": info.size_bytes,
            "content_type": info.content_type,
        }
        with part.open("xb") as about_file:
            about_file.write(json.dumps(about).encode())
            _sync(about_file)
        _sync_folder(folder)
        try:
            os.link(part, info_path)
        except FileExistsError:
            data_path.unlink()
            return False
        _sync_folder(folder)
        return True

    def _delete(self, key: str) -> None:
        """The bytes go first: should the machine stop in between, a second call still finds them
        named, and what a person wanted deleted is deleted."""
        if found := self.find(key):
            found.path.unlink(missing_ok=True)
            self._info_path(key).unlink(missing_ok=True)


async def _fill(file: BinaryIO, chunks: AsyncIterator[bytes], max_bytes: int) -> int:
    """Write a stream in large pieces, each in a thread; its size."""
    size_bytes = 0
    piece = bytearray()
    async for chunk in chunks:
        size_bytes += len(chunk)
        if size_bytes > max_bytes:
            raise BlobTooLarge(f"more than {max_bytes} bytes")
        piece += chunk
        if len(piece) >= PIECE_BYTES:
            await asyncio.to_thread(file.write, piece)
            piece = bytearray()
    await asyncio.to_thread(file.write, piece)
    return size_bytes


def _discard(file: BinaryIO, part: Path) -> None:
    file.close()
    part.unlink(missing_ok=True)


def _sweep(folder: Path, before_seconds: float) -> None:
    """Remove what crashes left half written."""
    for part in folder.iterdir():
        if part.stat().st_mtime < before_seconds:
            part.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """Make the folder and those above it, to stay."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make new names in it durable, where the system has that."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
