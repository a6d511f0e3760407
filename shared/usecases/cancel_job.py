"""Stop a job for its owner, for as long as the vendor allows it; the tokens come back."""

from shared import records
from shared.app import App
from shared.errors import NotCancellable, VendorError
from shared.failures import FailureCode, failure
from shared.job_states import Event, State
from shared.jobs import Job
from shared.ports import Documents
from shared.usecases.apply_event import Choice, apply_event
from shared.usecases.check_job import apply_outcome
from shared.usecases.read_jobs import owned
from shared.usecases.read_session import Session, check_session
from shared.usecases.tickets import ticket

_NOT_SENT = frozenset({State.PARKED, State.READY})


async def cancel_job(app: App, session: Session, job_id: str) -> Job:
    """The job as it then stands; cancelling a cancelled job changes nothing.

    Raises `NotFound`, `NotCancellable`.
    """
    keys = [records.job_key(job_id), records.account_key(session.user_id)]
    seen = await app.store.get(keys)
    check_session(session, seen[keys[1]])
    job = owned(seen[keys[0]], session.user_id)
    if job.state in _NOT_SENT:
        job = await _cancel_unsent(app, job, seen)
    if job.state is State.RUNNING:
        job = await _cancel_running(app, job)
    if job.state is not State.CANCELLED:
        raise NotCancellable("This job can no longer be stopped.")
    return job


def is_cancellable(app: App, job: Job) -> bool:
    """Whether a cancel can work now."""
    if job.state in _NOT_SENT:
        return True
    return job.state is State.RUNNING and app.vendors.abilities(job.provider).can_cancel


async def _cancel_unsent(app: App, job: Job, seen: Documents) -> Job:
    def choose(current: Job) -> Choice | None:
        if current.state not in _NOT_SENT:
            return None
        return Choice(Event.CANCELLED, {"failure": failure(FailureCode.CANCELLED)})

    return await apply_event(app, job.id, seen, choose)


async def _cancel_running(app: App, job: Job) -> Job:
    """Only the vendor's word ends a running job: it may have finished in the meantime."""
    if not app.vendors.abilities(job.provider).can_cancel:
        raise NotCancellable("This provider does not stop a job that has started.")
    assert job.vendor_task_id is not None
    try:
        outcome = await app.vendors.cancel(ticket(app, job))
    except VendorError as error:
        raise NotCancellable("The provider did not answer. Try again in a moment.") from error
    return await apply_outcome(app, job, outcome, {})
