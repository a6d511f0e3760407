"""Domain values as stored documents and back: the only file that knows stored field names.

A value is stored under its own attribute names. Renaming an attribute is a migration: it happens
here.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from shared.accounts import Account, Activity, Recent
from shared.failures import Failure, FailureCode
from shared.jobs import Job, Result, Settings, State
from shared.ledger import Posting, Row, RowKind, Wallet
from shared.ports import Create, Data, Document, Documents, Key, Order, Put, Write
from shared.slots import Slot
from shared.uploads import Upload

SCHEMA = 1

ACCOUNTS = "accounts"
WALLETS = "wallets"
LEDGER = "ledger"
JOBS = "jobs"
SLOTS = "slots"
VENDOR_TASKS = "vendor_tasks"
UPLOADS = "uploads"
UPLOAD_RATES = "upload_rates"
COLLECTIONS = (ACCOUNTS, WALLETS, LEDGER, JOBS, SLOTS, VENDOR_TASKS, UPLOADS, UPLOAD_RATES)


@dataclass(frozen=True, slots=True)
class Index:
    """A composite index that a query of ours needs."""

    collection: str
    fields: tuple[Order, ...]


INDEXES: tuple[Index, ...] = (
    Index(JOBS, (Order("due_at_ms"),)),
    Index(JOBS, (Order("pool"), Order("state"), Order("start_tag"))),
    Index(JOBS, (Order("user_id"), Order("hidden"), Order("created_at_ms", descending=True))),
    Index(
        JOBS,
        (
            Order("user_id"),
            Order("hidden"),
            Order("status"),
            Order("created_at_ms", descending=True),
        ),
    ),
    Index(
        JOBS,
        (
            Order("user_id"),
            Order("hidden"),
            Order("project_id"),
            Order("created_at_ms", descending=True),
        ),
    ),
    Index(
        JOBS,
        (
            Order("user_id"),
            Order("hidden"),
            Order("project_id"),
            Order("status"),
            Order("created_at_ms", descending=True),
        ),
    ),
    Index(
        SLOTS, (Order("pool"), Order("enabled"), Order("busy"), Order("start_tag", descending=True))
    ),
    Index(LEDGER, (Order("user_id"), Order("created_at_ms", descending=True))),
)

# ---------------------------------------------------------------- keys


def account_key(user_id: str) -> Key:
    """The account's document."""
    return Key(ACCOUNTS, user_id)


def wallet_key(user_id: str) -> Key:
    """The wallet's document; the user's activity is kept in it."""
    return Key(WALLETS, user_id)


def job_key(job_id: str) -> Key:
    """The job's document."""
    return Key(JOBS, job_id)


def slot_key(slot_id: str) -> Key:
    """The slot's document."""
    return Key(SLOTS, slot_id)


def row_key(row_id: str) -> Key:
    """The ledger row's document."""
    return Key(LEDGER, row_id)


def vendor_task_key(provider: str, task_id: str) -> Key:
    """The document that binds a vendor's task to one job. Task ids may have any characters."""
    return Key(VENDOR_TASKS, f"{provider}:{task_id.encode().hex()}")


def upload_key(image_id: str) -> Key:
    """The upload's document."""
    return Key(UPLOADS, image_id)


def upload_rate_key(user_id: str) -> Key:
    """The document that counts a user's uploads."""
    return Key(UPLOAD_RATES, user_id)


# ---------------------------------------------------------------- jobs

_JOB_FIELDS = tuple(field.name for field in fields(Job))


def job_data(job: Job) -> Data:
    """The job as stored, with the fields that only queries use."""
    data: dict[str, Any] = {name: getattr(job, name) for name in _JOB_FIELDS}
    data["state"] = job.state.value
    data["settings"] = asdict(job.settings)
    data["images"] = dict(job.images)
    data["result"] = asdict(job.result) if job.result else None
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
    values = {name: data[name] for name in _JOB_FIELDS}
    values["state"] = State(data["state"])
    values["settings"] = Settings(**data["settings"])
    values["result"] = Result(**data["result"]) if data["result"] else None
    if data["failure"]:
        values["failure"] = Failure(
            FailureCode(data["failure"]["code"]), data["failure"]["message"]
        )
    return Job(**values)


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
    recent = tuple(Recent(**entry) for entry in data["recent"])
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
    return Create(row_key(row.id), {**asdict(row), "kind": row.kind.value, "schema": SCHEMA})


def row(data: Data) -> Row:
    """A stored ledger row."""
    values = {field.name: data[field.name] for field in fields(Row)}
    return Row(**{**values, "kind": RowKind(data["kind"])})


def _wallet_data(wallet: Wallet, activity: Activity) -> Data:
    return {
        "user_id": wallet.user_id,
        "available_tokens": wallet.available_tokens,
        "held_tokens": wallet.held_tokens,
        "recent": [asdict(entry) for entry in activity.recent],
        "waiting_jobs": activity.waiting_jobs,
        "finish_tags": dict(activity.finish_tags or {}),
        "schema": SCHEMA,
    }


# ---------------------------------------------------------------- slots, accounts, uploads


def slot(document: Document) -> Slot | None:
    """The stored slot, if there is one."""
    data = document.data
    if data is None:
        return None
    return Slot(data["pool"], data["index"], data["enabled"], data["job_id"], data["start_tag"])


def slot_data(slot: Slot) -> Data:
    """The slot as stored; `busy` is what queries sort by."""
    return {**asdict(slot), "busy": slot.job_id is not None, "schema": SCHEMA}


def put_slot(slot: Slot) -> Put:
    """Replace the slot."""
    return Put(slot_key(slot.id), slot_data(slot))


def account(document: Document) -> Account | None:
    """The stored account, if there is one."""
    return None if document.data is None else _value(Account, document.data)


def account_data(account: Account) -> Data:
    """The account as stored."""
    return {**asdict(account), "schema": SCHEMA}


def upload(document: Document) -> Upload | None:
    """The stored upload, if there is one."""
    return None if document.data is None else _value(Upload, document.data)


def upload_data(upload: Upload) -> Data:
    """The upload as stored."""
    return {**asdict(upload), "schema": SCHEMA}


def vendor_task_data(job_id: str) -> Data:
    """The binding of a vendor's task."""
    return {"job_id": job_id, "schema": SCHEMA}


def _value(kind: type[Any], data: Mapping[str, Any]) -> Any:
    return kind(**{field.name: data[field.name] for field in fields(kind)})


def upload_times_ms(document: Document, since_ms: int) -> list[int]:
    """When the user asked for uploads, after a moment."""
    times: list[int] = (document.data or {}).get("times_ms", [])
    return [time_ms for time_ms in times if time_ms > since_ms]


def put_upload_times(user_id: str, times_ms: list[int]) -> Put:
    """Remember when the user asked for uploads."""
    return Put(upload_rate_key(user_id), {"times_ms": times_ms, "schema": SCHEMA})
