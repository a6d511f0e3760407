"""Signing in, the account with its balance, and the ledger behind it."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from shared import http, sessions, views
from shared.usecases.end_sessions import end_sessions
from shared.usecases.read_ledger import read_ledger
from shared.usecases.read_session import Session
from shared.usecases.sign_in_local import read_owner, sign_in_local

if TYPE_CHECKING:
    from shared.wire import requests

router = http.Router("account")


@router.post("/v1/auth/local", reply="SignedIn")
async def sign_in(_request: Request, body: "requests.SignInRequest") -> Response:
    """Sign in by e-mail alone; on a local installation only."""
    app = http.current_app()
    owner = await sign_in_local(app, body.email, body.language)
    token = sessions.issue(app, Session(owner.account.id, owner.account.sessions_epoch))
    return http.reply({"token": token, "account": views.account(owner)})


@router.post("/v1/auth/end", status=204, openapi=http.SIGNED_IN)
async def end(request: Request) -> Response:
    """End every session of this account, this one too."""
    await end_sessions(http.current_app(), http.caller(request))
    return Response(status_code=204)


@router.get("/v1/account", reply="AccountReply", openapi=http.SIGNED_IN)
async def read(request: Request) -> Response:
    """The caller's account and balance."""
    session = await http.checked_caller(request)
    return http.reply(views.account(await read_owner(http.current_app(), session.user_id)))


@router.get("/v1/account/ledger", reply="LedgerPage", openapi=http.SIGNED_IN)
async def ledger(request: Request, query: "requests.LedgerQuery") -> Response:
    """Every movement of the caller's tokens, newest first."""
    session = await http.checked_caller(request)
    page = await read_ledger(http.current_app(), session.user_id, query.limit, query.after)
    return http.reply(views.page([views.row(row) for row in page.rows], page.has_more))


account = http.function(router)
