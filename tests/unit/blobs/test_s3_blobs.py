"""S3 beyond the contract: what its addresses are bound to, streams of many parts, and no answer."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.adapters.blobs.gcs_and_s3 import PIECE_BYTES
from shared.adapters.blobs.s3 import S3Blobs
from shared.adapters.system import SystemClock
from shared.errors import Unavailable
from shared.ports import BlobInfo, BlobTooLarge
from tests.contract.bucket_adapters import emptied

KEY = "results/ab12/result"
MP4 = "video/mp4"
MIB = 1024 * 1024


@pytest.fixture
async def blobs() -> S3Blobs:
    return await asyncio.to_thread(emptied)


async def megabytes(count: int) -> AsyncIterator[bytes]:
    for number in range(count):
        yield bytes([number % 256]) * MIB


@pytest.mark.parametrize("extra", [-1, 0, 1])
async def test_a_stream_of_many_parts_arrives_whole(blobs: S3Blobs, extra: int) -> None:
    data = secrets.token_bytes(2 * PIECE_BYTES + extra)

    async def once() -> AsyncIterator[bytes]:
        yield data

    made = await blobs.put(KEY, once(), content_type=MP4, max_bytes=len(data))
    assert made == await blobs.head(KEY) == BlobInfo(KEY, len(data), MP4)
    with blobs.open(KEY) as file:
        assert file.read() == data
        file.seek(PIECE_BYTES - 1)
        assert file.read(2) == data[PIECE_BYTES - 1 : PIECE_BYTES + 1]


async def test_who_is_overtaken_in_the_middle_describes_the_other(blobs: S3Blobs) -> None:
    async def overtaken(count: int) -> AsyncIterator[bytes]:
        async for chunk in megabytes(count):
            yield chunk
        await blobs.put(KEY, megabytes(1), content_type="image/png", max_bytes=MIB)

    for count in (3, 20):
        await blobs.delete(KEY)
        found = await blobs.put(KEY, overtaken(count), content_type=MP4, max_bytes=64 * MIB)
        assert found == BlobInfo(KEY, MIB, "image/png")
    assert unfinished(blobs) == []


async def test_a_stream_over_its_cap_leaves_no_parts_to_pay_for(blobs: S3Blobs) -> None:
    with pytest.raises(BlobTooLarge):
        await blobs.put(KEY, megabytes(30), content_type=MP4, max_bytes=20 * MIB)
    assert await blobs.head(KEY) is None
    assert unfinished(blobs) == []


def unfinished(blobs: S3Blobs) -> list[str]:
    uploads = blobs._client().list_multipart_uploads(Bucket="test").get("Uploads", [])
    return [upload["Key"] for upload in uploads]


async def test_a_reader_keeps_to_the_object_it_opened(blobs: S3Blobs) -> None:
    await blobs.put(KEY, megabytes(3), content_type=MP4, max_bytes=4 * MIB)
    with blobs.open(KEY) as file:
        assert file.read(1) == b"\0"
        await blobs.delete(KEY)
        await blobs.put(KEY, megabytes(4), content_type=MP4, max_bytes=4 * MIB)
        file.seek(2 * MIB)
        with pytest.raises(FileNotFoundError):
            file.read(1)


async def test_an_upload_is_bound_to_its_type_and_to_an_empty_place(blobs: S3Blobs) -> None:
    address = await blobs.sign_upload(
        KEY, content_type="image/png", max_bytes=1_000, expires_seconds=900
    )
    assert address.method == "PUT"
    assert address.headers == {"content-type": "image/png", "if-none-match": "*"}
    query = parse_qs(urlsplit(address.url).query)
    assert query["X-Amz-SignedHeaders"] == ["content-type;host;if-none-match"]
    assert query["X-Amz-Expires"] == ["900"]
    assert not [name for name in query if "checksum" in name], "of which bytes?"


async def test_an_address_of_s3_itself_has_the_bucket_in_its_host() -> None:
    blobs = S3Blobs(
        "media", clock=SystemClock(), region="eu-north-1", access_key="a", secret_key="b"
    )
    url = await blobs.sign_download(KEY, filename="кот.mp4", expires_seconds=60)
    assert url.startswith(f"https://media.s3.eu-north-1.amazonaws.com/{KEY}?")
    query = parse_qs(urlsplit(url).query)
    assert query["response-content-disposition"] == [
        "attachment; filename*=utf-8''%D0%BA%D0%BE%D1%82.mp4"
    ]
    await blobs.close()


async def test_a_bucket_that_does_not_answer_is_unavailable() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        blobs = S3Blobs(
            "media",
            clock=SystemClock(),
            region="us-east-1",
            endpoint_url=f"http://127.0.0.1:{deaf.getsockname()[1]}",
            access_key="a",
            secret_key="b",
        )
        with pytest.raises(Unavailable):
            await blobs.head(KEY)
        await blobs.close()
