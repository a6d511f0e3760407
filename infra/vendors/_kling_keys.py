"""Who may call Kling: whoever has the API key, or signs tokens with the SecretKey (older calls)."""

import hmac

import jwt
from starlette.requests import Request

from infra.vendors._kling_answers import no
from infra.vendors.desk import Desk, desk_of


def admit(request: Request, *, takes_tokens: bool) -> Desk:
    """The desk, for a caller who has the key: the setting is an API key, or an AccessKey and a
    SecretKey with a colon between them. Raises `Refusal`.
    """
    desk = desk_of(request)
    given = request.headers.get("authorization", "")
    if not given:
        raise no(1001, "Authorization is empty")
    scheme, _, token = given.partition(" ")
    access_key, colon, secret_key = desk.settings.api_key.partition(":")
    if colon and takes_tokens and scheme == "Bearer":
        _check_token(token, access_key, secret_key)
    elif colon or not hmac.compare_digest(given.encode(), f"Bearer {access_key}".encode()):
        raise no(1002, "api key not found")
    return desk


def _check_token(token: str, access_key: str, secret_key: str) -> None:
    try:
        header = jwt.get_unverified_header(token)
        jwt.decode(
            token,
            secret_key,
            algorithms=["HS256"],
            issuer=access_key,
            options={"require": ["iss", "exp", "nbf"]},
        )
    except jwt.ImmatureSignatureError as error:
        raise no(1003, "Authorization is not yet valid") from error
    except jwt.ExpiredSignatureError as error:
        raise no(1004, "Authorization is expired") from error
    except jwt.InvalidTokenError as error:
        raise no(1002, "Authorization is invalid") from error
    if header.get("typ") != "JWT":
        raise no(1002, "Authorization is invalid")
