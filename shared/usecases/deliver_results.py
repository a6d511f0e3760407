"""A vendor answered the submit with the result itself: into our bucket, then the job moves on.

The vendor cannot be asked for it again, so it is stored before anything is recorded. Should the
recording fail, the bucket is what knows that the vendor has delivered.
"""

from shared import jobs
from shared.app import App
from shared.errors import VendorUnknown
from shared.failures import FailureCode
from shared.job_states import Event, State
from shared.jobs import Job
from shared.ports import Accepted, Parcel
from shared.usecases import tasks
from shared.usecases.apply_event import Choice, apply_event
from shared.usecases.check_job import storing_times
from shared.usecases.result_files import Unusable, remove_files, result_key, store_parcel

_TRIES = 3


async def deliver_results(app: App, job: Job, accepted: Accepted) -> None:
    """Store what came and move the job on. Raises `Unusable`."""
    parcels = accepted.parcels[: job.settings.count]
    # The first comes last: where it lies, all lie.
    for index in reversed(range(len(parcels))):
        await _store(app, job, parcels[index], index)
    after = await record_delivery(app, job, accepted.task_id, len(parcels))
    if after.state is State.FAILED:
        await remove_files(app, after)


async def _store(app: App, job: Job, parcel: Parcel, index: int) -> None:
    for tries_left in reversed(range(_TRIES)):
        try:
            await store_parcel(app, job, parcel, index)
        except VendorUnknown as error:
            if not tries_left:
                raise Unusable(FailureCode.RESULT_UNAVAILABLE, error.detail) from error
        else:
            return


async def find_delivery(app: App, job: Job) -> int:
    """How many results of a job lie in the bucket although nobody recorded it."""
    count = 0
    while count < job.settings.count and await app.blobs.head(result_key(job.id, count)):
        count += 1
    return count


async def record_delivery(app: App, job: Job, task_id: str, count: int) -> Job:
    """The vendor is done and its results are in the bucket: the slots are free."""
    now_ms = app.clock.now_ms()

    def choose(current: Job) -> Choice | None:
        if current.claim != job.claim or not jobs.can(current, Event.DELIVERED):
            return None
        news = {"vendor_task_id": task_id, "delivered_count": count, "started_at_ms": now_ms}
        return Choice(Event.DELIVERED, news | storing_times(app, now_ms))

    after = await apply_event(app, job.id, {}, choose)
    if after.state in (State.STORING, State.GIFTING):
        await tasks.push_store(app, after)
    return after
