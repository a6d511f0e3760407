"""What a crash left behind is found here: jobs whose time is up, places nobody filled, wallets
that drift.
"""

import logging
from dataclasses import asdict, dataclass

from shared import records
from shared.app import App
from shared.job_states import State
from shared.ports import Order, Query, Where
from shared.usecases import tasks
from shared.usecases.open_pools import open_pools
from shared.usecases.pause_vendor import try_paused_vendors

_POOLS_EVERY = 10  # sweeps between looks at every slot

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep found."""

    due_jobs: int
    quarantined_slots: int


async def sweep(app: App) -> Swept:
    """Queue a repair for every due job, oldest first and a bounded number, then refill every
    pool.
    """
    now_ms = app.clock.now_ms()
    number = now_ms // (app.settings.sweep_seconds * 1000)
    await try_paused_vendors(app)
    if number % _POOLS_EVERY == 0 or not await _all_open(app):
        await open_pools(app)
    found = await app.store.query(
        Query(
            records.JOBS,
            (Where("due_at_ms", "<=", now_ms),),
            (Order("due_at_ms"),),
            limit=app.settings.sweep_batch,
        )
    )
    due = [job for document in found if (job := records.job(document)) is not None]
    for job in due:
        await tasks.push_repair(app, job, number)
    quarantined_slots = 0
    for pool in app.catalogue.pools:
        await tasks.push_refill(app, pool, f"sweep:{number}")
        quarantined_slots += await _quarantined(app, pool)
    swept = Swept(len(due), quarantined_slots)
    _log.info("swept", extra=asdict(swept))
    return swept


async def _all_open(app: App) -> bool:
    """Whether every pool has been opened once: a new deployment or a new vendor has not."""
    for pool in app.catalogue.pools:
        found = await app.store.query(Query(records.SLOTS, (Where("pool", "==", pool),), limit=1))
        if not found:
            return False
    return True


async def _quarantined(app: App, pool: str) -> int:
    """How many of a pool's places wait for a vendor that may still be working."""
    state = State.QUARANTINED.value
    found = await app.store.query(
        Query(
            records.JOBS,
            (Where("pool", "==", pool), Where("state", "==", state)),
            (Order("start_tag"),),
            limit=app.settings.sweep_batch,
        )
    )
    return len(found)
