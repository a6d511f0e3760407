"""Which job a call to a vendor is about, from the job as it is stored."""

from shared.app import App
from shared.jobs import Job
from shared.ports import Ticket


def ticket(app: App, job: Job, task_id: str | None = None) -> Ticket:
    """The job's ticket; `task_id` is what somebody says that its task is called."""
    assert job.account is not None, "a job without an account is at no vendor"
    return Ticket(
        provider=job.provider,
        account=job.account,
        job_id=job.id,
        kind=job.kind,
        vendor_model=app.catalogue.models[job.model].vendor_model,
        roles=frozenset(job.images),
        task_id=task_id or job.vendor_task_id or "",
    )
