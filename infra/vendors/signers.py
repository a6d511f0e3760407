"""How vendors sign their callbacks, where several do it alike."""

import base64
import hashlib
import hmac
import secrets
import time

from infra.sandbox.webhooks import FORGED_SECRET


class StandardWebhooks:
    """Standard Webhooks: HMAC-SHA256 over id, time and body. Source: standardwebhooks.com."""

    def __init__(self, secret: str) -> None:
        self._key = base64.b64decode(secret.removeprefix("whsec_"))

    def headers(self, raw_body: bytes, *, is_genuine: bool) -> dict[str, str]:
        """See Signer."""
        key = self._key if is_genuine else FORGED_SECRET.encode()
        message_id, timestamp = f"msg_{secrets.token_hex(12)}", str(int(time.time()))
        message = f"{message_id}.{timestamp}.".encode() + raw_body
        signature = base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()
        return {
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{signature}",
        }
