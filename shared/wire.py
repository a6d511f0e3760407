"""The JSON that clients send and get, as pydantic models: validation here, OpenAPI generated from
here.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class Request(BaseModel):
    """A request body: unknown fields and loose types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class JobImages(Request):
    """Checked pictures by role."""

    start: Id | None = None
    end: Id | None = None
    subject: Id | None = None
    source: Id | None = None


class JobRequest(Request):
    """What to generate. Fields that the model does not have are refused."""

    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    prompt: Annotated[str, StringConstraints(max_length=20_000)] = ""
    negative_prompt: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    duration_seconds: Annotated[int, Field(ge=1, le=600)] | None = None
    resolution: Annotated[str, StringConstraints(max_length=20)] | None = None
    aspect_ratio: Annotated[str, StringConstraints(max_length=20)] | None = None
    images: JobImages | None = None
    audio: bool = False
    count: Annotated[int, Field(ge=1, le=10)] = 1
    fallback_models: Annotated[list[Id], Field(max_length=3)] = []
    project_id: Id | None = None
    quote_id: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    max_cost_tokens: Annotated[int, Field(ge=1, le=10**12)] | None = None


class UploadRequest(Request):
    """A picture that will be sent."""

    filename: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    content_type: Annotated[str, StringConstraints(max_length=100)]
    size_bytes: Annotated[int, Field(ge=0, le=10**15)]


class SignInRequest(Request):
    """Who signs in on a local installation."""

    email: Annotated[
        str, StringConstraints(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}$", max_length=254)
    ]
    language: Literal["en", "ru", "id"] = "en"


class Error(BaseModel):
    """Why a request was refused, or a job ended without a result."""

    code: str
    message: str
    type: str | None = None
    param: str | None = None
    required_tokens: int | None = None
    available_tokens: int | None = None
    retry_after_seconds: int | None = None


class ErrorReply(BaseModel):
    """Every refusal."""

    error: Error


class AccountReply(BaseModel):
    """The caller's account."""

    id: str
    email: str
    available_tokens: int
    held_tokens: int
    plan: str
    language: str


class SignedIn(BaseModel):
    """A session and its account."""

    token: str
    account: AccountReply


class LedgerRow(BaseModel):
    """One movement of tokens."""

    id: str
    kind: str
    tokens: int
    debit: str
    credit: str
    job_id: str | None
    created_at: int
    note: str


class LedgerPage(BaseModel):
    """A page of rows, newest first."""

    object: Literal["list"]
    data: list[LedgerRow]
    first_id: str | None
    last_id: str | None
    has_more: bool


class UploadAddress(BaseModel):
    """Where and how to send the bytes."""

    method: str
    url: str
    headers: dict[str, str]
    expires_at: int


class UploadCreated(BaseModel):
    """A picture that is expected."""

    image_id: str
    upload: UploadAddress


class UploadStatus(BaseModel):
    """A picture and whether it can be used."""

    image_id: str
    state: Literal["pending", "ready", "rejected"]
    width: int | None
    height: int | None
    error: Error | None


class Condition(BaseModel):
    """Where all of `when` holds, all of `then` must: which values a setting, `audio` or a picture's
    role (true: there is one) may have."""

    when: dict[str, list[int | str | bool]]
    then: dict[str, list[int | str | bool]]


class PictureNeed(BaseModel):
    """What a picture must be like. Ratios are width to height, in hundredths. `crop`: it is cut to
    the chosen aspect ratio."""

    types: list[str]
    side_min_px: int
    side_max_px: int
    ratio_min_percent: int
    ratio_max_percent: int
    max_bytes: int
    crop: bool


class Capabilities(BaseModel):
    """What a model really can. A prompt of at most 0 characters: it takes none."""

    durations_seconds: list[int]
    resolutions: list[str]
    aspect_ratios: list[str]
    images: dict[str, Literal["none", "optional", "required"]]
    negative_prompt: bool
    audio: bool
    prompt_chars_min: int
    prompt_chars_max: int
    counts: list[int]
    conditions: list[Condition]
    picture: PictureNeed


class ModelDefaults(BaseModel):
    """What a request gets when it does not say."""

    duration_seconds: int | None
    resolution: str | None
    aspect_ratio: str | None


class Model(BaseModel):
    """One model of the catalogue."""

    id: str
    object: Literal["model"]
    kind: Literal["video", "image"]
    name: str
    provider: str
    state: Literal["live", "retiring", "retired", "off"]
    retires_on: str | None
    successor: str | None
    price_from_tokens: int
    expected_seconds: int
    capabilities: Capabilities
    defaults: ModelDefaults


class ModelList(BaseModel):
    """All models."""

    object: Literal["list"]
    data: list[Model]


class PriceLine(BaseModel):
    """One part of a price."""

    code: str
    tokens: int


class QuoteReply(BaseModel):
    """A price that is honoured until it expires."""

    quote_id: str
    total_tokens: int
    breakdown: list[PriceLine]
    expires_at: int


class JobSettings(BaseModel):
    """What the creator chose."""

    negative_prompt: str | None
    duration_seconds: int | None
    resolution: str | None
    aspect_ratio: str | None
    audio: bool
    count: int


class JobResult(BaseModel):
    """The result, at short-lived addresses."""

    content_url: str
    thumbnail_url: str
    filename: str
    content_type: str
    duration_seconds: float | None
    width: int
    height: int
    size_bytes: int


class Receipt(BaseModel):
    """What happened to the tokens, and the ledger rows that say so."""

    held_tokens: int
    charged_tokens: int
    returned_tokens: int
    reason: str
    ledger_ids: list[str]


class Job(BaseModel):
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


class JobPage(BaseModel):
    """A page of jobs, newest first."""

    object: Literal["list"]
    data: list[Job]
    first_id: str | None
    last_id: str | None
    has_more: bool


class JobDeleted(BaseModel):
    """A forgotten job."""

    id: str
    object: Literal["job.deleted"]
    deleted: bool


class Health(BaseModel):
    """A function that answers."""

    status: Literal["ok"]
    version: str


Json = dict[str, Any]
