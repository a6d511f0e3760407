"""Reading the body of a reply with a limit on what it weighs, on the wire and unpacked."""

import zlib
from collections.abc import AsyncGenerator, Iterator

import httpcore

from shared.ports import NoReply, ReplyTooLarge

UNPACKED_CHUNK_BYTES = 64 * 1024

# zlib's word for "gzip or zlib, look at the header".
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


def lowered(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; repeated ones are joined, as HTTP says they may be."""
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


async def bounded(reply: httpcore.Response, max_bytes: int) -> AsyncGenerator[bytes, None]:
    """The body in chunks, none empty. Raises `ReplyTooLarge` past `max_bytes`, packed
    or unpacked, and `NoReply` when it is cut short."""
    headers = lowered(reply.headers)
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise ReplyTooLarge("the reply is too large")
    unpacker = _unpacker(headers.get("content-encoding", ""))
    wire_bytes = body_bytes = 0
    async for raw in reply.aiter_stream():
        wire_bytes += len(raw)
        for chunk in _unpacked(raw, unpacker):
            body_bytes += len(chunk)
            if max(wire_bytes, body_bytes) > max_bytes:
                raise ReplyTooLarge("the reply is too large")
            yield chunk
    if unpacker is not None and not unpacker.eof:
        raise NoReply("the reply is cut short")


def _unpacker(coding: str) -> "zlib._Decompress | None":
    """We ask for bytes as they are, and some servers pack them all the same."""
    match coding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip" | "deflate":
            return zlib.decompressobj(_GZIP_OR_ZLIB)
        case _:
            raise NoReply("the reply is packed in a way that was not asked for")


def _unpacked(raw: bytes, unpacker: "zlib._Decompress | None") -> Iterator[bytes]:
    if unpacker is None:
        if raw:
            yield raw
        return
    # In small pieces, so that a bomb meets the limit before it fills the memory.
    while raw and not unpacker.eof:
        try:
            chunk = unpacker.decompress(raw, UNPACKED_CHUNK_BYTES)
        except zlib.error as error:
            raise NoReply("the reply does not unpack") from error
        raw = unpacker.unconsumed_tail
        if chunk:
            yield chunk
