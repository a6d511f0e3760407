"""The scheduled sweep: what a crash left behind is found and repaired."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from shared import http
from shared.callers import require_internal
from shared.usecases import sweep as sweeping

router = APIRouter(tags=["internal"], responses=http.REFUSALS)


@router.post("/cron/sweep")
async def run(request: Request) -> Response:
    """One sweep."""
    app = http.current_app()
    require_internal(app, request)
    swept = await sweeping.sweep(app)
    return http.reply({"due_jobs": swept.due_jobs, "quarantined_slots": swept.quarantined_slots})


sweep = http.function(router)
