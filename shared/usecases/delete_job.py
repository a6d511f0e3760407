"""Forget a finished job: its media and prompt go, the money record stays."""

from shared import jobs, records
from shared.app import App
from shared.errors import JobNotFinished
from shared.ports import Documents, Write
from shared.usecases.read_jobs import owned
from shared.usecases.read_session import Session, check_session
from shared.usecases.result_files import remove_files

_OPEN = frozenset({"queued", "running", "storing"})


async def delete_job(app: App, session: Session, job_id: str) -> None:
    """Hide the job, then remove its media; the sweeper does so again later.

    Raises `NotFound`, `JobNotFinished`.
    """
    job_key, account_key = records.job_key(job_id), records.account_key(session.user_id)
    now_ms = app.clock.now_ms()

    def decide(documents: Documents) -> list[Write]:
        check_session(session, documents[account_key])
        stored = records.job(documents[job_key])
        if (
            stored is not None
            and stored.user_id == session.user_id
            and stored.deleted_at_ms == now_ms
        ):
            return []
        job = owned(documents[job_key], session.user_id)
        if job.status in _OPEN:
            raise JobNotFinished("A job can be deleted when it has ended. Cancel it first.")
        return [records.put_job(jobs.deleted(job, now_ms))]

    documents = await app.store.transact([job_key, account_key], decide)
    after = records.job(documents[job_key])
    assert after is not None, "jobs are never removed"
    await remove_files(app, after)
