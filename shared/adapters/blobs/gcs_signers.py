"""Who signs addresses for Cloud Storage: a key file here, IAM in the cloud, where there is no key.

IAM signs by one HTTP call, with the token that the metadata server gives to what runs there.
Sources: https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/signBlob
and https://cloud.google.com/compute/docs/metadata/predefined-metadata-entries.
"""

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from shared.errors import Unavailable
from shared.ports import Clock

if TYPE_CHECKING:
    import httpx

IAM_URL = "https://iamcredentials.googleapis.com"
METADATA_URL = "http://metadata.google.internal"

ATTEMPTS_MAX = 3
PAUSE_SECONDS = 0.2
CALL_SECONDS = 5.0
# The metadata server itself hands out a new token in the last four minutes of an old one.
TOKEN_MARGIN_SECONDS = 225

_TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105  # a path

T = TypeVar("T")


class Signer(Protocol):
    """A service account that signs bytes (RSASSA-PKCS1-v1_5, SHA-256)."""

    @property
    def email(self) -> str:
        """The account's name."""
        ...

    async def sign(self, message: bytes) -> bytes:
        """The signature. Raises `Unavailable`."""
        ...


class KeyFileSigner:
    """Signs with the private key of a service account's JSON file."""

    def __init__(self, path: Path) -> None:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        about = json.loads(path.read_bytes())
        key = load_pem_private_key(about["private_key"].encode(), password=None)
        if not isinstance(key, RSAPrivateKey):
            raise ValueError(f"the key in {path} is not an RSA key")
        self._key = key
        self.email: str = about["client_email"]

    async def sign(self, message: bytes) -> bytes:
        """See the protocol. About a millisecond of arithmetic."""
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        return self._key.sign(message, PKCS1v15(), SHA256())


class IamSigner:
    """Asks IAM to sign; who asks needs `iam.serviceAccounts.signBlob` on the account."""

    def __init__(
        self,
        email: str,
        clock: Clock,
        *,
        iam_url: str = IAM_URL,
        metadata_url: str = METADATA_URL,
    ) -> None:
        if not email:
            raise ValueError("no service account to sign as")
        self.email = email
        self._clock = clock
        self._sign_url = f"{iam_url}/v1/projects/-/serviceAccounts/{email}:signBlob"
        self._token_url = f"{metadata_url}{_TOKEN_PATH}"
        self._token = ""
        self._token_until_ms = 0
        self._made: httpx.AsyncClient | None = None

    async def sign(self, message: bytes) -> bytes:
        """See the protocol. A refusal by IAM is a RuntimeError: only an operator can mend it."""
        body = {"payload": base64.b64encode(message).decode()}
        for attempt in range(ATTEMPTS_MAX):
            if attempt:
                await asyncio.sleep(PAUSE_SECONDS * attempt)
            token = await self._current_token()
            headers = {"authorization": f"Bearer {token}"}
            reply = await self._call("POST", self._sign_url, json=body, headers=headers)
            if reply and reply.status_code == 200:
                return _field(reply, "signedBlob", base64.b64decode)
            if reply and reply.status_code == 401:
                self._token = ""
        raise Unavailable("Addresses cannot be signed now.")

    async def close(self) -> None:
        """Close the connections."""
        if self._made:
            await self._made.aclose()
            self._made = None

    async def _current_token(self) -> str:
        now_ms = self._clock.monotonic_ms()
        if self._token and now_ms < self._token_until_ms:
            return self._token
        for attempt in range(ATTEMPTS_MAX):
            if attempt:
                await asyncio.sleep(PAUSE_SECONDS * attempt)
            reply = await self._call("GET", self._token_url, headers={"metadata-flavor": "Google"})
            if reply and reply.status_code == 200:
                lives_seconds = _field(reply, "expires_in", int)
                self._token = _field(reply, "access_token", str)
                self._token_until_ms = now_ms + (lives_seconds - TOKEN_MARGIN_SECONDS) * 1000
                return self._token
        raise Unavailable("There is no token to sign with now.")

    async def _call(self, method: str, url: str, **what: Any) -> "httpx.Response | None":
        """One exchange; None when it may be tried again. The error has no request in it: that
        would carry the token into a log."""
        import httpx

        if self._made is None:
            self._made = httpx.AsyncClient(timeout=CALL_SECONDS, trust_env=False)
        try:
            reply = await self._made.request(method, url, **what)
        except httpx.TransportError:
            return None
        if reply.status_code in (408, 429) or reply.is_server_error:
            return None
        if reply.status_code not in (200, 401):
            raise RuntimeError(f"{url} answered {reply.status_code}")
        return reply


def _field(reply: "httpx.Response", name: str, read: Callable[[Any], T]) -> T:
    try:
        return read(reply.json()[name])
    except (KeyError, TypeError, ValueError) as error:
        raise Unavailable("The answer to a signing request makes no sense.") from error
