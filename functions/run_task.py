"""Tasks from the queue: 2xx ends a task, done or not worth another try; 500 is tried again. Never
429 or 503, which would slow the whole queue down. Decision 6 says why final is no 4xx."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from shared import http, logs
from shared.callers import require_queue
from shared.errors import Unavailable
from shared.ports import Verdict
from shared.usecases import run_task as tasks

if TYPE_CHECKING:
    from shared.wire import requests

router = http.Router("internal")


@router.post("/tasks/{name}")
async def task(request: Request, name: str, body: "requests.Json") -> Response:
    """Do one task."""
    app = http.current_app()
    logs.about_job(body.get("job_id"))
    try:
        await require_queue(app, request)
    except Unavailable:
        return _answer("again")
    return _answer(await tasks.run_task(app, name, body))


def _answer(verdict: Verdict) -> Response:
    return http.reply({"verdict": verdict}, 500 if verdict == "again" else 200)


run_task = http.function(router)
