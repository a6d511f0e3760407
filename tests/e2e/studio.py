"""What a creator does in the studio, whichever installation is behind it."""

import re
import secrets
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Locator, Page, ViewportSize, expect

LAPTOP = ViewportSize(width=1280, height=860)
PHONE = ViewportSize(width=360, height=740)
DONE_MS = 40_000

_SKY, _HORIZON, _SEA = (18, 22, 58), (214, 108, 96), (16, 20, 46)
_SIZE, _SEA_Y = (1280, 720), 430


def sign_in(page: Page) -> None:
    """As somebody new."""
    page.goto("/")
    page.get_by_role("textbox", name="E-mail").fill(f"{secrets.token_hex(5)}@example.test")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name=re.compile("^Model: "))).to_be_visible()


def balance(page: Page) -> int:
    """What the header says there is to spend."""
    link = page.get_by_role("link", name=re.compile("^Balance"))
    return _tokens_in(link.get_attribute("aria-label") or "")


def expect_balance(page: Page, tokens: int) -> None:
    """So much to spend, and nothing held."""
    exactly = f"Balance: {tokens:,} tokens"
    expect(page.get_by_role("link", name=exactly, exact=True)).to_be_visible(timeout=15_000)


def generate(page: Page, prompt: str | None = None) -> int:
    """Press the button; the price that was on it. Without a prompt where the model takes none."""
    if prompt is not None:
        page.get_by_role("textbox", name="Prompt").fill(prompt)
    button = page.get_by_role("button", name=re.compile(r"^Generate · [\d,]+ tokens$"))
    expect(button).to_be_enabled()
    price = _tokens_in(button.inner_text())
    button.click()
    return price


def expect_playing(video: Locator) -> None:
    """It comes, and runs. It loops, so now and then its time is nought again."""
    expect(video).to_be_visible(timeout=DONE_MS)
    video.evaluate("video => video.play()")
    expect(video).not_to_have_js_property("currentTime", 0)
    assert video.evaluate("video => video.videoWidth") > 0


def picture(folder: Path) -> Path:
    """A photograph of a kind: a paper boat at dusk."""
    image = Image.new("RGB", _SIZE, _SEA)
    draw = ImageDraw.Draw(image)
    for y in range(_SEA_Y):
        share = (y / _SEA_Y) ** 2
        mixed = [round(a + (b - a) * share) for a, b in zip(_SKY, _HORIZON, strict=True)]
        draw.line((0, y, _SIZE[0], y), fill=(mixed[0], mixed[1], mixed[2]))
    draw.ellipse((820, 250, 1000, 430), fill=(255, 206, 132))
    for y in range(_SEA_Y, _SIZE[1], 14):
        half = 90 - (y - _SEA_Y) // 5
        draw.line((910 - half, y, 910 + half, y), fill=(196, 128, 104), width=5)
    image = image.filter(ImageFilter.GaussianBlur(2))
    draw = ImageDraw.Draw(image)
    draw.polygon([(500, 300), (500, 478), (380, 478)], fill=(222, 216, 206))
    draw.polygon([(500, 300), (500, 478), (620, 478)], fill=(252, 247, 238))
    draw.polygon([(320, 470), (680, 470), (600, 560), (400, 560)], fill=(244, 238, 228))
    path = folder / "boat.jpg"
    image.save(path, "JPEG", quality=90)
    return path


def _tokens_in(text: str) -> int:
    found = re.search(r"[\d,]+", text)
    assert found, text
    return int(found.group().replace(",", ""))
