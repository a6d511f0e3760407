"""The one driver over all vendors: it sends what translators build and says what came of it.

It has no sockets and no clock of its own; it waits for nothing but the `Http` port.
"""

import logging
import traceback
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from shared.adapters import providers
from shared.adapters.providers.translator import Account, Provider
from shared.errors import NotFound, VendorBusy, VendorError, VendorUnknown, WebhookRefused
from shared.failures import FailureCode
from shared.ports import (
    Hint,
    Http,
    HttpLimits,
    HttpReply,
    HttpRequest,
    Inbound,
    NoReply,
    NotSent,
    Outcome,
    Work,
)

FETCH_SECONDS = 300.0
REPLY_BYTES_MAX = 1_000_000

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
        *,
        connect_seconds: float = 5.0,
        total_seconds: float = 30.0,
        load: Callable[[str], Provider] = providers.load,
    ) -> None:
        self._http = http
        self._accounts = accounts
        self._connect_seconds = connect_seconds
        self._total_seconds = total_seconds
        self._load = load

    async def submit(self, provider: str, work: Work) -> str:
        """Ask for a generation; returns the vendor's task id. Raises `VendorRejected`,
        `VendorBusy`, `VendorUnknown`."""
        translator, account = self._vendor(provider)
        with _logged(provider, "submit", work.job_id):
            request = translator.submit(work, account)
            return await self._ask(account, request, translator.accepted)

    async def poll(self, provider: str, task_id: str) -> Outcome:
        """Ask how a task stands. Raises `VendorGone`, `VendorBusy`, `VendorUnknown`."""
        translator, account = self._vendor(provider)
        with _logged(provider, "poll", task_id):
            request = translator.poll(task_id, account)
            return await self._ask(account, request, lambda r: translator.outcome(r, task_id))

    def can_look_up(self, provider: str) -> bool:
        """Whether the vendor can find a task by our id."""
        translator, _account = self._vendor(provider)
        return translator.lookup is not None

    async def look_up(self, provider: str, job_id: str) -> str | None:
        """The task id the vendor has for our id. Raises `VendorBusy`, `VendorUnknown`."""
        translator, account = self._vendor(provider)
        lookup = translator.lookup
        assert lookup is not None, "only asked where can_look_up says yes"
        with _logged(provider, "look_up", job_id):
            request = lookup.request(job_id, account)
            return await self._ask(account, request, lambda r: lookup.read(r, job_id))

    def can_cancel(self, provider: str) -> bool:
        """Whether the vendor can stop a running task."""
        translator, _account = self._vendor(provider)
        return translator.cancel is not None

    async def cancel(self, provider: str, task_id: str) -> Outcome:
        """Ask the vendor to stop a task; the outcome says what it is now. Raises as `poll` does."""
        translator, account = self._vendor(provider)
        cancel = translator.cancel
        assert cancel is not None, "only asked where can_cancel says yes"
        with _logged(provider, "cancel", task_id):
            request = cancel.request(task_id, account)
            outcome = await self._ask(account, request, lambda r: cancel.read(r, task_id))
        return outcome or await self.poll(provider, task_id)

    async def fetch(self, provider: str, url: str, max_bytes: int) -> AsyncGenerator[bytes, None]:
        """Stream a result from the vendor's allowed hosts, without our key. Raises
        `VendorUnknown`."""
        translator, account = self._vendor(provider)
        hosts = (account.host, *translator.hosts)
        limits = HttpLimits(hosts, self._connect_seconds, FETCH_SECONDS, max_bytes)
        chunks = self._http.stream(HttpRequest("GET", url), limits)
        with _logged(provider, "fetch", "a result"):
            try:
                async for chunk in chunks:
                    yield chunk
            except (NotSent, NoReply) as error:
                raise VendorUnknown(FailureCode.RESULT_UNAVAILABLE, str(error)) from error
            finally:
                # A consumer that stops early must not leave the connection to the collector.
                if isinstance(chunks, AsyncGenerator):
                    await chunks.aclose()

    def hint(self, provider: str, inbound: Inbound, now_ms: int) -> Hint:
        """Verify a webhook's own signature, where the vendor signs, and read the task id. Raises
        `WebhookRefused`, and `NotFound` for an unknown provider."""
        translator, account = self._vendor(provider)
        lowered = replace(inbound, headers=_lowered(inbound.headers))
        try:
            return translator.webhook(lowered, account, now_ms)
        except _MISTAKES as error:
            _log.warning("webhook: %s", _place_of(error), extra={"provider": provider})
            raise WebhookRefused("The webhook was not understood.") from error

    def _vendor(self, provider: str) -> tuple[Provider, Account]:
        account = self._accounts.get(provider)
        if account is None:
            raise NotFound("There is no such provider.")
        return self._load(provider), account

    async def _ask(
        self, account: Account, request: HttpRequest, read: Callable[[HttpReply], T]
    ) -> T:
        limits = HttpLimits(
            (account.host,), self._connect_seconds, self._total_seconds, REPLY_BYTES_MAX
        )
        try:
            reply = await self._http.send(request, limits)
        except NotSent as error:
            raise VendorBusy(FailureCode.PROVIDER_BUSY, str(error)) from error
        except NoReply as error:
            raise VendorUnknown(FailureCode.TIMED_OUT, str(error)) from error
        try:
            return read(replace(reply, headers=_lowered(reply.headers)))
        except _MISTAKES as error:
            # The vendor has our request, so a mistake of ours must not look like its no.
            raise VendorUnknown(FailureCode.PROVIDER_FAILED, _place_of(error)) from error


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
