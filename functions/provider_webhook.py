"""Webhooks of media providers: verify, queue a look at the job, answer. It reads no document, and
loads neither sessions nor pydantic, because a vendor waits while it starts.
"""

from starlette.requests import Request
from starlette.responses import Response

from shared import edge
from shared.ports import Inbound
from shared.usecases.receive_webhook import receive_webhook

router = edge.Router("hooks")


@router.post("/hooks/providers/{provider}/{job_id}/{mac}")
async def hook(request: Request, provider: str, job_id: str, mac: str) -> Response:
    """A vendor says that something happened to a job of ours."""
    inbound = Inbound(dict(request.headers), await request.body())
    return edge.reply(await receive_webhook(edge.current_app(), provider, job_id, mac, inbound))


provider_webhook = edge.function(router)
