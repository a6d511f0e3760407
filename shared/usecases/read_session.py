"""Whose request this is: a signed session, still valid for its account."""

from dataclasses import dataclass

from shared import records
from shared.accounts import Account
from shared.app import App
from shared.errors import SessionRevoked, Unauthorized
from shared.ports import Document


@dataclass(frozen=True, slots=True)
class Session:
    """What a verified session token says."""

    user_id: str
    epoch: int


def check_session(session: Session, document: Document) -> Account:
    """The session's account. Raises `SessionRevoked` when its sessions were ended."""
    account = records.account(document)
    if account is None:
        raise Unauthorized("This session has no account.")
    if session.epoch != account.sessions_epoch:
        raise SessionRevoked("This session was ended. Sign in again.")
    return account


async def read_session(app: App, session: Session) -> Account:
    """The account of a session, read now. Raises `Unauthorized`, `SessionRevoked`."""
    key = records.account_key(session.user_id)
    return check_session(session, (await app.store.get([key]))[key])
