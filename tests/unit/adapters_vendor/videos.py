"""Small films for tests, made on the spot, and MP4 boxes to spoil them with."""

import io
import random
import struct
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
from PIL import Image

Rewrite = Callable[[bytes, bytes], bytes | None]
"""Box type and body to the new body, or None to leave the box out."""

_FOLDERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf"})


@cache
def video(
    codec: str = "libx264",
    container: str = "mp4",
    width: int = 320,
    height: int = 240,
    *,
    frames: int = 10,
    rate: str = "10",
    movflags: str = "",
    has_pictures: bool = True,
    has_sound: bool = False,
) -> bytes:
    """A film that is red on the left and blue on the right."""
    written = io.BytesIO()
    options = {"movflags": movflags} if movflags else {}
    with av.open(written, "w", format=container, options=options) as film:
        tracks: list[Any] = []
        if has_pictures:
            tracks.append(film.add_stream(codec, rate=Fraction(rate)))
            tracks[-1].width, tracks[-1].height, tracks[-1].pix_fmt = width, height, "yuv420p"
        if has_sound:
            tracks.append(film.add_stream("aac", rate=44_100))
        for track in tracks:
            for frame in _frames(track, frames):
                film.mux(track.encode(frame))
            film.mux(track.encode(None))
    return written.getvalue()


def _frames(track: Any, frames: int) -> list[Any]:
    if track.type == "audio":
        silence = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
        silence.sample_rate = 44_100
        for plane in silence.planes:
            plane.update(bytes(plane.buffer_size))
        return [silence]
    picture = Image.new("RGB", (track.width, track.height), (200, 20, 20))
    picture.paste((20, 20, 200), (track.width // 2, 0, track.width, track.height))
    return [_frame(picture)] * frames


def _frame(picture: Image.Image) -> av.VideoFrame:
    return av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call, no-any-return]


def heavy_mp4(file: Path, *, size_bytes: int, has_index_first: bool) -> None:
    """A film in full HD whose every frame is the same noise in megabytes."""
    options = {"movflags": "faststart"} if has_index_first else {}
    noise = Image.frombytes("RGB", (1920, 1080), random.Random(7).randbytes(1920 * 1080 * 3))
    with av.open(str(file), "w", format="mp4", options=options) as film:
        track: Any = film.add_stream("libx264", rate=25, options={"crf": "10"})
        track.width, track.height, track.pix_fmt = 1920, 1080, "yuv420p"
        packets = [*track.encode(_frame(noise)), *track.encode(None)]
        picture = bytes(packets[0])
        for number in range(size_bytes // len(picture) + 1):
            packet = av.Packet(picture)
            packet.stream, packet.time_base = track, Fraction(1, 25)
            packet.pts = packet.dts = number
            packet.is_keyframe = True
            film.mux(packet)


def box(box_type: bytes, body: bytes) -> bytes:
    """One MP4 box."""
    return struct.pack(">I4s", 8 + len(body), box_type) + body


def edited(mp4: bytes, rewrite: Rewrite) -> bytes:
    """The film with every box rewritten, the inner ones first."""
    written, at = b"", 0
    while at < len(mp4):
        box_bytes, box_type = struct.unpack(">I4s", mp4[at : at + 8])
        body = mp4[at + 8 : at + box_bytes]
        inner = edited(body, rewrite) if box_type in _FOLDERS else body
        new = rewrite(box_type, inner)
        written += b"" if new is None else box(box_type, new)
        at += box_bytes
    return written


def fragmented_mp4(samples: int) -> bytes:
    """A film in fragments; the run of each declares samples without describing one."""
    plain = video(movflags="frag_keyframe+empty_moov+default_base_moof")

    def rewrite(box_type: bytes, body: bytes) -> bytes:
        return struct.pack(">III", 1, samples, 0) if box_type == b"trun" else body

    return edited(plain, rewrite)
