"""What every blob store owes: create-only objects, and signed addresses that real HTTP takes."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from email.message import Message
from urllib.parse import urlsplit

import httpx
import pytest

from shared.ports import BlobInfo, Blobs, BlobTooLarge, SignedUpload

KEY = "results/ab12/video.mp4"
VIDEO = bytes(range(256)) * 1_000
MP4 = "video/mp4"


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """A client that knows nothing of us."""
    with httpx.Client(timeout=10) as client:
        yield client


async def pieces(data: bytes, size: int = 10_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def put(blobs: Blobs, key: str = KEY, data: bytes = VIDEO) -> BlobInfo:
    return await blobs.put(key, pieces(data), content_type=MP4, max_bytes=10_000_000)


async def sign(blobs: Blobs, *, max_bytes: int = 1_000_000, seconds: int = 60) -> SignedUpload:
    return await blobs.sign_upload(
        KEY, content_type=MP4, max_bytes=max_bytes, expires_seconds=seconds
    )


async def upload(
    http: httpx.Client, address: SignedUpload, data: bytes = VIDEO, content_type: str | None = None
) -> httpx.Response:
    headers = dict(address.headers)
    if content_type:
        headers["content-type"] = content_type
    return await asyncio.to_thread(
        http.request, address.method, address.url, content=data, headers=headers
    )


async def download(http: httpx.Client, url: str, **headers: str) -> httpx.Response:
    return await asyncio.to_thread(http.get, url, headers=headers)


def disposition(reply: httpx.Response) -> tuple[str, str | None]:
    """How the browser is told to treat it, and the name it would save it as."""
    message = Message()
    message["content-disposition"] = reply.headers["content-disposition"]
    return message.get_content_disposition() or "", message.get_filename()


def changed(url: str, old: str, new: str) -> str:
    assert url.count(old) == 1, url
    return url.replace(old, new)


# ---------------------------------------------------------------- streams


async def test_a_stream_is_stored_and_described(blobs: Blobs) -> None:
    made = await put(blobs)
    assert made == BlobInfo(KEY, len(VIDEO), MP4)
    assert await blobs.head(KEY) == made
    with blobs.open(KEY) as file:
        assert file.read() == VIDEO


async def test_an_empty_stream_is_an_object(blobs: Blobs) -> None:
    assert (await put(blobs, data=b"")).size_bytes == 0
    with blobs.open(KEY) as file:
        assert file.read() == b""


async def test_nothing_is_at_a_key_that_was_not_stored(blobs: Blobs) -> None:
    assert await blobs.head(KEY) is None
    with pytest.raises(FileNotFoundError):
        blobs.open(KEY).close()


async def test_an_object_is_read_from_anywhere_in_a_thread(blobs: Blobs) -> None:
    await put(blobs)

    def read() -> tuple[bytes, bytes, int]:
        with blobs.open(KEY) as file:
            file.seek(1_000)
            middle = file.read(10)
            file.seek(-5, io.SEEK_END)
            return middle, file.read(), file.tell()

    assert await asyncio.to_thread(read) == (VIDEO[1_000:1_010], VIDEO[-5:], len(VIDEO))


async def test_an_object_already_there_wins_and_the_stream_is_left_unread(blobs: Blobs) -> None:
    first = await put(blobs)
    unread = True

    async def other() -> AsyncIterator[bytes]:
        nonlocal unread
        unread = False
        yield b"other bytes"

    assert await blobs.put(KEY, other(), content_type="image/png", max_bytes=100) == first
    assert unread
    with blobs.open(KEY) as file:
        assert file.read() == VIDEO


async def test_of_many_who_store_one_object_one_does_and_all_hear_of_it(blobs: Blobs) -> None:
    async def store(n: int) -> BlobInfo:
        data = bytes([n]) * (1_000 + n)
        return await blobs.put(KEY, pieces(data, 100), content_type=MP4, max_bytes=10_000)

    found = await asyncio.gather(*(store(n) for n in range(8)))
    with blobs.open(KEY) as file:
        data = file.read()
    assert data == bytes([data[0]]) * (1_000 + data[0])
    assert set(found) == {BlobInfo(KEY, len(data), MP4)}


async def test_a_stream_over_its_cap_stores_nothing_and_is_not_read_on(blobs: Blobs) -> None:
    given = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given
        while True:
            given += 1
            yield b"x" * 1_000

    with pytest.raises(BlobTooLarge):
        await blobs.put(KEY, endless(), content_type=MP4, max_bytes=50_000)
    assert given == 51
    assert await blobs.head(KEY) is None
    assert (await put(blobs)).size_bytes == len(VIDEO)


async def test_a_stream_of_just_its_cap_is_stored(blobs: Blobs) -> None:
    made = await blobs.put(KEY, pieces(VIDEO), content_type=MP4, max_bytes=len(VIDEO))
    assert made.size_bytes == len(VIDEO)


async def test_a_stream_that_breaks_stores_nothing(blobs: Blobs) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield VIDEO
        raise ConnectionError("the vendor hung up")

    with pytest.raises(ConnectionError):
        await blobs.put(KEY, broken(), content_type=MP4, max_bytes=10_000_000)
    assert await blobs.head(KEY) is None
    assert (await put(blobs)).size_bytes == len(VIDEO)


async def test_an_object_is_removed_once_and_for_all(blobs: Blobs) -> None:
    await put(blobs)
    await blobs.delete(KEY)
    assert await blobs.head(KEY) is None
    await blobs.delete(KEY)
    again = await put(blobs, data=b"new")
    assert again.size_bytes == 3


async def test_a_key_may_go_on_below_another(blobs: Blobs) -> None:
    await put(blobs, "results/ab12", b"one")
    await put(blobs, "results/ab12/thumbnail.jpg", b"two")
    await blobs.delete("results/ab12")
    assert await blobs.head("results/ab12") is None
    assert (await put(blobs, "results/ab12/thumbnail.jpg")).size_bytes == 3


BAD_KEYS = [
    "/etc/passwd",
    "../up",
    "a/../b",
    "a//b",
    "a/",
    "a\\b",
    ".hidden",
    "é",
    "a=info",
    "-rf",
    "a?b",
    "a%2e",
]


@pytest.mark.parametrize("key", [*BAD_KEYS, "", "a b", "a\0b", "a/" * 300 + "b", "x" * 151])
async def test_keys_that_are_not_plain_names_are_refused(blobs: Blobs, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        await put(blobs, key)
    with pytest.raises(ValueError, match="key"):
        await blobs.sign_download(key, filename=None, expires_seconds=60)
    with pytest.raises(ValueError, match="key"):
        blobs.open(key).close()


# ---------------------------------------------------------------- signed uploads


async def test_a_signed_address_takes_an_upload(blobs: Blobs, http: httpx.Client) -> None:
    address = await sign(blobs)
    reply = await upload(http, address)
    assert reply.is_success
    assert await blobs.head(KEY) == BlobInfo(KEY, len(VIDEO), MP4)
    with blobs.open(KEY) as file:
        assert file.read() == VIDEO


async def test_a_second_upload_is_refused(blobs: Blobs, http: httpx.Client) -> None:
    address = await sign(blobs)
    await upload(http, address, b"first")
    assert (await upload(http, address, b"second")).status_code in (409, 412)
    with blobs.open(KEY) as file:
        assert file.read() == b"first"


async def test_an_upload_over_its_size_is_refused(blobs: Blobs, http: httpx.Client) -> None:
    address = await sign(blobs, max_bytes=1_000)
    assert (await upload(http, address, b"x" * 1_001)).is_client_error
    assert await blobs.head(KEY) is None
    assert (await upload(http, address, b"x" * 1_000)).is_success


async def test_an_upload_of_another_type_is_refused(blobs: Blobs, http: httpx.Client) -> None:
    address = await sign(blobs)
    reply = await upload(http, address, content_type="text/html")
    assert reply.status_code in (400, 403)
    assert await blobs.head(KEY) is None


async def test_an_expired_address_takes_nothing(blobs: Blobs, http: httpx.Client) -> None:
    address = await sign(blobs, seconds=1)
    await asyncio.sleep(1.1)
    assert (await upload(http, address)).status_code in (400, 403)
    assert await blobs.head(KEY) is None


@pytest.mark.parametrize("other", ["results/ab13/video.mp4", "results/ab12/video.mp", "other"])
async def test_an_address_takes_nothing_for_another_key(
    blobs: Blobs, http: httpx.Client, other: str
) -> None:
    address = await sign(blobs)
    forged = SignedUpload("PUT", changed(address.url, KEY, other), address.headers, 0)
    assert (await upload(http, forged)).status_code == 403
    assert await blobs.head(other) is None


async def test_an_address_for_uploading_does_not_show(blobs: Blobs, http: httpx.Client) -> None:
    await put(blobs)
    address = await sign(blobs)
    reply = await download(http, address.url)
    assert reply.status_code in (400, 403)
    assert VIDEO not in reply.content


async def test_an_address_for_showing_takes_no_upload(blobs: Blobs, http: httpx.Client) -> None:
    url = await blobs.sign_download(KEY, filename=None, expires_seconds=60)
    forged = SignedUpload("PUT", url, {"content-type": MP4}, 0)
    assert (await upload(http, forged)).status_code in (400, 403)
    assert await blobs.head(KEY) is None


async def test_an_address_with_any_character_changed_is_refused(
    blobs: Blobs, http: httpx.Client
) -> None:
    url = (await sign(blobs)).url
    path = url.index(urlsplit(url).path)
    for place in range(path + 1, len(url), 7):
        other = "b" if url[place] != "b" else "a"
        forged = SignedUpload("PUT", url[:place] + other + url[place + 1 :], {}, 0)
        reply = await upload(http, forged, content_type=MP4)
        assert reply.is_client_error, forged.url
    assert await blobs.head(KEY) is None


# ---------------------------------------------------------------- signed downloads


async def test_a_signed_address_shows_the_object_in_place(blobs: Blobs, http: httpx.Client) -> None:
    await put(blobs)
    url = await blobs.sign_download(KEY, filename=None, expires_seconds=60)
    reply = await download(http, url)
    assert reply.status_code == 200
    assert reply.content == VIDEO
    assert reply.headers["content-type"] == MP4
    assert reply.headers["content-length"] == str(len(VIDEO))
    assert reply.headers["etag"]
    assert "attachment" not in reply.headers.get("content-disposition", "")


@pytest.mark.parametrize("name", ["video.mp4", "a b.mp4", "кот «Мурка».mp4", '";x=1.mp4', "🎬.mp4"])
async def test_a_download_is_saved_under_its_name(
    blobs: Blobs, http: httpx.Client, name: str
) -> None:
    await put(blobs)
    url = await blobs.sign_download(KEY, filename=name, expires_seconds=60)
    reply = await download(http, url)
    assert reply.content == VIDEO
    assert disposition(reply) == ("attachment", name)


@pytest.mark.parametrize("name", ["", "a\r\nset-cookie: x", "../up.mp4", "x" * 201])
async def test_file_names_that_are_none_are_refused(blobs: Blobs, name: str) -> None:
    with pytest.raises(ValueError, match="file name"):
        await blobs.sign_download(KEY, filename=name, expires_seconds=60)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=1000-1999", 1000, 1999),
        ("bytes=255990-", 255_990, 255_999),
        ("bytes=-10", 255_990, 255_999),
        ("bytes=255990-999999", 255_990, 255_999),
    ],
)
async def test_a_player_can_ask_for_a_range(
    blobs: Blobs, http: httpx.Client, asked: str, first: int, last: int
) -> None:
    await put(blobs)
    url = await blobs.sign_download(KEY, filename=None, expires_seconds=60)
    reply = await download(http, url, range=asked)
    assert reply.status_code == 206
    assert reply.headers["content-range"] == f"bytes {first}-{last}/{len(VIDEO)}"
    assert reply.content == VIDEO[first : last + 1]


async def test_a_range_past_the_end_is_refused(blobs: Blobs, http: httpx.Client) -> None:
    await put(blobs)
    url = await blobs.sign_download(KEY, filename=None, expires_seconds=60)
    assert (await download(http, url, range="bytes=999999-")).status_code == 416


async def test_an_expired_address_shows_nothing(blobs: Blobs, http: httpx.Client) -> None:
    await put(blobs)
    url = await blobs.sign_download(KEY, filename=None, expires_seconds=1)
    await asyncio.sleep(1.1)
    assert (await download(http, url)).status_code in (400, 403)


async def test_an_address_shows_no_other_object(blobs: Blobs, http: httpx.Client) -> None:
    other = "results/cd34/video.mp4"
    await put(blobs, other)
    url = await blobs.sign_download(KEY, filename=None, expires_seconds=60)
    reply = await download(http, changed(url, KEY, other))
    assert reply.status_code == 403


async def test_what_was_removed_is_not_shown(blobs: Blobs, http: httpx.Client) -> None:
    await put(blobs)
    url = await blobs.sign_download(KEY, filename=None, expires_seconds=60)
    await blobs.delete(KEY)
    assert (await download(http, url)).status_code == 404


@pytest.mark.parametrize("seconds", [0, -1, 7 * 86_400 + 1])
async def test_an_address_lives_a_second_to_a_week(blobs: Blobs, seconds: int) -> None:
    with pytest.raises(ValueError, match="1 to"):
        await sign(blobs, seconds=seconds)
    with pytest.raises(ValueError, match="1 to"):
        await blobs.sign_download(KEY, filename=None, expires_seconds=seconds)


@pytest.mark.parametrize(
    "content_type", ["", "video", "text/html; x=y", "a/b\r\nx: y", "Video/MP4"]
)
async def test_content_types_are_plain(blobs: Blobs, content_type: str) -> None:
    with pytest.raises(ValueError, match="content type"):
        await blobs.sign_upload(KEY, content_type=content_type, max_bytes=1_000, expires_seconds=60)
