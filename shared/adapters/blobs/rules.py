"""What every blob adapter demands: names that any store, file system and URL takes as they are.

Breaking a rule is a programming error and raises ValueError.
"""

import re

KEY_LENGTH_MAX = 500
SEGMENT_LENGTH_MAX = 150
FILENAME_LENGTH_MAX = 200
EXPIRES_SECONDS_MAX = 7 * 24 * 3600

_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_CONTENT_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,100}")


def check_key(key: str) -> None:
    """A relative path of plain segments: nothing in it can climb, hide or be an option."""
    if len(key) > KEY_LENGTH_MAX:
        raise ValueError(f"a key of {len(key)} characters; at most {KEY_LENGTH_MAX}")
    for segment in key.split("/"):
        if not _SEGMENT.fullmatch(segment) or len(segment) > SEGMENT_LENGTH_MAX:
            raise ValueError(f"not a key: {key!r}")


def check_content_type(content_type: str) -> None:
    """`type/subtype` in small letters, without parameters."""
    if not _CONTENT_TYPE.fullmatch(content_type):
        raise ValueError(f"not a content type: {content_type!r}")


def check_filename(filename: str) -> None:
    """Something a person can save a file as, in any script."""
    if not 1 <= len(filename) <= FILENAME_LENGTH_MAX:
        raise ValueError(f"a file name of {len(filename)} characters; 1 to {FILENAME_LENGTH_MAX}")
    if not filename.isprintable() or "/" in filename or "\\" in filename:
        raise ValueError(f"not a file name: {filename!r}")


def check_expires(expires_seconds: int) -> None:
    """Cloud Storage signs for seven days at most."""
    if not 1 <= expires_seconds <= EXPIRES_SECONDS_MAX:
        raise ValueError(f"an address for {expires_seconds} s; 1 to {EXPIRES_SECONDS_MAX}")
