"""Send nothing to a vendor that does not work, try it with one job after a while, and go on."""

import logging
from collections.abc import Callable, Sequence

from shared import records, slots, vendor_health
from shared.app import App
from shared.failures import FailureCode
from shared.ports import Documents, Query, Where, Write
from shared.slots import Slot
from shared.usecases.open_pools import open_pool
from shared.vendor_health import Pause, Stage

_log = logging.getLogger(__name__)

_SLOTS_MAX = 1000
_LATELY_MS = 600_000


async def judge_vendor(app: App, judged: Sequence[Slot]) -> None:
    """Look at what a job's slots, as they were just written, say of the account they belong to."""
    if not judged:
        return
    last = judged[0]
    if last.on_trial and last.judged_at_ms and not last.failures:
        await resume_vendor(app, last.pool, last.account)
    elif last.failures:
        found = await app.store.query(
            Query(records.SLOTS, (Where("pool", "==", last.pool),), limit=_SLOTS_MAX)
        )
        present = [slot for document in found if (slot := records.slot(document)) is not None]
        ours = [slot for slot in present if slot.account == last.account]
        since_ms = app.clock.now_ms() - _LATELY_MS
        failures_max = app.settings.pause_after_failures
        if last.on_trial or slots.is_failing(ours, failures_max, since_ms):
            await pause_places(app, last.pool, last.account, FailureCode.PROVIDER_FAILED)


async def pause_account(app: App, account: str, reason: FailureCode) -> None:
    """The vendor knows our account no more, or has no credit for it: nothing is sent with it."""
    for pool in app.catalogue.pools.values():
        if account in pool.places:
            await pause_places(app, pool.name, account, reason)


async def pause_places(app: App, pool: str, account: str, reason: FailureCode) -> None:
    """Close the account's places in one pool for a while, unless they are closed already."""
    settings, now_ms = app.settings, app.clock.now_ms()

    def change(pause: Pause | None) -> Pause | None:
        return vendor_health.closed(
            pause,
            pool,
            account,
            reason,
            now_ms,
            settings.pause_seconds * 1000,
            settings.pause_max_seconds * 1000,
        )

    if await _change(app, pool, account, change):
        # Once for each pause: an alert counts these entries.
        extra = {"pool": pool, "detail": f"{account}: {reason.value}"}
        _log.error("vendor paused", extra=extra)


async def resume_vendor(app: App, pool: str, account: str) -> None:
    """One job did well: all places open again."""
    now_ms = app.clock.now_ms()

    def change(pause: Pause | None) -> Pause | None:
        is_on = pause is not None and pause.stage != Stage.OPEN
        return vendor_health.opened(pause, now_ms) if is_on and pause else None

    if await _change(app, pool, account, change):
        _log.warning("vendor resumed", extra={"pool": pool, "detail": account})


async def try_paused_vendors(app: App) -> None:
    """Open one place of each account whose pause is over."""
    now_ms = app.clock.now_ms()

    def change(pause: Pause | None) -> Pause | None:
        if pause is None or pause.stage != Stage.CLOSED or now_ms < pause.until_ms:
            return None
        return vendor_health.trying(pause, now_ms)

    for pause in await pauses(app):
        if pause.stage == Stage.CLOSED and now_ms >= pause.until_ms:
            await _change(app, pause.pool, pause.account, change)


async def pauses(app: App) -> list[Pause]:
    """Every pause that there is or was, of the places that we have."""
    keys = [
        records.pause_key(pool.name, account)
        for pool in app.catalogue.pools.values()
        for account in pool.places
    ]
    found = await app.store.get(keys) if keys else {}
    return [pause for document in found.values() if (pause := records.pause(document)) is not None]


async def _change(
    app: App, pool: str, account: str, change: Callable[[Pause | None], Pause | None]
) -> bool:
    """Store a pause as it should be and let the slots follow; whether this changed it."""
    key = records.pause_key(pool, account)
    changed: list[Pause] = []

    def decide(documents: Documents) -> list[Write]:
        after = change(records.pause(documents[key]))
        if after is None:
            return []
        changed.append(after)
        return [records.put_pause(after)]

    documents = await app.store.transact([key], decide)
    if pool in app.catalogue.pools:
        await open_pool(app, app.catalogue.pools[pool])
    return records.pause(documents[key]) in changed
