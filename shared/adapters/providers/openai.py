"""OpenAI's images: of words, or of pictures with words; the answer is the result.
https://platform.openai.com/docs/api-reference/images

The vendor's model in the catalogue is its id and the quality (`gpt-image-2:medium`), which is what
the price depends on. The reference is the SDK, `openai`: docs/decisions/0008 says why it is not
what speaks here.
"""

import re
from collections.abc import Mapping

from shared.adapters.providers._keys import bearer
from shared.adapters.providers._multipart import multipart
from shared.adapters.providers._replies import (
    RETRY_AFTER_SECONDS_MAX,
    content_in,
    json_object,
    object_in,
    objects_in,
    retry_after_seconds,
    word_in,
)
from shared.adapters.providers.translator import Account, Provider, unsendable
from shared.errors import VendorBusy, VendorError, VendorRejected, VendorUnknown
from shared.failures import FailureCode
from shared.models import ADAPTIVE
from shared.ports import Accepted, HttpReply, HttpRequest, Parcel, Work

# Four pictures of 1.5 megapixels as PNG, in base64.
REPLY_BYTES_MAX = 48_000_000

# Both sides of a size are multiples of 16 (facts F2).
_SIZES: Mapping[str, str] = {
    ADAPTIVE: "auto",
    "1:1": "1024x1024",
    "3:2": "1536x1024",
    "2:3": "1024x1536",
    "4:3": "1344x1008",
    "3:4": "1008x1344",
    "16:9": "1536x864",
    "9:16": "864x1536",
}
_ROLES = ("source", "subject")  # in the order in which the vendor is given them

# Why a request was refused: by the error's code, or else by the status.
_CODES: Mapping[str, FailureCode] = {
    "moderation_blocked": FailureCode.MODERATION_BLOCKED,
    "content_policy_violation": FailureCode.MODERATION_BLOCKED,
    "model_not_found": FailureCode.MODEL_GONE,
    "insufficient_quota": FailureCode.PROVIDER_MISCONFIGURED,
    "billing_hard_limit_reached": FailureCode.PROVIDER_MISCONFIGURED,
}
_REFUSALS: Mapping[int, FailureCode] = {
    400: FailureCode.PROVIDER_REJECTED,
    401: FailureCode.PROVIDER_MISCONFIGURED,
    403: FailureCode.PROVIDER_MISCONFIGURED,
    404: FailureCode.PROVIDER_REJECTED,
    413: FailureCode.PROVIDER_REJECTED,
    422: FailureCode.PROVIDER_REJECTED,
}
# Nothing goes on behind these: the answer would have been the result.
_LATER = frozenset({408, 409, 429, 500, 503})

_RESETS = re.compile(r"(?:(\d{1,2})h)?(?:(\d{1,2})m)?(?:(\d{1,4})(?:\.\d+)?s)?")


def submit(work: Work, account: Account) -> HttpRequest:
    """See `Provider`."""
    size = _SIZES.get(work.aspect_ratio or "")
    others = (work.negative_prompt, work.duration_seconds, work.resolution, work.audio)
    if size is None or any(others) or not set(work.images) <= set(_ROLES):
        raise unsendable("a setting or a picture")
    model, _, quality = work.ticket.vendor_model.partition(":")
    fields = {"model": model, "prompt": work.prompt, "size": size, "quality": quality}
    if not work.images:
        body = {**fields, "n": work.count, "output_format": "png"}
        return HttpRequest("POST", account.url("/v1/images/generations"), json=body)
    texts = [*fields.items(), ("n", str(work.count)), ("output_format", "png")]
    pictures = [("image[]", work.images[role]) for role in _ROLES if role in work.images]
    return multipart(account.url("/v1/images/edits"), work.ticket.job_id, texts, pictures)


def accepted(reply: HttpReply, work: Work) -> Accepted:
    """See `Provider`."""
    data = json_object(reply.body, REPLY_BYTES_MAX)
    if reply.status != 200:
        raise _refused(reply, object_in(data, "error"))
    made = [content_in(each, "b64_json") for each in objects_in(data, "data")]
    if not made:
        raise VendorRejected(FailureCode.PROVIDER_FAILED, "the answer has no pictures")
    return Accepted("", tuple(Parcel(content=content) for content in made))


def _refused(reply: HttpReply, error: Mapping[str, object]) -> VendorError:
    code = word_in(error, "code")
    detail = f"{reply.status} {code}"
    if "message" not in error:
        return VendorUnknown(FailureCode.PROVIDER_FAILED, detail)
    if code in _CODES:
        return VendorRejected(_CODES[code], detail)
    if reply.status in _LATER:
        seconds = retry_after_seconds(reply) or _reset_seconds(reply)
        return VendorBusy(FailureCode.PROVIDER_BUSY, detail, retry_after_seconds=seconds)
    if reply.status in _REFUSALS:
        return VendorRejected(_REFUSALS[reply.status], detail)
    return VendorUnknown(FailureCode.PROVIDER_FAILED, detail)


def _reset_seconds(reply: HttpReply) -> float | None:
    """When there is room again, which they write as `1m12s`."""
    told = _RESETS.fullmatch(reply.headers.get("x-ratelimit-reset-requests", ""))
    if told is None or not any(told.groups()):
        return None
    hours, minutes, seconds = (int(part or 0) for part in told.groups())
    return min(hours * 3600 + minutes * 60 + seconds, RETRY_AFTER_SECONDS_MAX)


PROVIDER = Provider(
    name="openai",
    base_url="https://api.openai.com",
    authorize=bearer,
    submit=submit,
    accepted=accepted,
    takes_bytes=True,
    reply_bytes_max=REPLY_BYTES_MAX,
)
