"""Webhooks of media providers: verify, queue a look at the job, answer. It reads no document, and
stands on bare Starlette, because a vendor waits while it starts.
"""

from starlette.requests import Request
from starlette.responses import Response

from shared import edge
from shared.ports import Inbound
from shared.usecases.receive_webhook import receive_webhook


async def hook(request: Request, provider: str, job_id: str, mac: str) -> Response:
    """A vendor says that something happened to a job of ours."""
    inbound = Inbound(dict(request.headers), await request.body())
    return edge.reply(await receive_webhook(edge.current_app(), provider, job_id, mac, inbound))


routes = (edge.Post("/hooks/providers/{provider}/{job_id}/{mac}", hook, tag="hooks"),)

provider_webhook = edge.function(routes)
