"""Domain values as stored documents and back: the only file that knows stored field names.

A value is stored under its own attribute names. Renaming an attribute is a migration: it happens
here.
"""

from dataclasses import fields
from operator import attrgetter, itemgetter
from typing import Any, Generic, TypeVar

from shared.accounts import Account, Activity, Recent
from shared.failures import Failure, FailureCode
from shared.job_states import State
from shared.jobs import Job, Result, Settings
from shared.ledger import Posting, Row, RowKind, Wallet
from shared.ports import Create, Data, Document, Documents, Put, Write
from shared.records.keys import (
    ACCOUNTS as ACCOUNTS,
    COLLECTIONS as COLLECTIONS,
    INDEXES as INDEXES,
    JOBS as JOBS,
    LEDGER as LEDGER,
    PAUSES as PAUSES,
    SLOTS as SLOTS,
    SWITCHES as SWITCHES,
    SWITCHES_KEY as SWITCHES_KEY,
    UPLOAD_RATES as UPLOAD_RATES,
    UPLOADS as UPLOADS,
    VENDOR_TASKS as VENDOR_TASKS,
    WALLETS as WALLETS,
    Index as Index,
    account_key as account_key,
    job_key as job_key,
    pause_key as pause_key,
    row_key as row_key,
    slot_key as slot_key,
    upload_key as upload_key,
    upload_rate_key as upload_rate_key,
    vendor_task_key as vendor_task_key,
    wallet_key as wallet_key,
)
from shared.slots import Slot
from shared.uploads import Upload
from shared.vendor_health import Pause, Switches

_T = TypeVar("_T")

SCHEMA = 1

# ---------------------------------------------------------------- flat values


class _Flat(Generic[_T]):
    """Field by field from a value to stored data and back. `asdict` copies deeply, at ten times the
    price, and most of what a step does on the processor is this."""

    def __init__(self, kind: type[_T]) -> None:
        self.names = tuple(field.name for field in fields(kind))  # type: ignore[arg-type]
        self._kind = kind
        self._of_value = attrgetter(*self.names)
        self.picked = itemgetter(*self.names)

    def data(self, value: _T) -> dict[str, Any]:
        """The value under its own names."""
        return dict(zip(self.names, self._of_value(value), strict=True))

    def value(self, data: Data) -> _T:
        """The value again; other stored fields are left alone."""
        return self._kind(*self.picked(data))


_JOB = _Flat(Job)
_SETTINGS = _Flat(Settings)
_RESULT = _Flat(Result)
_ROW = _Flat(Row)
_RECENT = _Flat(Recent)
_SLOT = _Flat(Slot)
_PAUSE = _Flat(Pause)
_ACCOUNT = _Flat(Account)
_UPLOAD = _Flat(Upload)

# ---------------------------------------------------------------- jobs

_STATE, _SETTINGS_AT, _SLOTS_AT, _FALLBACKS_AT, _RESULTS_AT, _FAILURE = (
    _JOB.names.index(name)
    for name in ("state", "settings", "slots", "fallback_models", "results", "failure")
)


def job_data(job: Job) -> Data:
    """The job as stored, with the fields that only queries use."""
    data = _JOB.data(job)
    data["state"] = job.state.value
    data["settings"] = _SETTINGS.data(job.settings)
    data["images"] = dict(job.images)
    data["slots"] = list(job.slots)
    data["fallback_models"] = list(job.fallback_models)
    data["results"] = [_RESULT.data(result) for result in job.results]
    data["failure"] = (
        {"code": job.failure.code.value, "message": job.failure.message} if job.failure else None
    )
    data["status"] = job.status
    data["hidden"] = job.deleted_at_ms is not None
    data["schema"] = SCHEMA
    return data


def job(document: Document) -> Job | None:
    """The stored job, if there is one."""
    data = document.data
    if data is None:
        return None
    values = list(_JOB.picked(data))
    values[_STATE] = State(data["state"])
    values[_SETTINGS_AT] = _SETTINGS.value(data["settings"])
    values[_SLOTS_AT] = tuple(data["slots"])
    values[_FALLBACKS_AT] = tuple(data["fallback_models"])
    values[_RESULTS_AT] = tuple(_RESULT.value(result) for result in data["results"])
    if data["failure"]:
        code = FailureCode(data["failure"]["code"])
        values[_FAILURE] = Failure(code, data["failure"]["message"])
    return Job(*values)


def put_job(job: Job) -> Put:
    """Replace the job."""
    return Put(job_key(job.id), job_data(job))


def create_job(job: Job) -> Create:
    """Store a new job."""
    return Create(job_key(job.id), job_data(job))


# ---------------------------------------------------------------- money


def wallet(documents: Documents, user_id: str) -> Wallet:
    """The user's wallet, which every account has."""
    data = documents[wallet_key(user_id)].data
    assert data is not None, "every account has a wallet"
    return wallet_of(data)


def wallet_of(data: Data) -> Wallet:
    """A wallet from its stored fields."""
    return Wallet(data["user_id"], data["available_tokens"], data["held_tokens"])


def activity(documents: Documents, user_id: str) -> Activity:
    """The user's activity, stored in the wallet's document."""
    data = documents[wallet_key(user_id)].data
    assert data is not None, "every account has a wallet"
    recent = tuple(_RECENT.value(entry) for entry in data["recent"])
    return Activity(recent, data["waiting_jobs"], data["finish_tags"])


def put_wallet(wallet: Wallet, activity: Activity) -> Put:
    """Replace wallet and activity together."""
    return Put(wallet_key(wallet.user_id), _wallet_data(wallet, activity))


def create_wallet(wallet: Wallet) -> Create:
    """Store a new wallet."""
    return Create(wallet_key(wallet.user_id), _wallet_data(wallet, Activity()))


def create_rows(posting: Posting) -> list[Write]:
    """Store a posting's rows."""
    return [create_row(row) for row in posting.rows]


def create_row(row: Row) -> Create:
    """Store one ledger row, for ever."""
    return Create(row_key(row.id), {**_ROW.data(row), "kind": row.kind.value, "schema": SCHEMA})


def row(data: Data) -> Row:
    """A stored ledger row."""
    return _ROW.value({**data, "kind": RowKind(data["kind"])})


def _wallet_data(wallet: Wallet, activity: Activity) -> Data:
    return {
        "user_id": wallet.user_id,
        "available_tokens": wallet.available_tokens,
        "held_tokens": wallet.held_tokens,
        "recent": [_RECENT.data(entry) for entry in activity.recent],
        "waiting_jobs": activity.waiting_jobs,
        "finish_tags": dict(activity.finish_tags or {}),
        "schema": SCHEMA,
    }


# ---------------------------------------------------------------- slots, accounts, uploads

_USERS_AT = _SLOT.names.index("failed_user_ids")


def slot(document: Document) -> Slot | None:
    """The stored slot, if there is one."""
    data = document.data
    if data is None:
        return None
    values = list(_SLOT.picked(data))
    values[_USERS_AT] = tuple(data["failed_user_ids"])
    return Slot(*values)


def slot_data(slot: Slot) -> Data:
    """The slot as stored; `busy` is what queries sort by."""
    data = _SLOT.data(slot)
    data["failed_user_ids"] = list(slot.failed_user_ids)
    return {**data, "busy": slot.job_id is not None, "schema": SCHEMA}


def put_slot(slot: Slot) -> Put:
    """Replace the slot."""
    return Put(slot_key(slot.id), slot_data(slot))


def pause(document: Document) -> Pause | None:
    """The pause, if there ever was one."""
    return None if document.data is None else _PAUSE.value(document.data)


def put_pause(pause: Pause) -> Put:
    """Replace the pause."""
    data = {**_PAUSE.data(pause), "schema": SCHEMA}
    return Put(pause_key(pause.pool, pause.account), data)


def switches(document: Document) -> Switches:
    """What the operator has switched off: nothing, unless it is written down."""
    if document.data is None:
        return Switches()
    off = document.data
    return Switches(frozenset(off["providers_off"]), frozenset(off["models_off"]))


def put_switches(switches: Switches) -> Put:
    """Replace the switches."""
    data = {
        "providers_off": sorted(switches.providers_off),
        "models_off": sorted(switches.models_off),
        "schema": SCHEMA,
    }
    return Put(SWITCHES_KEY, data)


def account(document: Document) -> Account | None:
    """The stored account, if there is one."""
    return None if document.data is None else _ACCOUNT.value(document.data)


def account_data(account: Account) -> Data:
    """The account as stored."""
    return {**_ACCOUNT.data(account), "schema": SCHEMA}


def upload(document: Document) -> Upload | None:
    """The stored upload, if there is one."""
    return None if document.data is None else _UPLOAD.value(document.data)


def upload_data(upload: Upload) -> Data:
    """The upload as stored."""
    return {**_UPLOAD.data(upload), "schema": SCHEMA}


def vendor_task_data(job_id: str) -> Data:
    """The binding of a vendor's task."""
    return {"job_id": job_id, "schema": SCHEMA}


def upload_times_ms(document: Document, since_ms: int) -> list[int]:
    """When the user asked for uploads, after a moment."""
    times: list[int] = (document.data or {}).get("times_ms", [])
    return [time_ms for time_ms in times if time_ms > since_ms]


def put_upload_times(user_id: str, times_ms: list[int]) -> Put:
    """Remember when the user asked for uploads."""
    return Put(upload_rate_key(user_id), {"times_ms": times_ms, "schema": SCHEMA})
