"""The one driver over all vendors: it sends what translators build, within limits, and says what came.

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
from shared.errors import (
    NotFound,
    VendorBusy,
    VendorError,
    VendorUnknown,
    WebhookRefused,
)
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

CONNECT_SECONDS = 5.0
# A submit that is given up early may have been accepted, so it gets the most time.
SUBMIT_SECONDS = 30.0
ASK_SECONDS = 15.0
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
        load: Callable[[str], Provider] = providers.load,
    ) -> None:
        self._http = http
        self._accounts = accounts
        self._load = load

    async def submit(self, provider: str, work: Work) -> str:
        """Ask for a generation; returns the vendor's task id. Raises `VendorRejected`,
        `VendorBusy`, `VendorUnknown`."""
        translator, account = self._vendor(provider)
        with _logged(provider, "submit", work.job_id):
            request = translator.submit(work, account)
            return await self._ask(account, request, SUBMIT_SECONDS, translator.accepted)

    async def poll(self, provider: str, task_id: str) -> Outcome:
        """Ask how a task stands. Raises `VendorGone`, `VendorBusy`, `VendorUnknown`."""
        translator, account = self._vendor(provider)
        with _logged(provider, "poll", task_id):
            return await self._ask(
                account,
                translator.poll(task_id, account),
                ASK_SECONDS,
                lambda reply: translator.outcome(reply, task_id),
            )

    def can_look_up(self, provider: str) -> bool:
        """Whether the vendor can find a task by our id."""
        translator, _account = self._vendor(provider)
        return translator.lookup is not None

    async def look_up(self, provider: str, job_id: str) -> str | None:
        """The task id the vendor has for our id. Raises `VendorBusy`, `VendorUnknown`."""
        translator, account = self._vendor(provider)
        lookup = translator.lookup
        assert lookup, "only asked where can_look_up says yes"
        with _logged(provider, "look_up", job_id):
            return await self._ask(
                account,
                lookup.request(job_id, account),
                ASK_SECONDS,
                lambda reply: lookup.read(reply, job_id),
            )

    def can_cancel(self, provider: str) -> bool:
        """Whether the vendor can stop a running task."""
        translator, _account = self._vendor(provider)
        return translator.cancel is not None

    async def cancel(self, provider: str, task_id: str) -> Outcome:
        """Ask the vendor to stop a task; the outcome says what it is now. Raises as `poll` does."""
        translator, account = self._vendor(provider)
        cancel = translator.cancel
        assert cancel, "only asked where can_cancel says yes"
        with _logged(provider, "cancel", task_id):
            outcome = await self._ask(
                account,
                cancel.request(task_id, account),
                ASK_SECONDS,
                lambda reply: cancel.read(reply, task_id),
            )
        return outcome or await self.poll(provider, task_id)

    async def fetch(self, provider: str, url: str, max_bytes: int) -> AsyncGenerator[bytes, None]:
        """Stream a result from the vendor's allowed hosts, without our key. Raises
        `VendorUnknown`."""
        translator, account = self._vendor(provider)
        limits = HttpLimits(
            (account.host, *translator.hosts), CONNECT_SECONDS, FETCH_SECONDS, max_bytes
        )
        with _logged(provider, "fetch", "-"):
            chunks = self._http.stream(HttpRequest("GET", url), limits)
            try:
                async for chunk in chunks:
                    yield chunk
            except (NotSent, NoReply) as error:
                raise VendorUnknown(FailureCode.RESULT_UNAVAILABLE, str(error)) from error
            finally:
                # A consumer that stops early must not leave the connection to the garbage collector.
                if isinstance(chunks, AsyncGenerator):
                    await chunks.aclose()

    def hint(self, provider: str, inbound: Inbound, now_ms: int) -> Hint:
        """Verify a webhook's own signature, where the vendor signs, and read the task id. Raises
        `WebhookRefused`, and `NotFound` for an unknown provider."""
        translator, account = self._vendor(provider)
        try:
            return translator.webhook(
                Inbound(_lowered(inbound.headers), inbound.body), account, now_ms
            )
        except _MISTAKES as error:
            _log.error("vendor=%s verb=webhook: %s", provider, _place_of(error))
            raise WebhookRefused("The webhook was not understood.") from error

    def _vendor(self, provider: str) -> tuple[Provider, Account]:
        account = self._accounts.get(provider)
        if account is None:
            raise NotFound("There is no such provider.")
        return self._load(provider), account

    async def _ask(
        self,
        account: Account,
        request: HttpRequest,
        total_seconds: float,
        read: Callable[[HttpReply], T],
    ) -> T:
        limits = HttpLimits((account.host,), CONNECT_SECONDS, total_seconds, REPLY_BYTES_MAX)
        try:
            reply = await self._http.send(request, limits)
        except NotSent as error:
            raise VendorBusy(FailureCode.PROVIDER_BUSY, str(error)) from error
        except NoReply as error:
            raise VendorUnknown(FailureCode.TIMED_OUT, str(error)) from error
        try:
            return read(replace(reply, headers=_lowered(reply.headers)))
        except _MISTAKES as error:
            # The vendor has our request, so a mistake of ours here must not look like a no.
            raise VendorUnknown(FailureCode.PROVIDER_FAILED, _place_of(error)) from error


@contextmanager
def _logged(provider: str, verb: str, subject_id: str) -> Iterator[None]:
    """One line for each call. It never has a prompt, a key, an address or a text of the vendor's."""
    try:
        yield
    except VendorError as error:
        _log.warning(
            "vendor=%s verb=%s id=%s error=%s code=%s detail=%r",
            provider,
            verb,
            subject_id,
            type(error).__name__,
            str(error.code),
            error.detail,
        )
        raise
    _log.info("vendor=%s verb=%s id=%s ok", provider, verb, subject_id)


def _lowered(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _place_of(error: Exception) -> str:
    """Where a translator stumbled; not over what, because that is the vendor's text."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {last.name}, line {last.lineno}"
