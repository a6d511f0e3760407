"""What Kling says of its tasks, in the words of either generation of endpoints."""

from collections.abc import Mapping, Sequence

from shared.adapters.providers._kling_orders import is_new
from shared.adapters.providers._replies import object_in, objects_in, task_id_in, text_in, url_in
from shared.errors import VendorGone, VendorUnknown
from shared.failures import FailureCode
from shared.ports import Data, Outcome, OutcomeState, Parcel, Ticket

# Their word → ours, the older one and the new one. A word that is absent means that it still runs.
_STATES: Mapping[str, OutcomeState] = {
    "succeed": "succeeded",
    "succeeded": "succeeded",
    "failed": "failed",
}

# Why a task failed is told in sentences, of which no list is published: what they contain, what it
# means, and the word for the logs. The last is that of code 1303, which came here once (facts B6).
_FAILURES: Mapping[str, tuple[FailureCode, str]] = {
    "risk control": (FailureCode.MODERATION_BLOCKED, "risk_control"),
    "input image": (FailureCode.PROVIDER_REJECTED, "input_image"),
    "over resource pack limit": (FailureCode.PROVIDER_BUSY, "parallel_tasks"),
}


def new_task_id(data: Data, ticket: Ticket) -> str:
    """The id of the task that was made of an order."""
    return _id_in(object_in(data, "data"), ticket)


def outcome_in(data: Data, ticket: Ticket) -> Outcome:
    """How the task stands that was asked about. Raises `VendorGone`, `VendorUnknown`."""
    task = _task_in(data, ticket)
    if _id_in(task, ticket) != ticket.task_id:
        raise _about_another()
    status = text_in(task, "status" if is_new(ticket) else "task_status")
    state = _STATES.get(status, "running")
    code, detail = _why(task, ticket) if state == "failed" else (None, "")
    parcels = _parcels(task, ticket) if state == "succeeded" else ()
    return Outcome(ticket.task_id, state, _job_id_in(task, ticket), parcels, code, detail)


def task_id_of_job(data: Data, ticket: Ticket) -> str:
    """The task that was found by our job's id. Raises `VendorGone`, `VendorUnknown`."""
    task = _task_in(data, ticket)
    if _job_id_in(task, ticket) != ticket.job_id:
        raise _about_another()
    return _id_in(task, ticket)


def _task_in(data: Data, ticket: Ticket) -> Data:
    if not is_new(ticket):
        return object_in(data, "data")
    tasks = objects_in(data, "data")
    if not tasks:
        raise VendorGone(FailureCode.PROVIDER_FAILED, "no such task")
    return tasks[0]


def _id_in(task: Data, ticket: Ticket) -> str:
    return task_id_in(task, "id" if is_new(ticket) else "task_id")


def _job_id_in(task: Data, ticket: Ticket) -> str | None:
    if is_new(ticket):
        job_id = task.get("external_id")
    else:
        job_id = object_in(task, "task_info").get("external_task_id")
    return job_id if isinstance(job_id, str) and job_id else None


def _parcels(task: Data, ticket: Ticket) -> tuple[Parcel, ...]:
    results: Sequence[Data]
    if is_new(ticket):
        results = [each for each in objects_in(task, "outputs") if each.get("type") == "video"]
    else:
        results = objects_in(object_in(task, "task_result"), f"{ticket.kind}s")
    if not results:
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "a success without results")
    return tuple(Parcel(url_in(each, "url")) for each in results)


def _why(task: Data, ticket: Ticket) -> tuple[FailureCode, str]:
    message = str(task.get("message" if is_new(ticket) else "task_status_msg")).lower()
    meant = [_FAILURES[part] for part in _FAILURES if part in message]
    return meant[0] if meant else (FailureCode.PROVIDER_FAILED, "unknown_reason")


def _about_another() -> VendorUnknown:
    return VendorUnknown(FailureCode.PROVIDER_FAILED, "the reply is about another task")
