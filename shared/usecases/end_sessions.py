"""End every session of an account at once."""

from dataclasses import replace

from shared import records
from shared.app import App
from shared.ports import Documents, Put, Write
from shared.usecases.read_session import Session, check_session


async def end_sessions(app: App, session: Session) -> None:
    """Every token given out so far stops working. Raises `SessionRevoked` when that was done
    already.
    """
    key = records.account_key(session.user_id)

    def decide(documents: Documents) -> list[Write]:
        account = check_session(session, documents[key])
        ended = replace(account, sessions_epoch=account.sessions_epoch + 1)
        return [Put(key, records.account_data(ended))]

    await app.store.transact([key], decide)
