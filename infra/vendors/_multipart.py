"""Reads `multipart/form-data` to the letter of RFC 7578, refusing what lenient parsers let pass."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from infra.sandbox.refusals import Refusal, refuse_field

_CONTENT_TYPE = re.compile(
    r"multipart/form-data; ?boundary=\"?([A-Za-z0-9'()+_,./:=? -]{1,69}[A-Za-z0-9'()+_,./:=?-])\"?"
)
_DISPOSITION = re.compile(r'form-data; name="([^"\r\n]+)"(?:; filename="([^"\r\n]*)")?')


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form: a text, or a file where it has a name of its own."""

    content: bytes = field(repr=False)
    filename: str | None = None
    content_type: str = ""


def read_multipart(content_type: str, body: bytes) -> Mapping[str, Part]:
    """The parts of a body by their names, each of which is there once. Raises `Refusal`."""
    parts: dict[str, Part] = {}
    for name, part in read_parts(content_type, body):
        if name in parts:
            raise refuse_field(name, f"{name}: is there twice")
        parts[name] = part
    return parts


def read_parts(content_type: str, body: bytes) -> Sequence[tuple[str, Part]]:
    """The parts of a body in their order. Raises `Refusal`."""
    said = _CONTENT_TYPE.fullmatch(content_type)
    if said is None:
        raise refuse_field("content-type", "content-type: must be multipart/form-data")
    mark = b"--" + said[1].encode()
    if not body.startswith(mark + b"\r\n") or not body.endswith(b"\r\n" + mark + b"--\r\n"):
        raise Refusal("invalid_request", "body: does not stand between its boundaries")
    inner = body[len(mark) + 2 : -len(mark) - 6]
    return [_read_part(raw) for raw in inner.split(b"\r\n" + mark + b"\r\n")]


def _read_part(raw: bytes) -> tuple[str, Part]:
    head, gap, content = raw.partition(b"\r\n\r\n")
    headers = dict(_read_header(line) for line in head.decode("latin-1").split("\r\n"))
    said = _DISPOSITION.fullmatch(headers.get("content-disposition", ""))
    if not gap or said is None:
        raise Refusal("invalid_request", "body: a part has no usable headers")
    return said[1], Part(content, said[2], headers.get("content-type", ""))


def _read_header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.lower(), value.strip()
