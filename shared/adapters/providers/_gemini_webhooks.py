"""How Gemini signs what it tells us: a webhook that a request names carries a token that Google has
signed; one that is registered for a whole project follows Standard Webhooks (facts A3).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.adapters.providers._replies import json_object, object_in, task_id_in, text_in
from shared.adapters.providers._signing import check_age, check_standard
from shared.adapters.providers.translator import Account, Keys
from shared.errors import VendorUnknown, WebhookRefused
from shared.ports import Hint, Inbound

_ALGORITHM = "RS256"


def key_set_url(account: Account) -> str:
    """See `Webhook`."""
    return account.url("/.well-known/jwks.json")


def read(inbound: Inbound, keys: Keys, now_ms: int) -> Hint:
    """See `Webhook`. Both kinds use one header; a token has no comma, the other has `v1,`."""
    signature = inbound.headers.get("webhook-signature", "")
    if "," in signature:
        check_standard(inbound, keys.secrets, now_ms)
    else:
        _check_token(signature, inbound, keys.public, now_ms)
    return _hint(inbound)


def _check_token(
    token: str, inbound: Inbound, public: Sequence[Mapping[str, Any]], now_ms: int
) -> None:
    """Refuse what is not signed by a key that Google publishes, or not now.

    Whom the token is for is not documented, only that it says so; and nothing that it says of the
    body is (facts A3). Our callback address is what nobody else knows.
    """
    claims = _claims_of(token, public)
    expires, issued = claims["exp"], claims.get("iat")
    if not isinstance(expires, int) or expires * 1000 <= now_ms:
        raise WebhookRefused("The webhook's token has expired.")
    # Every delivery has its time in a header; that a token has one as well is not documented.
    sent = inbound.headers.get("webhook-timestamp", "") if issued is None else str(issued)
    check_age(sent, now_ms)


def _claims_of(token: str, public: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    import jwt

    try:
        key_id = jwt.get_unverified_header(token).get("kid")
    except (jwt.PyJWTError, ValueError) as error:
        raise WebhookRefused("The webhook carries no token.") from error
    for entry in public:
        claims = _claims_by(token, entry) if key_id and entry.get("kid") == key_id else None
        if claims is not None:
            return claims
    raise WebhookRefused("The webhook's token is not signed by a key of the vendor.")


def _claims_by(token: str, entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a token says, if this key has signed it. Its times are not held against this machine's
    clock but against the port's, by the caller.
    """
    import jwt

    try:
        claims: Mapping[str, Any] = jwt.decode(
            token,
            jwt.PyJWK(dict(entry), algorithm=_ALGORITHM),
            algorithms=[_ALGORITHM],
            options={
                "require": ["aud", "exp"],
                "verify_aud": False,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "enforce_minimum_key_length": True,
            },
        )
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return claims


def _hint(inbound: Inbound) -> Hint:
    """The payload is only a hint: an interaction's id, or an operation's name."""
    try:
        name = text_in(object_in(json_object(inbound.body), "data"), "id")
        return Hint(task_id_in({"id": name.rpartition("/")[2]}, "id"))
    except VendorUnknown as error:
        raise WebhookRefused("The webhook names no task.") from error
