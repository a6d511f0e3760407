"""What a vendor's file holds: one `Provider` value, made of functions without sockets.

They build requests as values and read replies as values. What only some vendors can do is data that
is None for the others: `poll` where a vendor works after it has answered, `lookup`, `cancel`,
`webhook`. All reading is total: whatever the bytes, it ends in a value or in an error of the kind
named here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from shared.errors import VendorRejected
from shared.failures import FailureCode
from shared.ports import Accepted, Hint, HttpReply, HttpRequest, Inbound, Outcome, Ticket, Work

REPLY_BYTES_MAX = 1_000_000

_KEY = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Account:
    """One account of ours with a vendor. While one webhook secret replaces another, both are
    accepted. Only what calls the vendor has the key.
    """

    name: str
    provider: str
    base_url: str
    api_key: str = field(default="", repr=False)
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    hosts: tuple[str, ...] = ()  # where it serves results, besides those that the provider knows
    host: str = field(init=False)
    """The host that is called with the key."""

    def __post_init__(self) -> None:
        """Stop at start-up, without showing the key, rather than at the first call."""
        parts = urlsplit(self.base_url)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query:
            raise ValueError(f"the base address of {self.name} is not an http address")
        if self.api_key and not _KEY.fullmatch(self.api_key):
            raise ValueError(f"the key of {self.name} has a space or line break in it")
        if "" in self.webhook_secrets:
            raise ValueError(f"a webhook secret of {self.name} is empty")
        object.__setattr__(self, "host", parts.hostname)

    def url(self, path: str) -> str:
        """The address of a path that begins with a slash."""
        return self.base_url.rstrip("/") + path


@dataclass(frozen=True, slots=True)
class Ask:
    """One more question, where one reply does not say it all."""

    request: HttpRequest
    read: Callable[[HttpReply], "Outcome | Ask"]


@dataclass(frozen=True, slots=True)
class Poll:
    """How a vendor says how a task stands."""

    request: Callable[[Ticket, Account], HttpRequest]
    read: Callable[[HttpReply, Ticket, Account], Outcome | Ask]
    """A status word that is not known means running. Raises `VendorGone`, `VendorBusy`,
    `VendorUnknown`."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """How a vendor finds a task by our job id."""

    request: Callable[[Ticket, Account], HttpRequest]
    read: Callable[[HttpReply, Ticket], str | None]
    """The vendor's task id; None when it says that it has none. Raises `VendorBusy`,
    `VendorUnknown`."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """How a vendor stops a running task."""

    request: Callable[[Ticket, Account], HttpRequest]
    read: Callable[[HttpReply, Ticket], Outcome | None]
    """What the task is now; None when the reply does not say, and the driver then polls. Raises as
    `Poll.read` does."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What a webhook's signature is checked with: our secrets, and the vendor's public keys (the
    entries of a JSON Web Key Set) where it publishes any.
    """

    secrets: tuple[str, ...]
    public: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Webhook:
    """How a vendor calls us."""

    read: Callable[[Inbound, Keys, int], Hint]
    """Verify the signature over the raw body and its age (the last argument is now, in
    milliseconds), then read the task id. A vendor that does not sign only has its task id read.
    Raises `WebhookRefused`."""
    key_set_url: Callable[[Account], str] | None = None
    """Where the vendor publishes the keys that it signs with, if it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One vendor."""

    name: str
    """The file's name."""

    base_url: str
    """Where its API is, unless the account says otherwise."""

    authorize: Callable[[HttpRequest, Account, int], HttpRequest]
    """The request with our key in it, or what is signed with our key at this moment."""

    submit: Callable[[Work, Account], HttpRequest]
    """Ask for a generation. Raises `VendorRejected` for what the vendor has no field for: nothing
    that a creator asked for is dropped silently."""

    accepted: Callable[[HttpReply, Work], Accepted]
    """The task in the reply to `submit`, or the results themselves. Raises `VendorRejected` (surely
    not accepted, for good), `VendorBusy` (surely not accepted, for now), `VendorUnknown` (anything
    else)."""

    poll: Poll | None = None
    lookup: Lookup | None = None
    cancel: Cancel | None = None
    webhook: Webhook | None = None

    hosts: tuple[str, ...] = ()
    """Where results are served, besides the account's own host: exact names, or `*.name` for any
    host below it."""

    keyed_results: bool = False
    """Whether results on the account's own host are served to our key alone."""

    takes_bytes: bool = False
    """Whether pictures are sent as bytes; otherwise the vendor fetches them."""

    reply_bytes_max: int = REPLY_BYTES_MAX


def unsendable(what: str) -> VendorRejected:
    """What is asked for has no field in the vendor's request."""
    return VendorRejected(FailureCode.PROVIDER_REJECTED, f"no field for {what}")
