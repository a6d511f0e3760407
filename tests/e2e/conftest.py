"""A real browser on a running installation."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests import emulators
from tests.e2e.studio import LAPTOP
from tests.product import ROOT, Product, running

expect.set_options(timeout=20_000)  # a busy machine is not a wrong answer

DEBIAN_CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="module", params=["local", "cloud_local"])
def product(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    """The whole product in one process, and as it is deployed."""
    assert (ROOT / "web" / "dist" / "index.html").exists(), "the studio is not built: make setup"
    if request.param == "cloud_local":
        emulators.require()
    with running(tmp_path_factory.mktemp("data"), module=f"infra.{request.param}") as product:
        yield product


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For one module: Playwright's event loop fills this thread, and no other can run meanwhile."""
    own = DEBIAN_CHROMIUM if DEBIAN_CHROMIUM.exists() else None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=own, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    """A laptop's window, in which nothing breaks."""
    context = browser.new_context(viewport=LAPTOP, base_url=product.base_url, locale="en-GB")
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []
