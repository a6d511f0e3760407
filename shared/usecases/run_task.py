"""The table from a task's name to its use case, and what its end means to the queue."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from shared.app import App
from shared.errors import AppError, NotFound, Unavailable
from shared.ports import Data, Verdict
from shared.usecases.check_job import check_job
from shared.usecases.dispatch_job import dispatch_job
from shared.usecases.refill_pool import refill_pool
from shared.usecases.repair_job import repair_job
from shared.usecases.store_result import store_result

_log = logging.getLogger(__name__)

_TASKS: Mapping[str, Callable[[App, Data], Awaitable[None]]] = {
    "dispatch_job": lambda app, data: dispatch_job(app, data["job_id"], data["epoch"]),
    "check_job": lambda app, data: check_job(
        app, data["job_id"], data.get("round"), data.get("task_id"), data.get("attempt")
    ),
    "store_result": lambda app, data: store_result(app, data["job_id"], data.get("attempt")),
    "refill_pool": lambda app, data: refill_pool(app, data["pool"]),
    "repair_job": lambda app, data: repair_job(app, data["job_id"]),
}
NAMES = tuple(_TASKS)


async def run_task(app: App, name: str, payload: Data) -> Verdict:
    """Do one task. `final` means that trying again cannot help; anything unexpected is tried
    again.
    """
    if name not in _TASKS:
        raise NotFound(f"There is no task {name!r}.")
    try:
        await _TASKS[name](app, payload)
    except Unavailable as error:
        _log.warning("task put off", extra={"task": name, "detail": error.message})
        return "again"
    except (AppError, KeyError) as error:
        # The text of a KeyError is whatever was looked for.
        detail = error.message if isinstance(error, AppError) else type(error).__name__
        _log.error("task can never work", extra={"task": name, "detail": detail})
        return "final"
    return "done"
