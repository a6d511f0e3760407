"""A pool's open slots as one query gives them: the free ones first, then the busy ones that started
last, and with them the pool's virtual time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared import records
from shared.app import App
from shared.ports import Order, Query, Where
from shared.slots import Slot

_READ_MIN = 16


@dataclass(frozen=True, slots=True)
class OpenSlots:
    """Some enabled slots of a pool: if so many are free in one account as any job takes, they are
    there. `virtual_time` is the start tag of whoever was served last, also while none is open.
    """

    slots: Sequence[Slot]
    virtual_time: int

    @property
    def free(self) -> list[Slot]:
        """Those that a job may take."""
        return [slot for slot in self.slots if slot.is_free]


async def read_open_slots(app: App, pool: str) -> OpenSlots:
    """What is open in a pool now."""
    known = app.catalogue.pools.get(pool)
    limit = _READ_MIN if known is None else max(_READ_MIN, known.free_to_see)
    found = await _read(app, pool, limit, enabled=True)
    tagged = found or await _read(app, pool, limit, enabled=False)
    return OpenSlots(found, max((slot.start_tag for slot in tagged), default=0))


async def _read(app: App, pool: str, limit: int, *, enabled: bool) -> Sequence[Slot]:
    found = await app.store.query(
        Query(
            records.SLOTS,
            (Where("pool", "==", pool), Where("enabled", "==", enabled)),
            (Order("busy"), Order("start_tag", descending=True)),
            limit=limit,
        )
    )
    return [slot for document in found if (slot := records.slot(document)) is not None]
