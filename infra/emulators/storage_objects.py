"""The objects of the storage emulator: files in a folder, with generations as in Cloud Storage.

One object is two files named after its hash: the bytes of its generation, and the JSON that names
them, replaced in one step. So a killed emulator has every object whole or not at all.
"""

import base64
import dataclasses
import hashlib
import json
import secrets
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import google_crc32c

_READ_BYTES = 1024 * 1024


class ConditionNotMet(Exception):
    """The object is not of the generation that was asked for."""


class ChecksumMismatch(Exception):
    """The bytes are not those that the sender summed up."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One generation of an object. Checksums are in base64; `created_at_ms` is Unix time."""

    bucket: str
    name: str
    generation: int
    content_type: str
    size_bytes: int
    crc32c: str
    md5: str
    created_at_ms: int

    @property
    def etag(self) -> str:
        """Another one for every generation."""
        return f'"{self.generation:x}"'


@dataclass(frozen=True, slots=True)
class Arrival:
    """Bytes that wait in `part` to become an object. `wanted_generation` is the precondition: 0 for
    none there, None for any; `checksums` are what the sender says (crc32c, md5)."""

    bucket: str
    name: str
    content_type: str
    part: Path
    wanted_generation: int | None
    checksums: dict[str, str]


class Objects:
    """Everything below `root`; every bucket exists. All of it blocks and may be used in threads."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "objects"
        self.incoming = root / "incoming"
        self._changing = threading.Lock()
        self._folder.mkdir(parents=True, exist_ok=True)
        self.incoming.mkdir(parents=True, exist_ok=True)

    def new_part(self) -> Path:
        """A file that does not exist yet, for bytes that arrive."""
        return self.incoming / secrets.token_hex(16)

    def find(self, bucket: str, name: str) -> StoredObject | None:
        """What is there."""
        try:
            about = self._about_path(bucket, name).read_bytes()
        except FileNotFoundError:
            return None
        return StoredObject(**json.loads(about))

    def data_path(self, stored: StoredObject) -> Path:
        """The file with its bytes; gone when the object is."""
        about = self._about_path(stored.bucket, stored.name)
        return about.with_suffix(f".{stored.generation}")

    def check(self, bucket: str, name: str, wanted_generation: int | None) -> StoredObject | None:
        """What is there. Raises `ConditionNotMet`."""
        there = self.find(bucket, name)
        generation = there.generation if there else 0
        if wanted_generation is not None and generation != wanted_generation:
            raise ConditionNotMet(f"{name} has generation {generation}, not {wanted_generation}")
        return there

    def publish(self, arrival: Arrival) -> StoredObject:
        """Make the bytes the object, in place of an older one when that is allowed. Raises
        `ConditionNotMet`, `ChecksumMismatch`."""
        with arrival.part.open("rb") as file:
            sums = _summed(file)
        for kind, value in arrival.checksums.items():
            if sums[kind] != value:
                raise ChecksumMismatch(f"the {kind} is {sums[kind]}, not {value}")
        with self._changing:
            there = self.check(arrival.bucket, arrival.name, arrival.wanted_generation)
            now_ms = time.time_ns() // 1_000_000
            stored = StoredObject(
                bucket=arrival.bucket,
                name=arrival.name,
                generation=max(time.time_ns() // 1000, there.generation + 1 if there else 0),
                content_type=arrival.content_type,
                size_bytes=arrival.part.stat().st_size,
                created_at_ms=now_ms,
                **sums,
            )
            arrival.part.rename(self.data_path(stored))
            about = self.new_part()
            about.write_text(json.dumps(dataclasses.asdict(stored)))
            about.replace(self._about_path(stored.bucket, stored.name))
            if there:
                self.data_path(there).unlink(missing_ok=True)
            return stored

    def remove(self, bucket: str, name: str, wanted_generation: int | None) -> bool:
        """Remove the object; False when there is none. Raises `ConditionNotMet`."""
        with self._changing:
            there = self.check(bucket, name, wanted_generation)
            if there:
                self._about_path(bucket, name).unlink()
                self.data_path(there).unlink(missing_ok=True)
            return there is not None

    def _about_path(self, bucket: str, name: str) -> Path:
        digest = hashlib.sha256(f"{bucket}/{name}".encode()).hexdigest()
        return self._folder / f"{digest}.json"


def _summed(file: BinaryIO) -> dict[str, str]:
    crc32c: Any = google_crc32c.Checksum()  # type: ignore[no-untyped-call]
    md5 = hashlib.md5(usedforsecurity=False)
    while piece := file.read(_READ_BYTES):
        crc32c.update(piece)
        md5.update(piece)
    return {
        "crc32c": base64.b64encode(crc32c.digest()).decode(),
        "md5": base64.b64encode(md5.digest()).decode(),
    }
