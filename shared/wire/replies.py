"""What clients get."""

from typing import Literal

from shared.wire.models import Model, Reply


class Error(Reply):
    """Why a request was refused, or a job ended without a result."""

    code: str
    message: str
    type: str | None = None
    param: str | None = None
    required_tokens: int | None = None
    available_tokens: int | None = None
    retry_after_seconds: int | None = None


class ErrorReply(Reply):
    """Every refusal."""

    error: Error


class AccountReply(Reply):
    """The caller's account."""

    id: str
    email: str
    available_tokens: int
    held_tokens: int
    plan: str
    language: str


class SignedIn(Reply):
    """A session and its account."""

    token: str
    account: AccountReply


class LedgerRow(Reply):
    """One movement of tokens."""

    id: str
    kind: str
    tokens: int
    debit: str
    credit: str
    job_id: str | None
    created_at: int
    note: str


class LedgerPage(Reply):
    """A page of rows, newest first."""

    object: Literal["list"]
    data: list[LedgerRow]
    first_id: str | None
    last_id: str | None
    has_more: bool


class UploadAddress(Reply):
    """Where and how to send the bytes."""

    method: str
    url: str
    headers: dict[str, str]
    expires_at: int


class UploadCreated(Reply):
    """A picture that is expected."""

    image_id: str
    upload: UploadAddress


class UploadStatus(Reply):
    """A picture and whether it can be used."""

    image_id: str
    state: Literal["pending", "ready", "rejected"]
    width: int | None
    height: int | None
    error: Error | None


class PriceLine(Reply):
    """One part of a price."""

    code: str
    tokens: int


class QuoteReply(Reply):
    """A price that is honoured until it expires."""

    quote_id: str
    total_tokens: int
    breakdown: list[PriceLine]
    expires_at: int


class ModelList(Reply):
    """All models."""

    object: Literal["list"]
    data: list[Model]


class JobSettings(Reply):
    """What the creator chose."""

    negative_prompt: str | None
    duration_seconds: int | None
    resolution: str | None
    aspect_ratio: str | None
    audio: bool
    count: int


class JobResult(Reply):
    """The result, at short-lived addresses."""

    content_url: str
    thumbnail_url: str
    filename: str
    content_type: str
    duration_seconds: float | None
    width: int
    height: int
    size_bytes: int


class Receipt(Reply):
    """What happened to the tokens, and the ledger rows that say so."""

    held_tokens: int
    charged_tokens: int
    returned_tokens: int
    reason: str
    ledger_ids: list[str]


class Job(Reply):
    """One generation."""

    id: str
    object: Literal["job"]
    model: str
    kind: Literal["video", "image"]
    status: Literal["queued", "running", "storing", "succeeded", "failed", "cancelled"]
    stage: str
    progress: int
    queue_position: int | None
    expected_seconds: int
    created_at: int
    started_at: int | None
    completed_at: int | None
    project_id: str | None
    prompt: str
    settings: JobSettings
    cancellable: bool
    result: JobResult | None
    results: list[JobResult]
    receipt: Receipt
    error: Error | None


class JobPage(Reply):
    """A page of jobs, newest first."""

    object: Literal["list"]
    data: list[Job]
    first_id: str | None
    last_id: str | None
    has_more: bool


class JobDeleted(Reply):
    """A forgotten job."""

    id: str
    object: Literal["job.deleted"]
    deleted: bool


class Health(Reply):
    """A function that answers."""

    status: Literal["ok"]
    version: str
