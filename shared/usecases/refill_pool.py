"""Give free places to waiting jobs, in fair order. Safe to call at any time, from anywhere."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from shared import jobs, records, slots
from shared.app import App
from shared.job_states import Event, State
from shared.jobs import Job
from shared.ports import Document, Documents, Order, Query, Where, Write
from shared.slots import Slot
from shared.usecases import tasks
from shared.usecases.apply_event import Choice, event_writes
from shared.usecases.open_slots import read_open_slots
from shared.usecases.reroute_job import reroute_job

_BATCH = 16
_ROUNDS_MAX = 64
_SLOTS_MAX = 1000


async def refill_pool(app: App, pool: str) -> None:
    """Fill until nobody waits, or whoever is next finds too few free slots. Where the pool is
    closed, whoever may go elsewhere goes.
    """
    for _ in range(_ROUNDS_MAX):
        waiting = await _waiting(app, pool)
        if not waiting:
            return
        seen = await read_open_slots(app, pool)
        if not seen.slots:
            for job in _jobs(waiting):
                await reroute_job(app, job, {})
            return
        if not await _grant_all(app, _jobs(waiting), seen.free):
            return


async def _waiting(app: App, pool: str) -> Sequence[Document]:
    return await app.store.query(
        Query(
            records.JOBS,
            (Where("pool", "==", pool), Where("state", "==", State.PARKED.value)),
            (Order("start_tag"),),
            limit=_BATCH,
        )
    )


def _jobs(documents: Iterable[Document]) -> Iterator[Job]:
    """One by one: where no place is free, most of the line is not looked at."""
    return (job for document in documents if (job := records.job(document)) is not None)


async def _grant_all(app: App, waiting: Iterable[Job], free: Sequence[Slot]) -> bool:
    """Serve the line from its head; whether it is worth another look."""
    left = list(free)
    for job in waiting:
        if not left:
            return False
        taken = slots.together(left, job.units)
        if taken:
            left = [slot for slot in left if slot not in taken]
            await _grant(app, taken, job)
            continue
        # It needs several at once. Others may have what is free where it will never fit.
        able = await _accounts_for(app, job)
        if able:
            await _keep(app, job, [slot for slot in left if slot.account in able])
            left = [slot for slot in left if slot.account not in able]
        else:
            await reroute_job(app, job, {})
    return bool(left)


async def _grant(app: App, places: Sequence[Slot], job: Job) -> None:
    """Bind slots to one job, unless another refill was there first."""
    job_key = records.job_key(job.id)
    slot_keys = [records.slot_key(slot.id) for slot in places]
    now_ms = app.clock.now_ms()
    due_at_ms = now_ms + app.settings.ready_again_seconds * 1000

    def decide(documents: Documents) -> list[Write]:
        present = [slot for key in slot_keys if (slot := records.slot(documents[key])) is not None]
        waiting = records.job(documents[job_key])
        assert waiting is not None
        is_free = len(present) == waiting.units and all(slot.is_free for slot in present)
        if not is_free or not jobs.can(waiting, Event.SLOT_GRANTED) or waiting.pool != job.pool:
            return []
        taken = [slots.take(slot, waiting.id, waiting.start_tag) for slot in present]
        changes = {
            "slots": tuple(slot.id for slot in taken),
            "account": taken[0].account,
            "epoch": waiting.epoch + 1,
            "due_at_ms": due_at_ms,
        }
        also = tuple(records.put_slot(slot) for slot in taken)
        return event_writes(documents, waiting, Choice(Event.SLOT_GRANTED, changes, also), now_ms)

    keys = [*slot_keys, job_key, records.wallet_key(job.user_id)]
    after = records.job((await app.store.transact(keys, decide))[job_key])
    assert after is not None
    if after.state is State.READY:
        await tasks.push_dispatch(app, after)


async def _accounts_for(app: App, job: Job) -> frozenset[str]:
    """The accounts that have as many places open as a job needs, free or not."""
    found = await app.store.query(
        Query(records.SLOTS, (Where("pool", "==", job.pool),), limit=_SLOTS_MAX)
    )
    present = [slot for document in found if (slot := records.slot(document)) is not None]
    opened = Counter(slot.account for slot in present if slot.enabled)
    return frozenset(account for account, count in opened.items() if count >= job.units)


async def _keep(app: App, job: Job, free: Sequence[Slot]) -> None:
    """Keep free slots for a job that needs several at once, as many in each account: otherwise
    newcomers would take each one that becomes free.
    """
    by_account: dict[str, list[str]] = {}
    for slot in sorted(free, key=lambda slot: not slot.is_kept):
        by_account.setdefault(slot.account, []).append(slot.id)
    ids = [slot_id for ours in by_account.values() for slot_id in ours[: job.units]]
    keys = [records.slot_key(slot_id) for slot_id in ids]

    def decide(documents: Documents) -> list[Write]:
        present = [slot for key in keys if (slot := records.slot(documents[key])) is not None]
        return [
            records.put_slot(slots.keep(slot))
            for slot in present
            if slot.is_free and not slot.is_kept
        ]

    if keys:
        await app.store.transact(keys, decide)
