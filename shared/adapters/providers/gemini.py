"""Gemini: pictures by generateContent, videos by interactions, and by Veo's operations where an
account still has them. https://ai.google.dev/gemini-api/docs
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from shared.adapters.providers import (
    _gemini_interactions,
    _gemini_operations,
    _gemini_pictures,
    _gemini_webhooks,
)
from shared.adapters.providers._gemini_replies import REPLY_BYTES_MAX
from shared.adapters.providers.translator import (
    Account,
    Ask,
    Cancel,
    Poll,
    Provider,
    Webhook,
    unsendable,
)
from shared.errors import VendorGone, VendorUnknown
from shared.failures import FailureCode
from shared.ports import Accepted, HttpReply, HttpRequest, Outcome, Ticket, Work


@dataclass(frozen=True, slots=True)
class _Mode:
    """One of the ways to ask. `unsent` are the wishes that it has no field for."""

    roles: frozenset[str]
    unsent: tuple[str, ...]
    submit: Callable[[Work, Account], HttpRequest]
    accepted: Callable[[HttpReply, Work], Accepted]
    poll: Poll | None = None
    cancel: Cancel | None = None


_PICTURES = _Mode(
    roles=frozenset(_gemini_pictures.ROLES),
    unsent=("audio", "duration_seconds", "negative_prompt"),
    submit=_gemini_pictures.submit,
    accepted=_gemini_pictures.accepted,
)
_INTERACTIONS = _Mode(
    roles=frozenset(_gemini_interactions.TAGS),
    unsent=("audio", "negative_prompt"),
    submit=_gemini_interactions.submit,
    accepted=_gemini_interactions.accepted,
    poll=Poll(_gemini_interactions.ask, _gemini_interactions.told),
    cancel=Cancel(_gemini_interactions.ask_to_stop, _gemini_interactions.stopped),
)
_OPERATIONS = _Mode(
    roles=frozenset(_gemini_operations.FIELDS),
    unsent=("audio",),
    submit=_gemini_operations.submit,
    accepted=_gemini_operations.accepted,
    poll=Poll(_gemini_operations.ask, _gemini_operations.told),
)


def authorize(request: HttpRequest, account: Account, now_ms: int) -> HttpRequest:
    """The key in a header of its own; in the address it would get into logs."""
    return replace(request, headers={**request.headers, "x-goog-api-key": account.api_key})


def submit(work: Work, account: Account) -> HttpRequest:
    """See `Provider`."""
    mode = _mode_of(work.ticket)
    unsent = [name for name in mode.unsent if getattr(work, name)]
    unsent += [role for role in work.images if role not in mode.roles]
    if unsent or work.count != 1:
        what = ", ".join(unsent) or "several results"
        raise unsendable(what)
    return mode.submit(work, account)


def accepted(reply: HttpReply, work: Work) -> Accepted:
    """See `Provider`."""
    return _mode_of(work.ticket).accepted(reply, work)


def _ask(ticket: Ticket, account: Account) -> HttpRequest:
    return _poll_of(ticket).request(ticket, account)


def _told(reply: HttpReply, ticket: Ticket, account: Account) -> Outcome | Ask:
    return _poll_of(ticket).read(reply, ticket, account)


def _ask_to_stop(ticket: Ticket, account: Account) -> HttpRequest:
    return _cancel_of(ticket).request(ticket, account)


def _stopped(reply: HttpReply, ticket: Ticket) -> Outcome | None:
    return _cancel_of(ticket).read(reply, ticket)


def _poll_of(ticket: Ticket) -> Poll:
    poll = _mode_of(ticket).poll
    if poll is None:
        raise VendorGone(FailureCode.RESULT_UNAVAILABLE, "a picture is answered only once")
    return poll


def _cancel_of(ticket: Ticket) -> Cancel:
    cancel = _mode_of(ticket).cancel
    if cancel is None:
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "only interactions can be stopped")
    return cancel


def _mode_of(ticket: Ticket) -> _Mode:
    if ticket.kind == "image":
        return _PICTURES
    return _OPERATIONS if ticket.vendor_model.startswith("veo-") else _INTERACTIONS


PROVIDER = Provider(
    name="gemini",
    base_url="https://generativelanguage.googleapis.com",
    authorize=authorize,
    submit=submit,
    accepted=accepted,
    poll=Poll(_ask, _told),
    cancel=Cancel(_ask_to_stop, _stopped),
    webhook=Webhook(_gemini_webhooks.read, _gemini_webhooks.key_set_url),
    # Files are served by the API itself or by a redirect to Google's storage, which gets no key.
    hosts=("*.googleusercontent.com", "storage.googleapis.com"),
    keyed_results=True,
    takes_bytes=True,
    reply_bytes_max=REPLY_BYTES_MAX,
)
