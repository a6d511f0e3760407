"""Checking what users and vendors send by decoding it, with PyAV and Pillow, in a thread.

Both libraries are imported at first use, because most processes never decode anything.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, BinaryIO

from shared.adapters import pictures
from shared.adapters.guarded_video import BadContainer, ForwardReader, Mp4Reader, read_up_to
from shared.failures import FailureCode
from shared.media_types import sniff
from shared.ports import BadMedia, Blobs, MediaInfo, PictureFit, PictureInfo
from shared.uploads import IMAGE_MAX_BYTES

if TYPE_CHECKING:
    from av.container import InputContainer

# Two at a time: a decoded picture takes 160 MB.
PARALLEL_MAX = 2
RESULT_PICTURE_MAX_BYTES = 50_000_000
VIDEO_SIDE_MIN_PX = 16
VIDEO_SIDE_MAX_PX = 4_096
VIDEO_PIXELS_MAX = 4_096 * 2_304
VIDEO_DURATION_MAX_SECONDS = 600.0

_DEMUXERS = {"video/mp4": "mp4", "video/webm": "matroska"}
_CODECS = frozenset({"h264", "hevc", "vp9", "av1"})

_OPTIONS = {
    "threads": "1",  # each decoder thread would keep frames of its own
    "max_pixels": str(VIDEO_PIXELS_MAX),
    "ignore_editlist": "1",  # a list of edits multiplies the index
}


class PyavMedia:
    """The `Media` port over what a `Blobs` holds."""

    def __init__(self, blobs: Blobs, *, parallel_max: int = PARALLEL_MAX) -> None:
        self._blobs = blobs
        self._turns = asyncio.Semaphore(parallel_max)

    async def inspect(self, key: str, kind: str) -> MediaInfo:
        """Check a stored result (`kind` video or image) by decoding it. Raises `BadMedia` with code
        `result_invalid`, and FileNotFoundError."""
        assert kind in {"video", "image"}, kind
        async with self._turns:
            return await asyncio.to_thread(self._inspect, key, kind)

    async def clean_picture(self, source_key: str, target_key: str) -> PictureInfo:
        """Store an uploaded picture anew: decoded, upright, without metadata. Raises `BadMedia`
        with code `not_an_image`, `unsupported_image_type`, `image_too_many_pixels` or
        `image_too_large`, and FileNotFoundError."""
        async with self._turns:
            clean, content_type, width, height = await asyncio.to_thread(self._clean, source_key)
        stored = await self._blobs.put(
            target_key, _once(clean), content_type=content_type, max_bytes=pictures.CLEAN_MAX_BYTES
        )
        return PictureInfo(content_type, width, height, stored.size_bytes)

    async def fit_picture(self, source_key: str, target_key: str, fit: PictureFit) -> None:
        """Store a checked picture as a vendor wants it; one that is stored already stays. Raises
        `BadMedia` with code `not_an_image`, and FileNotFoundError."""
        if await self._blobs.head(target_key) is not None:
            return
        async with self._turns:
            data, content_type = await asyncio.to_thread(self._fit, source_key, fit)
        await self._blobs.put(
            target_key, _once(data), content_type=content_type, max_bytes=fit.max_bytes
        )

    async def load(self, key: str, max_bytes: int) -> bytes:
        """A stored picture's bytes. Raises `BadMedia` with code `image_too_large`, and
        FileNotFoundError."""
        return await asyncio.to_thread(self._load, key, max_bytes)

    def _fit(self, key: str, fit: PictureFit) -> tuple[bytes, str]:
        data = self._load(key, pictures.CLEAN_MAX_BYTES)
        content_type = pictures.content_type_of(data)
        picture = pictures.fitted(pictures.decode(data, content_type), fit)
        return pictures.encode_fitted(picture, content_type, fit)

    def _load(self, key: str, max_bytes: int) -> bytes:
        with self._blobs.open(key) as source:
            return _whole(source, max_bytes)

    def _inspect(self, key: str, kind: str) -> MediaInfo:
        with self._blobs.open(key) as source:
            return _video(source) if kind == "video" else _picture(source)

    def _clean(self, key: str) -> tuple[bytes, str, int, int]:
        with self._blobs.open(key) as source:
            data = _whole(source, IMAGE_MAX_BYTES)
        content_type = pictures.content_type_of(data)
        picture = pictures.decode(data, content_type)
        clean = pictures.encode_clean(picture, content_type)
        return clean, content_type, picture.width, picture.height


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _whole(source: BinaryIO, max_bytes: int) -> bytes:
    data = read_up_to(source, max_bytes + 1)
    if len(data) > max_bytes:
        raise BadMedia("image_too_large", f"over {max_bytes} bytes")
    return data


def _picture(source: BinaryIO) -> MediaInfo:
    try:
        data = _whole(source, RESULT_PICTURE_MAX_BYTES)
        content_type = pictures.content_type_of(data)
        picture = pictures.decode(data, content_type)
    except BadMedia as error:
        raise _invalid(str(error)) from error
    thumbnail = pictures.thumbnail_jpeg(picture)
    return MediaInfo(content_type, picture.width, picture.height, None, thumbnail)


def _video(source: BinaryIO) -> MediaInfo:
    content_type = sniff(source.read(16), "video")
    if content_type is None:
        raise _invalid("neither MP4 nor WebM")
    try:
        reader = Mp4Reader(source) if content_type == "video/mp4" else ForwardReader(source)
    except BadContainer as error:
        raise _invalid(str(error)) from error
    try:
        return _first_frame(reader, content_type)
    except (BadMedia, MemoryError):
        raise
    except Exception as error:
        # Decoders raise whatever the bytes make them stumble over; only a store that failed under
        # them is no fault of the film.
        if reader.failure is not None:
            raise reader.failure from error
        raise _invalid(f"does not decode: {type(error).__name__}") from error


def _first_frame(reader: ForwardReader, content_type: str) -> MediaInfo:
    import av

    # The demuxer is named, so that no file can choose one that opens other files or addresses.
    with av.open(reader, "r", format=_DEMUXERS[content_type], options=_OPTIONS) as container:
        duration_seconds = _checked_duration_seconds(container)
        frame = next(container.decode(container.streams.video[0]))
        width, height = frame.width, frame.height
        if min(width, height) < VIDEO_SIDE_MIN_PX or max(width, height) > VIDEO_SIDE_MAX_PX:
            raise _invalid(f"{width} × {height}")
        # Scaled first, because the whole frame in RGB would be the largest thing in memory.
        small_width = min(width, pictures.THUMBNAIL_WIDTH_MAX_PX)
        small = frame.reformat(small_width, max(1, round(height * small_width / width)), "rgb24")
        thumbnail = pictures.thumbnail_jpeg(small.to_image())  # type: ignore[no-untyped-call]
    return MediaInfo(content_type, width, height, duration_seconds, thumbnail)


def _checked_duration_seconds(container: "InputContainer") -> float:
    if not container.streams.video:
        raise _invalid("no video stream")
    codec = container.streams.video[0].codec_context.codec.canonical_name
    if codec not in _CODECS:
        raise _invalid(f"codec {codec}")
    duration_seconds = (container.duration or 0) / 1_000_000
    if not 0 < duration_seconds <= VIDEO_DURATION_MAX_SECONDS:
        raise _invalid(f"{duration_seconds} seconds long")
    return duration_seconds


def _invalid(detail: str) -> BadMedia:
    return BadMedia(FailureCode.RESULT_INVALID, detail)
