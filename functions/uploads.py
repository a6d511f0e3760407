"""Pictures that creators bring: a signed address to send them to, and the check before they can be
used.
"""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from shared import http, views
from shared.usecases.add_upload import add_upload, check_upload

if TYPE_CHECKING:
    from shared.wire import requests

router = http.Router("uploads")


@router.post("/v1/uploads", status=201, reply="UploadCreated", openapi=http.SIGNED_IN)
async def create(request: Request, body: "requests.UploadRequest") -> Response:
    """Announce a picture; the answer says where to send its bytes."""
    app, session = http.current_app(), http.caller(request)
    added = await add_upload(app, session, body.filename, body.content_type, body.size_bytes)
    return http.reply(views.added(added), 201)


@router.get("/v1/uploads/{image_id}", reply="UploadStatus", openapi=http.SIGNED_IN)
async def status(request: Request, image_id: str) -> Response:
    """A picture that has arrived is checked by decoding it; the answer says how it went."""
    app, session = http.current_app(), await http.checked_caller(request)
    return http.reply(views.upload(await check_upload(app, session, image_id)))


uploads = http.function(router)
