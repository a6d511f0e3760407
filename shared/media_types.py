"""What a file is, by its first bytes."""

SNIFFED_BYTES = 12  # as many first bytes are enough

_RIFF_FORM = slice(8, 12)
_FTYP = slice(4, 8)


def sniff(first_bytes: bytes, kind: str) -> str | None:
    """The content type of a video or an image by its magic bytes, or None when it is neither."""
    return _video(first_bytes) if kind == "video" else _image(first_bytes)


def _video(first_bytes: bytes) -> str | None:
    if first_bytes[_FTYP] == b"ftyp":
        return "video/mp4"
    return "video/webm" if first_bytes.startswith(b"\x1a\x45\xdf\xa3") else None


def _image(first_bytes: bytes) -> str | None:
    if first_bytes.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if first_bytes.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    is_webp = first_bytes.startswith(b"RIFF") and first_bytes[_RIFF_FORM] == b"WEBP"
    return "image/webp" if is_webp else None
