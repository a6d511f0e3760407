"""The one driver over all vendors: it sends what translators build and says what came of it.

It has no sockets of its own; it waits for nothing but the `Http` port.
"""

import logging
import traceback
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from shared.adapters import providers
from shared.adapters.providers.key_sets import KeySets
from shared.adapters.providers.translator import Account, Ask, Keys, Provider
from shared.errors import (
    NotFound,
    VendorBusy,
    VendorError,
    VendorGone,
    VendorUnknown,
    VendorUnusable,
    WebhookRefused,
)
from shared.failures import FailureCode
from shared.ports import (
    Abilities,
    Accepted,
    Clock,
    Hint,
    Http,
    HttpLimits,
    HttpReply,
    HttpRequest,
    Inbound,
    NoReply,
    NotSent,
    Outcome,
    Parcel,
    ReplyTooLarge,
    Ticket,
    Work,
)

FETCH_SECONDS = 300.0
QUESTIONS_MAX = 3

# What a translator must never raise, and what a mistake in one would.
_MISTAKES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Driver:
    """The `Vendors` port over an `Http` port, for the vendors that we have an account with."""

    def __init__(
        self,
        http: Http,
        accounts: Mapping[str, Account],
        clock: Clock,
        *,
        connect_seconds: float = 5.0,
        total_seconds: float = 30.0,
        load: Callable[[str], Provider] = providers.load,
    ) -> None:
        self._http = http
        self._accounts = accounts
        self._clock = clock
        self._connect_seconds = connect_seconds
        self._total_seconds = total_seconds
        self._load = load
        self._key_sets = KeySets(http, clock, connect_seconds, total_seconds)

    def abilities(self, provider: str) -> Abilities:
        """See the port."""
        self._accounts_of(provider)
        translator = self._load(provider)
        return Abilities(
            can_poll=translator.poll is not None,
            can_look_up=translator.lookup is not None,
            can_cancel=translator.cancel is not None,
            takes_bytes=translator.takes_bytes,
        )

    async def submit(self, work: Work, total_seconds: float) -> Accepted:
        """See the port."""
        ticket = work.ticket
        translator, account = self._vendor(ticket)
        with _logged(ticket.provider, "submit", ticket.job_id):
            request = translator.submit(work, account)
            reply = await self._send(translator, account, request, total_seconds)
            return _read(reply, lambda reply: translator.accepted(reply, work))

    async def poll(self, ticket: Ticket) -> Outcome:
        """See the port."""
        translator, account = self._vendor(ticket)
        poll = translator.poll
        with _logged(ticket.provider, "poll", ticket.task_id):
            if poll is None:
                raise VendorGone(FailureCode.RESULT_UNAVAILABLE, "the vendor answers only once")
            read = poll.read
            said: Outcome | Ask = Ask(
                poll.request(ticket, account), lambda reply: read(reply, ticket, account)
            )
            for _ in range(QUESTIONS_MAX):
                if isinstance(said, Outcome):
                    return said
                reply = await self._send(translator, account, said.request, self._total_seconds)
                said = _read(reply, said.read)
            if isinstance(said, Outcome):
                return said
            raise VendorUnknown(FailureCode.PROVIDER_FAILED, "one question leads to another")

    async def look_up(self, ticket: Ticket) -> str | None:
        """See the port."""
        translator, account = self._vendor(ticket)
        lookup = translator.lookup
        assert lookup is not None, "only asked where the abilities say so"
        with _logged(ticket.provider, "look_up", ticket.job_id):
            request = lookup.request(ticket, account)
            reply = await self._send(translator, account, request, self._total_seconds)
            return _read(reply, lambda reply: lookup.read(reply, ticket))

    async def cancel(self, ticket: Ticket) -> Outcome:
        """See the port."""
        translator, account = self._vendor(ticket)
        cancel = translator.cancel
        assert cancel is not None, "only asked where the abilities say so"
        with _logged(ticket.provider, "cancel", ticket.task_id):
            request = cancel.request(ticket, account)
            reply = await self._send(translator, account, request, self._total_seconds)
            outcome = _read(reply, lambda reply: cancel.read(reply, ticket))
        return outcome or await self.poll(ticket)

    async def fetch(
        self, ticket: Ticket, parcel: Parcel, max_bytes: int
    ) -> AsyncGenerator[bytes, None]:
        """See the port."""
        if parcel.content:
            yield parcel.content
            return
        translator, account = self._vendor(ticket)
        hosts = (account.host, *translator.hosts, *account.hosts)
        limits = HttpLimits(hosts, self._connect_seconds, FETCH_SECONDS, max_bytes)
        request = HttpRequest("GET", parcel.url)
        if translator.keyed_results and parcel.url.startswith(account.url("/")):
            request = translator.authorize(request, account, self._clock.now_ms())
        chunks = self._http.stream(request, limits)
        with _logged(ticket.provider, "fetch", "a result"):
            try:
                async for chunk in chunks:
                    yield chunk
            except ReplyTooLarge as error:
                raise VendorUnusable(FailureCode.RESULT_INVALID, str(error)) from error
            except (NotSent, NoReply) as error:
                raise VendorUnknown(FailureCode.RESULT_UNAVAILABLE, str(error)) from error
            finally:
                # A consumer that stops early must not leave the connection to the collector.
                if isinstance(chunks, AsyncGenerator):
                    await chunks.aclose()

    async def hint(self, provider: str, inbound: Inbound, now_ms: int) -> Hint:
        """See the port."""
        accounts = self._accounts_of(provider)
        webhook = self._load(provider).webhook
        if webhook is None:
            raise NotFound("This provider does not call us.")
        secrets = tuple(secret for account in accounts for secret in account.webhook_secrets)
        lowered = replace(inbound, headers=_lowered(inbound.headers))
        if webhook.key_set_url is None:
            return _hinted(lambda: webhook.read(lowered, Keys(secrets), now_ms), provider)
        url = webhook.key_set_url(accounts[0])
        keys = Keys(secrets, await self._key_sets.keys(url))
        try:
            return _hinted(lambda: webhook.read(lowered, keys, now_ms), provider)
        except WebhookRefused:
            # The vendor may have begun to sign with a key that we do not know yet.
            newer = Keys(secrets, await self._key_sets.keys_anew(url))
            if newer == keys:
                raise
            return _hinted(lambda: webhook.read(lowered, newer, now_ms), provider)

    def _accounts_of(self, provider: str) -> list[Account]:
        accounts = [each for each in self._accounts.values() if each.provider == provider]
        if not accounts:
            raise NotFound("There is no such provider.")
        return accounts

    def _vendor(self, ticket: Ticket) -> tuple[Provider, Account]:
        account = self._accounts.get(ticket.account)
        if account is None or account.provider != ticket.provider:
            raise NotFound("There is no such account with a provider.")
        return self._load(ticket.provider), account

    async def _send(
        self, translator: Provider, account: Account, request: HttpRequest, total_seconds: float
    ) -> HttpReply:
        hosts, size = (account.host,), translator.reply_bytes_max
        limits = HttpLimits(hosts, self._connect_seconds, total_seconds, size)
        signed = translator.authorize(request, account, self._clock.now_ms())
        try:
            reply = await self._http.send(signed, limits)
        except NotSent as error:
            raise VendorBusy(FailureCode.PROVIDER_BUSY, str(error)) from error
        except NoReply as error:
            raise VendorUnknown(FailureCode.TIMED_OUT, str(error)) from error
        return HttpReply(reply.status, _lowered(reply.headers), reply.body)


def _read(reply: HttpReply, read: Callable[[HttpReply], T]) -> T:
    try:
        return read(reply)
    except _MISTAKES as error:
        # The vendor has our request, so a mistake of ours must not look like its no.
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, _place_of(error)) from error


def _hinted(read: Callable[[], Hint], provider: str) -> Hint:
    try:
        return read()
    except _MISTAKES as error:
        _log.warning("webhook: %s", _place_of(error), extra={"provider": provider})
        raise WebhookRefused("The webhook was not understood.") from error


@contextmanager
def _logged(provider: str, verb: str, subject: str) -> Iterator[None]:
    """One line for each call, without prompts, keys, addresses and the vendor's own texts."""
    about = {"provider": provider}
    try:
        yield
    except VendorError as error:
        said = f"{type(error).__name__} {error.code}"
        _log.warning("%s of %s: %s", verb, subject, said, extra=about | {"detail": error.detail})
        raise
    _log.info("%s of %s: answered", verb, subject, extra=about)


def _lowered(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _place_of(error: Exception) -> str:
    """Where a translator stumbled; not over what, because that is the vendor's text."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {last.name}, line {last.lineno}"
