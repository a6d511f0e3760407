"""What clients send."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.usecases.read_jobs import PAGE_MAX

Json = dict[str, Any]
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


class JobsQuery(BaseModel):
    """Which of the caller's jobs."""

    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = 20
    after: Annotated[str, Field(max_length=128)] | None = None
    status: Literal["queued", "running", "storing", "succeeded", "failed", "cancelled"] | None = (
        None
    )
    project_id: Annotated[str, Field(max_length=128)] | None = None


class LedgerQuery(BaseModel):
    """Which rows of the caller's ledger."""

    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = 20
    after: Annotated[str, Field(max_length=200)] | None = None


class ContentQuery(BaseModel):
    """Which file of a job."""

    variant: Literal["video", "image", "thumbnail"] = "video"
    index: Annotated[int, Field(ge=0, le=9)] = 0
