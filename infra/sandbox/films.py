"""Turns a scene into a file, in a worker thread: an H.264 MP4 with a slow camera move, or a PNG."""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from threading import Event
from typing import TYPE_CHECKING
from zlib import crc32

from infra.sandbox.generations import Media
from infra.sandbox.scenery import cover, frame_size, open_picture, paint_background, paint_caption

if TYPE_CHECKING:
    from PIL.Image import Image

# Fewer frames where each costs more: resizing and colour conversion are most of the work.
FRAMES_PER_SECOND: Mapping[str, int] = {"480p": 24, "720p": 18, "1080p": 12}
# x264 keeps every frame that it looks ahead to: a short look costs little and saves much memory.
ENCODING: Mapping[str, object] = {
    "preset": "veryfast",
    "crf": "24",
    "x264-params": "bframes=1:rc-lookahead=4",
}
INDEX_BYTES = 2048
INDEX_BYTES_PER_FRAME = 24
ROOM = 1.2
FADE_FROM = 0.6


class RenderStopped(Exception):
    """Nobody wants this film any more."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What to draw. `start` and `end` are the bytes of pictures."""

    caption: str
    resolution: str
    aspect_ratio: str | None
    duration_seconds: int
    start: bytes | None = None
    end: bytes | None = None


# A camera move: for t from 0 to 1, the left, top and size of the view as shares of the room.
Move = Callable[[float], tuple[float, float, float]]
_VIEW = 1 / ROOM
_SLACK = 1 - _VIEW
MOVES: tuple[Move, ...] = (
    lambda t: (_SLACK * t / 2, _SLACK * t / 2, 1 - _SLACK * t),
    lambda t: (_SLACK * (1 - t) / 2, _SLACK * (1 - t) / 2, _VIEW + _SLACK * t),
    lambda t: (_SLACK * t, _SLACK / 2, _VIEW),
    lambda t: (_SLACK * (1 - t), _SLACK / 2, _VIEW),
)


def render_video(scene: Scene, stop: Event) -> Media:
    """An MP4 (yuv420p, index in front) of the scene; raises RenderStopped, UnreadablePicture."""
    import av

    start = open_picture(scene.start) if scene.start else None
    end = open_picture(scene.end) if scene.end else None
    width, height = frame_size(scene.resolution, scene.aspect_ratio, start)
    rate = FRAMES_PER_SECOND[scene.resolution]
    frame_count = rate * scene.duration_seconds
    buffer = io.BytesIO()
    # The faststart flag needs a second pass over a named file; room kept in front needs none.
    options = {"moov_size": str(INDEX_BYTES + INDEX_BYTES_PER_FRAME * frame_count)}
    with av.open(buffer, "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = Fraction(1, rate)
        stream.options = dict(ENCODING)
        stream.codec_context.thread_count = 1
        for picture in _draw_frames(scene, start, end, (width, height), frame_count):
            if stop.is_set():
                raise RenderStopped
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return _media(buffer.getvalue(), "video/mp4", "video.mp4")


def render_image(scene: Scene, stop: Event) -> Media:
    """A PNG of the scene; raises RenderStopped, UnreadablePicture."""
    start = open_picture(scene.start) if scene.start else None
    if stop.is_set():
        raise RenderStopped
    width, height = frame_size(scene.resolution, scene.aspect_ratio, start)
    picture = (
        cover(start, width, height) if start else paint_background(scene.caption, width, height)
    )
    _write_caption(picture, paint_caption(scene.caption, width, height))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=4)
    return _media(buffer.getvalue(), "image/png", "image.png")


RENDERERS: Mapping[str, Callable[[Scene, Event], Media]] = {
    "video": render_video,
    "image": render_image,
}


def tiny_media(kind: str) -> Media:
    """The same small valid file for every instant generation of this kind."""
    scene = Scene("sandbox", "480p", "16:9", 1)
    return replace(RENDERERS[kind](scene, Event()), shared=True)


def _draw_frames(
    scene: Scene,
    start: "Image | None",
    end: "Image | None",
    size: tuple[int, int],
    count: int,
) -> "Iterator[Image]":
    from PIL import Image

    width, height = size
    room = (round(width * ROOM), round(height * ROOM))
    first = cover(start, *room) if start else paint_background(scene.caption, *room)
    last = cover(end, *room) if end else None
    caption = paint_caption(scene.caption, width, height)
    move = MOVES[crc32(scene.caption.encode()) % len(MOVES)]
    for index in range(count):
        t = index / max(1, count - 1)
        left, top, share = move(_ease(t))
        x, y = left * room[0], top * room[1]
        box = (x, y, min(x + share * room[0], room[0]), min(y + share * room[1], room[1]))
        frame = first.resize(size, Image.Resampling.BILINEAR, box)
        if last and t > FADE_FROM:
            other = last.resize(size, Image.Resampling.BILINEAR, box)
            frame = Image.blend(frame, other, (t - FADE_FROM) / (1 - FADE_FROM))
        _write_caption(frame, caption)
        yield frame


def _ease(t: float) -> float:
    """Start and stop softly."""
    return t * t * (3 - 2 * t)


def _write_caption(picture: "Image", caption: "tuple[Image, tuple[int, int]] | None") -> None:
    if caption:
        strip, place = caption
        picture.paste(strip, place, strip)


def _media(content: bytes, content_type: str, name: str) -> Media:
    return Media(content, content_type, name, len(content))
