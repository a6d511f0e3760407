"""Every deliberate error, drawn as a tree.

AppError                 a caller sees `code`, `message`, `type`, `param`
├── InvalidJson          400
├── Unauthorized         401  SessionExpired, SessionRevoked
├── InsufficientTokens   402
├── Forbidden            403  WebhookRefused
├── NotFound             404
├── MethodNotAllowed     405
├── Conflict             409  IdempotencyKeyReused, QuoteExpired, QuoteMismatch, JobNotFinished,
│                             CostAboveMaximum, NotCancellable, ImageNotReady, ModelUnavailable
├── BodyTooLarge         413  ImageTooLarge
├── UnsupportedImage     415
├── InvalidRequest       422  PromptLength, ModerationBlocked, UnknownModel, UnsupportedSetting,
│                             ImageRejected (NotAnImage, ImageTooManyPixels)
├── RateLimited          429  TooManyWaiting
└── Unavailable          503  Contention, QueueUnavailable

VendorError              what one call to a vendor came to; never shown as it is
├── VendorRejected       definitely not accepted, and would not be
├── VendorBusy           definitely not accepted; try later
├── VendorUnknown        may have been accepted
├── VendorGone           the vendor does not know this task
└── VendorUnusable       what it serves as a result is none
"""

from typing import ClassVar


class AppError(Exception):
    """A mistake of ours, where it is none of the kinds below. `details` are more public fields."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"

    def __init__(self, message: str, *, param: str | None = None, **details: int | str) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.details = details


class InvalidJson(AppError):
    """The body is not JSON."""

    code = "invalid_json"
    status = 400
    type = "invalid_request_error"


class Unauthorized(AppError):
    """No session, or one that we did not sign."""

    code = "unauthorized"
    status = 401
    type = "authentication_error"


class SessionExpired(Unauthorized):
    """The session was ours and is over."""

    code = "session_expired"


class SessionRevoked(Unauthorized):
    """The account ended its sessions after this one began."""

    code = "session_revoked"


class InsufficientTokens(AppError):
    """The wallet has less than the price."""

    code = "insufficient_tokens"
    status = 402
    type = "payment_required"


class Forbidden(AppError):
    """The caller is known and may not do this."""

    code = "forbidden"
    status = 403
    type = "permission_error"


class WebhookRefused(Forbidden):
    """A webhook that does not carry our mac or the vendor's signature."""

    code = "webhook_refused"


class NotFound(AppError):
    """It does not exist, or it is somebody else's."""

    code = "not_found"
    status = 404
    type = "not_found_error"


class MethodNotAllowed(AppError):
    """The address exists and takes another method."""

    code = "method_not_allowed"
    status = 405
    type = "invalid_request_error"


class Conflict(AppError):
    """The request is well formed and does not fit the present state."""

    code = "conflict"
    status = 409
    type = "conflict_error"


class IdempotencyKeyReused(Conflict):
    """The key already names a request with another body."""

    code = "idempotency_key_reused"


class QuoteExpired(Conflict):
    """The quote's time is over."""

    code = "quote_expired"


class QuoteMismatch(Conflict):
    """The quote was given for another request or another user."""

    code = "quote_mismatch"


class CostAboveMaximum(Conflict):
    """The price is above the caller's `max_cost_tokens`."""

    code = "cost_above_maximum"


class NotCancellable(Conflict):
    """The job is past the point where the vendor lets it be stopped."""

    code = "not_cancellable"


class JobNotFinished(Conflict):
    """Only a finished job can be deleted or have content."""

    code = "job_not_finished"


class ImageNotReady(Conflict):
    """The picture has not arrived or has not been checked yet."""

    code = "image_not_ready"


class ModelUnavailable(Conflict):
    """The model is retired or switched off."""

    code = "model_unavailable"


class BodyTooLarge(AppError):
    """The request body is over the limit."""

    code = "body_too_large"
    status = 413
    type = "invalid_request_error"


class ImageTooLarge(BodyTooLarge):
    """The picture has too many bytes."""

    code = "image_too_large"


class UnsupportedImage(AppError):
    """The picture is not a JPEG, PNG or WebP."""

    code = "unsupported_image_type"
    status = 415
    type = "invalid_request_error"


class InvalidRequest(AppError):
    """A field is missing, unknown or has a wrong value; `param` names it."""

    code = "invalid_request"
    status = 422
    type = "invalid_request_error"


class PromptLength(InvalidRequest):
    """The prompt is shorter or longer than the model takes."""

    code = "prompt_length"


class ModerationBlocked(InvalidRequest):
    """The prompt is against our own rules; the vendor's are applied when the job runs."""

    code = "prompt_blocked"


class UnknownModel(InvalidRequest):
    """There is no such model."""

    code = "unknown_model"


class UnsupportedSetting(InvalidRequest):
    """The model cannot do this duration, resolution, aspect ratio, picture or sound."""

    code = "unsupported_setting"


class ImageRejected(InvalidRequest):
    """The uploaded picture failed its check."""

    code = "image_rejected"


class NotAnImage(ImageRejected):
    """The bytes do not decode as a picture."""

    code = "not_an_image"


class ImageTooManyPixels(ImageRejected):
    """The picture decodes to more pixels than the cap."""

    code = "image_too_many_pixels"


class RateLimited(AppError):
    """Too many requests; `retry_after_seconds` is among the details."""

    code = "rate_limited"
    status = 429
    type = "rate_limit_error"


class TooManyWaiting(RateLimited):
    """The user has as many waiting jobs as one may have."""

    code = "too_many_waiting_jobs"


class Unavailable(AppError):
    """A part we need is not there now; nothing changed and the same call may be repeated."""

    code = "unavailable"
    status = 503
    type = "server_error"


class Contention(Unavailable):
    """A transaction lost every race it was allowed to run."""

    code = "try_again"


class QueueUnavailable(Unavailable):
    """A task could not be queued."""

    code = "queue_unavailable"


class VendorError(Exception):
    """One call to a vendor that did not come to a usable answer. `code` is a `FailureCode`, and
    `detail` is for the logs only."""

    def __init__(self, code: str, detail: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds


class VendorRejected(VendorError):
    """The vendor answered that it did not and will not accept this."""


class VendorBusy(VendorError):
    """The vendor answered that it did not accept this now, or was never reached."""


class VendorUnknown(VendorError):
    """No answer, or one that says neither yes nor no: it may have been accepted."""


class VendorGone(VendorError):
    """The vendor says that it has no such task."""


class VendorUnusable(VendorError):
    """What the vendor serves as a result is none, and will not become one."""
