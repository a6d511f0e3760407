"""Checking Eden AI's webhooks: RSA over a digest of what they mean, not of their bytes.

Source: edenai.co/docs/v3/expert-models/webhooks. No time is signed, so an old webhook stays good.
"""

import hashlib
import json
import re
from collections.abc import Sequence

from shared.adapters.providers._replies import json_object
from shared.errors import VendorUnknown, WebhookRefused
from shared.ports import Data, Inbound

_HEX = re.compile(r"([0-9a-fA-F]{2}){1,1024}")


def check_rsa(inbound: Inbound, public_keys: Sequence[str]) -> None:
    """Refuse what the owner of none of these keys (each as PEM) has signed."""
    signature = inbound.headers.get("x-edenai-signature", "")
    if not _HEX.fullmatch(signature):
        raise WebhookRefused("The webhook is not signed.")
    try:
        digest = _digest(json_object(inbound.body))
    except (UnicodeEncodeError, VendorUnknown) as error:
        raise WebhookRefused("The webhook cannot be read.") from error
    if not any(_is_signed(digest, bytes.fromhex(signature), key) for key in public_keys):
        raise WebhookRefused("The webhook's signature does not match.")


def _digest(data: Data) -> bytes:
    """What is signed. Eden writes numbers with exponents another way than Python does; none of its
    events is known to have any (facts E3).
    """
    canonical = json.dumps(data, sort_keys=True, indent=2, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest().encode()


def _is_signed(message: bytes, signature: bytes, public_key: str) -> bool:
    # Imported at the first webhook, for the cold start.
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    # In an environment file a key stands on one line.
    pem = public_key.replace("\\n", "\n").encode()
    try:
        key = load_pem_public_key(pem)
        if not isinstance(key, RSAPublicKey):
            return False
        key.verify(signature, message, PKCS1v15(), SHA256())
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True
