"""Checks the signed addresses of the storage emulator, and makes keys to sign them with.

Written from https://cloud.google.com/storage/docs/authentication/canonical-requests and from what
arrives on the wire, and not from our own signer: the two must agree without sharing a line.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

EXPIRES_SECONDS_MAX = 7 * 24 * 3600
SKEW_SECONDS_MAX = 15 * 60

_ALGORITHM = "GOOG4-RSA-SHA256"
_KEY_BITS = 2048
_NAMES = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")


class Refused(Exception):
    """A request that Cloud Storage refuses, with its status and its code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


class Verifier:
    """Knows one service account by the public half of its key."""

    def __init__(self, key_file: Path) -> None:
        about = json.loads(key_file.read_bytes())
        key = load_pem_private_key(about["private_key"].encode(), password=None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self._key = key.public_key()
        self._email = about["client_email"]

    def check(
        self, method: str, path: str, query: str, headers: Mapping[str, str], now_seconds: float
    ) -> dict[str, str]:
        """The signed query parameters that are not about the signature. `path` and `query` are as
        they arrived; names of headers are in small letters. Raises `Refused`."""
        pairs = parse_qsl(query, keep_blank_values=True)
        parameters = dict(pairs)
        if "X-Goog-Signature" not in parameters:
            raise Refused(403, "AccessDenied", "Anonymous caller does not have access.")
        if len(parameters) != len(pairs):
            raise Refused(400, "InvalidArgument", "A parameter is there twice.")
        signature = parameters.pop("X-Goog-Signature")
        _check_dates(parameters, now_seconds)
        names = parameters["X-Goog-SignedHeaders"].split(";")
        _check_headers(names, headers)
        # Who may GET may ask for the HEAD of it too.
        for verb in ("GET", "HEAD") if method == "HEAD" else (method,):
            canonical = _canonical(verb, path, parameters, names, headers)
            if self._has_signed(canonical, parameters, signature):
                return {
                    name: value
                    for name, value in parameters.items()
                    if name.removeprefix("X-Goog-") not in _NAMES
                }
        raise Refused(403, "SignatureDoesNotMatch", "The signature is not that of this request.")

    def _has_signed(self, canonical: str, parameters: Mapping[str, str], signature: str) -> bool:
        email, _, scope = parameters["X-Goog-Credential"].partition("/")
        day = parameters["X-Goog-Date"][:8]
        if email != self._email or scope != f"{day}/auto/storage/goog4_request":
            return False
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        message = f"{_ALGORITHM}\n{parameters['X-Goog-Date']}\n{scope}\n{digest}"
        try:
            self._key.verify(
                bytes.fromhex(signature), message.encode(), padding.PKCS1v15(), SHA256()
            )
        except (InvalidSignature, ValueError):
            return False
        return True


def make_key_file(path: Path, email: str = "signer@reelmint-local.iam.gserviceaccount.com") -> None:
    """Write a service account's key file as IAM would, for an account that exists nowhere."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=_KEY_BITS)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    about = {
        "type": "service_account",
        "project_id": "reelmint-local",
        "private_key_id": hashlib.sha256(pem).hexdigest()[:40],
        "private_key": pem.decode(),
        "client_email": email,
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(about, indent=2))


def _check_dates(parameters: Mapping[str, str], now_seconds: float) -> None:
    missing = [name for name in _NAMES[:-1] if f"X-Goog-{name}" not in parameters]
    if missing:
        raise Refused(400, "InvalidQueryParameterValue", f"X-Goog-{missing[0]} is missing.")
    if parameters["X-Goog-Algorithm"] != _ALGORITHM:
        raise Refused(400, "InvalidQueryParameterValue", "This algorithm is not known.")
    try:
        date = datetime.strptime(parameters["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        lives_seconds = int(parameters["X-Goog-Expires"])
    except ValueError as error:
        raise Refused(400, "InvalidQueryParameterValue", str(error)) from error
    if not 1 <= lives_seconds <= EXPIRES_SECONDS_MAX:
        raise Refused(400, "InvalidQueryParameterValue", "X-Goog-Expires is 1 to 604800 seconds.")
    if date.timestamp() > now_seconds + SKEW_SECONDS_MAX:
        raise Refused(403, "RequestTimeTooSkewed", "The request is from the future.")
    if now_seconds > date.timestamp() + lives_seconds:
        raise Refused(400, "ExpiredToken", "The provided token has expired.")


def _check_headers(names: list[str], headers: Mapping[str, str]) -> None:
    if "host" not in names:
        raise Refused(400, "MalformedSecurityHeader", "The host is not among the signed headers.")
    for name in names:
        if name not in headers:
            raise Refused(
                400, "MalformedSecurityHeader", f"{name} was signed and is not in the request."
            )
    for name in headers:
        if name.startswith("x-goog-") and name not in names:
            raise Refused(400, "MalformedSecurityHeader", f"{name} has to be signed.")


def _canonical(
    method: str,
    path: str,
    parameters: Mapping[str, str],
    names: list[str],
    headers: Mapping[str, str],
) -> str:
    query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in sorted(parameters.items())
    )
    lines = [f"{name}:{' '.join(headers[name].split())}" for name in names]
    payload = headers.get("x-goog-content-sha256", "UNSIGNED-PAYLOAD")
    resource = quote(unquote(path), safe="/~")
    return "\n".join([method, resource, query, *lines, "", ";".join(names), payload])
