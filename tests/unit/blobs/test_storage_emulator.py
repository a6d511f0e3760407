"""The storage emulator refuses what Cloud Storage refuses: passing on it proves something."""

import asyncio
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from infra.emulators.storage import storage_app
from infra.emulators.storage_signatures import make_key_file
from shared.adapters.blobs.gcs_signers import KeyFileSigner
from shared.adapters.blobs.gcs_signing import Request, prepare

HERE = "http://testserver"
STUDIO = "https://studio.example"
OBJECT = "/storage/v1/b/media/o/a%2Fb"
UPLOAD = "/upload/storage/v1/b/media/o"
PNG = {"content-type": "image/png"}


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "key.json"
    make_key_file(path)
    return path


@pytest.fixture
def http(tmp_path: Path, key_file: Path) -> TestClient:
    return TestClient(storage_app(tmp_path, key_file, [STUDIO]))


def signed(
    key_file: Path,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    *,
    query: Mapping[str, str] | None = None,
    at_seconds: float | None = None,
    expires_seconds: int = 60,
) -> str:
    signer = KeyFileSigner(key_file)
    unsigned = prepare(
        Request(method, HERE, "media", "a/b", headers or {}, query or {}),
        email=signer.email,
        at_seconds=int(time.time() if at_seconds is None else at_seconds),
        expires_seconds=expires_seconds,
    )
    return unsigned.signed(asyncio.run(signer.sign(unsigned.message)))


def code_of(reply: httpx.Response) -> tuple[int, str]:
    found = re.search("<Code>(.*)</Code>", reply.text)
    return reply.status_code, found[1] if found else ""


def put(http: TestClient, key_file: Path, data: bytes = b"bytes", **headers: str) -> httpx.Response:
    given = {**PNG, **{name.replace("_", "-"): value for name, value in headers.items()}}
    reply: httpx.Response = http.put(signed(key_file, "PUT", given), content=data, headers=given)
    return reply


# ---------------------------------------------------------------- signatures


def test_nothing_is_there_for_who_has_no_address(http: TestClient, key_file: Path) -> None:
    put(http, key_file)
    assert code_of(http.get("/media/a/b")) == (403, "AccessDenied")
    assert code_of(http.put("/media/a/b", content=b"x")) == (403, "AccessDenied")
    assert http.delete(signed(key_file, "DELETE")).status_code == 405


def test_a_signature_is_for_one_request_of_one_account(
    http: TestClient, key_file: Path, tmp_path: Path
) -> None:
    put(http, key_file)
    url = signed(key_file)
    assert http.get(url).content == b"bytes"
    make_key_file(tmp_path / "stranger.json")
    make_key_file(tmp_path / "other.json", "other@reelmint-local.iam.gserviceaccount.com")
    signature = url[-8:]
    forgeries = [
        signed(tmp_path / "stranger.json"),
        signed(tmp_path / "other.json"),
        signed(key_file, "PUT"),
        url.replace("a/b", "a/c"),
        url.replace("/media/", "/medium/"),
        url.replace("X-Goog-Expires=60", "X-Goog-Expires=61"),
        url.replace("?", "?response-content-type=text%2Fhtml&"),
        url.replace(signature, "00000000"),
        url.replace(signature, "zz"),
    ]
    for forged in forgeries:
        assert code_of(http.get(forged)) == (403, "SignatureDoesNotMatch"), forged
    for broken in ("X-Goog-Date=2", "X-Goog-Expires=x", "X-Goog-Algorithm=GOOG4-HMAC-SHA256&"):
        name = broken.partition("=")[0]
        assert http.get(re.sub(f"{name}=[^&]*", broken, url)).status_code == 400
    assert code_of(http.get(f"{url}&X-Goog-Expires=99"))[0] == 400


def test_an_address_has_a_beginning_and_an_end(http: TestClient, key_file: Path) -> None:
    put(http, key_file)
    now = time.time()
    assert http.get(signed(key_file, at_seconds=now - 50)).status_code == 200
    assert code_of(http.get(signed(key_file, at_seconds=now - 62))) == (400, "ExpiredToken")
    ahead = signed(key_file, at_seconds=now + 20)
    assert http.get(ahead).status_code == 200, "clocks differ by seconds"
    assert code_of(http.get(signed(key_file, at_seconds=now + 1_000))) == (
        403,
        "RequestTimeTooSkewed",
    )
    assert http.get(signed(key_file, expires_seconds=7 * 86_400 + 1)).status_code == 400


def test_signed_headers_are_sent_as_signed_and_googles_are_all_signed(
    http: TestClient, key_file: Path
) -> None:
    once = {**PNG, "x-goog-if-generation-match": "0"}
    url = signed(key_file, "PUT", once)
    assert code_of(http.put(url, content=b"x", headers=PNG)) == (400, "MalformedSecurityHeader")
    other = {**once, "content-type": "text/html"}
    assert code_of(http.put(url, content=b"x", headers=other)) == (403, "SignatureDoesNotMatch")
    more = {**once, "x-goog-acl": "public-read"}
    assert code_of(http.put(url, content=b"x", headers=more)) == (400, "MalformedSecurityHeader")
    assert http.put(url, content=b"x", headers=once).status_code == 200


def test_what_it_does_not_know_is_refused_and_not_ignored(http: TestClient, key_file: Path) -> None:
    assert put(http, key_file, x_goog_acl="public-read").status_code == 501
    assert http.get(signed(key_file, query={"userProject": "x"})).status_code == 501
    assert http.get(f"{OBJECT}?ifMetagenerationMatch=1").status_code == 501
    assert http.post(f"{UPLOAD}?uploadType=media&name=a").status_code == 501


# ---------------------------------------------------------------- limits and conditions


def test_an_upload_has_the_length_that_was_signed(http: TestClient, key_file: Path) -> None:
    def sized(data: Any) -> tuple[int, str]:
        return code_of(put(http, key_file, data, x_goog_content_length_range="2,4"))

    assert sized(b"12345") == (400, "EntityTooLarge")
    assert sized(iter([b"123", b"45"])) == (400, "EntityTooLarge")
    assert sized(b"1") == (400, "EntityTooSmall")
    assert http.get(OBJECT).status_code == 404
    assert sized(iter([b"12", b"34"])) == (200, "")
    assert put(http, key_file, b"1", x_goog_content_length_range="x").status_code == 400


def test_generations_are_compared_and_without_a_condition_the_last_wins(
    http: TestClient, key_file: Path
) -> None:
    first = put(http, key_file, b"1", x_goog_if_generation_match="0")
    assert first.status_code == 200
    refused = put(http, key_file, b"2", x_goog_if_generation_match="0")
    assert code_of(refused) == (412, "PreconditionFailed")
    generation = first.headers["x-goog-generation"]
    second = put(http, key_file, b"3", x_goog_if_generation_match=generation)
    assert int(second.headers["x-goog-generation"]) > int(generation)
    assert put(http, key_file, b"4").status_code == 200
    assert http.get(f"{OBJECT}?alt=media").content == b"4"
    assert http.delete(f"{OBJECT}?ifGenerationMatch={generation}").status_code == 412
    assert http.delete(OBJECT).status_code == 204
    assert http.delete(OBJECT).status_code == 404


def test_an_object_is_shown_as_signed(http: TestClient, key_file: Path) -> None:
    put(http, key_file)
    query = {"response-content-type": "a/b", "response-content-disposition": 'attachment; x="y"'}
    url = signed(key_file, query=query)
    reply = http.get(url)
    assert reply.headers["content-type"] == "a/b"
    assert reply.headers["content-disposition"] == 'attachment; x="y"'
    head = http.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == "5"
    assert http.get(signed(key_file, "HEAD")).status_code == 403, "but not the other way"
    assert http.get(url, headers={"range": "bytes=1-2"}).content == b"yt"


# ---------------------------------------------------------------- pages


def test_pages_of_the_studio_may_and_others_may_not(http: TestClient, key_file: Path) -> None:
    put(http, key_file)
    url = signed(key_file)

    def ask(origin: str, method: str, headers: str) -> httpx.Headers:
        asked = {
            "origin": origin,
            "access-control-request-method": method,
            "access-control-request-headers": headers,
        }
        reply: httpx.Response = http.options(url, headers=asked)
        assert reply.status_code == 200
        return reply.headers

    sent = "content-type, x-goog-content-length-range, x-goog-if-generation-match"
    allowed = ask(STUDIO, "PUT", sent)
    assert allowed["access-control-allow-origin"] == STUDIO
    assert "x-goog-if-generation-match" in allowed["access-control-allow-headers"]
    for refused in (
        ask("https://evil.example", "PUT", sent),
        ask(STUDIO, "DELETE", ""),
        ask(STUDIO, "PUT", f"{sent}, authorization"),
    ):
        assert "access-control-allow-origin" not in refused
    for origin, may in ((STUDIO, True), ("https://studio.example.evil", False)):
        for reply in (
            http.get(url, headers={"origin": origin}),
            http.get("/media/a/b", headers={"origin": origin}),
        ):
            assert ("access-control-allow-origin" in reply.headers) is may
