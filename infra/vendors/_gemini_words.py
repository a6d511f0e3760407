"""What all of Gemini's calls share: the key, pictures as bytes, and Google's error bodies."""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from infra.sandbox.generations import Generation
from infra.sandbox.refusals import BUSY_RETRY_AFTER_SECONDS, Refusal, refuse_field
from infra.vendors.desk import Desk, desk_of

INLINE_MAX_BYTES = 20_000_000

_TYPE = "type.googleapis.com/google.rpc."
_RETRY = {"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{BUSY_RETRY_AFTER_SECONDS}s"}
_BAD_KEY = {"@type": f"{_TYPE}ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}

# The machinery's word → HTTP status and Google's word. A word that is absent is an error of theirs.
_ERRORS: Mapping[str, tuple[int, str]] = {
    "bad_token": (403, "PERMISSION_DENIED"),
    "expired": (404, "NOT_FOUND"),
    "invalid_request": (400, "INVALID_ARGUMENT"),
    "moderation_blocked": (400, "INVALID_ARGUMENT"),
    "no_credit": (400, "FAILED_PRECONDITION"),
    "not_cancellable": (400, "FAILED_PRECONDITION"),
    "not_found": (404, "NOT_FOUND"),
    "too_many_generations": (429, "RESOURCE_EXHAUSTED"),
    "too_many_requests": (429, "RESOURCE_EXHAUSTED"),
    "unauthorized": (400, "INVALID_ARGUMENT"),
    "unknown_model": (404, "NOT_FOUND"),
}

_TAG = re.compile(r"<[A-Z]+(_[A-Z0-9]+)*> ?")


def admit(request: Request) -> Desk:
    """The desk, for a caller who has the key. Raises `Refusal`."""
    desk = desk_of(request)
    given = request.headers.get("x-goog-api-key") or request.query_params.get("key", "")
    if not hmac.compare_digest(given.encode(), desk.settings.api_key.encode()):
        raise Refusal("unauthorized", "API key not valid. Please pass a valid API key.")
    return desk


def refuse(refusal: Refusal) -> Response:
    """Google's error body; the front end, which checks keys, puts it into a list."""
    status, word = _ERRORS.get(refusal.code, (500, "INTERNAL"))
    if refusal.code == "unauthorized":
        return JSONResponse([_error(status, word, refusal.message, _BAD_KEY)], status)
    if refusal.code == "moderation_blocked":
        return JSONResponse(_error(status, word, f"PROHIBITED_CONTENT: {refusal.message}"), status)
    details = (_RETRY,) if status == 429 else ()
    return JSONResponse(_error(status, word, refusal.message, *details), status)


def refuse_overload() -> Response:
    """503, with which nothing was taken."""
    return JSONResponse(_error(503, "UNAVAILABLE", "The model is overloaded."), 503)


def find(desk: Desk, generation_id: str, kind: str) -> Generation:
    """A generation by its id and by what it makes. Raises `Refusal`."""
    generation = desk.register.find(generation_id)
    if generation.order.kind != kind:
        raise Refusal("not_found", f"there is no {kind} {generation_id!r}")
    return generation


def data_url(mime_type: str, data: str) -> str:
    """Bytes of a request as an address. Raises `Refusal` for what is not base64."""
    try:
        base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise refuse_field("data", "the data is not base64") from error
    if len(data) > INLINE_MAX_BYTES:
        raise refuse_field("data", f"a request carries {INLINE_MAX_BYTES} bytes at most")
    return f"data:{mime_type};base64,{data}"


def without_tags(prompt: str) -> str:
    """The words of a prompt."""
    return _TAG.sub("", prompt)


def _error(status: int, word: str, message: str, *details: Mapping[str, str]) -> dict[str, object]:
    error: dict[str, object] = {"code": status, "message": message, "status": word}
    return {"error": error | ({"details": list(details)} if details else {})}
