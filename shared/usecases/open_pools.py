"""Make the slot documents say what the catalogue says: as many enabled slots as the pool has
places.
"""

from dataclasses import replace

from shared import records
from shared.app import App
from shared.models import Pool
from shared.ports import Documents, Query, Where, Write
from shared.slots import Slot, slot_id
from shared.usecases import tasks

_SLOTS_MAX = 1000
_BATCH = 50


async def open_pools(app: App) -> None:
    """Add missing slots, enable those within the limit and disable the others.

    A slot that is switched off while taken drains by itself: its job keeps it until it ends.
    """
    for pool in app.catalogue.pools.values():
        wanted = await _changes(app, pool)
        for start in range(0, len(wanted), _BATCH):
            await _write(app, wanted[start : start + _BATCH])
        if any(slot.enabled for slot in wanted):
            await tasks.push_refill(app, pool.name, f"opened:{app.clock.now_ms()}")


async def _changes(app: App, pool: Pool) -> list[Slot]:
    found = await app.store.query(
        Query(
            records.SLOTS,
            (Where("pool", "==", pool.name),),
            limit=_SLOTS_MAX,
        )
    )
    present = {
        slot.index: slot for document in found if (slot := records.slot(document)) is not None
    }
    missing = [Slot(pool.name, index) for index in range(pool.slots) if index not in present]
    changed = [
        replace(slot, enabled=index < pool.slots)
        for index, slot in present.items()
        if slot.enabled != (index < pool.slots)
    ]
    return [*missing, *changed]


async def _write(app: App, wanted: list[Slot]) -> None:
    keys = [records.slot_key(slot.id) for slot in wanted]

    def decide(documents: Documents) -> list[Write]:
        writes: list[Write] = []
        for slot in wanted:
            present = records.slot(documents[records.slot_key(slot_id(slot.pool, slot.index))])
            after = replace(present, enabled=slot.enabled) if present else slot
            if after != present:
                writes.append(records.put_slot(after))
        return writes

    await app.store.transact(keys, decide)
