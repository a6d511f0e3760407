"""Addresses of results: minted with an expiry and a token, checked in constant time."""

import hashlib
import hmac
import secrets
import time

from infra.sandbox.generations import Media
from infra.sandbox.refusals import Refusal

LIFETIME_SECONDS = 3600


class ResultLinks:
    """Signs with a secret of this process, so every address dies with it."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url.rstrip("/")
        self._secret = secrets.token_bytes(32)

    def mint(self, generation_id: str, media: Media, *, is_dead: bool) -> dict[str, object]:
        """The `result` of a generation, with a fresh address; a dead one has expired already."""
        expires_at = int(time.time()) + (-1 if is_dead else LIFETIME_SECONDS)
        token = self._token(generation_id, media.name, str(expires_at))
        path = f"/files/{generation_id}/{media.name}"
        return {
            "url": f"{self._public_url}{path}?expires={expires_at}&token={token}",
            "content_type": media.content_type,
            "size_bytes": media.size_bytes,
            "expires_at": expires_at,
        }

    def check(self, generation_id: str, name: str, expires: str, token: str) -> None:
        """Raises 403 for an address that was not minted here and 410 for one whose time is over."""
        genuine = self._token(generation_id, name, expires)
        if not hmac.compare_digest(genuine.encode(), token.encode()):
            raise Refusal("bad_token", "this address was not signed by the vendor")
        if int(expires) < time.time():
            raise Refusal("expired", "this address has expired; ask for the generation again")

    def _token(self, generation_id: str, name: str, expires: str) -> str:
        text = f"{generation_id}/{name}?{expires}"
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()
