"""Checking the signature of a webhook: on raw bytes, in constant time, within a window of time."""

import hmac
import re
from collections.abc import Sequence

from shared.errors import WebhookRefused

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
    if not any(matches):
        raise WebhookRefused("The webhook's signature does not match.")
