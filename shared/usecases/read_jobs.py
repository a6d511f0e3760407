"""Read a user's own jobs; somebody else's do not exist."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared import records
from shared.app import App
from shared.errors import NotFound
from shared.job_states import State
from shared.jobs import Job
from shared.ports import Document, Order, Query, Where

PAGE_MAX = 100
_LINE_MAX = 100
_LINE_REMEMBERED_MS = 2000


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a user's jobs, newest first."""

    jobs: Sequence[Job]
    has_more: bool


def owned(document: Document, user_id: str) -> Job:
    """The job, if it is this user's and not deleted. Raises `NotFound`."""
    job = records.job(document)
    if job is None or job.user_id != user_id or job.deleted_at_ms is not None:
        raise NotFound("There is no such job.")
    return job


async def read_job(app: App, user_id: str, job_id: str) -> Job:
    """One job, by one read. Raises `NotFound`."""
    key = records.job_key(job_id)
    return owned((await app.store.get([key]))[key], user_id)


async def list_jobs(
    app: App,
    user_id: str,
    limit: int,
    after: str | None,
    status: str | None,
    project_id: str | None,
) -> Page:
    """A page of jobs after the job `after`. Raises `NotFound` for an `after` that is not the
    user's.
    """
    where = [Where("user_id", "==", user_id), Where("hidden", "==", False)]
    if project_id is not None:
        where.append(Where("project_id", "==", project_id))
    if status is not None:
        where.append(Where("status", "==", status))
    cursor = None
    if after is not None:
        cursor = ((await read_job(app, user_id, after)).created_at_ms, after)
    order = (Order("created_at_ms", descending=True),)
    found = await app.store.query(
        Query(records.JOBS, tuple(where), order, limit=limit + 1, after=cursor)
    )
    read = [job for document in found if (job := records.job(document)) is not None]
    return Page(read[:limit], len(read) > limit)


class Lines:
    """Who waits in which pool, remembered for a moment: many polls of waiting jobs cost one
    query.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, tuple[tuple[int, str], ...]]] = {}

    async def position(self, app: App, job: Job) -> int | None:
        """The job's place in its line, from 1; None when it does not wait."""
        if job.state is not State.PARKED:
            return None
        now_ms = app.clock.monotonic_ms()
        read_at_ms, line = self._seen.get(job.pool, (0, ()))
        if job.pool not in self._seen or now_ms - read_at_ms > _LINE_REMEMBERED_MS:
            line = await _line(app, job.pool)
            self._seen[job.pool] = (now_ms, line)
        return 1 + sum(place < (job.start_tag, job.id) for place in line)


async def _line(app: App, pool: str) -> tuple[tuple[int, str], ...]:
    found = await app.store.query(
        Query(
            records.JOBS,
            (Where("pool", "==", pool), Where("state", "==", State.PARKED.value)),
            (Order("start_tag"),),
            limit=_LINE_MAX,
        )
    )
    waiting = [job for document in found if (job := records.job(document)) is not None]
    return tuple((job.start_tag, job.id) for job in waiting)
