"""How our vendors stand: places, pauses, lines and switches, for whoever operates us."""

from collections import Counter
from dataclasses import dataclass

from shared import records
from shared.app import App
from shared.job_states import State
from shared.ports import Order, Query, Where
from shared.slots import Slot
from shared.usecases.pause_vendor import pauses
from shared.usecases.switch_vendors import read_switches
from shared.vendor_health import Pause, Switches

_READ_MAX = 1000


@dataclass(frozen=True, slots=True)
class Places:
    """One account's places in one pool. `waiting_jobs` is the pool's line, of all accounts."""

    pool: str
    account: str
    places: int
    open: int
    busy: int
    quarantined: int
    waiting_jobs: int
    pause: Pause | None


@dataclass(frozen=True, slots=True)
class Vendors:
    """All of them."""

    places: tuple[Places, ...]
    switches: Switches


async def read_vendors(app: App) -> Vendors:
    """What is open, taken, paused and waited for now."""
    paused = {(pause.pool, pause.account): pause for pause in await pauses(app)}
    seen: list[Places] = []
    for pool in app.catalogue.pools.values():
        slots = await _slots(app, pool.name)
        waiting = await _jobs(app, pool.name, State.PARKED)
        quarantined = await _jobs(app, pool.name, State.QUARANTINED)
        for account, places in pool.places.items():
            ours = [slot for slot in slots if slot.account == account]
            seen.append(
                Places(
                    pool=pool.name,
                    account=account,
                    places=places,
                    open=sum(slot.enabled for slot in ours),
                    busy=sum(slot.job_id is not None for slot in ours),
                    quarantined=quarantined[account],
                    waiting_jobs=waiting.total(),
                    pause=paused.get((pool.name, account)),
                )
            )
    return Vendors(tuple(seen), await read_switches(app))


async def _slots(app: App, pool: str) -> list[Slot]:
    found = await app.store.query(
        Query(records.SLOTS, (Where("pool", "==", pool),), limit=_READ_MAX)
    )
    return [slot for document in found if (slot := records.slot(document)) is not None]


async def _jobs(app: App, pool: str, state: State) -> Counter[str | None]:
    """How many jobs of a pool are in a state, by account."""
    found = await app.store.query(
        Query(
            records.JOBS,
            (Where("pool", "==", pool), Where("state", "==", state.value)),
            (Order("start_tag"),),
            limit=_READ_MAX,
        )
    )
    jobs = [job for document in found if (job := records.job(document)) is not None]
    return Counter(job.account for job in jobs)
