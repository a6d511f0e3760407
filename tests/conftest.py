"""Settings that hold for every test."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests import emulators

# A slow machine is not a wrong answer: pytest-timeout is the limit. CI draws the same examples
# every time, so that a red run is about the change; everywhere else they are new ones.
settings.register_profile("local", deadline=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session", autouse=True)
def _emulators_end_with_the_run() -> Iterator[None]:
    """What a test started for all of them is stopped after the last one."""
    yield
    emulators.running.close()
