"""Give free places to waiting jobs, in fair order. Safe to call at any time, from anywhere."""

from shared import jobs, records, slots
from shared.app import App
from shared.jobs import Event, Job, State
from shared.ports import Documents, Order, Query, Where, Write
from shared.slots import Slot
from shared.usecases import tasks
from shared.usecases.apply_event import Choice, event_writes

_BATCH = 16
_ROUNDS_MAX = 64


async def refill_pool(app: App, pool: str) -> None:
    """Fill until there is no free slot or nobody waits."""
    for _ in range(_ROUNDS_MAX):
        waiting = await _waiting(app, pool)
        free = await _free(app, pool) if waiting else []
        if not free:
            return
        for slot, job in zip(free, waiting, strict=False):
            await _grant(app, slot, job)


async def _waiting(app: App, pool: str) -> list[Job]:
    found = await app.store.query(
        Query(
            records.JOBS,
            (Where("pool", "==", pool), Where("state", "==", State.PARKED.value)),
            (Order("start_tag"),),
            limit=_BATCH,
        )
    )
    return [job for document in found if (job := records.job(document)) is not None]


async def _free(app: App, pool: str) -> list[Slot]:
    found = await app.store.query(
        Query(
            records.SLOTS,
            (
                Where("pool", "==", pool),
                Where("enabled", "==", True),
                Where("busy", "==", False),
            ),
            (Order("start_tag", descending=True),),
            limit=_BATCH,
        )
    )
    return [slot for document in found if (slot := records.slot(document)) is not None]


async def _grant(app: App, slot: Slot, job: Job) -> None:
    """Bind one slot to one job, unless another refill was there first."""
    slot_key, job_key = records.slot_key(slot.id), records.job_key(job.id)
    now_ms = app.clock.now_ms()
    due_at_ms = now_ms + app.settings.ready_again_seconds * 1000

    def decide(documents: Documents) -> list[Write]:
        place, waiting = records.slot(documents[slot_key]), records.job(documents[job_key])
        assert place is not None
        assert waiting is not None
        if not place.is_free or not jobs.can(waiting, Event.SLOT_GRANTED):
            return []
        taken = slots.take(place, waiting.id, waiting.start_tag)
        changes = {"slot": slot.id, "epoch": waiting.epoch + 1, "due_at_ms": due_at_ms}
        choice = Choice(Event.SLOT_GRANTED, changes, (records.put_slot(taken),))
        return event_writes(documents, waiting, choice, now_ms)

    keys = [slot_key, job_key, records.wallet_key(job.user_id)]
    after = records.job((await app.store.transact(keys, decide))[job_key])
    assert after is not None
    if after.state is State.READY:
        await tasks.push_dispatch(app, after)
