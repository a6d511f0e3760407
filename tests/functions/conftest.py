"""One running installation for all tests of the addresses; each test brings its own users."""

from collections.abc import Iterator

import pytest

from tests.product import Caller, Product, running


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running(tmp_path_factory.mktemp("data")) as product:
        yield product


@pytest.fixture
def user(product: Product) -> Caller:
    return product.sign_in()
