"""Resumable uploads of the storage emulator. They survive a restart of it, as the real ones do.

Source: https://cloud.google.com/storage/docs/performing-resumable-uploads
"""

import dataclasses
import json
import re
import threading
from pathlib import Path
from typing import Any

from infra.emulators.storage_objects import Arrival, Objects, StoredObject

CHUNK_MULTIPLE_BYTES = 256 * 1024

_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


class BadChunk(Exception):
    """Bytes that do not go where the sender says, or a range that says nothing."""


class Sessions:
    """Uploads that have begun: a JSON file for each, beside the bytes that are there."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._folder = objects.incoming
        self._changing = threading.Lock()

    def begin(self, arrival: Arrival) -> str:
        """The id of a new upload; it is as good as a password."""
        arrival.part.touch()
        self._write(arrival.part.name, {**dataclasses.asdict(arrival), "part": ""})
        return arrival.part.name

    def add(
        self, session: str, content_range: str, body: bytes, checksums: dict[str, str]
    ) -> tuple[StoredObject | None, int]:
        """Take bytes in, or just say what is there: the object when it is whole, and how many bytes
        are there. Raises FileNotFoundError, `BadChunk`, and what publishing does."""
        with self._changing:
            about = self._read(session)
            if "stored" in about:
                stored = StoredObject(**about["stored"])
                return stored, stored.size_bytes
            part = self._folder / session
            end = _append(part, content_range, body)
            size_bytes = part.stat().st_size
            if end is None or size_bytes < end:
                return None, size_bytes
            about["checksums"] |= checksums
            stored = self._objects.publish(Arrival(**{**about, "part": part}))
            self._write(session, {"stored": dataclasses.asdict(stored)})
            return stored, size_bytes

    def cancel(self, session: str) -> None:
        """Forget an upload. Raises FileNotFoundError."""
        with self._changing:
            self._read(session)
            self._path(session).unlink()
            (self._folder / session).unlink(missing_ok=True)

    def _read(self, session: str) -> dict[str, Any]:
        about: dict[str, Any] = json.loads(self._path(session).read_bytes())
        return about

    def _write(self, session: str, about: dict[str, Any]) -> None:
        new = self._folder / f"{session}.new"
        new.write_text(json.dumps(about))
        new.replace(self._path(session))

    def _path(self, session: str) -> Path:
        if not re.fullmatch(r"[0-9a-f]{32}", session):
            raise FileNotFoundError(session)
        return self._folder / f"{session}.json"


def _append(part: Path, content_range: str, body: bytes) -> int | None:
    """Add what is new of a chunk; the size of the whole, when the sender knows it by now."""
    there = part.stat().st_size
    said = _RANGE.fullmatch(content_range)
    if not said:
        raise BadChunk(f"not a Content-Range: {content_range!r}")
    total = None if said[3] == "*" else int(said[3])
    if said[1] is None:
        if body:
            raise BadChunk("bytes came with a range that has none")
        return total
    first, last = int(said[1]), int(said[2])
    if last - first + 1 != len(body) or (total is not None and last >= total):
        raise BadChunk(f"{content_range!r} came with {len(body)} bytes")
    if total is None and len(body) % CHUNK_MULTIPLE_BYTES:
        raise BadChunk(f"a chunk that is not the last has a multiple of {CHUNK_MULTIPLE_BYTES}")
    if first > there:
        raise BadChunk(f"a chunk begins at {first}, and there are {there} bytes")
    with part.open("ab") as file:
        file.write(body[there - first :])
    return total
