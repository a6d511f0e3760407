"""What a vendor's file holds: requests built as values, replies read as values, and no sockets.

The five methods of `Provider` are what every vendor can do. What only some can do is data: `lookup`
and `cancel` are None where the vendor has no such call.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from shared.ports import Hint, HttpReply, HttpRequest, Inbound, Outcome, Work

_KEY = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Account:
    """Our account with one vendor. While one webhook secret replaces another, both are accepted."""

    name: str
    base_url: str
    api_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        """Stop at start-up, without showing the key, rather than at the first call."""
        parts = urlsplit(self.base_url)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query:
            raise ValueError(f"the base address of {self.name} is not an http address")
        if not _KEY.fullmatch(self.api_key):
            raise ValueError(f"the key of {self.name} is empty or has a space or line break in it")
        if "" in self.webhook_secrets:
            raise ValueError(f"a webhook secret of {self.name} is empty")

    @property
    def host(self) -> str:
        """The host that is called with the key."""
        return urlsplit(self.base_url).hostname or ""

    def url(self, path: str) -> str:
        """The address of a path that begins with a slash."""
        return self.base_url.rstrip("/") + path


@dataclass(frozen=True, slots=True)
class Lookup:
    """How a vendor finds a task by our job id."""

    request: Callable[[str, Account], HttpRequest]
    """Job id and account to the question."""
    read: Callable[[HttpReply, str], str | None]
    """Reply and job id to the vendor's task id; None when it says that it has none. Raises
    `VendorBusy`, `VendorUnknown`."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """How a vendor stops a running task."""

    request: Callable[[str, Account], HttpRequest]
    """Task id and account to the wish."""
    read: Callable[[HttpReply, str], Outcome | None]
    """Reply and task id to what the task is now; None when the reply does not say, and the driver
    then polls. Raises as `Provider.outcome` does."""


class Provider(Protocol):
    """One vendor. Instances hold nothing that changes; all reading is total: whatever the bytes,
    it ends in a value or in an error of the kind named here."""

    @property
    def name(self) -> str:
        """The file's name."""
        ...

    @property
    def hosts(self) -> tuple[str, ...]:
        """Where results are served, besides the account's own host: exact names, or `*.name` for
        any host below it."""
        ...

    @property
    def lookup(self) -> Lookup | None:
        """Set where the vendor stores our id and finds a task by it."""
        ...

    @property
    def cancel(self) -> Cancel | None:
        """Set where the vendor can stop a task that runs."""
        ...

    def submit(self, work: Work, account: Account) -> HttpRequest:
        """Ask for a generation. Raises `VendorRejected` for what the vendor has no field for:
        nothing that a creator asked for is dropped silently."""
        ...

    def accepted(self, reply: HttpReply) -> str:
        """The task id in the reply to `submit`. Raises `VendorRejected` (surely not accepted, for
        good), `VendorBusy` (surely not accepted, for now), `VendorUnknown` (anything else)."""
        ...

    def poll(self, task_id: str, account: Account) -> HttpRequest:
        """Ask how a task stands."""
        ...

    def outcome(self, reply: HttpReply, task_id: str) -> Outcome:
        """What the reply to `poll` says. A status word that is not known means running. Raises
        `VendorGone`, `VendorBusy`, `VendorUnknown`."""
        ...

    def webhook(self, inbound: Inbound, account: Account, now_ms: int) -> Hint:
        """Verify the vendor's signature over the raw body and its age, then read the task id.
        Raises `WebhookRefused`. A vendor that does not sign only has its task id read."""
        ...
