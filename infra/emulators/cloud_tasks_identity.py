"""Who Cloud Tasks and Cloud Scheduler are when they call: Google-like OIDC tokens, own key.

Source of the claims: "Authentication > ID tokens" of Google Cloud, and what the two services send.
"""

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER = "https://accounts.google.com"
TOKEN_SECONDS = 3_600
_KEY_BITS = 2_048
_TOKEN_USED_SECONDS = 300  # one signature serves many deliveries, as it costs a millisecond


class Identity:
    """A signing key, the tokens it makes, and what a verifier fetches."""

    def __init__(self, key: rsa.RSAPrivateKey, issuer: str = ISSUER) -> None:
        self.key = key
        self.issuer = issuer
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
        self.key_id = hashlib.sha256(public["n"].encode()).hexdigest()[:40]
        self._public = {**public, "kid": self.key_id, "use": "sig", "alg": "RS256"}
        self._made: dict[tuple[str, str], tuple[float, str]] = {}

    def jwks(self) -> dict[str, Any]:
        """The key set, as Google serves it."""
        return {"keys": [self._public]}

    def token(self, service_account: str, audience: str) -> str:
        """A token of this account for this audience, good for most of an hour."""
        now = time.time()
        made_at, token = self._made.get((service_account, audience), (0.0, ""))
        if now - made_at > _TOKEN_USED_SECONDS:
            token = self.sign(self.claims(service_account, audience))
            self._made[service_account, audience] = now, token
        return token

    def claims(self, service_account: str, audience: str) -> dict[str, Any]:
        """What a token says."""
        now = int(time.time())
        return {
            "iss": self.issuer,
            "aud": audience,
            "azp": service_account,
            "sub": str(int(hashlib.sha256(service_account.encode()).hexdigest()[:16], 16)),
            "email": service_account,
            "email_verified": True,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
        }

    def sign(self, claims: dict[str, Any]) -> str:
        """Any claims, signed."""
        return jwt.encode(claims, self.key, "RS256", headers={"kid": self.key_id})


def make_key() -> rsa.RSAPrivateKey:
    """A new key."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=_KEY_BITS)


def read_or_make_key(path: Path | None) -> rsa.RSAPrivateKey:
    """The key in a file, made and kept there when there is none; without a file, a new one."""
    if path is None:
        return make_key()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _keep(make_key(), path)
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey), f"{path} holds no RSA key"
    return key


def _keep(key: rsa.RSAPrivateKey, path: Path) -> None:
    """Whole or not at all, and whoever is first wins: two emulators may start at once."""
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_bytes(pem)
    draft.chmod(0o600)
    try:
        os.link(draft, path)
    except FileExistsError:
        print(f"{path} was just made by another process")
    finally:
        draft.unlink()
