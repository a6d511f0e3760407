"""Make the slot documents say what is open: the catalogue's places, less what is paused or switched
off.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from shared import records
from shared.app import App
from shared.models import Pool
from shared.ports import Documents, Query, Where, Write
from shared.slots import Slot
from shared.usecases import tasks
from shared.vendor_health import Pause, Stage, Switches

_SLOTS_MAX = 1000
_BATCH = 50


async def open_pools(app: App) -> None:
    """Add missing slots, enable those within the limits and disable the others.

    A slot that is switched off while taken drains by itself: its job keeps it until it ends.
    """
    for pool in app.catalogue.pools.values():
        await open_pool(app, pool)


async def open_pool(app: App, pool: Pool) -> None:
    """As `open_pools`, for one of them."""
    keys = [records.pause_key(pool.name, account) for account in pool.places]
    told = await app.store.get([*keys, records.SWITCHES_KEY])
    found = [pause for key in keys if (pause := records.pause(told[key])) is not None]
    switches = records.switches(told[records.SWITCHES_KEY])
    wanted = _wanted(pool, {pause.account: pause for pause in found}, switches)
    changes = await _changes(app, pool, wanted)
    for start in range(0, len(changes), _BATCH):
        await _write(app, changes[start : start + _BATCH])
    if changes:
        # Those who wait get a place, or go elsewhere.
        await tasks.push_refill(app, pool.name, f"opened:{app.clock.now_ms()}")


def _wanted(
    pool: Pool, pauses: Mapping[str, Pause], switches: Switches
) -> Mapping[str, tuple[int, bool]]:
    """How many places of each account are open, and whether they are for trying."""
    wanted = {}
    for account, places in pool.places.items():
        pause = pauses.get(account)
        is_trial = pause is not None and pause.stage == Stage.TRYING
        count = places if pause is None else pause.places(places, pool.units_max)
        wanted[account] = (0 if pool.provider in switches.providers_off else count), is_trial
    return wanted


async def _changes(app: App, pool: Pool, wanted: Mapping[str, tuple[int, bool]]) -> list[Slot]:
    found = await app.store.query(
        Query(
            records.SLOTS,
            (Where("pool", "==", pool.name),),
            limit=_SLOTS_MAX,
        )
    )
    present = {slot.id: slot for document in found if (slot := records.slot(document)) is not None}
    missing = [
        slot
        for account, places in pool.places.items()
        for index in range(places)
        if (slot := Slot(pool.name, account, index, enabled=False)).id not in present
    ]
    after = [
        changed
        for account in sorted({slot.account for slot in (*present.values(), *missing)})
        for changed in _opened(
            [slot for slot in (*present.values(), *missing) if slot.account == account],
            pool.places.get(account, 0),
            *wanted.get(account, (0, False)),
        )
    ]
    return [slot for slot in after if present.get(slot.id) != slot]


def _opened(slots: Iterable[Slot], places: int, count: int, is_trial: bool) -> list[Slot]:
    """An account's slots as they should be: the first `count` of its `places` are open, and where
    one job is to try, free ones.
    """
    within = sorted(
        (slot for slot in slots if slot.index < places),
        key=lambda slot: (is_trial and slot.job_id is not None, slot.index),
    )
    open_ids = {slot.id for slot in within[:count]}
    return [
        replace(slot, enabled=slot.id in open_ids, on_trial=is_trial and slot.id in open_ids)
        for slot in slots
    ]


async def _write(app: App, wanted: list[Slot]) -> None:
    keys = [records.slot_key(slot.id) for slot in wanted]

    def decide(documents: Documents) -> list[Write]:
        writes: list[Write] = []
        for slot in wanted:
            present = records.slot(documents[records.slot_key(slot.id)])
            after = slot
            if present is not None:
                after = replace(present, enabled=slot.enabled, on_trial=slot.on_trial)
            if after != present:
                writes.append(records.put_slot(after))
        return writes

    await app.store.transact(keys, decide)
