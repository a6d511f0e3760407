"""Webhooks of media providers: verify, queue a look at the job, answer. It reads no document."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from shared import http
from shared.ports import Inbound
from shared.usecases.receive_webhook import receive_webhook

router = APIRouter(tags=["hooks"], responses=http.REFUSALS)


@router.post("/hooks/providers/{provider}/{job_id}/{mac}")
async def hook(request: Request, provider: str, job_id: str, mac: str) -> Response:
    """A vendor says that something happened to a job of ours."""
    inbound = Inbound(dict(request.headers), await request.body())
    await receive_webhook(http.current_app(), provider, job_id, mac, inbound)
    return http.reply({"received": True})


provider_webhook = http.function(router)
