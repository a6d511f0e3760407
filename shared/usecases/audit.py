"""Recompute every wallet from the ledger rows, and list what differs."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

from shared import books, records
from shared.app import App
from shared.books import Difference
from shared.errors import Contention
from shared.ports import Data, Order, Query, Where

_log = logging.getLogger(__name__)

_PAGE = 500
_LOOKS_MAX = 10
_OPEN = ("queued", "running", "storing")


@dataclass(frozen=True, slots=True)
class Audit:
    """What the books say. `differences` is empty when the money is right."""

    wallets: int
    rows: int
    open_jobs: int
    differences: tuple[Difference, ...]


async def audit(app: App) -> Audit:
    """Read all wallets, rows and jobs. It may run while money moves: a user whose books changed
    between two reads is looked at again, alone.
    """
    wallets = [
        records.wallet_of(data) async for data in _all(app, Query(records.WALLETS, limit=_PAGE))
    ]
    rows = [records.row(data) async for data in _all(app, Query(records.LEDGER, limit=_PAGE))]
    states = [data["status"] async for data in _all(app, Query(records.JOBS, limit=_PAGE))]
    suspects = {difference.user_id for difference in books.differences(wallets, rows)}
    confirmed = [
        difference for user_id in sorted(suspects) for difference in await _confirm(app, user_id)
    ]
    for difference in confirmed:
        _log.error("books differ", extra={"detail": difference.account})
    open_jobs = sum(status in _OPEN for status in states)
    return Audit(len(wallets), len(rows), open_jobs, tuple(confirmed))


async def _confirm(app: App, user_id: str) -> tuple[Difference, ...]:
    """Rows and wallet change in one commit, so rows read under one wallet version belong to it."""
    key = records.wallet_key(user_id)
    mine = Query(
        records.LEDGER,
        (Where("user_id", "==", user_id),),
        (Order("created_at_ms", descending=True),),
        limit=_PAGE,
    )
    for _ in range(_LOOKS_MAX):
        before = (await app.store.get([key]))[key]
        rows = [records.row(data) async for data in _all(app, mine)]
        after = (await app.store.get([key]))[key]
        if before.version == after.version:
            wallets = [] if after.data is None else [records.wallet_of(after.data)]
            return books.differences(wallets, rows)
    raise Contention("The user's books change faster than they can be read.")


async def _all(app: App, query: Query) -> AsyncIterator[Data]:
    after: tuple[int | str, ...] | None = None
    while True:
        page = await app.store.query(
            Query(query.collection, query.where, query.order, query.limit, after)
        )
        for document in page:
            assert document.data is not None
            yield document.data
        if len(page) < query.limit:
            return
        last = page[-1]
        assert last.data is not None
        after = (*(last.data[order.field] for order in query.order), last.key.id)
