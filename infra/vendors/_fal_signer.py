"""How fal signs its callbacks, Ed25519 over four lines, and the key set that it publishes."""

import base64
import hashlib
import json
import time
from typing import TYPE_CHECKING

from infra.sandbox.webhooks import FORGED_SECRET

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

USER_ID = "user_simulated"


class FalSigner:
    """Signs with a key that is made of the webhook secret, so that it is the same on every start;
    the real vendor's is its own and has nothing to do with the account.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def headers(self, raw_body: bytes, *, is_genuine: bool) -> dict[str, str]:
        """See Signer."""
        request_id = str(json.loads(raw_body)["request_id"])
        timestamp = str(int(time.time()))
        lines = (request_id, USER_ID, timestamp, hashlib.sha256(raw_body).hexdigest())
        key = _key(self._secret if is_genuine else FORGED_SECRET)
        return {
            "X-Fal-Webhook-Request-Id": request_id,
            "X-Fal-Webhook-User-Id": USER_ID,
            "X-Fal-Webhook-Timestamp": timestamp,
            "X-Fal-Webhook-Signature": key.sign("\n".join(lines).encode()).hex(),
        }


def key_set(secret: str) -> dict[str, object]:
    """The public keys: one that was used before, and the one that signs."""
    return {"keys": [_public(f"{secret}, before"), _public(secret)]}


def _key(secret: str) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(secret.encode()).digest())


def _public(secret: str) -> dict[str, str]:
    raw = _key(secret).public_key().public_bytes_raw()
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "use": "sig",
        "kid": hashlib.sha256(raw).hexdigest()[:16],
        "x": base64.urlsafe_b64encode(raw).decode().rstrip("="),
    }
