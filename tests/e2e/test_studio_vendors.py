"""The studio with the models of real vendors, each vendor simulated: every one is offered for what
it can do, and what comes of it is shown and paid for.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.studio import (
    DONE_MS,
    balance,
    expect_balance,
    expect_playing,
    generate,
    picture,
    sign_in,
)
from tests.product import Product
from tests.vendors.installation import Installation, installed

TALL = ViewportSize(width=1280, height=1030)
PROMPT = "A paper boat drifts out to sea at dusk"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("vendors")
    with installed(folder, TRIAL_GENERATIONS="10") as installation:
        installation.behave("kling", render="real")
        yield installation


@pytest.fixture(scope="module")
def product(installation: Installation) -> Product:
    return installation.product


def choose(page: Page, provider: str, model: str, kind: str = "Video") -> None:
    """Find a model of a provider and take it."""
    page.get_by_role("radio", name=kind, exact=True).check()
    page.get_by_role("button", name=re.compile("^Model: ")).click()
    page.get_by_role("combobox", name="Provider").select_option(provider)
    page.get_by_role("searchbox", name="Find a model").fill(model)
    page.get_by_role("radio", name=re.compile(f"^{model} about")).click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def add_picture(page: Page, role: str, folder: Path) -> None:
    """Give the model a picture in a role, and wait until the server has checked it."""
    page.get_by_role("group", name=role).locator("input[type=file]").set_input_files(
        picture(folder)
    )
    expect(page.get_by_text("Ready", exact=True)).to_be_visible()


def test_hailuo_makes_a_video_from_a_first_frame_and_moves_the_camera(
    page: Page, tmp_path: Path
) -> None:
    sign_in(page)
    before = balance(page)
    choose(page, "MiniMax", "Hailuo 02")
    add_picture(page, "First frame", tmp_path)
    page.get_by_role("radio", name="10 seconds").check()
    page.get_by_role("radio", name="1080P").check()
    expect(page.get_by_role("radio", name="6 seconds")).to_be_checked()
    expect(page.get_by_text("Now 6 s. With 1080P: ")).to_be_visible()
    page.get_by_role("textbox", name="Prompt").fill(PROMPT)
    page.get_by_role("button", name="Camera moves").click()
    page.get_by_role("button", name="Push in", exact=True).click()
    page.get_by_role("button", name="Static shot", exact=True).click()
    directed = f"{PROMPT} [Push in][Static shot]"
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value(directed)
    price = generate(page)
    expect_playing(page.locator("video"))
    expect(page.get_by_text(directed, exact=True).first).to_be_visible()
    expect_balance(page, before - price)


def test_kling_makes_a_video_of_five_seconds_from_a_picture(page: Page, tmp_path: Path) -> None:
    sign_in(page)
    before = balance(page)
    choose(page, "Kling AI", "Kling 2.6")
    add_picture(page, "First frame", tmp_path)
    page.get_by_role("radio", name="5 seconds").check()
    page.get_by_role("radio", name="16:9").check()
    price = generate(page, PROMPT)
    video = page.locator("video")
    expect_playing(video)
    assert round(video.evaluate("video => video.duration")) == 5
    expect_balance(page, before - price)
    if keep := os.environ.get("SCREENSHOTS"):
        page.set_viewport_size(TALL)
        page.get_by_role("form").evaluate("form => form.parentElement.scrollTo(0, 0)")
        page.mouse.move(0, 0)
        page.wait_for_timeout(4_000)  # the player's controls fade away
        page.screenshot(path=Path(keep) / "studio.png")


def test_several_pictures_of_one_job_are_all_shown(page: Page) -> None:
    sign_in(page)
    before = balance(page)
    choose(page, "Kling AI", "Kling Image 2.1", kind="Picture")
    page.get_by_role("radio", name="4", exact=True).check()
    price = generate(page, PROMPT)
    results = page.get_by_role("group", name="Results").get_by_role("radio")
    expect(results).to_have_count(4, timeout=DONE_MS)
    results.nth(2).check()
    expect(page.get_by_role("img", name=re.compile("^Result for the prompt"))).to_be_visible()
    expect_balance(page, before - price)


def test_only_the_pictures_that_came_are_paid_for(page: Page) -> None:
    sign_in(page)
    before = balance(page)
    choose(page, "Kling AI", "Kling Image 2.1", kind="Picture")
    page.get_by_role("radio", name="4", exact=True).check()
    price = generate(page, f"{PROMPT} [sandbox results=3]")
    expect(page.get_by_text("3 of 4 were made.").last).to_be_visible(timeout=DONE_MS)
    expect_balance(page, before - price * 3 // 4)


def test_a_template_needs_a_picture_and_no_prompt(page: Page, tmp_path: Path) -> None:
    sign_in(page)
    before = balance(page)
    choose(page, "MiniMax", "Template: Diving")
    expect(page.get_by_role("textbox", name="Prompt")).to_be_hidden()
    expect(page.get_by_text("Add a picture: Subject.")).to_be_visible()
    add_picture(page, "Subject · needed", tmp_path)
    price = generate(page)
    expect_playing(page.locator("video"))
    expect_balance(page, before - price)


def test_a_vendor_that_fails_costs_nothing_and_says_so(page: Page) -> None:
    sign_in(page)
    before = balance(page)
    choose(page, "Kling AI", "Kling 2.6")
    price = generate(page, f"{PROMPT} [sandbox fail=render]")
    result = page.get_by_role("region", name="Result")
    expect(result).to_contain_text("The provider could not finish this one.", timeout=DONE_MS)
    expect(result).to_contain_text(f"All {price} tokens are back on your balance.")
    expect_balance(page, before)
