"""Real media: what is ordered is what PyAV and Pillow find in the file."""

import base64
import io
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av
import pytest
from PIL import Image

from infra.sandbox.scenery import paint_caption
from tests.sandbox.calls import Sandbox

RED, BLUE = (220, 30, 30), (20, 40, 220)


@dataclass(frozen=True, slots=True)
class Film:
    """What a decoder finds in an MP4."""

    codec: str
    pixel_format: str
    size: tuple[int, int]
    duration_seconds: float
    frames: int
    first: Image.Image
    last: Image.Image


@pytest.fixture
def real(sandbox: Sandbox) -> Sandbox:
    """The same sandbox with a real renderer."""
    sandbox.switch(render="real")
    return sandbox


@pytest.mark.parametrize(
    ("resolution", "aspect_ratio", "duration_seconds", "size"),
    [
        ("480p", "16:9", 1, (854, 480)),
        ("480p", "9:16", 10, (480, 854)),
        ("720p", "1:1", 1, (720, 720)),
        ("480p", "3:4", 1, (480, 640)),
        ("1080p", "4:3", 1, (1440, 1080)),
    ],
)
def test_a_video_has_the_codec_size_and_duration_that_were_ordered(
    real: Sandbox,
    resolution: str,
    aspect_ratio: str,
    duration_seconds: int,
    size: tuple[int, int],
) -> None:
    generation = real.finish(
        "Рыжая лиса бежит по снегу",
        resolution=resolution,
        aspect_ratio=aspect_ratio,
        duration_seconds=duration_seconds,
    )
    film = _watch(real.download(generation).content)
    assert (film.codec, film.pixel_format, film.size) == ("h264", "yuv420p", size)
    assert film.duration_seconds == pytest.approx(duration_seconds, abs=0.05)
    assert 12 <= film.frames / duration_seconds <= 24


def test_a_video_moves_and_its_index_stands_in_front(real: Sandbox) -> None:
    content = real.download(real.finish()).content
    assert content.index(b"moov") < content.index(b"mdat")
    film = _watch(content)
    assert film.duration_seconds == pytest.approx(2, abs=0.05)
    assert film.first.tobytes() != film.last.tobytes()


def test_the_start_picture_opens_the_film_and_the_end_picture_closes_it(real: Sandbox) -> None:
    generation = real.finish(
        duration_seconds=1, start_image_url=_data_url(RED), end_image_url=_data_url(BLUE)
    )
    film = _watch(real.download(generation).content)
    assert film.size == (480, 640), "the ratio follows the start picture"
    assert _is_near(film.first.getpixel((240, 100)), RED)
    assert _is_near(film.last.getpixel((240, 100)), BLUE)


def test_an_image_is_a_png_of_the_ordered_size(real: Sandbox) -> None:
    generation = real.finish("a fox", kind="image", resolution="720p", aspect_ratio="9:16")
    assert generation["result"]["content_type"] == "image/png"
    with Image.open(io.BytesIO(real.download(generation).content)) as picture:
        assert (picture.format, picture.size) == ("PNG", (720, 1280))


def test_the_same_prompt_gives_the_same_picture_and_another_prompt_another(real: Sandbox) -> None:
    fox, fox_again, owl = (
        real.download(real.finish(prompt, kind="image")).content
        for prompt in ("a fox", "a fox", "an owl")
    )
    assert fox == fox_again != owl


def test_an_image_can_stand_on_a_picture(real: Sandbox) -> None:
    generation = real.finish("a fox", kind="image", start_image_url=_data_url(RED))
    with Image.open(io.BytesIO(real.download(generation).content)) as picture:
        assert picture.size == (480, 640)
        assert _is_near(picture.getpixel((240, 100)), RED)


def test_a_start_picture_is_fetched_from_the_web(real: Sandbox, pictures_url: str) -> None:
    generation = real.finish(duration_seconds=1, start_image_url=f"{pictures_url}/red.png")
    assert _is_near(_watch(real.download(generation).content).first.getpixel((240, 100)), RED)


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("{pictures}/missing", "image_unavailable"),
        ("http://127.0.0.1:9/nobody.png", "image_unavailable"),
        ("{pictures}/page", "image_unreadable"),
        ("data:image/png;base64,!!!!", "image_unreadable"),
        ("data:image/png;base64,AAAA", "image_unreadable"),
        ("data:image/png", "image_unreadable"),
    ],
)
def test_a_picture_that_cannot_be_used_fails_the_generation(
    real: Sandbox, pictures_url: str, address: str, code: str
) -> None:
    generation = real.finish(start_image_url=address.format(pictures=pictures_url))
    assert generation["status"] == "failed"
    assert generation["error"]["code"] == code


def test_http_answers_while_both_workers_render(real: Sandbox) -> None:
    ids = [real.accept(resolution="720p")["id"] for _ in range(3)]
    looks = 0
    while real.show(ids[0])["status"] != "succeeded":
        looks += 1
    assert looks > 2


def test_a_cancelled_render_makes_room_for_the_next(real: Sandbox) -> None:
    for _ in range(4):
        generation = real.accept(resolution="1080p", duration_seconds=10)
        real.http.post(f"/v1/generations/{generation['id']}/cancel").raise_for_status()
    started = time.monotonic()
    assert real.finish(kind="image")["status"] == "succeeded"
    assert time.monotonic() - started < 5, "forty seconds of film were not rendered first"


def test_an_instant_render_is_shared_and_still_a_real_video(sandbox: Sandbox) -> None:
    first, second = (sandbox.download(sandbox.finish(p)).content for p in ("a fox", "an owl"))
    assert first == second
    assert len(first) < 100_000
    assert _watch(first).codec == "h264"


def test_a_caption_in_any_script_fits_the_frame() -> None:
    for text in ("a fox", "лиса " * 500, "x" * 4000, "line\nbreaks\tand   spaces"):
        painted = paint_caption(text, 480, 640)
        assert painted is not None
        strip, (left, top) = painted
        assert left >= 0
        assert top >= 640 // 2
        assert left + strip.width <= 480
        assert strip.getchannel("A").getextrema() == (0, 255)
    assert paint_caption("  ", 480, 640) is None


@pytest.fixture
def pictures_url() -> Iterator[str]:
    """A web server with one picture and one page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = {"/red.png": _png(RED), "/page": b"<html></html>"}.get(self.path)
            self.send_response(404 if found is None else 200)
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _watch(content: bytes) -> Film:
    with av.open(io.BytesIO(content), "r") as container:
        stream = container.streams.video[0]
        pictures = [
            frame.to_image()  # type: ignore[no-untyped-call]
            for frame in container.decode(stream)
        ]
        assert container.duration
        return Film(
            codec=stream.codec_context.name,
            pixel_format=str(stream.codec_context.pix_fmt),
            size=(stream.width, stream.height),
            duration_seconds=container.duration / 1_000_000,
            frames=len(pictures),
            first=pictures[0],
            last=pictures[-1],
        )


def _png(colour: tuple[int, int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (300, 400), colour).save(buffer, "PNG")
    return buffer.getvalue()


def _data_url(colour: tuple[int, int, int]) -> str:
    return "data:image/png;base64," + base64.b64encode(_png(colour)).decode()


def _is_near(pixel: object, colour: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(one - other) < 16 for one, other in zip(pixel, colour, strict=True))
