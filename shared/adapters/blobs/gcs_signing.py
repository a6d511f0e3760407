"""V4 signed addresses of Cloud Storage, without its library: functions that only sign start sooner.

Source: https://cloud.google.com/storage/docs/authentication/canonical-requests. Pure: whoever has
the key signs `message`, and `signed` finishes the address.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

ALGORITHM = "GOOG4-RSA-SHA256"
SCOPE = "auto/storage/goog4_request"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"


@dataclass(frozen=True, slots=True)
class Request:
    """What the bearer of an address may send. `endpoint_url` has no path; header names are in small
    letters, and the bearer has to send these headers exactly. `query` becomes part of the address.
    """

    method: str
    endpoint_url: str
    bucket: str
    key: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unsigned:
    """An address that lacks its signature, and the bytes to sign (RSASSA-PKCS1-v1_5, SHA-256)."""

    url: str
    message: bytes

    def signed(self, signature: bytes) -> str:
        """The whole address."""
        return f"{self.url}&X-Goog-Signature={signature.hex()}"


def prepare(request: Request, *, email: str, at_seconds: int, expires_seconds: int) -> Unsigned:
    """An address in the name of a service account, good from `at_seconds` (Unix time)."""
    stamp = datetime.fromtimestamp(at_seconds, UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{SCOPE}"
    headers = {**request.headers, "host": urlsplit(request.endpoint_url).netloc}
    names = ";".join(sorted(headers))
    query = _encode(
        {
            **request.query,
            "X-Goog-Algorithm": ALGORITHM,
            "X-Goog-Credential": f"{email}/{scope}",
            "X-Goog-Date": stamp,
            "X-Goog-Expires": str(expires_seconds),
            "X-Goog-SignedHeaders": names,
        }
    )
    path = quote(f"/{request.bucket}/{request.key}", safe="/~")
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers))
    canonical = f"{request.method}\n{path}\n{query}\n{lines}\n{names}\n{UNSIGNED_PAYLOAD}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    message = f"{ALGORITHM}\n{stamp}\n{scope}\n{digest}"
    return Unsigned(f"{request.endpoint_url}{path}?{query}", message.encode())


def _encode(query: Mapping[str, str]) -> str:
    return "&".join(
        f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(query.items())
    )
