"""The studio as a creator uses it, in a real browser: laptop and phone, mouse and keyboard."""

import os
import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.studio import (
    DONE_MS,
    PHONE,
    balance,
    expect_balance,
    expect_playing,
    generate,
    picture,
    sign_in,
)
from tests.product import Product

TOKENS_BACK = re.compile("tokens? (are|is) back", re.IGNORECASE)
CONFIRM = re.compile("Cancel|Yes|Stop", re.IGNORECASE)
PROMPT = "A paper boat sails down a rain-filled street at dusk"


def test_a_creator_drops_a_picture_and_gets_a_video_charged_once(
    page: Page, tmp_path: Path
) -> None:
    sign_in(page)
    before = balance(page)
    page.locator("input[type=file]").set_input_files(picture(tmp_path))
    assert generate(page, PROMPT) == 20
    expect_playing(page.locator("video"))
    expect_balance(page, before - 20)


def test_a_failure_says_that_the_tokens_are_back(page: Page) -> None:
    sign_in(page)
    before = balance(page)
    generate(page, "A red fox [sandbox fail=render]")
    expect(page.get_by_text(TOKENS_BACK).first).to_be_visible(timeout=DONE_MS)
    expect_balance(page, before)


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
    expect_balance(page, before)


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
