"""The storage emulator takes uploads of the library as Cloud Storage does, and across restarts."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from infra.emulators.storage import storage_app, storage_emulator
from infra.emulators.storage_signatures import make_key_file

OBJECT = "/storage/v1/b/media/o/a%2Fb"
UPLOAD = "/upload/storage/v1/b/media/o"
CHUNK = 256 * 1024


@pytest.fixture
def http(tmp_path: Path) -> TestClient:
    make_key_file(tmp_path / "key.json")
    return TestClient(storage_app(tmp_path, tmp_path / "key.json"))


def begin(http: httpx.Client, query: str = "&ifGenerationMatch=0") -> str:
    headers = {"x-upload-content-type": "video/mp4"}
    about = {"name": "a/b"}
    reply = http.post(f"{UPLOAD}?uploadType=resumable{query}", json=about, headers=headers)
    assert reply.status_code == 200, reply.text
    return reply.headers["location"]


def send(
    http: httpx.Client, place: str, said: str, data: bytes = b"", sums: str = ""
) -> httpx.Response:
    headers = {"content-range": f"bytes {said}", **({"x-goog-hash": sums} if sums else {})}
    return http.put(place, content=data, headers=headers, follow_redirects=False)


def test_a_resumable_upload_goes_on_from_what_is_there(http: TestClient) -> None:
    place = begin(http)
    first = send(http, place, f"0-{CHUNK - 1}/*", b"a" * CHUNK)
    assert (first.status_code, first.headers["range"]) == (308, f"bytes=0-{CHUNK - 1}")
    again = send(http, place, f"0-{CHUNK - 1}/*", b"a" * CHUNK)
    assert again.headers["range"] == first.headers["range"], "a chunk sent twice counts once"
    assert send(http, place, "*/*").headers["range"] == first.headers["range"]
    assert send(http, place, f"{2 * CHUNK}-{3 * CHUNK - 1}/*", b"c" * CHUNK).status_code == 400
    assert send(http, place, f"{CHUNK}-{CHUNK}/*", b"b").status_code == 400, "no whole multiple"
    assert send(http, place, f"{CHUNK}-{CHUNK}/{CHUNK}", b"b").status_code == 400
    assert send(http, place, "x").status_code == 400
    assert http.get(OBJECT).status_code == 404
    done = send(http, place, f"{CHUNK}-{CHUNK}/{CHUNK + 1}", b"b")
    assert (done.status_code, done.json()["size"]) == (200, str(CHUNK + 1))
    assert send(http, place, "*/*").json() == done.json(), "who lost the reply may ask"
    assert http.get(f"{OBJECT}?alt=media").content == b"a" * CHUNK + b"b"
    assert http.get(OBJECT).json()["contentType"] == "video/mp4"


def test_of_two_resumable_uploads_one_is_too_late(http: TestClient) -> None:
    first, second = begin(http), begin(http)
    assert send(http, second, "*/0").status_code == 200
    assert send(http, first, "*/0").status_code == 412
    refused = http.post(f"{UPLOAD}?uploadType=resumable&ifGenerationMatch=0", json={"name": "a/b"})
    assert refused.status_code == 412
    assert refused.json()["error"]["errors"][0]["reason"] == "conditionNotMet"


def test_bytes_that_were_damaged_are_no_object(http: TestClient) -> None:
    wrong = "crc32c=AAAAAA=="
    assert send(http, begin(http), "0-0/1", b"x", wrong).status_code == 400
    assert http.get(OBJECT).status_code == 404
    right = "crc32c=AAAAAA==,md5=1B2M2Y8AsgTpgAmY7PhCfg=="
    assert send(http, begin(http), "*/0", b"", right).status_code == 200


def test_an_upload_that_was_cancelled_is_gone(http: TestClient) -> None:
    place = begin(http)
    assert http.delete(place).status_code == 499
    assert send(http, place, "*/0").status_code == 404
    assert send(http, f"{UPLOAD}?uploadType=resumable&upload_id=../../x", "*/0").status_code == 404


def test_a_broken_multipart_upload_is_refused(http: TestClient) -> None:
    related = {"content-type": "multipart/related; boundary=B"}
    for body in (b"", b"--B\r\n\r\n{}\r\n--B--", b"--B\r\n\r\n{}\r\n--B\r\n\r\nx\r\n--B--"):
        reply = http.post(f"{UPLOAD}?uploadType=multipart", content=body, headers=related)
        assert reply.status_code == 400, body


# ---------------------------------------------------------------- restarts


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=10, trust_env=False) as made:
        yield made


def test_objects_and_unfinished_uploads_outlive_the_emulator(
    tmp_path: Path, client: httpx.Client
) -> None:
    data, key_file = tmp_path / "data", tmp_path / "key.json"
    with storage_emulator(data, key_file) as url:
        client.base_url = url
        place = begin(client)
        send(client, place, f"0-{CHUNK - 1}/*", b"a" * CHUNK)
        assert send(client, begin(client), "0-2/3", b"old").status_code == 200
        about = client.get(OBJECT).json()
        key = key_file.read_bytes()
        port = int(url.rpartition(":")[2])
    with storage_emulator(data, key_file, port=port) as url:
        client.base_url = url
        assert key_file.read_bytes() == key
        assert client.get(OBJECT).json() == about
        assert client.delete(OBJECT).status_code == 204
        assert send(client, place, f"{CHUNK}-{CHUNK}/{CHUNK + 1}", b"b").status_code == 200
        assert client.get(f"{OBJECT}?alt=media").content == b"a" * CHUNK + b"b"
