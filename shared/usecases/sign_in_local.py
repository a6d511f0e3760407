"""Sign in by e-mail alone, on a local profile only; the first time opens the account with its
trial grant.
"""

from dataclasses import dataclass

from shared import fitting, ids, ledger, pricing, records
from shared.accounts import Account
from shared.app import App
from shared.errors import NotFound
from shared.ledger import Wallet
from shared.ports import Create, Documents, Write


@dataclass(frozen=True, slots=True)
class Owner:
    """An account and what it has."""

    account: Account
    wallet: Wallet


async def sign_in_local(app: App, email: str, language: str) -> Owner:
    """The account of this address, opened when it is new. Raises `NotFound` outside the local
    profile.
    """
    if app.settings.sign_in != "local":
        raise NotFound("Signing in this way exists on a local installation only.")
    user_id = ids.user_id(email)
    keys = [records.account_key(user_id), records.wallet_key(user_id)]
    now_ms = app.clock.now_ms()
    account = Account(user_id, email.strip().lower(), "free", language, 1, now_ms)

    def decide(documents: Documents) -> list[Write]:
        if documents[keys[0]].data is not None:
            return []
        trial = ledger.grant(
            Wallet(user_id, 0, 0), f"{user_id}:trial", trial_tokens(app), now_ms, "trial"
        )
        return [
            Create(keys[0], records.account_data(account)),
            records.create_wallet(trial.wallet),
            *records.create_rows(trial),
        ]

    return _owner(await app.store.transact(keys, decide), user_id)


async def read_owner(app: App, user_id: str) -> Owner:
    """The account and wallet of a signed-in user."""
    keys = [records.account_key(user_id), records.wallet_key(user_id)]
    return _owner(await app.store.get(keys), user_id)


def trial_tokens(app: App) -> int:
    """What a new account gets: some generations' worth of the default model."""
    model = app.catalogue.models[app.catalogue.default_model]
    return app.settings.trial_generations * pricing.price(fitting.plainest(model)).total_tokens


def _owner(documents: Documents, user_id: str) -> Owner:
    account = records.account(documents[records.account_key(user_id)])
    assert account is not None
    return Owner(account, records.wallet(documents, user_id))
