"""Tells callers what became of their generations: signed, retried, as unreliable as asked for."""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import httpx

from infra.sandbox.generations import Counts
from infra.sandbox.grammars import Choice

TIMEOUT_SECONDS = 10
BACKOFF_SECONDS = (0.5, 1.0, 2.0)
CONNECTIONS_MAX = 50
FORGED_SECRET = "not-the-secret-of-this-vendor"

Body = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way: how late, with what body, and whether its signature is genuine."""

    after_seconds: float = 0
    reshape: Callable[[Body], Body] = lambda body: body
    is_genuine: bool = True


def plan_deliveries(webhook: Choice) -> list[Delivery]:
    """What is sent, in order, for one terminal event."""
    return _PLANS[webhook.word](*webhook.amounts)


def sign(secret: str, timestamp: int, raw_body: bytes) -> str:
    """The `Sandbox-Signature` header: HMAC-SHA256 over the timestamp, a dot and the raw body."""
    message = f"{timestamp}.".encode() + raw_body
    return "v1=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


class Signer(Protocol):
    """What a vendor puts into the headers of an event, so that it can be told from a forged one."""

    def headers(self, raw_body: bytes, *, is_genuine: bool) -> Mapping[str, str]:
        """The headers; a forger has another secret."""
        ...


class SandboxSigner:
    """The sandbox's own signature."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def headers(self, raw_body: bytes, *, is_genuine: bool) -> Mapping[str, str]:
        """See Signer."""
        timestamp = int(time.time())
        secret = self._secret if is_genuine else FORGED_SECRET
        return {
            "Sandbox-Timestamp": str(timestamp),
            "Sandbox-Signature": sign(secret, timestamp, raw_body),
        }


class Postman:
    """Delivers events; each is tried again after each backoff until it is answered with 2xx."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._client = httpx.AsyncClient(
            timeout=TIMEOUT_SECONDS,
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
            trust_env=False,
        )

    async def announce(
        self, callback_url: str, webhook: Choice, describe: Callable[[], Body], counts: Counts
    ) -> None:
        """Send what the switch makes of the event that `describe` gives."""
        plan = plan_deliveries(webhook)
        if not plan:
            counts.webhooks_lost += 1
        for delivery in plan:
            await asyncio.sleep(delivery.after_seconds)
            raw_body = json.dumps(delivery.reshape(describe())).encode()
            if await self._deliver(callback_url, raw_body, delivery.is_genuine):
                counts.webhooks_sent += 1
            else:
                counts.webhooks_given_up += 1

    async def close(self) -> None:
        await self._client.aclose()

    async def _deliver(self, url: str, raw_body: bytes, is_genuine: bool) -> bool:
        for backoff_seconds in (*BACKOFF_SECONDS, None):
            reply = await self.post(url, raw_body, is_genuine=is_genuine)
            if reply is not None and reply.is_success:
                return True
            if backoff_seconds is not None:
                await asyncio.sleep(backoff_seconds)
        return False

    async def post(
        self, url: str, raw_body: bytes, *, is_genuine: bool = True, timeout_seconds: float = 10
    ) -> httpx.Response | None:
        """One call of a caller's address, and the answer if there is one."""
        headers = {"Content-Type": "application/json"}
        headers |= self._signer.headers(raw_body, is_genuine=is_genuine)
        try:
            return await self._client.post(
                url, content=raw_body, headers=headers, timeout=timeout_seconds
            )
        except (httpx.HTTPError, httpx.InvalidURL):
            return None


def _as_stale(body: Body) -> Body:
    """What the generation looked like before it ended."""
    gone = {"completed_at", "result", "error"}
    kept = {name: value for name, value in body.items() if name not in gone}
    return {**kept, "event": "generation.running", "status": "running", "progress": 0.5}


def _as_foreign(body: Body) -> Body:
    """The same news about a generation that this caller never ordered."""
    return {**body, "id": f"gen_{secrets.token_hex(12)}", "client_id": secrets.token_hex(8)}


_PLANS: Mapping[str, Callable[..., list[Delivery]]] = {
    "normal": lambda: [Delivery()],
    "lost": list,
    "late": lambda seconds: [Delivery(after_seconds=seconds)],
    "duplicated": lambda times: [Delivery()] * int(times),
    "reordered": lambda: [Delivery(), Delivery(reshape=_as_stale)],
    "forged": lambda: [Delivery(is_genuine=False)],
    "forged_foreign": lambda: [Delivery(reshape=_as_foreign, is_genuine=False)],
}
