"""Tasks from the queue: 2xx is done, 4xx can never work, 500 is tried again. Never 429 or 503,
which would slow the whole queue down."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from shared import http
from shared.callers import require_internal
from shared.usecases import run_task as tasks

router = APIRouter(tags=["internal"], responses=http.REFUSALS)

_STATUS = {"done": 200, "final": 400, "again": 500}


@router.post("/tasks/{name}")
async def task(request: Request, name: str, payload: dict[str, Any]) -> Response:
    """Do one task."""
    app = http.current_app()
    require_internal(app, request)
    verdict = await tasks.run_task(app, name, payload)
    return http.reply({"verdict": verdict}, _STATUS[verdict])


run_task = http.function(router)
