"""What is asked of a media vendor, and what it answers, whoever the vendor is."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from shared.ports.store import Data


@dataclass(frozen=True, slots=True)
class Ticket:
    """Which job a call to a vendor is about. The account and the vendor's own id of its task are
    not there before a place was granted and the vendor accepted; `roles` are of its pictures.
    """

    provider: str
    account: str
    job_id: str
    kind: str
    vendor_model: str
    roles: frozenset[str] = frozenset()
    task_id: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture for a vendor: an address that it can fetch for a while, and the bytes where the
    vendor wants those.
    """

    url: str
    content_type: str
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Work:
    """What a vendor is asked to make."""

    ticket: Ticket
    prompt: str
    negative_prompt: str | None
    duration_seconds: int | None
    resolution: str | None
    aspect_ratio: str | None
    audio: bool
    count: int
    images: Mapping[str, Picture]
    callback_url: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """One result: where it is, or the bytes where the vendor's answer holds them."""

    url: str = ""
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The vendor took the work: the id of its task, and the results where they came at once."""

    task_id: str
    parcels: tuple[Parcel, ...] = ()


OutcomeState = Literal["running", "succeeded", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a vendor says of one task. `job_id` is our id as the vendor echoes it, if it does."""

    task_id: str
    state: OutcomeState
    job_id: str | None = None
    parcels: tuple[Parcel, ...] = ()
    failure_code: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Inbound:
    """A webhook as it arrived. Header names are lower case."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Hint:
    """What an authentic webhook suggests: look at this task. `answer` is what the vendor wants to
    hear; without news there is nothing to look at.
    """

    task_id: str | None
    answer: Data | None = None
    is_news: bool = True


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a vendor can do, and how it wants its pictures."""

    can_poll: bool
    can_look_up: bool
    can_cancel: bool
    takes_bytes: bool


class Vendors(Protocol):
    """The one driver over all providers."""

    def abilities(self, provider: str) -> Abilities:
        """What the vendor can do. Raises `NotFound`."""
        ...

    async def submit(self, work: Work, total_seconds: float) -> Accepted:
        """Ask for a generation, and wait no longer than this for the answer. Raises
        `VendorRejected`, `VendorBusy`, `VendorUnknown`."""
        ...

    async def poll(self, ticket: Ticket) -> Outcome:
        """Ask how a task stands. Raises `VendorGone`, `VendorBusy`, `VendorUnknown`."""
        ...

    async def look_up(self, ticket: Ticket) -> str | None:
        """The task id the vendor has for our id. Raises `VendorBusy`, `VendorUnknown`."""
        ...

    async def cancel(self, ticket: Ticket) -> Outcome:
        """Ask the vendor to stop a task; the outcome says what it is now. Raises as `poll` does."""
        ...

    def fetch(self, ticket: Ticket, parcel: Parcel, max_bytes: int) -> AsyncGenerator[bytes, None]:
        """Stream a result from the vendor's allowed hosts; our key goes to the vendor's own host
        alone, and only where it asks for it. Raises `VendorUnknown`, `VendorUnusable`.
        """
        ...

    async def hint(self, provider: str, inbound: Inbound, now_ms: int) -> Hint:
        """Verify a webhook's own signature, where the vendor signs, and read the task id. Raises
        `WebhookRefused`, `NotFound` for an unknown provider, and `Unavailable` when the vendor's
        public keys cannot be read now."""
        ...
