"""What a frame is made of: its size, the picture or gradient behind it, and the caption in front.

Pillow is imported where it is used, so that the service starts quickly.
"""

import base64
import binascii
import colorsys
import hashlib
import io
from collections.abc import Mapping
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

SHORT_SIDE: Mapping[str, int] = {"480p": 480, "720p": 720, "1080p": 1080}
RATIOS: Mapping[str, tuple[int, int]] = {
    "16:9": (16, 9),
    "9:16": (9, 16),
    "1:1": (1, 1),
    "3:4": (3, 4),
    "4:3": (4, 3),
}
DEFAULT_RATIO = "16:9"
PICTURE_MAX_PIXELS = 50_000_000
CAPTION_LINES_MAX = 4
_FONTS = (
    "DejaVuSans-Bold.ttf",
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "Arial.ttf",
    "Helvetica.ttc",
)
LIGHTS = 14
_SKETCH_SIDE = 192


class UnreadablePicture(ValueError):
    """Bytes that are not a picture that the vendor can use."""


def frame_size(
    resolution: str, aspect_ratio: str | None, picture: "Image | None"
) -> tuple[int, int]:
    """Width and height in even pixels; without a ratio, the one nearest to the picture's."""
    if aspect_ratio is None:
        aspect_ratio = _nearest_ratio(picture) if picture else DEFAULT_RATIO
    wide, high = RATIOS[aspect_ratio]
    scale = SHORT_SIDE[resolution] / min(wide, high)
    return round(wide * scale / 2) * 2, round(high * scale / 2) * 2


def open_picture(content: bytes) -> "Image":
    """The picture in these bytes, upright and in RGB; raises UnreadablePicture."""
    from PIL import Image, ImageOps

    try:
        picture = Image.open(io.BytesIO(content))
        if picture.width * picture.height > PICTURE_MAX_PIXELS:
            raise UnreadablePicture("the picture has too many pixels")
        picture.draft("RGB", (2560, 2560))
        return ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadablePicture(f"the picture cannot be read: {error}") from error


def read_data_url(url: str) -> bytes:
    """The bytes of a `data:image/...` address; raises UnreadablePicture."""
    head, comma, payload = url.partition(",")
    if not comma:
        raise UnreadablePicture("the data address has no payload")
    if not head.endswith(";base64"):
        return unquote_to_bytes(payload)
    try:
        return base64.b64decode(payload, validate=True)
    except binascii.Error as error:
        raise UnreadablePicture("the data address is not valid base64") from error


def cover(picture: "Image", width: int, height: int) -> "Image":
    """The middle of the picture, scaled to fill the whole frame."""
    from PIL import Image, ImageOps

    return ImageOps.fit(picture, (width, height), Image.Resampling.BICUBIC)


def paint_background(prompt: str, width: int, height: int) -> "Image":
    """A soft gradient with a few lights, always the same for the same prompt.

    It is drawn small and scaled up, which costs little and makes it smooth.
    """
    from PIL import Image, ImageChops

    chance = Random(hashlib.sha256(prompt.encode()).digest())
    hue = chance.random()
    dark, light, glow = (
        _colour(hue, 0.75, 0.30),
        _colour(hue + chance.uniform(0.08, 0.20), 0.60, 0.85),
        _colour(hue + chance.uniform(0.40, 0.60), 0.50, 0.95),
    )
    size = (_SKETCH_SIDE, _SKETCH_SIDE)
    turned = Image.linear_gradient("L").rotate(chance.choice((0, 30, 150, 210)))
    slope = turned.crop(_middle_box(turned.width, turned.height, 0.68)).resize(size)
    sketch = Image.composite(Image.new("RGB", size, light), Image.new("RGB", size, dark), slope)
    for _ in range(3):
        side = chance.randint(_SKETCH_SIDE // 2, _SKETCH_SIDE)
        spot = ImageChops.invert(Image.radial_gradient("L").resize((side, side)))
        spot = spot.point([max(0, value - 90) * 2 // 3 for value in range(256)])
        sketch.paste(glow, _scatter(chance, side), spot)
    picture = sketch.resize((width, height), Image.Resampling.BICUBIC)
    _add_lights(picture, chance)
    return picture


def paint_caption(text: str, width: int, height: int) -> "tuple[Image, tuple[int, int]] | None":
    """The caption as a transparent strip and where to paste it; None when there is no text."""
    from PIL import Image, ImageDraw

    font = _load_font(max(12, min(width, height) // 16))
    lines = _wrap(" ".join(text.split()), font, width * 0.88)
    if not lines:
        return None
    written = "\n".join(lines)
    outline = max(1, min(width, height) // 200)
    ruler = ImageDraw.Draw(Image.new("L", (1, 1)))
    left, top, right, bottom = ruler.multiline_textbbox(
        (0, 0), written, font, align="center", stroke_width=outline
    )
    strip = Image.new("RGBA", (int(right - left) + 2, int(bottom - top) + 2))
    ImageDraw.Draw(strip).multiline_text(
        (1 - left, 1 - top),
        written,
        "white",
        font,
        align="center",
        stroke_width=outline,
        stroke_fill="black",
    )
    margin = min(width, height) // 18
    return strip, ((width - strip.width) // 2, height - strip.height - margin)


def _add_lights(picture: "Image", chance: Random) -> None:
    """A few faint discs, so that the camera move can be seen."""
    from PIL import Image, ImageDraw

    unit = min(picture.size)
    for _ in range(LIGHTS):
        side = int(unit * chance.uniform(0.04, 0.16))
        disc = Image.new("L", (side * 2, side * 2))
        ImageDraw.Draw(disc).ellipse((2, 2, side * 2 - 3, side * 2 - 3), chance.randint(20, 60))
        place = (
            chance.randint(-side // 2, picture.width - side // 2),
            chance.randint(-side // 2, picture.height - side // 2),
        )
        picture.paste((255, 255, 255), place, disc.resize((side, side)))


def _scatter(chance: Random, side: int) -> tuple[int, int]:
    return chance.randint(-side // 2, _SKETCH_SIDE), chance.randint(-side // 2, _SKETCH_SIDE)


def _nearest_ratio(picture: "Image") -> str:
    shape = picture.width / picture.height
    return min(RATIOS, key=lambda name: abs(RATIOS[name][0] / RATIOS[name][1] - shape))


def _colour(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _middle_box(width: int, height: int, share: float) -> tuple[int, int, int, int]:
    margin_x, margin_y = int(width * (1 - share) / 2), int(height * (1 - share) / 2)
    return margin_x, margin_y, width - margin_x, height - margin_y


@lru_cache(maxsize=8)
def _load_font(size: int) -> "FreeTypeFont | ImageFont":
    """A font of the machine that knows Cyrillic, or the small one that Pillow brings."""
    from PIL import ImageFont

    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def _wrap(text: str, font: "FreeTypeFont | ImageFont", width: float) -> list[str]:
    """Lines that fit the width, at most CAPTION_LINES_MAX; what is left out ends in an ellipsis."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < CAPTION_LINES_MAX:
        count = _fitting_length(rest, font, width)
        lines.append(rest[:count].rstrip())
        rest = rest[count:].lstrip()
    if rest:
        lines[-1] = lines[-1][:-1].rstrip() + "…"
    return lines


def _fitting_length(text: str, font: "FreeTypeFont | ImageFont", width: float) -> int:
    """How many characters go on one line: whole words where possible."""
    low, high = 1, min(len(text), 400)
    while low < high:
        middle = (low + high + 1) // 2
        fits = font.getlength(text[:middle]) <= width
        low, high = (middle, high) if fits else (low, middle - 1)
    if low == len(text):
        return low
    space = text.rfind(" ", 0, low + 1)
    return space if space > 0 else low
