"""What the scheduler starts: the sweep each minute, and the audit of the books each night."""

from starlette.requests import Request
from starlette.responses import Response

from shared import http
from shared.callers import require_scheduler
from shared.usecases import sweep as sweeping
from shared.usecases.audit import audit

router = http.Router("internal")


@router.post("/cron/sweep")
async def run(request: Request) -> Response:
    """One sweep."""
    app = http.current_app()
    await require_scheduler(app, request)
    swept = await sweeping.sweep(app)
    return http.reply({"due_jobs": swept.due_jobs, "quarantined_slots": swept.quarantined_slots})


@router.post("/cron/audit")
async def check(request: Request) -> Response:
    """Recompute every wallet; a difference is logged as an error, which alerts."""
    app = http.current_app()
    await require_scheduler(app, request)
    found = await audit(app)
    return http.reply(
        {"wallets": found.wallets, "rows": found.rows, "differences": len(found.differences)}
    )


sweep = http.function(router)
