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
        await resume_vendor(app, last.pool, last.account, last.judged_at_ms)
    elif last.failures:
        found = await app.store.query(
            Query(records.SLOTS, (Where("pool", "==", last.pool),), limit=_SLOTS_MAX)
        )
        present = [slot for document in found if (slot := records.slot(document)) is not None]
        ours = [slot for slot in present if slot.account == last.account]
        since_ms = app.clock.now_ms() - _LATELY_MS
        failures_max = app.settings.pause_after_failures
        if last.on_trial or slots.is_failing(ours, failures_max, since_ms):
            reason, judged_at_ms = FailureCode.PROVIDER_FAILED, last.judged_at_ms
            await _pause_places(app, last.pool, last.account, reason, judged_at_ms)


async def pause_account(app: App, account: str, reason: FailureCode) -> None:
    """The vendor knows our account no more, or has no credit for it: nothing is sent with it."""
    for pool in app.catalogue.pools.values():
        if account in pool.places:
            await _pause_places(app, pool.name, account, reason, app.clock.now_ms())


async def _pause_places(
    app: App, pool: str, account: str, reason: FailureCode, judged_at_ms: int
) -> None:
    """Close the account's places in one pool for a while, unless they are closed already."""
    settings, now_ms = app.settings, app.clock.now_ms()

    def change(pause: Pause | None) -> Pause | None:
        if _is_from_before(judged_at_ms, pause):
            return None
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


async def resume_vendor(app: App, pool: str, account: str, judged_at_ms: int) -> None:
    """One job did well: all places open again."""
    now_ms = app.clock.now_ms()

    def change(pause: Pause | None) -> Pause | None:
        if pause is None or pause.stage == Stage.OPEN or _is_from_before(judged_at_ms, pause):
            return None
        return vendor_health.opened(pause, now_ms)

    if await _change(app, pool, account, change):
        _log.warning("vendor resumed", extra={"pool": pool, "detail": account})


def _is_from_before(judged_at_ms: int, pause: Pause | None) -> bool:
    """Whether a place was judged before it was opened to see whether the vendor works again: who
    used it since then said nothing of the vendor.
    """
    is_trying = pause is not None and pause.stage == Stage.TRYING
    return is_trying and pause is not None and judged_at_ms < pause.since_ms


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
    is_changed = False

    def decide(documents: Documents) -> list[Write]:
        nonlocal is_changed
        after = change(records.pause(documents[key]))
        is_changed = after is not None
        return [] if after is None else [records.put_pause(after)]

    await app.store.transact([key], decide)
    if pool in app.catalogue.pools:
        await open_pool(app, app.catalogue.pools[pool])
    return is_changed
