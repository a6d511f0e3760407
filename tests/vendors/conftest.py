"""The simulators end with the last test."""

from collections.abc import Iterator

import pytest

from tests.vendors.stage import simulators


@pytest.fixture(scope="session", autouse=True)
def _simulators_end_with_the_run() -> Iterator[None]:
    yield
    simulators.close()
