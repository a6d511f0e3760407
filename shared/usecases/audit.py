"""Recompute every wallet from the ledger rows, and list what differs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from shared import ledger, records
from shared.app import App
from shared.ledger import Difference
from shared.ports import Data, Order, Query

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Audit:
    """What the books say. `differences` is empty when the money is right."""

    wallets: int
    rows: int
    open_jobs: int
    differences: tuple[Difference, ...]


async def audit(app: App) -> Audit:
    """Read all wallets, rows and jobs. Run it while nothing moves, or run it again on a
    difference.
    """
    wallets = [
        records.wallet_of(data) async for data in _all(app, records.WALLETS, "available_tokens")
    ]
    rows = [records.row(data) async for data in _all(app, records.LEDGER, "created_at_ms")]
    states = [data["status"] async for data in _all(app, records.JOBS, "created_at_ms")]
    open_jobs = sum(status in ("queued", "running", "storing") for status in states)
    return Audit(len(wallets), len(rows), open_jobs, ledger.differences(wallets, rows))


async def _all(app: App, collection: str, order: str) -> AsyncIterator[Data]:
    after: tuple[int | str, ...] | None = None
    while True:
        page = await app.store.query(
            Query(collection, order=(Order(order),), limit=_PAGE, after=after)
        )
        for document in page:
            assert document.data is not None
            yield document.data
        if len(page) < _PAGE:
            return
        last = page[-1]
        assert last.data is not None
        after = (last.data[order], last.key.id)
