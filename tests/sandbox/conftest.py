"""One sandbox for all tests of it, forgotten between them."""

from collections.abc import Iterator

import httpx
import pytest

from infra.sandbox.behaviour import Behaviour, read_switches
from infra.sandbox.server import serve_in_thread
from infra.sandbox.settings import Settings
from tests.sandbox.calls import Inbox, Sandbox, open_inbox

INSTANT = Behaviour().with_overrides(read_switches({"render": "instant"}))


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    with serve_in_thread(Settings(port=0, seed=7, behaviour=INSTANT)) as url:
        yield url


@pytest.fixture(scope="session")
def shared_sandbox(sandbox_url: str) -> Iterator[Sandbox]:
    """Clients are costly to make, so all tests share two."""
    headers = {"Authorization": "Bearer sandbox-key"}
    with (
        httpx.Client(base_url=sandbox_url, headers=headers, trust_env=False) as http,
        httpx.Client(base_url=sandbox_url, trust_env=False) as stranger,
    ):
        yield Sandbox(sandbox_url, http, stranger)


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """A sandbox that renders instantly, with four places, as freshly started."""
    shared_sandbox.http.post("/control/reset").raise_for_status()
    return shared_sandbox


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with open_inbox() as opened:
        yield opened
