"""Reading what vendors answer, step by step and total: a checked value, or `VendorUnknown`.

No error here quotes the reply: vendors echo prompts, and signed addresses, in their messages.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from shared.adapters.providers.translator import REPLY_BYTES_MAX
from shared.errors import VendorUnknown
from shared.failures import FailureCode
from shared.ports import Data, HttpReply

DEPTH_MAX = 32
URL_CHARS_MAX = 4096
RETRY_AFTER_SECONDS_MAX = 3600

# Task ids become parts of addresses and of our document ids. None may be "..".
_TASK_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:~-]{0,127}")
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SECONDS = re.compile(r"[0-9]{1,6}")
_URL = re.compile(r"https?://[!-~]+")


def json_object(body: bytes, max_bytes: int = REPLY_BYTES_MAX) -> Data:
    """The JSON object in a body of bounded size and depth."""
    if len(body) > max_bytes:
        raise _unreadable("too large")
    try:
        value = _JSON.decode(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise _unreadable("not JSON") from error
    if not isinstance(value, dict):
        raise _unreadable("not a JSON object")
    if _is_deeper(value, DEPTH_MAX):
        raise _unreadable("too deep")
    return value


def object_in(data: Data, name: str) -> Data:
    """A nested object; an empty one when there is none."""
    value = data.get(name)
    return value if isinstance(value, Mapping) else {}


def objects_in(data: Data, name: str) -> Sequence[Data]:
    """A list of objects, which must be there."""
    value = data.get(name)
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise _unreadable(f"without a list of {name}")
    return value


def text_in(data: Data, name: str) -> str:
    """A text, which must be there and not be empty."""
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise _unreadable(f"without {name}")
    return value


def task_id_in(data: Data, name: str) -> str:
    """A task id that is fit for an address. Some vendors give numbers."""
    value = data.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _TASK_ID.fullmatch(value):
        raise _unreadable(f"without a task id in {name}")
    return value


def url_in(data: Data, name: str) -> str:
    """An http address. Where it may lead is checked when it is fetched."""
    value = data.get(name)
    if not isinstance(value, str) or len(value) > URL_CHARS_MAX or not _URL.fullmatch(value):
        raise _unreadable(f"without an address in {name}")
    return value


def content_in(data: Data, name: str) -> bytes:
    """Bytes that are written in base64, perhaps behind a `data:` prefix."""
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise _unreadable(f"without bytes in {name}")
    try:
        content = base64.b64decode(value.rpartition("base64,")[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise _unreadable(f"without base64 in {name}") from error
    if not content:
        raise _unreadable(f"without bytes in {name}")
    return content


def word_in(data: Data, name: str) -> str:
    """A code word, as far as it looks like one, fit for the logs."""
    value = data.get(name)
    return value if isinstance(value, str) and _WORD.fullmatch(value) else "?"


def retry_after_seconds(reply: HttpReply) -> float | None:
    """What Retry-After says in seconds, within reason; a date is not read."""
    value = reply.headers.get("retry-after", "")
    return min(int(value), RETRY_AFTER_SECONDS_MAX) if _SECONDS.fullmatch(value) else None


def _unreadable(how: str) -> VendorUnknown:
    return VendorUnknown(FailureCode.PROVIDER_FAILED, f"the reply is {how}")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _is_deeper(value: Data | list[Any], levels: int) -> bool:
    if levels == 0:
        return True
    inner = value.values() if isinstance(value, dict) else value
    return any(isinstance(item, _NESTED) and _is_deeper(item, levels - 1) for item in inner)


_JSON = json.JSONDecoder(parse_constant=_no_constant)  # `json.loads` would make one for each reply
_NESTED = (dict, list)
