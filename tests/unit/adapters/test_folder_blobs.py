"""The folder beyond its contract: the exact answers of its HTTP face, its files, and its memory."""

import asyncio
import json
import os
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from shared.adapters.blobs import folder
from shared.adapters.blobs.folder import FolderBlobs
from shared.adapters.blobs.folder_http import folder_routes
from shared.adapters.system import SystemClock

KEY = "results/ab12/video.mp4"
MP4 = "video/mp4"
STUDIO = "https://studio.example"
MIB = 1024 * 1024


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobs:
    return opened(tmp_path)


@pytest.fixture
def http(blobs: FolderBlobs) -> TestClient:
    return TestClient(Starlette(routes=folder_routes(blobs, [STUDIO])))


def opened(root: Path, secret: bytes = b"a secret for the tests alone") -> FolderBlobs:
    return FolderBlobs(root, base_url="http://testserver/", secret=secret, clock=SystemClock())


async def chunks(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def upload_url(blobs: FolderBlobs, max_bytes: int = 1_000) -> str:
    signed = await blobs.sign_upload(KEY, content_type=MP4, max_bytes=max_bytes, expires_seconds=60)
    assert signed.headers == {"content-type": MP4}
    return signed.url


async def download_url(blobs: FolderBlobs, filename: str | None = None) -> str:
    return await blobs.sign_download(KEY, filename=filename, expires_seconds=60)


async def store(blobs: FolderBlobs, data: bytes = b"0123456789") -> None:
    await blobs.put(KEY, chunks(data), content_type=MP4, max_bytes=MIB)


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


# ---------------------------------------------------------------- answers


async def test_each_refusal_has_its_status_and_the_shape_of_our_errors(
    blobs: FolderBlobs, http: TestClient
) -> None:
    url = await upload_url(blobs)
    headers = {"content-type": MP4}

    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 100

    refusals = [
        (http.put(url + "0", content=b"x", headers=headers), 403, "forbidden"),
        (http.put(url, content=b"x"), 400, "invalid_request"),
        (
            http.put(url, content=b"x", headers={"content-type": f"{MP4};x=y"}),
            400,
            "invalid_request",
        ),
        (http.put(url, content=b"x" * 1_001, headers=headers), 413, "body_too_large"),
        (http.put(url, content=endless(), headers=headers), 413, "body_too_large"),
    ]
    assert http.put(url, content=b"x" * 1_000, headers=headers).status_code == 200
    refusals += [
        (http.put(url, content=b"x", headers=headers), 412, "conflict"),
        (http.get(url), 403, "forbidden"),
        (http.get("/blobs/" + KEY), 403, "forbidden"),
        (http.get(f"/blobs/{KEY}?signature=%D0%B9&expires_at_ms=x"), 403, "forbidden"),
        (http.get("/blobs/../../etc/passwd"), 404, ""),
        (http.delete(url), 405, ""),
    ]
    for reply, status, code in refusals:
        assert reply.status_code == status, (reply.request.url, reply.text)
        if code:
            assert reply.json()["error"]["code"] == code
            assert set(reply.json()["error"]) == {"code", "message", "type", "param"}


async def test_an_upload_that_is_overtaken_is_told_so(blobs: FolderBlobs) -> None:
    async def overtaken() -> AsyncIterator[bytes]:
        yield b"slow "
        await store(blobs, b"quick")
        yield b"bytes"

    app = Starlette(routes=folder_routes(blobs, []))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        url, headers = await upload_url(blobs), {"content-type": MP4}
        reply = await client.put(url, content=overtaken(), headers=headers)
    assert reply.status_code == 412
    with blobs.open(KEY) as file:
        assert file.read() == b"quick"


async def test_addresses_of_another_secret_are_not_ours(
    blobs: FolderBlobs, http: TestClient, tmp_path: Path
) -> None:
    await store(blobs)
    stranger = opened(tmp_path / "other", b"another secret altogether")
    assert http.get(await download_url(stranger)).status_code == 403
    assert http.get(await download_url(blobs)).status_code == 200


async def test_a_parameter_can_be_neither_added_nor_repeated(
    blobs: FolderBlobs, http: TestClient
) -> None:
    await store(blobs)
    url = await download_url(blobs, "cat.mp4")
    assert http.get(url).status_code == 200
    for extra in ("&filename=dog.mp4", "&expires_at_ms=9999999999999", "&x=y"):
        assert http.get(url + extra).status_code == 403


async def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="secret"):
        opened(tmp_path, b"short")


async def test_objects_are_served_with_careful_headers(
    blobs: FolderBlobs, http: TestClient
) -> None:
    await store(blobs)
    for method in ("GET", "HEAD"):
        reply = http.request(method, await download_url(blobs))
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["cache-control"].startswith("private")
        assert reply.headers["content-type"] == MP4
        assert reply.headers["content-length"] == "10"
        assert reply.headers["accept-ranges"] == "bytes"
        assert "content-disposition" not in reply.headers
        assert reply.content == (b"0123456789" if method == "GET" else b"")


async def test_names_in_any_script_are_spelled_as_rfc_6266_says(
    blobs: FolderBlobs, http: TestClient
) -> None:
    await store(blobs)
    plain = http.get(await download_url(blobs, "cat.mp4"))
    assert plain.headers["content-disposition"] == 'attachment; filename="cat.mp4"'
    cyrillic = http.get(await download_url(blobs, "кот.mp4"))
    assert cyrillic.headers["content-disposition"] == (
        "attachment; filename*=utf-8''%D0%BA%D0%BE%D1%82.mp4"
    )


async def test_a_range_that_was_for_an_older_object_gets_the_whole_new_one(
    blobs: FolderBlobs, http: TestClient
) -> None:
    await store(blobs)
    url = await download_url(blobs)
    tag = http.get(url).headers["etag"]
    part = {"range": "bytes=5-", "if-range": tag}
    assert http.get(url, headers=part).content == b"56789"
    await blobs.delete(KEY)
    await store(blobs, b"abcdefghij")
    whole = http.get(url, headers=part)
    assert (whole.status_code, whole.content) == (200, b"abcdefghij")
    assert whole.headers["etag"] != tag


async def test_pages_of_the_studio_may_use_addresses_and_others_may_not(
    blobs: FolderBlobs, http: TestClient
) -> None:
    await store(blobs)
    url = await download_url(blobs)
    ask = {"access-control-request-method": "PUT", "access-control-request-headers": "content-type"}
    allowed = http.options(url, headers={"origin": STUDIO, **ask})
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == STUDIO
    assert "PUT" in allowed.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in allowed.headers
    for origin in ("https://studio.example.evil", "http://studio.example", "null"):
        refused = http.options(url, headers={"origin": origin, **ask})
        assert "access-control-allow-origin" not in refused.headers
        assert (
            "access-control-allow-origin" not in http.get(url, headers={"origin": origin}).headers
        )


# ---------------------------------------------------------------- files


async def test_a_refused_upload_leaves_no_file(
    blobs: FolderBlobs, http: TestClient, tmp_path: Path
) -> None:
    url = await upload_url(blobs)
    http.put(url, content=iter([b"x" * 600] * 2), headers={"content-type": MP4})
    assert files(tmp_path) == []


async def test_an_object_is_two_files_and_a_removed_one_is_none(
    blobs: FolderBlobs, tmp_path: Path
) -> None:
    await store(blobs)
    bytes_file, info_file = files(tmp_path)
    assert bytes_file.endswith("=video.mp4"), "it opens in a player"
    assert info_file == f"objects/{KEY}=info"
    assert json.loads((tmp_path / info_file).read_text())["content_type"] == MP4
    await blobs.delete(KEY)
    assert files(tmp_path) == []


async def test_the_losers_of_a_race_leave_no_file(blobs: FolderBlobs, tmp_path: Path) -> None:
    made = await asyncio.gather(
        *(blobs.create(KEY, chunks(b"x"), content_type=MP4, max_bytes=9) for _ in range(10))
    )
    assert sum(info is not None for info in made) == 1
    assert len(files(tmp_path)) == 2


async def test_a_deletion_that_stopped_halfway_is_finished_by_the_next(
    blobs: FolderBlobs, tmp_path: Path
) -> None:
    await store(blobs)
    (tmp_path / files(tmp_path)[0]).unlink()
    with pytest.raises(FileNotFoundError):
        blobs.open(KEY).close()
    await blobs.delete(KEY)
    assert files(tmp_path) == []


async def test_leavings_of_a_crash_are_removed_a_day_later(tmp_path: Path) -> None:
    opened(tmp_path)
    old, new = tmp_path / "incoming" / "old", tmp_path / "incoming" / "new"
    old.write_bytes(b"half")
    new.write_bytes(b"being written by another process")
    before = time.time() - folder.LEAVINGS_SECONDS - 60
    os.utime(old, (before, before))
    opened(tmp_path)
    assert files(tmp_path) == ["incoming/new"]


async def test_a_cancelled_upload_leaves_no_file(blobs: FolderBlobs, tmp_path: Path) -> None:
    async def slow() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * MIB
            await asyncio.sleep(0.001)

    work = asyncio.create_task(blobs.put(KEY, slow(), content_type=MP4, max_bytes=10_000 * MIB))
    await asyncio.sleep(0.05)
    work.cancel()
    await asyncio.wait({work})
    assert work.cancelled()
    assert files(tmp_path) == []


async def test_a_large_object_takes_little_memory(blobs: FolderBlobs) -> None:
    piece = bytes(64 * 1024)

    async def large() -> AsyncIterator[bytes]:
        for _ in range(64 * MIB // len(piece)):
            yield piece

    tracemalloc.start()
    try:
        await blobs.put(KEY, large(), content_type=MP4, max_bytes=64 * MIB)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 8 * MIB
