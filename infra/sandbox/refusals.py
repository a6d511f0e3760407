"""How the vendor says no: one exception, one error shape, one table from code to HTTP status."""

from collections.abc import Mapping

from starlette.responses import JSONResponse

BUSY_RETRY_AFTER_SECONDS = 2
STATUS_BY_CODE: Mapping[str, int] = {
    "invalid_request": 400,
    "unauthorized": 401,
    "no_credit": 402,
    "bad_token": 403,
    "loopback_only": 403,
    "not_found": 404,
    "unknown_model": 404,
    "method_not_allowed": 405,
    "duplicate_client_id": 409,
    "not_cancellable": 409,
    "expired": 410,
    "moderation_blocked": 422,
    "too_many_generations": 429,
    "too_many_requests": 429,
    "internal": 500,
}


class Refusal(Exception):
    """A request that is not served. `details` stand beside code and message in the body."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        details: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        assert code in STATUS_BY_CODE, code
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = dict(details or {})
        self.headers = dict(headers or {})

    def answer(self) -> JSONResponse:
        """The HTTP answer: `{"error": {"code", "message", ...details}}`."""
        error = {"code": self.code, "message": self.message, **self.details}
        return JSONResponse({"error": error}, STATUS_BY_CODE[self.code], headers=self.headers)


def refuse_field(param: str, message: str) -> Refusal:
    """A 400 that names the field at fault in `param`."""
    return Refusal("invalid_request", message, details={"param": param})


def refuse_busy(message: str, after_seconds: float = BUSY_RETRY_AFTER_SECONDS) -> Refusal:
    """A 429 that says when to come again, unless that is at once."""
    headers = {"Retry-After": f"{after_seconds:g}"} if after_seconds else {}
    return Refusal("too_many_generations", message, headers=headers)
