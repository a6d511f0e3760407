"""How Gemini signs webhooks: a token by a key whose public half anybody can read; or, for a webhook
that is registered for the project, with the project's secret.
"""

import json
import secrets
import time
from functools import cache

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.sandbox.webhooks import Signer
from infra.vendors.signers import StandardWebhooks

AUDIENCE = "projects/simulated"
TOKEN_SECONDS = 600
_KEY_ID = "gemini-simulated-1"
_GENUINE, _FORGED = "genuine", "forged"


class TokenSigner:
    """RS256 tokens in the header of the same name as a signature by the standard."""

    def headers(self, raw_body: bytes, *, is_genuine: bool) -> dict[str, str]:
        """See Signer."""
        now = int(time.time())
        claims = {"aud": AUDIENCE, "iat": now, "exp": now + TOKEN_SECONDS}
        key = _private_key(_GENUINE if is_genuine else _FORGED)
        return {
            "webhook-id": f"msg_{secrets.token_hex(12)}",
            "webhook-timestamp": str(now),
            "Webhook-Signature": jwt.encode(claims, key, "RS256", headers={"kid": _KEY_ID}),
        }


def signer(secret: str) -> Signer:
    """With a secret, all webhooks are those of a project that has registered one."""
    return StandardWebhooks(secret) if secret else TokenSigner()


async def show_keys(_request: Request) -> Response:
    """GET /.well-known/jwks.json: no key of the caller's is asked for."""
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(_private_key(_GENUINE).public_key()))
    entry = {"kid": _KEY_ID, "use": "sig", "alg": "RS256"}
    return JSONResponse({"keys": [{**public, **entry}]})


@cache
def _private_key(_whose: str) -> rsa.RSAPrivateKey:
    """One for each, made at first use: making one takes a while."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


ROUTES = (Route("/.well-known/jwks.json", show_keys, methods=["GET"]),)
