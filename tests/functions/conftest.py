"""One running installation for all tests of the addresses; each test brings its own users.

Every test runs on both: everything in one process, and the deployed functions on emulators.
"""

from collections.abc import Iterator

import pytest

from tests import emulators
from tests.product import Caller, Product, running


@pytest.fixture(scope="session", params=["local", "cloud"])
def product(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    module = "infra.local"
    if request.param == "cloud":
        emulators.require()
        module = "infra.cloud_local"
    with running(tmp_path_factory.mktemp("data"), module=module) as product:
        yield product


@pytest.fixture
def user(product: Product) -> Caller:
    return product.sign_in()
