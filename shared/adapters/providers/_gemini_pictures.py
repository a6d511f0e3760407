"""Pictures by Gemini's generateContent: one for each request, in the answer itself."""

import base64
from collections.abc import Mapping
from typing import Any

from shared.adapters.providers._gemini_replies import answer_in, submit_error
from shared.adapters.providers._replies import content_in, object_in, objects_in, text_in, word_in
from shared.adapters.providers.translator import Account
from shared.errors import VendorError, VendorRejected, VendorUnknown
from shared.failures import FailureCode
from shared.models import ADAPTIVE
from shared.ports import Accepted, Data, HttpReply, HttpRequest, Parcel, Work

# In the order in which the model sees them.
ROLES = ("source", "subject")

# Why there is no picture: its safety rules, or a picture that already exists. All other words (such
# as NO_IMAGE, IMAGE_OTHER, MAX_TOKENS) say that this once nothing came of it.
_MODERATION = frozenset({
    "BLOCKLIST",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "IMAGE_SAFETY",
    "PROHIBITED_CONTENT",
    "RECITATION",
    "SAFETY",
    "SPII",
})  # fmt: skip


def submit(work: Work, account: Account) -> HttpRequest:
    """See `Provider`."""
    pictures = [work.images[role] for role in ROLES if role in work.images]
    shown = [
        {
            "inline_data": {
                "mime_type": picture.content_type,
                "data": base64.b64encode(picture.content).decode(),
            }
        }
        for picture in pictures
    ]
    body = {
        "contents": [{"role": "user", "parts": [{"text": work.prompt}, *shown]}],
        "generationConfig": _settings(work),
    }
    path = f"/v1beta/models/{work.ticket.vendor_model}:generateContent"
    return HttpRequest("POST", account.url(path), json=body)


def _settings(work: Work) -> Mapping[str, Any]:
    shape = None if work.aspect_ratio == ADAPTIVE else work.aspect_ratio
    asked = {"aspectRatio": shape, "imageSize": work.resolution}
    image = {name: value for name, value in asked.items() if value is not None}
    settings: dict[str, Any] = {"responseModalities": ["TEXT", "IMAGE"]}
    return settings | ({"imageConfig": image} if image else {})


def accepted(reply: HttpReply, work: Work) -> Accepted:
    """See `Provider`."""
    data = answer_in(reply)
    if reply.status != 200:
        raise submit_error(reply, data, is_over=True)
    feedback = object_in(data, "promptFeedback")
    if feedback.get("blockReason"):
        said = word_in(feedback, "blockReason")
        raise VendorRejected(FailureCode.MODERATION_BLOCKED, f"blocked {said}")
    candidates = objects_in(data, "candidates")
    if not candidates:
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "no candidate")
    picture = _picture_in(candidates[0])
    if picture is None:
        raise _no_picture(candidates[0])
    return Accepted("", (picture,))


def _picture_in(candidate: Data) -> Parcel | None:
    """The first picture that is no draft of the model's thoughts. The field goes by both names."""
    parts = object_in(candidate, "content").get("parts")
    for part in parts if isinstance(parts, list) else []:
        if isinstance(part, Mapping) and not part.get("thought"):
            inline = object_in(part, "inlineData") or object_in(part, "inline_data")
            if inline:
                return Parcel(content=content_in(inline, "data"))
    return None


def _no_picture(candidate: Data) -> VendorError:
    text_in(candidate, "finishReason")  # an answer that does not end is not one that we can read
    word = word_in(candidate, "finishReason")
    is_moderation = word in _MODERATION
    code = FailureCode.MODERATION_BLOCKED if is_moderation else FailureCode.PROVIDER_FAILED
    return VendorRejected(code, f"finished {word}")
