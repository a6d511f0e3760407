"""Every query of the product, as it is really made, has an index in the deployed store: Firestore
refuses one without, and its emulator does not notice.
"""

import ast
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import cast

import pytest

from infra.manifest import indexes
from shared import catalogue
from shared.app import App
from shared.config import read_settings
from shared.job_states import State
from shared.ports import (
    Blobs,
    Clock,
    Decide,
    Document,
    Documents,
    Ids,
    Key,
    Media,
    Query,
    Queue,
    Store,
    Task,
    Vendors,
)
from shared.records import Index
from shared.slots import Slot
from shared.usecases import audit, open_pools, pause_vendor, read_jobs, refill_pool, sweep
from shared.usecases.open_slots import read_open_slots
from shared.usecases.read_ledger import read_ledger
from shared.usecases.read_vendors import read_vendors
from tests.architecture.tree import ROOT, modules
from tests.unit.domain.values import job_in


@dataclass
class Listener:
    """A store with nothing in it that remembers what it was asked, and from where."""

    queries: list[Query] = field(default_factory=list)
    places: set[tuple[str, int]] = field(default_factory=set)

    async def get(self, keys: Sequence[Key]) -> Documents:
        return {key: Document(key, None, None) for key in keys}

    async def transact(
        self, keys: Sequence[Key], decide: Decide, *, known: Documents | None = None
    ) -> Documents:
        return await self.get(keys)

    async def query(self, query: Query) -> Sequence[Document]:
        caller = sys._getframe(1)
        path = caller.f_code.co_filename.removeprefix(f"{ROOT}/")
        self.places.add((path, caller.f_lineno))
        self.queries.append(query)
        return []


class Still:
    """A clock that stands, a queue that forgets."""

    def now_ms(self) -> int:
        return 0

    def monotonic_ms(self) -> int:
        return 0

    async def push(self, task: Task) -> None: ...


@pytest.fixture
async def asked() -> Listener:
    """Everything that asks has asked."""
    listener, nothing = Listener(), Still()
    names = ("SESSION", "QUOTE", "HOOK", "BLOB", "TASK")
    app = App(
        settings=read_settings({f"{name}_SECRET": "x" * 32 for name in names}),
        catalogue=catalogue.load(),
        store=cast(Store, listener),
        queue=cast(Queue, nothing),
        blobs=cast(Blobs, nothing),
        media=cast(Media, nothing),
        vendors=cast(Vendors, nothing),
        clock=cast(Clock, nothing),
        ids=cast(Ids, nothing),
    )
    for status, project_id in product((None, "failed"), (None, "a project")):
        await read_jobs.list_jobs(app, "a user", 20, None, status, project_id)
    await read_jobs._line(app, "a pool")
    await read_open_slots(app, "a pool")
    await refill_pool._waiting(app, "a pool")
    await refill_pool._accounts_for(app, job_in(State.PARKED))
    await read_vendors(app)
    await pause_vendor.judge_vendor(app, [Slot("a pool", "an account", 0, failures=1)])
    await read_ledger(app, "a user", 20, None)
    await open_pools.open_pools(app)
    await sweep.sweep(app)
    await sweep._all_open(app)
    await audit.audit(app)
    await audit._confirm(app, "a user")
    return listener


async def test_every_place_that_queries_was_asked(asked: Listener) -> None:
    silent = [
        f"{module.path}:{call.lineno}"
        for module in modules("shared/usecases", "functions")
        for call in ast.walk(module.tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "app.store.query"
        if not any(
            path == module.path and call.lineno <= line <= (call.end_lineno or 0)
            for path, line in asked.places
        )
    ]
    assert asked.places
    assert silent == []


async def test_every_query_has_an_index(asked: Listener) -> None:
    unserved = [
        query for query in asked.queries if not any(_serves(index, query) for index in indexes())
    ]
    assert [query for query in unserved if query.where or query.order] == []


async def test_every_index_serves_a_query(asked: Listener) -> None:
    idle = [
        index for index in indexes() if not any(_serves(index, query) for query in asked.queries)
    ]
    assert idle == []


def _serves(index: Index, query: Query) -> bool:
    """Equalities first, in any order; then exactly the query's own order. A range is on a field of
    the order, as every store demands.
    """
    equal = {where.field for where in query.where if where.op in ("==", "in")}
    first, rest = index.fields[: len(equal)], index.fields[len(equal) :]
    return (
        index.collection == query.collection
        and {order.field for order in first} == equal
        and rest == query.order
    )
