"""What can be read about jobs and models. It never writes, so it can run with a read-only role."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from shared import http, polling, views
from shared.errors import JobNotFinished, NotFound
from shared.usecases.read_jobs import Lines, list_jobs, read_job
from shared.usecases.switch_vendors import RememberedSwitches

if TYPE_CHECKING:
    from shared.wire import requests

router = http.Router("jobs")

_OPENAPI = Path(__file__).parents[1] / "docs" / "openapi.json"

_lines = Lines()
_switches = RememberedSwitches()


@router.get("/v1/openapi.json")
async def openapi(_request: Request) -> Response:
    """This document."""
    headers = {"cache-control": "public, max-age=300"}
    return Response(_openapi(), headers=headers, media_type="application/json")


@router.get("/v1/models", reply="ModelList")
async def models(_request: Request) -> Response:
    """Every model with what it can and what it costs at least."""
    app = http.current_app()
    switches, now_ms = await _switches.read(app), app.clock.now_ms()
    entries = app.catalogue.models.values()
    body = {"object": "list", "data": [views.model(entry, switches, now_ms) for entry in entries]}
    return http.reply(body, headers={"cache-control": "public, max-age=60"})


@router.get("/v1/jobs", reply="JobPage", openapi=http.SIGNED_IN)
async def jobs(request: Request, query: "requests.JobsQuery") -> Response:
    """The caller's jobs, newest first."""
    app, session = http.current_app(), await http.checked_caller(request)
    page = await list_jobs(
        app, session.user_id, query.limit, query.after, query.status, query.project_id
    )
    items = [await views.job(app, job, await _lines.position(app, job)) for job in page.jobs]
    return http.reply(views.page(items, page.has_more))


@router.get("/v1/jobs/{job_id}", reply="Job", openapi=http.SIGNED_IN)
async def job(request: Request, job_id: str) -> Response:
    """One job. `ETag`, `Retry-After` and `openai-poll-after-ms` say how to poll it."""
    app, session = http.current_app(), await http.checked_caller(request)
    found = await read_job(app, session.user_id, job_id)
    position = await _lines.position(app, found)
    headers = polling.headers(app, found, position)
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return http.reply(await views.job(app, found, position), headers=headers)


@router.get("/v1/jobs/{job_id}/content", status=302, openapi=http.SIGNED_IN)
async def content(request: Request, job_id: str, query: "requests.ContentQuery") -> Response:
    """A redirect to a short-lived address of a result or its thumbnail."""
    app, session = http.current_app(), await http.checked_caller(request)
    found = await read_job(app, session.user_id, job_id)
    if not found.results:
        raise JobNotFinished("This job has no result.")
    if query.index >= len(found.results):
        raise NotFound("This job has fewer results.")
    result, is_thumbnail = found.results[query.index], query.variant == "thumbnail"
    url = await app.blobs.sign_download(
        result.thumbnail_key if is_thumbnail else result.blob_key,
        filename=None if is_thumbnail else views.filename(found, query.index),
        expires_seconds=app.settings.download_seconds,
    )
    return RedirectResponse(url, 302)


@cache
def _openapi() -> bytes:
    return _OPENAPI.read_bytes()


job_status = http.function(router)
