"""A pool's open slots as one query gives them: the free ones first, then the busy ones that started
last, and with them the pool's virtual time.
"""

from collections.abc import Sequence

from shared import records
from shared.app import App
from shared.ports import Order, Query, Where
from shared.slots import Slot

SLOTS_READ_MAX = 16


async def read_open_slots(app: App, pool: str) -> Sequence[Slot]:
    """Some enabled slots of a pool, among them free ones if there are any."""
    found = await app.store.query(
        Query(
            records.SLOTS,
            (Where("pool", "==", pool), Where("enabled", "==", True)),
            (Order("busy"), Order("start_tag", descending=True)),
            limit=SLOTS_READ_MAX,
        )
    )
    return [slot for document in found if (slot := records.slot(document)) is not None]


def virtual_time(open_slots: Sequence[Slot]) -> int:
    """The start tag of whoever was served last."""
    return max((slot.start_tag for slot in open_slots), default=0)
