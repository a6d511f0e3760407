"""Everything that moves a job for its owner: quote, create, cancel, delete."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from shared import http, views
from shared.jobs import Settings
from shared.usecases import create_job as creating
from shared.usecases.cancel_job import cancel_job
from shared.usecases.delete_job import delete_job
from shared.usecases.price_job import CreateJob
from shared.usecases.quote_job import quote_job
from shared.usecases.read_session import Session

if TYPE_CHECKING:
    from shared.wire import requests

router = http.Router("jobs")


@router.post("/v1/quotes", reply="QuoteReply", openapi=http.SIGNED_IN)
async def quote(request: Request, body: "requests.JobRequest") -> Response:
    """What the same body would cost as a job; the price is honoured until it expires."""
    session = await http.checked_caller(request)
    return http.reply(views.quote(quote_job(http.current_app(), _command(session, request, body))))


@router.post("/v1/jobs", status=202, reply="Job", openapi=http.REPEATABLE)
async def create(request: Request, body: "requests.JobRequest") -> Response:
    """Start one generation. The same Idempotency-Key always means the same job."""
    app = http.current_app()
    job = await creating.create_job(app, _command(http.caller(request), request, body))
    return http.reply(await views.job(app, job), 202)


@router.post("/v1/jobs/{job_id}/cancel", reply="Job", openapi=http.SIGNED_IN)
async def cancel(request: Request, job_id: str) -> Response:
    """Stop a job while that is possible; its tokens come back."""
    app = http.current_app()
    return http.reply(await views.job(app, await cancel_job(app, http.caller(request), job_id)))


@router.delete("/v1/jobs/{job_id}", reply="JobDeleted", openapi=http.SIGNED_IN)
async def delete(request: Request, job_id: str) -> Response:
    """Forget a finished job and its media. The ledger keeps its rows."""
    await delete_job(http.current_app(), http.caller(request), job_id)
    return http.reply({"id": job_id, "object": "job.deleted", "deleted": True})


def _command(session: Session, request: Request, body: "requests.JobRequest") -> CreateJob:
    images = {} if body.images is None else body.images.model_dump(exclude_none=True)
    return CreateJob(
        session=session,
        model=body.model,
        prompt=body.prompt,
        settings=Settings(
            negative_prompt=body.negative_prompt,
            duration_seconds=body.duration_seconds,
            resolution=body.resolution,
            aspect_ratio=body.aspect_ratio,
            audio=body.audio,
            count=body.count,
        ),
        images=images,
        project_id=body.project_id,
        fallback_models=tuple(body.fallback_models),
        quote_id=body.quote_id,
        max_cost_tokens=body.max_cost_tokens,
        idempotency_key=http.idempotency_key(request),
        is_retry=http.is_client_retry(request),
    )


create_job = http.function(router)
