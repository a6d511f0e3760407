"""The studio as a creator uses it, in a real browser: laptop and phone, mouse and keyboard."""

import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.product import Product

LAPTOP = ViewportSize(width=1280, height=860)
PHONE = ViewportSize(width=360, height=740)
DONE_MS = 40_000
TOKENS_BACK = re.compile("tokens? (are|is) back", re.IGNORECASE)
CONFIRM = re.compile("Cancel|Yes|Stop", re.IGNORECASE)
PROMPT = "A paper boat sails down a rain-filled street at dusk"


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    context = browser.new_context(viewport=LAPTOP, base_url=product.base_url, locale="en-GB")
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []


def picture(folder: Path) -> Path:
    """A small photograph of a kind."""
    image = Image.new("RGB", (640, 480), "#274b6d")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 300, 640, 480), fill="#12263a")
    draw.polygon([(230, 320), (410, 320), (370, 370), (270, 370)], fill="#f4efe6")
    draw.polygon([(320, 220), (320, 315), (250, 315)], fill="#fffaf0")
    path = folder / "boat.jpg"
    image.save(path, "JPEG")
    return path


def sign_in(page: Page) -> None:
    page.goto("/")
    page.get_by_role("textbox", name="E-mail").fill(f"{secrets.token_hex(5)}@example.test")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("textbox", name="Prompt")).to_be_visible()


def balance(page: Page) -> int:
    link = page.get_by_role("link", name=re.compile("Balance"))
    found = re.search(r"[\d,]+", link.get_attribute("aria-label") or link.inner_text())
    assert found
    return int(found.group().replace(",", ""))


def generate(page: Page, prompt: str) -> None:
    page.get_by_role("textbox", name="Prompt").fill(prompt)
    button = page.get_by_role("button", name=re.compile("^Generate"))
    expect(button).to_be_enabled()
    button.click()


def test_a_creator_drops_a_picture_and_gets_a_video_charged_once(
    page: Page, tmp_path: Path
) -> None:
    sign_in(page)
    before = balance(page)
    page.locator("input[type=file]").set_input_files(picture(tmp_path))
    page.get_by_role("textbox", name="Prompt").fill(PROMPT)
    button = page.get_by_role("button", name="Generate · 20 tokens")
    expect(button).to_be_enabled()
    button.click()

    video = page.locator("video")
    expect(video).to_be_visible(timeout=DONE_MS)
    video.evaluate("video => video.play()")
    played = (
        "video => new Promise(done => video.addEventListener('timeupdate', done, {once: true}))"
    )
    video.evaluate(played)
    assert video.evaluate("video => video.currentTime") > 0
    assert video.evaluate("video => video.videoWidth") > 0
    page.wait_for_timeout(500)
    assert balance(page) == before - 20
    if keep := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(keep) / "studio.png")


def test_a_failure_says_that_the_tokens_are_back(page: Page) -> None:
    sign_in(page)
    before = balance(page)
    generate(page, "A red fox [sandbox fail=render]")
    expect(page.get_by_text(TOKENS_BACK).first).to_be_visible(timeout=DONE_MS)
    page.wait_for_timeout(500)
    assert balance(page) == before


def test_a_reload_does_not_lose_the_job(page: Page) -> None:
    sign_in(page)
    generate(page, "A red fox in the snow [sandbox latency=3]")
    expect(page).to_have_url(re.compile("/jobs/job_"))
    page.reload()
    expect(page.locator("video")).to_be_visible(timeout=DONE_MS)


def test_a_running_job_is_cancelled_from_the_studio(page: Page) -> None:
    sign_in(page)
    before = balance(page)
    generate(page, "A slow one [sandbox latency=25]")
    page.get_by_role("button", name=re.compile("^Cancel")).first.click()
    dialog = page.get_by_role("alertdialog").or_(page.get_by_role("dialog"))
    if dialog.count():
        dialog.get_by_role("button", name=CONFIRM).first.click()
    expect(page.get_by_text(re.compile("cancelled", re.IGNORECASE)).first).to_be_visible(
        timeout=DONE_MS
    )
    page.wait_for_timeout(500)
    assert balance(page) == before


def test_the_whole_path_works_with_the_keyboard_alone(page: Page) -> None:
    sign_in(page)
    page.get_by_role("textbox", name="Prompt").focus()
    page.keyboard.type("A lighthouse at night")
    expect(page.get_by_role("button", name="Generate · 20 tokens")).to_be_enabled()
    for _ in range(40):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.textContent || ''")
        if focused.startswith("Generate"):
            break
    expect(page.get_by_role("button", name=re.compile("^Generate"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("video")).to_be_visible(timeout=DONE_MS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_on_a_phone(
    browser: Browser, product: Product, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(
        viewport=PHONE, base_url=product.base_url, color_scheme=scheme, has_touch=True
    )
    page = context.new_page()
    sign_in(page)
    generate(page, "A kite over the sea")
    expect(page.locator("video")).to_be_visible(timeout=DONE_MS)
    for address in ("/", "/balance"):
        page.goto(address)
        page.wait_for_timeout(400)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], address
    if keep := os.environ.get("SCREENSHOTS"):
        page.goto("/")
        page.wait_for_timeout(600)
        page.screenshot(path=Path(keep) / f"phone-{scheme}.png")
    context.close()
