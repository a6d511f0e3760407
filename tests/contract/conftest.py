"""Every contract suite runs once for each adapter of its port."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.adapters.system import SystemClock, SystemIds
from shared.ports import Blobs, Clock, Ids, Store
from tests.contract import adapters, google_adapters
from tests.contract.adapters import QueueStage, StoreStage
from tests.contract.bucket_adapters import BLOB_STAGES, pytest_collection_modifyitems  # noqa: F401

STORES = {**adapters.STORES, **google_adapters.STORES}
QUEUE_STAGES = {**adapters.QUEUE_STAGES, **google_adapters.QUEUE_STAGES}


@pytest.fixture(params=sorted(STORES))
async def store_stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StoreStage]:
    """A store and its faults."""
    async with STORES[request.param](tmp_path) as stage:
        yield stage


@pytest.fixture
def store(store_stage: StoreStage) -> Store:
    """A store."""
    return store_stage.store


@pytest.fixture(params=sorted(QUEUE_STAGES))
async def queue_stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[QueueStage]:
    """A queue and its delivery."""
    async with QUEUE_STAGES[request.param](tmp_path) as stage:
        yield stage


@pytest.fixture(params=sorted(BLOB_STAGES))
async def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Blobs]:
    """Blobs whose signed addresses answer."""
    async with BLOB_STAGES[request.param](tmp_path) as stage:
        yield stage


@pytest.fixture(params=[SystemClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    """A clock."""
    made: Clock = request.param()
    return made


@pytest.fixture(params=[SystemIds])
def ids(request: pytest.FixtureRequest) -> Ids:
    """Randomness."""
    made: Ids = request.param()
    return made
