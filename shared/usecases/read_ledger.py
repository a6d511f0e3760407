"""Read a user's own ledger rows, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared import records
from shared.app import App
from shared.errors import NotFound
from shared.ledger import Row
from shared.ports import Order, Query, Where


@dataclass(frozen=True, slots=True)
class RowPage:
    """Some of a user's rows."""

    rows: Sequence[Row]
    has_more: bool


async def read_ledger(app: App, user_id: str, limit: int, after: str | None) -> RowPage:
    """A page of rows after the row `after`. Raises `NotFound` for an `after` that is not the
    user's.
    """
    cursor = None
    if after is not None:
        key = records.row_key(after)
        data = (await app.store.get([key]))[key].data
        if data is None or data["user_id"] != user_id:
            raise NotFound("There is no such row.", param="after")
        cursor = (data["created_at_ms"], after)
    found = await app.store.query(
        Query(
            records.LEDGER,
            (Where("user_id", "==", user_id),),
            (Order("created_at_ms", descending=True),),
            limit=limit + 1,
            after=cursor,
        )
    )
    rows = [records.row(document.data) for document in found if document.data is not None]
    return RowPage(rows[:limit], len(rows) > limit)
