"""Signed addresses of the folder's objects: who has one may do what it says until it expires.

The signature is HMAC-SHA256 over the method, the key and every query parameter, so an address can
be neither changed nor extended, and one for reading does not write.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

SECRET_BYTES_MIN = 16

Parameters = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a good address allows. An upload has a content type and a size, a download a file name
    when it is to be saved."""

    key: str
    content_type: str = ""
    max_bytes: int = 0
    filename: str | None = None


class Addresses:
    """Makes addresses below `base_url` and tells its own from others."""

    def __init__(self, base_url: str, secret: bytes) -> None:
        if len(secret) < SECRET_BYTES_MIN:
            raise ValueError(f"a secret of {len(secret)} bytes; at least {SECRET_BYTES_MIN}")
        self._base_url = base_url.rstrip("/")
        self._secret = secret

    def upload(self, key: str, content_type: str, max_bytes: int, expires_at_ms: int) -> str:
        """An address to PUT one object to."""
        limits = {"content_type": content_type, "max_bytes": str(max_bytes)}
        return self._sign("PUT", key, {**limits, "expires_at_ms": str(expires_at_ms)})

    def download(self, key: str, filename: str | None, expires_at_ms: int) -> str:
        """An address to GET one object from."""
        name = {} if filename is None else {"filename": filename}
        return self._sign("GET", key, {**name, "expires_at_ms": str(expires_at_ms)})

    def verify(self, method: str, key: str, parameters: Parameters, now_ms: int) -> Grant | None:
        """What a request may do; None when it has no address of ours, or too old a one."""
        signed = dict(parameters)
        mac = signed.pop("signature", "")
        # Compared first and in constant time: nothing unsigned is parsed. As bytes, because text
        # can only be compared when it is ASCII, and a forged mac need not be.
        if not hmac.compare_digest(self._mac(method, key, signed).encode(), mac.encode()):
            return None
        if int(signed["expires_at_ms"]) <= now_ms:
            return None
        return Grant(
            key,
            signed.get("content_type", ""),
            int(signed.get("max_bytes", 0)),
            signed.get("filename"),
        )

    def _sign(self, method: str, key: str, parameters: dict[str, str]) -> str:
        signed = {**parameters, "signature": self._mac(method, key, parameters)}
        return f"{self._base_url}/blobs/{key}?{urlencode(signed)}"

    def _mac(self, method: str, key: str, parameters: dict[str, str]) -> str:
        message = json.dumps([method, key, sorted(parameters.items())])
        return hmac.new(self._secret, message.encode(), hashlib.sha256).hexdigest()
