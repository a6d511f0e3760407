"""Internal callers on Google Cloud: known by the OIDC token that Google signed for them.

Source: "Verify OpenID Connect tokens", and "Create HTTP target tasks" for Cloud Tasks' own.
"""

import asyncio
import logging
from typing import Any

import jwt

from shared.errors import Forbidden, Unavailable

_log = logging.getLogger(__name__)

ALGORITHMS = ("RS256",)
SKEW_SECONDS = 20
KEYS_KEPT_SECONDS = 3_600
# Keys are fetched for a key id that nobody knows, but not for each made-up one.
UNKNOWN_KEY_PAUSE_SECONDS = 30
FETCH_SECONDS = 5
TOKEN_CHARS_MAX = 4_096
_CLAIMS = ["aud", "email", "exp", "iat", "iss"]


class GoogleCallers:
    """Checks signature, issuer, audience, time and service account. One for a process."""

    def __init__(self, issuer: str, keys_url: str) -> None:
        self._issuer = issuer
        self._keys = jwt.PyJWKClient(
            keys_url,
            lifespan=KEYS_KEPT_SECONDS,
            timeout=FETCH_SECONDS,
            cooldown_duration=UNKNOWN_KEY_PAUSE_SECONDS,
        )

    async def require(self, authorization: str, audience: str, account: str) -> None:
        """Refuse every token but this account's for this audience. Raises `Forbidden`, and
        `Unavailable` when the keys cannot be had."""
        assert audience and account, "an internal address without a caller of its own"
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token or len(token) > TOKEN_CHARS_MAX:
            raise _forbidden("no bearer token")
        try:
            claims = await asyncio.to_thread(self._verify, token, audience)
        except jwt.PyJWTError as error:
            raise _forbidden(str(error)) from error
        if claims["email"] != account or claims.get("email_verified") is not True:
            raise _forbidden(f"token of {claims['email']!r}")

    def _verify(self, token: str, audience: str) -> dict[str, Any]:
        """What a token says, once its signature, issuer, audience and time are right."""
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in ALGORITHMS or not isinstance(header.get("kid"), str):
            raise jwt.InvalidAlgorithmError(f"alg {header.get('alg')!r}")
        claims: dict[str, Any] = jwt.decode(
            token,
            self._key(header["kid"]),
            algorithms=ALGORITHMS,
            issuer=self._issuer,
            audience=audience,
            leeway=SKEW_SECONDS,
            options={"require": _CLAIMS, "strict_aud": True},
        )
        return claims

    def _key(self, key_id: str) -> jwt.PyJWK:
        """The key of this id, fetched where that is needed. Raises `PyJWKClientError` when there is
        none, and `Unavailable`."""
        try:
            self._keys.get_signing_keys()
        except (jwt.PyJWTError, OSError, ValueError) as error:
            raise _unavailable(error) from error
        try:
            return self._keys.get_signing_key(key_id)
        except (jwt.PyJWKClientConnectionError, jwt.PyJWKSetError, OSError, ValueError) as error:
            raise _unavailable(error) from error


def _unavailable(error: Exception) -> Unavailable:
    _log.error("the keys of internal callers are not to be had", exc_info=error)
    return Unavailable("Callers cannot be checked now.")


def _forbidden(reason: str) -> Forbidden:
    """What a stranger is told says nothing; the log says why."""
    _log.warning("internal address refused", extra={"detail": reason})
    return Forbidden("This address is not for you.")
