"""Checking the signature of a webhook: on raw bytes, in constant time, within a window of time."""

import base64
import hmac
import re
from collections.abc import Sequence

from shared.adapters.providers._replies import json_object, task_id_in
from shared.errors import VendorUnknown, WebhookRefused
from shared.ports import Hint, Inbound

TOLERANCE_SECONDS = 300

_UNIX_SECONDS = re.compile(r"[0-9]{1,12}")


def check_age(timestamp: str, now_ms: int) -> None:
    """Refuse a timestamp, in Unix seconds, that is more than five minutes from now: a captured
    webhook must not be good for ever."""
    if not _UNIX_SECONDS.fullmatch(timestamp):
        raise WebhookRefused("The webhook has no usable timestamp.")
    if abs(now_ms - int(timestamp) * 1000) > TOLERANCE_SECONDS * 1000:
        raise WebhookRefused("The webhook's timestamp is too far from now.")


def check_hmac_sha256(message: bytes, signature_hex: str, secrets: Sequence[str]) -> None:
    """Refuse what was signed with none of our secrets. Without secrets everything is refused."""
    given = signature_hex.encode("utf-8", "backslashreplace")
    matches = [
        hmac.compare_digest(
            given, hmac.new(secret.encode(), message, "sha256").hexdigest().encode()
        )
        for secret in secrets
    ]
    _require_any(matches)


def check_standard(inbound: Inbound, secrets: Sequence[str], now_ms: int) -> None:
    """Refuse what no secret of ours has signed by the rules of Standard Webhooks: HMAC-SHA256 over
    id, time and body, under any of the secrets, in any of the signatures that the header lists.
    Source: the specification at standardwebhooks.com.
    """
    message_id = inbound.headers.get("webhook-id", "")
    timestamp = inbound.headers.get("webhook-timestamp", "")
    if not message_id:
        raise WebhookRefused("The webhook has no id.")
    check_age(timestamp, now_ms)
    message = f"{message_id}.{timestamp}.".encode() + inbound.body
    wanted = [_standard_signature(secret, message) for secret in secrets]
    given = inbound.headers.get("webhook-signature", "").split()
    matches = [
        hmac.compare_digest(each.encode("utf-8", "backslashreplace"), one)
        for each in given
        for one in wanted
    ]
    _require_any(matches)


def hint_of(inbound: Inbound, name: str) -> Hint:
    """The task that a verified webhook names. Raises `WebhookRefused`."""
    try:
        return Hint(task_id_in(json_object(inbound.body), name))
    except VendorUnknown as error:
        raise WebhookRefused("The webhook names no task.") from error


def _standard_signature(secret: str, message: bytes) -> bytes:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return b"v1," + base64.b64encode(hmac.new(key, message, "sha256").digest())


def _require_any(matches: Sequence[bool]) -> None:
    if not any(matches):
        raise WebhookRefused("The webhook's signature does not match.")
