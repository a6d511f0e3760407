"""Cloud Storage beyond the contract: streams of many parts, lost races, memory, and no answer."""

import contextlib
import gc
import hashlib
import secrets
import socket
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from infra.emulators.storage import storage_emulator
from infra.emulators.storage_signatures import make_key_file
from shared.adapters.blobs.gcs import GcsBlobs
from shared.adapters.blobs.gcs_and_s3 import PIECE_BYTES
from shared.adapters.blobs.gcs_signers import KeyFileSigner
from shared.adapters.blobs.gcs_writer import Upload
from shared.adapters.system import SystemClock
from shared.errors import Unavailable
from shared.ports import BlobInfo, BlobTooLarge
from tests.contract.bucket_adapters import storage

KEY = "results/ab12/result"
MP4 = "video/mp4"
MIB = 1024 * 1024

Open = Callable[[str, Path], GcsBlobs]


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """Opens blobs at an address, in a bucket of the test's own."""
    made: list[GcsBlobs] = []
    bucket = f"test-{secrets.token_hex(6)}"

    def open_(url: str, key_file: Path) -> GcsBlobs:
        signer, clock = KeyFileSigner(key_file), SystemClock()
        made.append(
            GcsBlobs(
                bucket,
                project="test",
                signer=signer,
                clock=clock,
                endpoint_url=url,
                retry_seconds=0.5,
            )
        )
        return made[-1]

    yield open_
    for blobs in made:
        await blobs.close()


@pytest.fixture
def blobs(opened: Open) -> GcsBlobs:
    return opened(*storage())


async def megabytes(count: int) -> AsyncIterator[bytes]:
    for number in range(count):
        yield bytes([number % 256]) * MIB


def expected(count: int) -> str:
    digest = hashlib.sha256()
    for number in range(count):
        digest.update(bytes([number % 256]) * MIB)
    return digest.hexdigest()


def read_back(blobs: GcsBlobs) -> str:
    with blobs.open(KEY) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # it reads


@pytest.mark.parametrize("extra", [-1, 0, 1])
async def test_a_stream_of_many_parts_arrives_whole(blobs: GcsBlobs, extra: int) -> None:
    data = secrets.token_bytes(2 * PIECE_BYTES + extra)

    async def once() -> AsyncIterator[bytes]:
        yield data

    made = await blobs.put(KEY, once(), content_type=MP4, max_bytes=len(data))
    assert made == await blobs.head(KEY) == BlobInfo(KEY, len(data), MP4)
    with blobs.open(KEY) as file:
        assert file.read() == data
        file.seek(PIECE_BYTES - 1)
        assert file.read(2) == data[PIECE_BYTES - 1 : PIECE_BYTES + 1]
        file.seek(len(data) + 5)
        assert file.read(1) == b""


async def test_64_megabytes_are_stored_in_less_memory(blobs: GcsBlobs) -> None:
    await blobs.put("warm", megabytes(1), content_type=MP4, max_bytes=MIB)
    tracemalloc.start()
    try:
        made = await blobs.put(KEY, megabytes(64), content_type=MP4, max_bytes=64 * MIB)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert made.size_bytes == 64 * MIB
    assert peak < 64 * MIB, f"{peak / MIB:.0f} MiB"
    assert read_back(blobs) == expected(64)


async def test_who_is_overtaken_in_the_middle_describes_the_other(blobs: GcsBlobs) -> None:
    async def overtaken(count: int) -> AsyncIterator[bytes]:
        async for chunk in megabytes(count):
            yield chunk
        await blobs.put(KEY, megabytes(1), content_type="image/png", max_bytes=MIB)

    for count in (3, 20):
        await blobs.delete(KEY)
        found = await blobs.put(KEY, overtaken(count), content_type=MP4, max_bytes=64 * MIB)
        assert found == BlobInfo(KEY, MIB, "image/png")
        assert read_back(blobs) == expected(1)


async def test_a_stream_over_its_cap_leaves_nothing_even_after_many_parts(
    opened: Open, tmp_path: Path
) -> None:
    key_file = tmp_path / "key.json"
    with storage_emulator(tmp_path / "data", key_file) as url:
        blobs = opened(url, key_file)
        with pytest.raises(BlobTooLarge):
            await blobs.put(KEY, megabytes(30), content_type=MP4, max_bytes=20 * MIB)
        assert await blobs.head(KEY) is None
    assert files(tmp_path / "data") == []


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_reader_keeps_to_the_object_it_opened(blobs: GcsBlobs) -> None:
    await blobs.put(KEY, megabytes(3), content_type=MP4, max_bytes=4 * MIB)
    with blobs.open(KEY) as file:
        assert file.read(1) == b"\0"
        await blobs.delete(KEY)
        await blobs.put(KEY, megabytes(4), content_type=MP4, max_bytes=4 * MIB)
        file.seek(2 * MIB)
        with pytest.raises(FileNotFoundError):
            file.read(1)


async def test_a_bucket_that_does_not_answer_is_unavailable(opened: Open, tmp_path: Path) -> None:
    key_file = tmp_path / "key.json"
    make_key_file(key_file)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        blobs = opened(f"http://127.0.0.1:{deaf.getsockname()[1]}", key_file)
        with pytest.raises(Unavailable):
            await blobs.head(KEY)
        with pytest.raises(Unavailable):
            await blobs.delete(KEY)
        with pytest.raises(Unavailable):
            blobs.open(KEY)
        with pytest.raises(Unavailable):
            await blobs.put(KEY, megabytes(1), content_type=MP4, max_bytes=MIB)


@pytest.mark.parametrize("rest", [0, 9])
async def test_an_upload_whose_bucket_goes_away_is_never_finished_but_can_be_repeated(
    opened: Open, tmp_path: Path, rest: int
) -> None:
    data, key_file = tmp_path / "data", tmp_path / "key.json"
    running = contextlib.ExitStack()
    url = running.enter_context(storage_emulator(data, key_file))
    blobs = opened(url, key_file)

    async def interrupted() -> AsyncIterator[bytes]:
        async for chunk in megabytes(9):
            yield chunk
        running.close()
        async for chunk in megabytes(rest):
            yield chunk
        raise ConnectionError("the vendor hung up")

    with pytest.raises(Unavailable if rest else ConnectionError):
        await blobs.put(KEY, interrupted(), content_type=MP4, max_bytes=64 * MIB)
    with storage_emulator(data, key_file, port=int(url.rpartition(":")[2])):
        assert await blobs.head(KEY) is None
        made = await blobs.put(KEY, megabytes(18), content_type=MP4, max_bytes=64 * MIB)
        assert made.size_bytes == 18 * MIB
        assert read_back(blobs) == expected(18)


async def test_an_upload_that_nobody_holds_any_more_makes_no_object(blobs: GcsBlobs) -> None:
    upload = Upload(blobs._bucket().blob(KEY), chunk_size=PIECE_BYTES, if_generation_match=0)
    upload.write(b"half a video" * MIB)
    del upload
    gc.collect()
    assert await blobs.head(KEY) is None
