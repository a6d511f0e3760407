"""Checking Ed25519 signatures of webhooks with the keys that a vendor publishes (RFC 8037)."""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from shared.errors import WebhookRefused

_SIGNATURE_HEX = re.compile(r"[0-9a-fA-F]{128}")
_KEY_IN_BASE64 = re.compile(r"[A-Za-z0-9_-]{43}=?")


def check_ed25519(message: bytes, signature_hex: str, keys: Sequence[Mapping[str, Any]]) -> None:
    """Refuse what none of the keys has signed. Entries that are no such key are passed over."""
    if not _SIGNATURE_HEX.fullmatch(signature_hex):
        raise WebhookRefused("The webhook is not signed.")
    signature = bytes.fromhex(signature_hex)
    if not any(_is_signed(message, signature, key) for key in keys):
        raise WebhookRefused("The webhook's signature does not match.")


def _is_signed(message: bytes, signature: bytes, key: Mapping[str, Any]) -> bool:
    # Imported at the first webhook, for the cold start.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    x = key.get("x")
    if not isinstance(x, str) or not _KEY_IN_BASE64.fullmatch(x):
        return False
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(x.rstrip("=") + "="))
    try:
        public.verify(signature, message)
    except InvalidSignature:
        return False
    return True
