"""The simulated store passes the contract of the real ones, so what holds on it holds on them."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from random import Random
from typing import Any

import pytest

from shared.ports import Decide, Document, Documents, Key, Query, Store
from tests.contract import test_store, test_store_queries
from tests.contract.adapters import INDEXES, StoreStage
from tests.simulation.faults import Script
from tests.simulation.kernel import START_MS, Call, Kernel, Wait
from tests.simulation.store import SimulatedStore


class _Faults(Script):
    """Loses one reply on demand."""

    loses_next = False


class _Played:
    """The simulated store for callers on an event loop, which plays the kernel."""

    def __init__(self, store: SimulatedStore, faults: _Faults) -> None:
        self._store = store
        self._faults = faults

    async def get(self, keys: Sequence[Key]) -> Documents:
        """See the port."""
        documents: Documents = await self._play(self._store.get(keys))
        return documents

    async def transact(
        self, keys: Sequence[Key], decide: Decide, *, known: Documents | None = None
    ) -> Documents:
        """See the port."""
        documents: Documents = await self._play(self._store.transact(keys, decide, known=known))
        return documents

    async def query(self, query: Query) -> Sequence[Document]:
        """See the port."""
        found: Sequence[Document] = await self._play(self._store.query(query))
        return found

    async def _play(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        go_on: Callable[[Any], Any] = coroutine.send
        argument: Any = None
        while True:
            try:
                awaited: Call | Wait = go_on(argument)
            except StopIteration as stop:
                return stop.value
            await asyncio.sleep(0)
            go_on, argument = coroutine.send, None
            if isinstance(awaited, Call):
                try:
                    argument = awaited.effect(*awaited.arguments)
                except Exception as error:  # noqa: BLE001 - it is the caller's to see
                    go_on, argument = coroutine.throw, error
                if awaited.port == "commit" and self._faults.loses_next:
                    self._faults.loses_next = False
                    go_on, argument = coroutine.throw, awaited.failure()


@pytest.fixture
def store_stage() -> StoreStage:
    faults = _Faults({}, {})
    kernel = Kernel(Random(1), faults)
    assert kernel.now_ms == START_MS
    store = SimulatedStore(kernel, lambda _changes: None, indexes=INDEXES, attempts_max=100)
    return StoreStage(_Played(store, faults), lambda: setattr(faults, "loses_next", True))


@pytest.fixture
def store(store_stage: StoreStage) -> Store:
    return store_stage.store


zoo = test_store_queries.zoo

for _module in (test_store, test_store_queries):
    for _name in [name for name in vars(_module) if name.startswith("test_")]:
        globals()[_name] = getattr(_module, _name)
