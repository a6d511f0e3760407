"""What the Media port owes: it believes pixels, not names, and no file takes more than a share."""

import io
import random
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import av
import pytest
from hypothesis import given, strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from shared.adapters.blobs.folder import FolderBlobs
from shared.adapters.media import PyavMedia
from shared.adapters.pictures import CLEAN_MAX_BYTES
from shared.adapters.system import SystemClock
from shared.ports import BadMedia, BlobInfo, MediaInfo, PictureFit, PictureInfo, SignedUpload
from tests.unit.adapters_vendor.videos import (
    box,
    edited,
    fragmented_mp4,
    heavy_mp4,
    video,
)

CANARY = b"canary-4f1d"


@dataclass
class Drawer:
    """Blobs in a folder, as far as Media asks for them."""

    folder: Path
    content_types: dict[str, str] = field(default_factory=dict)

    def lay(self, key: str, data: bytes) -> str:
        (self.folder / key).write_bytes(data)
        return key

    def open(self, key: str) -> BinaryIO:
        return (self.folder / key).open("rb")

    async def put(
        self, key: str, chunks: AsyncIterator[bytes], *, content_type: str, max_bytes: int
    ) -> BlobInfo:
        file = self.folder / key
        if not file.exists():
            file.write_bytes(b"".join([chunk async for chunk in chunks]))
            self.content_types[key] = content_type
        return BlobInfo(key, file.stat().st_size, self.content_types[key])

    async def head(self, key: str) -> BlobInfo | None:
        file = self.folder / key
        if not file.exists():
            return None
        return BlobInfo(key, file.stat().st_size, self.content_types[key])

    async def delete(self, key: str) -> None:
        raise NotImplementedError

    async def sign_upload(
        self, key: str, *, content_type: str, max_bytes: int, expires_seconds: int
    ) -> SignedUpload:
        raise NotImplementedError

    async def sign_download(self, key: str, *, filename: str | None, expires_seconds: int) -> str:
        raise NotImplementedError


@pytest.fixture
def drawer(tmp_path: Path) -> Drawer:
    return Drawer(tmp_path)


@pytest.fixture
def media(drawer: Drawer) -> PyavMedia:
    return PyavMedia(drawer)


async def cleaned(drawer: Drawer, data: bytes) -> tuple[PictureInfo, bytes]:
    drawer.lay("original", data)
    info = await PyavMedia(drawer).clean_picture("original", "clean")
    return info, (drawer.folder / "clean").read_bytes()


async def refusal(drawer: Drawer, data: bytes) -> str:
    """The code with which a picture is refused; nothing may be stored then."""
    with pytest.raises(BadMedia) as caught:
        await cleaned(drawer, data)
    assert not (drawer.folder / "clean").exists()
    return caught.value.code


async def looked_at(drawer: Drawer, data: bytes, kind: str = "video") -> MediaInfo:
    return await PyavMedia(drawer).inspect(drawer.lay("result", data), kind)


async def is_invalid(drawer: Drawer, data: bytes, kind: str = "video") -> bool:
    with pytest.raises(BadMedia) as caught:
        await looked_at(drawer, data, kind)
    return caught.value.code == "result_invalid"


# ---------------------------------------------------------------- pictures to feed it


def colourful(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    """Red on the left, blue on the right, so that a turn shows."""
    picture = Image.new("RGB", (width, height), (200, 20, 20))
    picture.paste((20, 20, 200), (width // 2, 0, width, height))
    return picture.convert(mode)


def noisy(width: int, height: int, mode: str = "RGB") -> Image.Image:
    size = width * height * len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, (width, height), random.Random(7).randbytes(size))


def saved(picture: Image.Image, file_format: str, **options: Any) -> bytes:
    written = io.BytesIO()
    picture.save(written, file_format, **options)
    return written.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    crc = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc)


def png_that_claims(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def exif_with(orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = CANARY.decode()
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.5)
    exif.get_ifd(0x8825)[29] = CANARY.decode()
    return exif.tobytes()


def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def is_red(pixel: Any) -> bool:
    red, _green, blue = pixel[:3]
    return bool(red > blue + 60)


REFUSED: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "not_an_image"),
    "a text called .jpg": (lambda: b"just some words\n" * 50, "not_an_image"),
    "a page": (lambda: b"<!doctype html><script>alert(1)</script>", "not_an_image"),
    "a PDF": (lambda: b"%PDF-1.7\n" + b"x" * 500, "not_an_image"),
    "a ZIP": (lambda: b"PK\x03\x04" + b"\0" * 500, "not_an_image"),
    "a film": (video, "not_an_image"),
    "a GIF called .png": (lambda: saved(colourful(), "GIF"), "unsupported_image_type"),
    "a BMP": (lambda: saved(colourful(), "BMP"), "unsupported_image_type"),
    "a TIFF": (lambda: saved(colourful(), "TIFF"), "unsupported_image_type"),
    "an ICO": (lambda: saved(colourful(), "ICO"), "unsupported_image_type"),
    "an AVIF": (lambda: b"\0\0\0\x1cftypavif" + b"\0" * 100, "unsupported_image_type"),
    "a HEIC": (lambda: b"\0\0\0\x18ftypheic" + b"\0" * 100, "unsupported_image_type"),
    "an SVG": (
        lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "unsupported_image_type",
    ),
    "an SVG behind a preamble": (
        lambda: b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "b">]><SVG/>',
        "unsupported_image_type",
    ),
    "a truncated JPEG": (lambda: saved(noisy(200, 200), "JPEG")[:5000], "not_an_image"),
    "a truncated PNG": (lambda: saved(noisy(100, 100), "PNG")[:5000], "not_an_image"),
    "a truncated WebP": (lambda: saved(noisy(100, 100), "WEBP")[:3000], "not_an_image"),
    "only the magic of a JPEG": (lambda: b"\xff\xd8\xff\xe0", "not_an_image"),
    "only the magic of a PNG": (lambda: b"\x89PNG\r\n\x1a\n", "not_an_image"),
    "only the magic of a WebP": (lambda: b"RIFF\x10\0\0\0WEBPVP8 ", "not_an_image"),
    "a PNG with a bad checksum": (
        lambda: saved(colourful(), "PNG").replace(b"IDAT", b"IDAT\xff", 1),
        "not_an_image",
    ),
    "a PNG that claims 60,000 × 60,000": (
        lambda: png_that_claims(60_000, 60_000),
        "image_too_many_pixels",
    ),
    "a PNG that claims 10,000 × 10,000": (
        lambda: png_that_claims(10_000, 10_000),
        "image_too_many_pixels",
    ),
    "a PNG that claims 41 megapixels": (
        lambda: png_that_claims(8_200, 5_000),
        "image_too_many_pixels",
    ),
    "a PNG that is a thread": (lambda: png_that_claims(1_000_000, 1), "image_too_many_pixels"),
    "a PNG without a width": (lambda: png_that_claims(0, 5), "not_an_image"),
    "a bomb of zeros": (
        lambda: saved(Image.new("L", (9_000, 9_000)), "PNG"),
        "image_too_many_pixels",
    ),
    "over ten megabytes": (
        lambda: saved(colourful(), "JPEG") + b"\0" * 10_000_000,
        "image_too_large",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_a_picture_that_is_none_of_ours_is_refused(drawer: Drawer, what: str) -> None:
    make, code = REFUSED[what]
    assert await refusal(drawer, make()) == code


def many_scans() -> bytes:
    """A progressive JPEG of 36 megapixels whose scans are all empty but cost a pass each."""
    data = saved(Image.new("L", (6_000, 6_000)), "JPEG", progressive=True)
    scans = data.index(b"\xff\xda")
    return data[:scans] + data[scans:-2] * 2_000 + data[-2:]


async def test_a_jpeg_of_endless_scans_is_refused_at_once(drawer: Drawer) -> None:
    data = many_scans()[:9_000_000]
    began = time.monotonic()
    assert await refusal(drawer, data) == "not_an_image"
    assert time.monotonic() - began < 1


ACCEPTED: Mapping[str, Callable[[], bytes]] = {
    "a JPEG": lambda: saved(colourful(), "JPEG"),
    "a progressive JPEG": lambda: saved(colourful(), "JPEG", progressive=True),
    "a grey JPEG": lambda: saved(colourful(mode="L"), "JPEG"),
    "a CMYK JPEG": lambda: saved(colourful(mode="CMYK"), "JPEG"),
    "a JPEG of several pictures": lambda: saved(
        colourful(), "MPO", save_all=True, append_images=[colourful()]
    ),
    "a PNG": lambda: saved(colourful(), "PNG"),
    "a PNG in black and white": lambda: saved(colourful(mode="1"), "PNG"),
    "a PNG of 16 bits": lambda: saved(Image.new("I;16", (64, 48), 40_000), "PNG"),
    "a PNG with a palette": lambda: saved(colourful(mode="P"), "PNG"),
    "a PNG with grey and alpha": lambda: saved(colourful(mode="LA"), "PNG"),
    "a moving PNG": lambda: saved(
        colourful(), "PNG", save_all=True, append_images=[colourful(mode="L")]
    ),
    "a WebP": lambda: saved(colourful(), "WEBP"),
    "a lossless WebP with alpha": lambda: saved(colourful(mode="RGBA"), "WEBP", lossless=True),
    "a moving WebP": lambda: saved(
        colourful(), "WEBP", save_all=True, append_images=[colourful().rotate(180)]
    ),
}


@pytest.mark.parametrize("what", ACCEPTED)
async def test_a_good_picture_is_stored_anew_in_its_format(drawer: Drawer, what: str) -> None:
    data = ACCEPTED[what]()
    info, clean = await cleaned(drawer, data)
    assert (info.width, info.height) == (64, 48)
    assert info.size_bytes == len(clean)
    with Image.open(io.BytesIO(clean)) as again:
        again.load()
        assert again.size == (64, 48)
        assert getattr(again, "n_frames", 1) == 1
        assert again.mode in {"L", "RGB", "RGBA"}
        assert f"image/{str(again.format).lower()}" == info.content_type
    with Image.open(io.BytesIO(data)) as before:
        assert str(before.format).replace("MPO", "JPEG") == again.format


async def test_sixteen_bits_of_grey_become_eight_and_not_white(drawer: Drawer) -> None:
    _info, clean = await cleaned(drawer, saved(Image.new("I;16", (8, 8), 0x8000), "PNG"))
    assert Image.open(io.BytesIO(clean)).getpixel((4, 4)) == 128


async def test_cmyk_keeps_its_colours(drawer: Drawer) -> None:
    _info, clean = await cleaned(drawer, saved(colourful(mode="CMYK"), "JPEG"))
    assert is_red(Image.open(io.BytesIO(clean)).getpixel((4, 4)))


@pytest.mark.parametrize("mode", ["P", "RGB", "L"])
async def test_a_transparent_colour_stays_transparent(drawer: Drawer, mode: str) -> None:
    picture = Image.new(mode, (8, 8))
    clear: Any = (0, 0, 0) if mode == "RGB" else 0
    _info, clean = await cleaned(drawer, saved(picture, "PNG", transparency=clear))
    pixel: Any = Image.open(io.BytesIO(clean)).getpixel((4, 4))
    assert pixel[3] == 0


WITH_NOTES: Mapping[str, Callable[[], bytes]] = {
    "JPEG": lambda: saved(
        colourful(),
        "JPEG",
        exif=exif_with(),
        icc_profile=profile() + CANARY,
        comment=CANARY,
        xmp=b"<x:xmpmeta>" + CANARY + b"</x:xmpmeta>",
        dpi=(301, 301),
    ),
    "PNG": lambda: saved(
        colourful(),
        "PNG",
        exif=exif_with(),
        icc_profile=profile() + CANARY,
        pnginfo=png_notes(),
        dpi=(301, 301),
    ),
    "WEBP": lambda: saved(
        colourful(),
        "WEBP",
        exif=exif_with(),
        icc_profile=profile() + CANARY,
        xmp=b"<x:xmpmeta>" + CANARY + b"</x:xmpmeta>",
    ),
}


def png_notes() -> PngImagePlugin.PngInfo:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", CANARY.decode())
    notes.add_itxt("XML:com.adobe.xmp", CANARY.decode())
    return notes


@pytest.mark.parametrize("file_format", WITH_NOTES)
async def test_no_note_survives(drawer: Drawer, file_format: str) -> None:
    data = WITH_NOTES[file_format]()
    assert CANARY in data
    _info, clean = await cleaned(drawer, data)
    for trace in (CANARY, b"Exif", b"eXIf", b"EXIF", b"ICC", b"iCCP", b"xmp", b"tEXt", b"pHYs"):
        assert trace not in clean
    with Image.open(io.BytesIO(clean)) as again:
        assert not again.getexif()
        assert not {"icc_profile", "xmp", "exif", "comment"} & set(again.info)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
async def test_a_tail_is_cut_off(drawer: Drawer, file_format: str) -> None:
    tail = b"PK\x03\x04/*" + CANARY + b"*/alert(1);<script>"
    _info, clean = await cleaned(drawer, saved(colourful(), file_format) + tail)
    assert CANARY not in clean


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_picture_is_turned_upright(
    drawer: Drawer, file_format: str, orientation: int
) -> None:
    """Its notes say how the camera was held; a viewer shows red on the left of all of them."""
    held = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = colourful()
    picture = upright.transpose(held[orientation]) if orientation in held else upright
    data = saved(picture, file_format, exif=exif_with(orientation))
    info, clean = await cleaned(drawer, data)
    assert (info.width, info.height) == (64, 48)
    again = Image.open(io.BytesIO(clean))
    assert is_red(again.getpixel((5, 24)))
    assert not is_red(again.getpixel((58, 24)))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
async def test_notes_that_cannot_be_read_cost_only_the_turn(drawer: Drawer) -> None:
    broken = b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\xff" * 40
    info, _clean = await cleaned(drawer, saved(colourful(), "JPEG", exif=broken))
    assert (info.width, info.height) == (64, 48)


async def test_a_heavy_jpeg_is_written_lighter_rather_than_refused(drawer: Drawer) -> None:
    data = saved(noisy(5_000, 5_000), "JPEG", quality=35)
    assert len(data) < 10_000_000
    info, _clean = await cleaned(drawer, data)
    assert info.size_bytes <= CLEAN_MAX_BYTES


async def test_what_is_stored_first_stays(drawer: Drawer, media: PyavMedia) -> None:
    _info, first = await cleaned(drawer, saved(colourful(), "PNG"))
    drawer.lay("original", saved(noisy(64, 48), "PNG"))
    info = await media.clean_picture("original", "clean")
    assert (drawer.folder / "clean").read_bytes() == first
    assert info.size_bytes == len(first)


async def test_the_same_holds_in_a_real_store(tmp_path: Path) -> None:
    async def upload() -> AsyncIterator[bytes]:
        yield saved(colourful(), "PNG")

    blobs = FolderBlobs(
        tmp_path, base_url="http://127.0.0.1", secret=b"s" * 32, clock=SystemClock()
    )
    await blobs.put("original", upload(), content_type="image/png", max_bytes=10_000)
    media = PyavMedia(blobs)
    info = await media.clean_picture("original", "clean")
    assert await media.clean_picture("original", "clean") == info
    assert await blobs.head("clean") == BlobInfo("clean", info.size_bytes, "image/png")
    assert (await media.inspect("clean", "image")).width == 64


async def test_a_picture_that_is_not_there_is_not_a_bad_picture(media: PyavMedia) -> None:
    with pytest.raises(FileNotFoundError):
        await media.clean_picture("nowhere", "clean")
    with pytest.raises(FileNotFoundError):
        await media.inspect("nowhere", "video")


GOOD = {name: saved(noisy(40, 30), name) for name in ("JPEG", "PNG", "WEBP")}


@given(st.sampled_from(sorted(GOOD)), st.data())
async def test_whatever_the_bytes_a_picture_is_clean_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    raw = bytearray(GOOD[name])
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    drawer = Drawer(tmp_path_factory.mktemp("fuzz"))
    try:
        info, _clean = await cleaned(drawer, bytes(raw))
    except BadMedia as bad:
        code = bad.code
    else:
        code = ""
        assert info.size_bytes
    assert code in {
        "",
        "not_an_image",
        "unsupported_image_type",
        "image_too_many_pixels",
        "image_too_large",
    }


# ---------------------------------------------------------------- pictures for a vendor

ANY = ("image/jpeg", "image/png", "image/webp")
WIDE = PictureFit(ANY, side_max_px=16_383, max_bytes=10_000_000)


async def fitted(drawer: Drawer, data: bytes, fit: PictureFit) -> Image.Image:
    """What a checked picture becomes; the bytes are what they are called."""
    drawer.lay("checked", data)
    await PyavMedia(drawer).fit_picture("checked", "fitted", fit)
    stored = (drawer.folder / "fitted").read_bytes()
    assert len(stored) <= fit.max_bytes
    picture = Image.open(io.BytesIO(stored))
    picture.load()
    content_type = f"image/{str(picture.format).lower()}"
    assert content_type == drawer.content_types["fitted"]
    assert content_type in fit.types
    return picture


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
async def test_a_picture_that_fits_keeps_its_format_and_its_size(
    drawer: Drawer, file_format: str
) -> None:
    picture = await fitted(drawer, saved(colourful(), file_format), WIDE)
    assert (picture.format, picture.size) == (file_format, (64, 48))


@pytest.mark.parametrize("types", [("image/png",), ("image/jpeg", "image/png"), ("image/webp",)])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
async def test_a_picture_becomes_a_type_that_the_vendor_takes(
    drawer: Drawer, file_format: str, types: tuple[str, ...]
) -> None:
    own = f"image/{file_format.lower()}"
    fit = replace(WIDE, types=types)
    picture = await fitted(drawer, saved(colourful(), file_format), fit)
    assert drawer.content_types["fitted"] == (own if own in types else types[0])
    assert picture.size == (64, 48)
    assert is_red(picture.convert("RGB").getpixel((5, 24)))
    assert not is_red(picture.convert("RGB").getpixel((58, 24)))


async def test_what_shines_through_becomes_white_where_nothing_can(drawer: Drawer) -> None:
    clear = saved(Image.new("RGBA", (64, 48), (0, 0, 0, 0)), "PNG")
    picture = await fitted(drawer, clear, replace(WIDE, types=("image/jpeg",)))
    assert picture.getpixel((30, 20)) == (255, 255, 255)


def framed(width: int, height: int, inner: tuple[int, int]) -> Image.Image:
    """Blue, with a red rectangle of this size in the middle."""
    picture = Image.new("RGB", (width, height), (20, 20, 200))
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    picture.paste((200, 20, 20), (left, top, left + inner[0], top + inner[1]))
    return picture


@pytest.mark.parametrize(
    ("ratio", "size"),
    [
        ("1:1", (300, 300)),
        ("16:9", (400, 225)),
        ("9:16", (168, 300)),
        ("3:4", (225, 300)),
        ("4:3", (400, 300)),
        ("21:9", (400, 171)),
    ],
)
async def test_a_picture_is_cut_to_the_ratio_around_its_middle(
    drawer: Drawer, ratio: str, size: tuple[int, int]
) -> None:
    fit = replace(WIDE, aspect_ratio=ratio)
    picture = await fitted(drawer, saved(framed(400, 300, size), "PNG"), fit)
    assert picture.size == size
    width, height = size
    for corner in ((0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)):
        assert is_red(picture.getpixel(corner))


@given(
    size=st.tuples(st.integers(1, 200), st.integers(1, 200)),
    ratio=st.sampled_from(["1:1", "16:9", "9:16", "3:4", "21:9", "100:1"]),
    side_max_px=st.integers(1, 200),
)
async def test_whatever_its_shape_a_picture_is_cut_and_made_smaller(
    tmp_path_factory: pytest.TempPathFactory, size: tuple[int, int], ratio: str, side_max_px: int
) -> None:
    data = saved(Image.new("RGB", size), "PNG")
    cut = replace(WIDE, aspect_ratio=ratio)
    picture = await fitted(Drawer(tmp_path_factory.mktemp("cut")), data, cut)
    across, down = map(int, ratio.split(":"))
    assert abs(picture.width * down - picture.height * across) < max(across, down)
    assert picture.width == size[0] or picture.height == size[1]
    small = replace(cut, side_max_px=side_max_px)
    smaller = await fitted(Drawer(tmp_path_factory.mktemp("small")), data, small)
    assert max(smaller.size) == min(max(picture.size), side_max_px)


async def test_a_picture_is_no_longer_than_the_vendor_takes(drawer: Drawer) -> None:
    fit = replace(WIDE, side_max_px=160)
    picture = await fitted(drawer, saved(colourful(640, 480), "JPEG"), fit)
    assert picture.size == (160, 120)
    assert is_red(picture.getpixel((10, 60)))
    assert not is_red(picture.getpixel((150, 60)))


async def test_a_small_picture_is_not_made_larger(drawer: Drawer) -> None:
    picture = await fitted(drawer, saved(colourful(), "PNG"), replace(WIDE, side_max_px=640))
    assert picture.size == (64, 48)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
async def test_a_picture_of_too_many_bytes_is_made_smaller(
    drawer: Drawer, file_format: str
) -> None:
    data = saved(noisy(400, 300), file_format)
    fit = replace(WIDE, max_bytes=20_000)
    assert len(data) > fit.max_bytes
    picture = await fitted(drawer, data, fit)
    assert max(picture.size) < 400
    assert picture.width / picture.height == pytest.approx(4 / 3, rel=0.05)


async def test_a_picture_that_is_too_large_in_every_size_is_refused(drawer: Drawer) -> None:
    with pytest.raises(BadMedia) as caught:
        await fitted(drawer, saved(noisy(400, 300), "PNG"), replace(WIDE, max_bytes=10))
    assert caught.value.code == "not_an_image"
    assert await drawer.head("fitted") is None


async def test_a_picture_that_was_fitted_stays_as_it_is(drawer: Drawer, media: PyavMedia) -> None:
    await fitted(drawer, saved(colourful(), "PNG"), WIDE)
    stored = (drawer.folder / "fitted").read_bytes()
    drawer.lay("checked", saved(noisy(80, 80), "JPEG"))
    await media.fit_picture("checked", "fitted", replace(WIDE, side_max_px=10))
    assert (drawer.folder / "fitted").read_bytes() == stored
    assert drawer.content_types["fitted"] == "image/png"


async def test_a_picture_that_was_fitted_does_not_need_the_first_any_more(
    drawer: Drawer, media: PyavMedia
) -> None:
    await fitted(drawer, saved(colourful(), "PNG"), WIDE)
    await media.fit_picture("nowhere", "fitted", WIDE)


@pytest.mark.parametrize("what", ["nothing", "a page", "a film", "a truncated PNG"])
async def test_what_is_no_picture_cannot_be_fitted(drawer: Drawer, what: str) -> None:
    with pytest.raises(BadMedia) as caught:
        await fitted(drawer, REFUSED[what][0](), WIDE)
    assert caught.value.code == "not_an_image"
    assert await drawer.head("fitted") is None


async def test_a_stored_picture_is_loaded_up_to_a_limit(drawer: Drawer, media: PyavMedia) -> None:
    data = saved(colourful(), "PNG")
    drawer.lay("picture", data)
    assert await media.load("picture", len(data)) == data
    with pytest.raises(BadMedia) as caught:
        await media.load("picture", len(data) - 1)
    assert caught.value.code == "image_too_large"


async def test_a_picture_that_is_not_there_is_neither_fitted_nor_loaded(
    drawer: Drawer, media: PyavMedia
) -> None:
    with pytest.raises(FileNotFoundError):
        await media.fit_picture("nowhere", "fitted", WIDE)
    with pytest.raises(FileNotFoundError):
        await media.load("nowhere", 100)
    assert await drawer.head("fitted") is None


async def test_pictures_are_fitted_and_loaded_in_a_real_store(tmp_path: Path) -> None:
    async def upload() -> AsyncIterator[bytes]:
        yield saved(colourful(400, 300), "PNG")

    blobs = FolderBlobs(
        tmp_path, base_url="http://127.0.0.1", secret=b"s" * 32, clock=SystemClock()
    )
    await blobs.put("checked", upload(), content_type="image/png", max_bytes=10_000)
    media, fit = PyavMedia(blobs), PictureFit(("image/jpeg",), 100, 50_000, "1:1")
    await media.fit_picture("checked", "fitted", fit)
    loaded = await media.load("fitted", fit.max_bytes)
    assert Image.open(io.BytesIO(loaded)).size == (100, 100)
    assert await blobs.head("fitted") == BlobInfo("fitted", len(loaded), "image/jpeg")
    await media.fit_picture("checked", "fitted", fit)


# ---------------------------------------------------------------- results


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
async def test_a_picture_result_is_described(drawer: Drawer, file_format: str) -> None:
    info = await looked_at(drawer, saved(colourful(1280, 960), file_format), "image")
    assert (info.width, info.height, info.duration_seconds) == (1280, 960, None)
    assert info.content_type == f"image/{file_format.lower()}"
    thumbnail = Image.open(io.BytesIO(info.thumbnail_jpeg))
    assert (thumbnail.format, thumbnail.size) == ("JPEG", (640, 480))


async def test_a_small_picture_keeps_its_size_and_shows_white_through(drawer: Drawer) -> None:
    clear = Image.new("RGBA", (50, 70), (0, 0, 0, 0))
    info = await looked_at(drawer, saved(clear, "PNG"), "image")
    thumbnail = Image.open(io.BytesIO(info.thumbnail_jpeg))
    assert thumbnail.size == (50, 70)
    assert thumbnail.getpixel((9, 9)) == (255, 255, 255)


@pytest.mark.parametrize("what", [name for name in REFUSED if name != "over ten megabytes"])
async def test_a_picture_result_that_is_none_is_invalid(drawer: Drawer, what: str) -> None:
    assert await is_invalid(drawer, REFUSED[what][0](), "image")


FILMS = {
    "H.264 in MP4": ("libx264", "mp4", "video/mp4"),
    "H.265 in MP4": ("libx265", "mp4", "video/mp4"),
    "AV1 in MP4": ("libsvtav1", "mp4", "video/mp4"),
    "VP9 in MP4": ("libvpx-vp9", "mp4", "video/mp4"),
    "VP9 in WebM": ("libvpx-vp9", "webm", "video/webm"),
    "AV1 in WebM": ("libsvtav1", "webm", "video/webm"),
}


@pytest.mark.parametrize("what", FILMS)
async def test_a_film_is_described_by_its_first_frame(drawer: Drawer, what: str) -> None:
    codec, container, content_type = FILMS[what]
    info = await looked_at(drawer, video(codec, container, 1280, 720))
    assert (info.content_type, info.width, info.height) == (content_type, 1280, 720)
    assert info.duration_seconds == pytest.approx(1.0, abs=0.11)
    thumbnail = Image.open(io.BytesIO(info.thumbnail_jpeg))
    assert (thumbnail.format, thumbnail.size) == ("JPEG", (640, 360))
    assert is_red(thumbnail.getpixel((20, 180)))


async def test_a_film_may_come_in_fragments(drawer: Drawer) -> None:
    info = await looked_at(drawer, video(movflags="frag_keyframe+empty_moov"))
    assert info.width == 320


async def test_a_film_may_have_sound(drawer: Drawer) -> None:
    info = await looked_at(drawer, video(has_sound=True))
    assert info.width == 320


async def test_an_upright_film_has_an_upright_thumbnail(drawer: Drawer) -> None:
    info = await looked_at(drawer, video(width=720, height=1280))
    assert Image.open(io.BytesIO(info.thumbnail_jpeg)).size == (640, 1138)


def only(box_type: bytes, body: Callable[[bytes], bytes | None]) -> bytes:
    """A film with all boxes of one type rewritten or, by None, left out."""
    return edited(video(), lambda t, b: body(b) if t == box_type else b)


def declaring(samples: int) -> bytes:
    """A film whose index has no entries and declares very many."""
    tables = {
        b"stsz": struct.pack(">III", 0, 1, samples),
        b"stsc": struct.pack(">IIIII", 0, 1, 1, samples, 1),
        b"stts": struct.pack(">IIII", 0, 1, samples, 1),
    }
    return edited(video(), lambda t, b: tables.get(t, None if t in {b"stss", b"ctts"} else b))


def with_keys(count: int) -> bytes:
    handler = box(b"hdlr", b"\0" * 8 + b"mdta" + b"\0" * 13)
    keys = box(b"keys", struct.pack(">II", 0, count) + struct.pack(">I4sI", 12, b"mdta", 0))
    return edited(video(), lambda t, b: b + box(b"meta", handler + keys) if t == b"moov" else b)


def in_padding(mp4: bytes) -> bytes:
    """The same index, disguised as padding so that FFmpeg still finds it."""
    return mp4.replace(b"moov", b"free")


def hls() -> bytes:
    return b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"


INVALID: Mapping[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "a page": lambda: b"<!doctype html><html>expired</html>",
    "a picture": lambda: saved(colourful(), "PNG"),
    "a playlist": hls,
    "a playlist behind the magic of an MP4": lambda: b"\0\0\0\x18ftypmp42" + hls(),
    "an AVI": lambda: video("mpeg4", "avi"),
    "MPEG-4 in MP4": lambda: video("mpeg4", "mp4"),
    "VP8 in WebM": lambda: video("libvpx", "webm"),
    "only sound": lambda: video(has_pictures=False, has_sound=True),
    "only the beginning": lambda: video()[:600],
    "a film without its media": lambda: edited(video(), lambda t, b: b"" if t == b"mdat" else b),
    "noise for media": lambda: only(b"mdat", lambda b: random.Random(1).randbytes(len(b))),
    "no index": lambda: only(b"moov", lambda b: None),
    "a film of 11 minutes": lambda: video(frames=12, rate="1/60"),
    "a film of 8 pixels": lambda: video(width=8, height=8),
    "a film wider than any screen": lambda: video("libvpx-vp9", "webm", 4_400, 64, frames=1),
    "an index of 30 million samples": lambda: declaring(30_000_000),
    "an index of 4 billion samples": lambda: declaring(2**32 - 1),
    "a fragment of 30 million samples": lambda: fragmented_mp4(30_000_000),
    "an index in the padding": lambda: in_padding(video()),
    "a box longer than the file": lambda: video() + b"\xff\xff\xff\xffmoov",
    "a box shorter than its header": lambda: video() + b"\0\0\0\x04moov",
    "five thousand boxes": lambda: video() + box(b"free", b"") * 5_000,
    "an index of nine megabytes": lambda: video() + box(b"udta", b"\0" * 9_000_000),
}


@pytest.mark.parametrize("what", INVALID)
async def test_a_film_that_is_none_is_invalid(drawer: Drawer, what: str) -> None:
    data = INVALID[what]()
    began = time.monotonic()
    assert await is_invalid(drawer, data)
    assert time.monotonic() - began < 2


async def test_notes_that_burst_are_passed_over(drawer: Drawer) -> None:
    assert (await looked_at(drawer, with_keys(200_000_000))).width == 320


@pytest.mark.parametrize("container", ["mp4", "webm"])
@pytest.mark.parametrize("good_reads", [1, 2])
async def test_a_store_that_fails_is_not_a_bad_film(
    drawer: Drawer, container: str, good_reads: int
) -> None:
    class Failing(io.BytesIO):
        reads = 0

        def read(self, size: int | None = -1) -> bytes:
            self.reads += 1
            if self.reads > good_reads:
                raise ConnectionResetError("the bucket went away")
            return super().read(min(size or 0, 200))

    class Bucket(Drawer):
        def open(self, key: str) -> BinaryIO:
            codec = "libx264" if container == "mp4" else "libvpx-vp9"
            return Failing(video(codec, container))

    with pytest.raises(ConnectionResetError):
        await PyavMedia(Bucket(drawer.folder)).inspect("result", "video")


@given(st.sampled_from(["mp4", "webm"]), st.data())
async def test_whatever_the_bytes_a_film_is_described_or_invalid(
    tmp_path_factory: pytest.TempPathFactory, container: str, data: st.DataObject
) -> None:
    raw = bytearray(video("libx264" if container == "mp4" else "libvpx-vp9", container))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    drawer = Drawer(tmp_path_factory.mktemp("fuzz"))
    try:
        info = await looked_at(drawer, bytes(raw))
    except BadMedia as bad:
        code = bad.code
    else:
        code = ""
        assert info.thumbnail_jpeg
    assert code in {"", "result_invalid"}


BURSTING: Mapping[str, Callable[[], bytes]] = {
    "an index of 30 million samples": lambda: declaring(30_000_000),
    "a fragment of 30 million samples": lambda: fragmented_mp4(30_000_000),
    "30 million samples in the padding": lambda: in_padding(declaring(30_000_000)),
    "200 million notes": lambda: with_keys(200_000_000),
}

MEASURE = """
import asyncio, sys
from pathlib import Path
from shared.adapters.media import PyavMedia
from shared.ports import BadMedia
from tests.contract.test_media import Drawer

def peak_kb():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])

async def main(folder):
    media = PyavMedia(Drawer(Path(folder)))
    await media.inspect("small", "video")
    before_kb = peak_kb()
    try:
        width = (await media.inspect("large", "video")).width
    except BadMedia:
        width = 0
    print(peak_kb() - before_kb, width)

asyncio.run(main(sys.argv[1]))
"""


def measured(drawer: Drawer) -> tuple[int, int]:
    """By how many kilobytes a fresh process grows over the film called large, and its width."""
    drawer.lay("small", video())
    ran = subprocess.run(
        [sys.executable, "-c", MEASURE, str(drawer.folder)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    grown_kb, width = map(int, ran.stdout.split())
    return grown_kb, width


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="reads the peak of memory from /proc"
)


@needs_proc
@pytest.mark.parametrize("place", ["before", "behind"])
def test_a_film_of_500_megabytes_takes_less_than_64(drawer: Drawer, place: str) -> None:
    file = drawer.folder / "large"
    heavy_mp4(file, size_bytes=500_000_000, has_index_first=place == "before")
    assert file.stat().st_size > 500_000_000
    grown_kb, width = measured(drawer)
    assert width == 1920
    assert grown_kb < 64_000


@needs_proc
@pytest.mark.parametrize("what", BURSTING)
def test_a_film_of_three_kilobytes_does_not_burst(drawer: Drawer, what: str) -> None:
    data = BURSTING[what]()
    assert len(data) < 3_000
    drawer.lay("large", data)
    grown_kb, _width = measured(drawer)
    assert grown_kb < 16_000


def test_the_films_here_are_what_they_are_called() -> None:
    with av.open(io.BytesIO(video())) as container:
        assert container.streams.video[0].codec_context.name == "h264"
