"""What a crash left behind is found here: jobs whose time is up, places nobody filled, wallets
that drift.
"""

import logging
from dataclasses import dataclass

from shared import records
from shared.app import App
from shared.ports import Order, Query, Where
from shared.usecases import tasks
from shared.usecases.open_pools import open_pools

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
    if number % _POOLS_EVERY == 0:
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
    for pool in app.catalogue.pools:
        await tasks.push_refill(app, pool, f"sweep:{number}")
    quarantined = sum(job.state.value == "quarantined" for job in due)
    if due:
        _log.info("swept", extra={"due_jobs": len(due), "quarantined_slots": quarantined})
    return Swept(len(due), quarantined)
