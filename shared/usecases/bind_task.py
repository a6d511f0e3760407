"""Bind a vendor's task to the one job it was made for: the job is running from then on."""

import logging
from dataclasses import replace

from shared import jobs, records
from shared.app import App
from shared.job_states import Event, State
from shared.jobs import Job
from shared.ports import Create, Document, Documents, Write
from shared.usecases import tasks

_log = logging.getLogger(__name__)


async def bind_task(app: App, job: Job, task_id: str, seen: Documents) -> Job:
    """Record that the vendor accepted the job as `task_id`; a task is bound to at most one job.

    Returns the job as it then stands; the caller sees by `vendor_task_id` whether the binding
    holds.
    """
    job_key = records.job_key(job.id)
    task_key = records.vendor_task_key(job.provider, task_id)
    now_ms = app.clock.now_ms()

    def decide(documents: Documents) -> list[Write]:
        current = records.job(documents[job_key])
        assert current is not None, "jobs are never removed"
        is_taken = documents[task_key].data is not None
        if is_taken or current.vendor_task_id is not None or not jobs.can(current, Event.ACCEPTED):
            return []
        accepted = _accepted(current, task_id, now_ms)
        return [records.put_job(accepted), Create(task_key, records.vendor_task_data(job.id))]

    known = {**seen, task_key: Document(task_key, None, None)}
    documents = await app.store.transact([job_key, task_key], decide, known=known)
    bound = records.job(documents[job_key])
    assert bound is not None
    if bound.vendor_task_id != task_id:
        _log.error("vendor task not bound", extra={"job_id": job.id, "state": bound.state.value})
    elif bound.state is State.RUNNING:
        await tasks.push_check(app, bound, 0, app.settings.check_first_seconds * 1000)
    return bound


def _accepted(job: Job, task_id: str, now_ms: int) -> Job:
    news = {"vendor_task_id": task_id, "started_at_ms": now_ms}
    move = jobs.advance(job, Event.ACCEPTED, now_ms, **news)
    if move.job.state is not State.RUNNING:
        return move.job
    deadline_at_ms = now_ms + job.run_limit_ms
    due_at_ms = min(now_ms + 2 * job.expected_ms, deadline_at_ms)
    return replace(move.job, deadline_at_ms=deadline_at_ms, due_at_ms=due_at_ms)
