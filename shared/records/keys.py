"""Where each value is stored, and the indexes that our queries need."""

from dataclasses import dataclass

from shared.ports import Key, Order

ACCOUNTS = "accounts"
WALLETS = "wallets"
LEDGER = "ledger"
JOBS = "jobs"
SLOTS = "slots"
VENDOR_TASKS = "vendor_tasks"
UPLOADS = "uploads"
UPLOAD_RATES = "upload_rates"
PAUSES = "pauses"
SWITCHES = "switches"
COLLECTIONS = (
    ACCOUNTS,
    WALLETS,
    LEDGER,
    JOBS,
    SLOTS,
    VENDOR_TASKS,
    UPLOADS,
    UPLOAD_RATES,
    PAUSES,
    SWITCHES,
)


@dataclass(frozen=True, slots=True)
class Index:
    """A composite index that a query of ours needs."""

    collection: str
    fields: tuple[Order, ...]


_NEWEST = Order("created_at_ms", descending=True)
_OF_USER = (Order("user_id"), Order("hidden"))
INDEXES: tuple[Index, ...] = (
    Index(JOBS, (Order("due_at_ms"),)),
    Index(JOBS, (Order("pool"), Order("state"), Order("start_tag"))),
    Index(JOBS, (*_OF_USER, _NEWEST)),
    Index(JOBS, (*_OF_USER, Order("status"), _NEWEST)),
    Index(JOBS, (*_OF_USER, Order("project_id"), _NEWEST)),
    Index(JOBS, (*_OF_USER, Order("project_id"), Order("status"), _NEWEST)),
    Index(
        SLOTS, (Order("pool"), Order("enabled"), Order("busy"), Order("start_tag", descending=True))
    ),
    Index(LEDGER, (Order("user_id"), _NEWEST)),
)


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


def pause_key(pool: str, account: str) -> Key:
    """The document of a pause of one account's places in one pool."""
    return Key(PAUSES, f"{pool}:{account}")


SWITCHES_KEY = Key(SWITCHES, "operator")


def upload_key(image_id: str) -> Key:
    """The upload's document."""
    return Key(UPLOADS, image_id)


def upload_rate_key(user_id: str) -> Key:
    """The document that counts a user's uploads."""
    return Key(UPLOAD_RATES, user_id)
