"""Decoding pictures of others: known formats only, bounded before anything is unpacked.

Pillow is imported at first use, because most processes never see a picture.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from shared.media_types import sniff
from shared.models import cut_size
from shared.ports import BadMedia, PictureFit

if TYPE_CHECKING:
    from PIL.Image import Image

PIXELS_MAX = 40_000_000
# What all three formats can be written with.
SIDE_MAX_PX = 16_383
JPEG_SCANS_MAX = 100
THUMBNAIL_WIDTH_MAX_PX = 640
THUMBNAIL_QUALITY = 80
CLEAN_MAX_BYTES = 20_000_000

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}

# Tried in turn until the clean picture is small enough.
_JPEG_QUALITIES = (95, 88, 75)
_WEBP_QUALITY = 95
_SHRINKS_MAX = 12

# Pictures that people do have and that we do not take. Anything else is no picture to us.
_OTHER_PICTURES = (b"GIF8", b"BM", b"II*\0", b"MM\0*", b"\0\0\1\0", b"8BPS")
_OTHER_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1")

_EXIF_ORIENTATION = 0x0112
# What to do for each orientation, in the words of Pillow's Transpose.
_UPRIGHT: Mapping[object, str] = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


def content_type_of(data: bytes) -> str:
    """What a picture is by its content. Raises `BadMedia`."""
    content_type = sniff(data, "image")
    if content_type is not None:
        return content_type
    is_heif = data[4:8] == b"ftyp" and data[8:12] in _OTHER_BRANDS
    if data.startswith(_OTHER_PICTURES) or is_heif or b"<svg" in data[:1024].lower():
        raise BadMedia("unsupported_image_type", "neither JPEG nor PNG nor WebP")
    raise BadMedia("not_an_image", "no picture begins like this")


def decode(data: bytes, content_type: str) -> "Image":
    """The whole picture, upright; of a moving one its first frame. Raises `BadMedia`."""
    from PIL import Image

    # Only a marker has this byte pair in a JPEG. Each scan passes over all pixels again, so a small
    # file with thousands of empty ones would keep a processor busy for hours.
    if content_type == "image/jpeg" and data.count(b"\xff\xda") > JPEG_SCANS_MAX:
        raise BadMedia("not_an_image", "too many scans")
    with _stumbles():
        picture = Image.open(io.BytesIO(data), formats=[_FORMATS[content_type]])
    width, height = picture.size
    if width * height > PIXELS_MAX or max(width, height) > SIDE_MAX_PX:
        raise BadMedia("image_too_many_pixels", f"{width} × {height}")
    with _stumbles():
        picture.load()
    return _upright(picture)


def encode_clean(picture: "Image", content_type: str) -> bytes:
    """The pixels in the same format and nothing else: no EXIF, no profile, no comment, no tail.
    Raises `BadMedia`."""
    is_jpeg = content_type == "image/jpeg"
    plain = _plain(picture, may_be_transparent=not is_jpeg)
    for quality in _JPEG_QUALITIES if is_jpeg else (_WEBP_QUALITY,):
        written = io.BytesIO()
        plain.save(written, _FORMATS[content_type], quality=quality)
        if written.tell() <= CLEAN_MAX_BYTES:
            return written.getvalue()
    raise BadMedia("image_too_large", "too large when written anew")


def fitted(picture: "Image", fit: PictureFit) -> "Image":
    """Cut around its middle to the ratio that is wanted, and no longer than is allowed."""
    if fit.aspect_ratio is not None:
        picture = picture.crop(_middle(picture.size, fit.aspect_ratio))
    longest = max(picture.size)
    if longest <= fit.side_max_px:
        return picture
    width, height = (max(1, side * fit.side_max_px // longest) for side in picture.size)
    return picture.resize((width, height))


def encode_fitted(picture: "Image", content_type: str, fit: PictureFit) -> tuple[bytes, str]:
    """The picture in its own format if that is wanted, otherwise in the first that is; in a smaller
    size if it takes too many bytes. With its content type. Raises `BadMedia`."""
    if content_type not in fit.types:
        content_type = fit.types[0]
        picture = _on_white(picture) if content_type == "image/jpeg" else picture
    for _ in range(_SHRINKS_MAX):
        data = encode_clean(picture, content_type)
        if len(data) <= fit.max_bytes:
            return data, content_type
        picture = picture.resize((max(1, picture.width * 4 // 5), max(1, picture.height * 4 // 5)))
    raise BadMedia("not_an_image", "too large in every size")


def _middle(size: tuple[int, int], aspect_ratio: str) -> tuple[int, int, int, int]:
    width, height = size
    wanted_width, wanted_height = cut_size(width, height, aspect_ratio)
    left, top = (width - wanted_width) // 2, (height - wanted_height) // 2
    return left, top, left + wanted_width, top + wanted_height


def thumbnail_jpeg(picture: "Image") -> bytes:
    """A JPEG of at most 640 pixels' width, with transparent parts white."""
    small = _plain(picture, may_be_transparent=True)
    width = min(THUMBNAIL_WIDTH_MAX_PX, small.width)
    small = small.resize((width, max(1, round(small.height * width / small.width))))
    written = io.BytesIO()
    _on_white(small).convert("RGB").save(written, "JPEG", quality=THUMBNAIL_QUALITY)
    return written.getvalue()


def _on_white(picture: "Image") -> "Image":
    """The picture with nothing shining through."""
    from PIL import Image

    plain = _plain(picture, may_be_transparent=True)
    if plain.mode != "RGBA":
        return plain
    return Image.alpha_composite(Image.new("RGBA", plain.size, "white"), plain)


@contextmanager
def _stumbles() -> Iterator[None]:
    """Decoders raise whatever the bytes make them stumble over: all of it means the bytes."""
    from PIL import Image

    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadMedia("image_too_many_pixels", "far too many pixels") from error
    except MemoryError:
        raise
    except Exception as error:
        raise BadMedia("not_an_image", f"does not decode: {type(error).__name__}") from error


def _upright(picture: "Image") -> "Image":
    from PIL import Image

    try:
        turn = _UPRIGHT.get(picture.getexif().get(_EXIF_ORIENTATION))
    except Exception:  # noqa: BLE001 - notes that cannot be read say nothing about the pixels
        turn = None
    return picture.transpose(Image.Transpose[turn]) if turn else picture


def _plain(picture: "Image", *, may_be_transparent: bool) -> "Image":
    """Eight bits, grey or in colours, and without the notes that Pillow would write along."""
    if picture.mode.startswith(("I", "F")):
        # Sixteen bits: Pillow would cut off at 255 what must be scaled.
        picture = picture.convert("I").point(lambda level: level * (1 / 256)).convert("L")
    if may_be_transparent and picture.has_transparency_data:
        mode = "RGBA"
    else:
        mode = "L" if picture.mode in {"1", "L", "LA"} else "RGB"
    plain = picture if picture.mode == mode else picture.convert(mode)
    plain.info = {}
    return plain
