"""What the product needs from the outside, as small Protocols and the values they speak.

Use cases touch the world only by awaiting one of these. Every call may be repeated, lost, late or
fail; the contract suites in `tests/contract/` say what each adapter owes.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Literal, Protocol

# ---------------------------------------------------------------- store

Data = Mapping[str, Any]  # a JSON object; ints stay ints


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Where one document lives."""

    collection: str
    id: str


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it was read. `data` and `version` are None when it does not exist."""

    key: Key
    data: Data | None
    version: object | None


Documents = Mapping[Key, Document]


@dataclass(frozen=True, slots=True)
class Create:
    """Write a document that must not exist. It need not have been read."""

    key: Key
    data: Data


@dataclass(frozen=True, slots=True)
class Put:
    """Replace a document that was read, if it is still as it was read (absent counts too)."""

    key: Key
    data: Data


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a document that was read, if it is still as it was read."""

    key: Key


@dataclass(frozen=True, slots=True)
class Check:
    """Write nothing, but commit only if this document is still as it was read."""

    key: Key


Write = Create | Put | Delete | Check
Decide = Callable[[Documents], Sequence[Write]]

Operator = Literal["==", "<", "<=", ">", ">=", "in"]


@dataclass(frozen=True, slots=True)
class Where:
    """One condition on a top-level field."""

    field: str
    op: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key; the document id is always the last one, in the direction of the last given."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Documents of one collection. `after` holds the last seen values of `order`, then the last
    seen id.
    """

    collection: str
    where: tuple[Where, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int = 100
    after: tuple[Any, ...] | None = None


class Store(Protocol):
    """Documents that change in optimistic, all-or-nothing commits."""

    async def get(self, keys: Sequence[Key]) -> Documents:
        """Read documents in one call, each at its newest committed version; all of `keys` are in
        the answer.
        """
        ...

    async def transact(
        self, keys: Sequence[Key], decide: Decide, *, known: Documents | None = None
    ) -> Documents:
        """Read `keys`, let `decide` choose the writes, commit all of them or none, and return the
        documents as they now stand (read ones overlaid with written ones, with versions fit for
        `known`).

        `decide` is pure and may run several times. It starts again from the read when a race was
        lost or when the outcome of a commit is not known, so it must recognise its own earlier
        effect (a row, a claim, an epoch) and then return no writes. No writes commits nothing.
        Documents in `known` are taken as read in the first attempt; a wrong guess costs one more
        round. Raises `Contention` when every attempt was lost, and whatever `decide` raises.
        """
        ...

    async def query(self, query: Query) -> Sequence[Document]:
        """Matching documents in order. Documents without an ordered or compared field do not
        match.
        """
        ...


# ---------------------------------------------------------------- queue


@dataclass(frozen=True, slots=True)
class Task:
    """One call of `/tasks/{name}`. `key` names it: a key already seen is not queued again for an
    hour.
    """

    name: str
    key: str
    payload: Data
    queue: str
    at_ms: int = 0


class Queue(Protocol):
    """Durable tasks, delivered at least once, in no order, retried with backoff until done or
    final.
    """

    async def push(self, task: Task) -> None:
        """Queue a task. A repeated key is success. Raises `QueueUnavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """Limits of one queue, the same here and in Terraform."""

    name: str
    max_concurrent_dispatches: int
    max_dispatches_per_second: float = 500.0
    max_attempts: int = 100
    min_backoff_seconds: float = 1.0
    max_backoff_seconds: float = 60.0
    dispatch_deadline_seconds: float = 60.0


Verdict = Literal["done", "final", "again"]
"""What a task handler says: done, can never work (both end the task), deliver it again."""

# ---------------------------------------------------------------- blobs


@dataclass(frozen=True, slots=True)
class SignedUpload:
    """An address that takes the bytes of one object, once, until `expires_at_ms`."""

    method: str
    url: str
    headers: Mapping[str, str]
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """What is stored under a key."""

    key: str
    size_bytes: int
    content_type: str


class BlobTooLarge(Exception):
    """The stream went over its cap; nothing was stored."""


class Blobs(Protocol):
    """Immutable objects in a private bucket."""

    async def sign_upload(
        self, key: str, *, content_type: str, max_bytes: int, expires_seconds: int
    ) -> SignedUpload:
        """An address for one create-only upload of at most `max_bytes` with exactly this content
        type.
        """
        ...

    async def sign_download(self, key: str, *, filename: str | None, expires_seconds: int) -> str:
        """An address that serves the object (range requests too) as an attachment called
        `filename`, or inline when that is None."""
        ...

    async def put(
        self, key: str, chunks: AsyncIterator[bytes], *, content_type: str, max_bytes: int
    ) -> BlobInfo:
        """Store a stream, all or nothing. An object already there wins and is described instead;
        the stream is then left unread. Raises `BlobTooLarge`."""
        ...

    async def head(self, key: str) -> BlobInfo | None:
        """What is there, if anything."""
        ...

    async def delete(self, key: str) -> None:
        """Remove it; removing nothing is fine."""
        ...

    def open(self, key: str) -> BinaryIO:
        """A seekable reader for a library that runs in a thread. Raises FileNotFoundError."""
        ...


# ---------------------------------------------------------------- media


class BadMedia(Exception):
    """The stored bytes are not what they should be; `code` says which way."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """A checked result."""

    content_type: str
    width: int
    height: int
    duration_seconds: float | None
    thumbnail_jpeg: bytes


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """A checked and cleaned picture."""

    content_type: str
    width: int
    height: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class PictureFit:
    """How a vendor wants a picture: one of these types, at most so large, and cut to a width and
    height ratio like `3:4` where one is given.
    """

    types: tuple[str, ...]
    side_max_px: int
    max_bytes: int
    aspect_ratio: str | None = None


class Media(Protocol):
    """Decoding, in a thread, of what users and vendors send."""

    async def inspect(self, key: str, kind: str) -> MediaInfo:
        """Check a stored result (`kind` video or image) by decoding it. Raises `BadMedia` with code
        `result_invalid`."""
        ...

    async def clean_picture(self, source_key: str, target_key: str) -> PictureInfo:
        """Decode an uploaded picture, turn it upright, drop all metadata, and store it under
        `target_key`. Raises `BadMedia` with code `not_an_image`, `unsupported_image_type`,
        `image_too_many_pixels` or `image_too_large`."""
        ...

    async def fit_picture(self, source_key: str, target_key: str, fit: PictureFit) -> PictureInfo:
        """Store a checked picture as a vendor wants it; one that is stored already stays. Raises
        `BadMedia` with code `not_an_image`."""
        ...

    async def load(self, key: str, max_bytes: int) -> bytes:
        """A stored picture's bytes. Raises `BadMedia` with code `image_too_large`, and
        FileNotFoundError."""
        ...


# ---------------------------------------------------------------- vendors


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request to a vendor, as a value. `json` and `body` exclude each other."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Data | None = None
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A whole reply. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotSent(Exception):
    """The request did not leave: name not resolved, connection refused, host not allowed."""


class NoReply(Exception):
    """The request may have left and no whole reply came back."""


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Bounds of one exchange. Only `hosts` are called (exact names, or `*.name` for any host below
    it).
    """

    hosts: tuple[str, ...]
    connect_seconds: float = 5.0
    total_seconds: float = 30.0
    max_bytes: int = 1_000_000


class Http(Protocol):
    """The socket. It follows no redirects unless each hop passes the same limits, and refuses
    private, link-local and metadata addresses other than the explicitly allowed ones."""

    async def send(self, request: HttpRequest, limits: HttpLimits) -> HttpReply:
        """One exchange. Raises `NotSent` or `NoReply`."""
        ...

    def stream(self, request: HttpRequest, limits: HttpLimits) -> AsyncGenerator[bytes, None]:
        """The body of a 200 reply, in chunks. Raises `NotSent`, `NoReply` (also for another status
        and for more than `max_bytes`)."""
        ...


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
        alone, and only where it asks for it. Raises `VendorUnknown`.
        """
        ...

    async def hint(self, provider: str, inbound: Inbound, now_ms: int) -> Hint:
        """Verify a webhook's own signature, where the vendor signs, and read the task id. Raises
        `WebhookRefused`, `NotFound` for an unknown provider, and `Unavailable` when the vendor's
        public keys cannot be read now."""
        ...


# ---------------------------------------------------------------- clock and ids


class Clock(Protocol):
    """Time. Wall time may be skewed between functions by tens of seconds."""

    def now_ms(self) -> int:
        """Unix time in milliseconds."""
        ...

    def monotonic_ms(self) -> int:
        """Milliseconds that never go back within one process."""
        ...


class Ids(Protocol):
    """Randomness."""

    def token(self) -> str:
        """128 unguessable bits as 32 hex digits."""
        ...

    def below(self, limit: int) -> int:
        """A number in [0, limit)."""
        ...
