"""What stands between a video file of others and the demuxer: a reader that gives it no bombs.

Three kilobytes of MP4 can make FFmpeg take a gigabyte: tables that declare a count and carry no
entries (a fixed-size stsz, a bare trun, keys), or a compressed index (cmov). So the counts are
checked before FFmpeg sees them, boxes that no check of ours needs are renamed on the way, and a
reader that has given its budget is at its end. WebM is read forward only: it cannot jump about.
"""

import re
from typing import BinaryIO

SAMPLES_MAX = 300_000
INDEX_BYTES_MAX = 8_000_000
BOXES_MAX = 4_096
READ_BYTES_MAX = 24_000_000

_HEADER_BYTES = 16
_MEDIA_DATA = b"mdat"
_PADDING = frozenset({b"free", b"skip", b"wide"})

# Metadata, encryption and compressed indexes: never needed to decode a first frame.
_RENAMED = re.compile(b"cmov|keys|meta|pssh|saio|saiz|senc")
_UNKNOWN_BOX = b"skip"

# Sample tables by box type: where, after the type, the declared number of samples stands.
_COUNTED = re.compile(b"stsz|stz2|trun")
_COUNT_OFFSETS = {b"stsz": 12, b"stz2": 12, b"trun": 8}


class BadContainer(Exception):
    """The file is not what a video looks like."""


def read_up_to(source: BinaryIO, size: int) -> bytes:
    """The next `size` bytes, or what is left; a source may give them in pieces."""
    data = bytearray()
    while len(data) < size and (piece := source.read(size - len(data))):
        data += piece
    return bytes(data)


class ForwardReader:
    """Reads a file once from its beginning, and at most `READ_BYTES_MAX` of it."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._left_bytes = READ_BYTES_MAX
        self.failure: Exception | None = None
        source.seek(0)

    def read(self, size: int) -> bytes:
        """At most `size` bytes, because PyAV copies what it gets without measuring it. A failure of
        the source is kept, because FFmpeg makes a broken file of it."""
        try:
            data = self._source.read(min(size, self._left_bytes))[:size]
        except Exception as error:
            self.failure = error
            raise
        self._left_bytes -= len(data)
        return data


class Mp4Reader(ForwardReader):
    """Also jumps, and shows checked indexes in place of the file's own. Raises `BadContainer`."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__(source)
        self._size_bytes = source.seek(0, 2)
        self._indexes = _checked_indexes(source, self._size_bytes)
        self._at = 0

    def read(self, size: int) -> bytes:
        """As above, with the checked indexes laid over the file."""
        self._source.seek(self._at)
        data = super().read(size)
        for start, index in self._indexes.items():
            low, high = max(start, self._at), min(start + len(index), self._at + len(data))
            if low < high:
                patched = bytearray(data)
                patched[low - self._at : high - self._at] = index[low - start : high - start]
                data = bytes(patched)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """As files do."""
        self._at = max(0, offset + (0, self._at, self._size_bytes)[whence])
        return self._at

    def tell(self) -> int:
        """As files do."""
        return self._at


def _checked_indexes(source: BinaryIO, size_bytes: int) -> dict[int, bytes]:
    """Every top-level box that FFmpeg reads into, by its place, and without what it bursts on."""
    indexes: dict[int, bytes] = {}
    index_bytes = samples = at = 0
    for _ in range(BOXES_MAX):
        if at + 8 > size_bytes:
            return indexes
        source.seek(at)
        header = read_up_to(source, _HEADER_BYTES)
        box_type, box_bytes = _box(header, size_bytes - at)
        # FFmpeg takes padding for an index when it begins like one.
        if box_type in _PADDING and header[12:16] in {b"cmov", b"mvhd"}:
            raise BadContainer("an index in the padding")
        if box_type != _MEDIA_DATA and box_type not in _PADDING:
            index_bytes += box_bytes
            if index_bytes > INDEX_BYTES_MAX:
                raise BadContainer("the index is too large")
            source.seek(at)
            indexes[at] = _RENAMED.sub(_UNKNOWN_BOX, read_up_to(source, box_bytes))
            samples += _declared_samples(indexes[at])
            if samples > SAMPLES_MAX:
                raise BadContainer("the index declares too many samples")
        at += box_bytes
    raise BadContainer("too many boxes")


def _box(header: bytes, left_bytes: int) -> tuple[bytes, int]:
    box_bytes = int.from_bytes(header[:4], "big")
    if box_bytes == 1:
        box_bytes = int.from_bytes(header[8:16], "big")
    elif box_bytes == 0:
        box_bytes = left_bytes
    # A cut-off media box is a shorter film; any other box must be whole.
    if header[4:8] == _MEDIA_DATA:
        box_bytes = min(box_bytes, left_bytes)
    if not 8 <= box_bytes <= left_bytes:
        raise BadContainer("a box does not fit the file")
    return header[4:8], box_bytes


def _declared_samples(index: bytes) -> int:
    # By their names and not by walking the tree: FFmpeg finds them wherever they stand.
    return sum(
        int.from_bytes(index[at : at + 4], "big")
        for table in _COUNTED.finditer(index)
        if (at := table.start() + _COUNT_OFFSETS[table[0]])
    )
