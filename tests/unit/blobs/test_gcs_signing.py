"""Our signed addresses are those of Google's own library, which stays out of who only signs."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from google.cloud.storage._signing import (  # type: ignore[import-untyped]
    generate_signed_url_v4,
)
from google.oauth2 import service_account

from infra.emulators.storage_signatures import make_key_file
from shared.adapters.blobs.gcs_signers import KeyFileSigner
from shared.adapters.blobs.gcs_signing import Request, prepare

ENDPOINT = "https://storage.googleapis.com"
STAMP = "20261121T083000Z"
AT_SECONDS = int(datetime.strptime(STAMP, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())
UPLOAD_HEADERS = {
    "content-type": "video/mp4",
    "x-goog-content-length-range": "0,1000",
    "x-goog-if-generation-match": "0",
}
PLAYED_AS = {"response-content-disposition": "attachment; filename*=utf-8''%D0%BA%20~.mp4"}


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "key.json"
    make_key_file(path)
    return path


def library_url(key_file: Path, request: Request, expires_seconds: int) -> str:
    load: Any = service_account.Credentials.from_service_account_file
    url: str = generate_signed_url_v4(
        load(str(key_file)),
        f"/{request.bucket}/{quote(request.key, safe='/~')}",
        expiration=expires_seconds,
        api_access_endpoint=request.endpoint_url,
        method=request.method,
        headers=dict(request.headers),
        query_parameters=dict(request.query),
        _request_timestamp=STAMP,
    )
    return url


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", ENDPOINT, "media", "results/ab12/result"),
        Request("GET", ENDPOINT, "media", "results/ab12/result", query=PLAYED_AS),
        Request("PUT", ENDPOINT, "media", "uploads/ab12/original", UPLOAD_HEADERS),
        Request("PUT", "http://127.0.0.1:9199", "media", "a", {"content-type": " a/b   c "}),
        Request("GET", ENDPOINT, "media", "кот (1) ~!*'.mp4"),
        Request("DELETE", ENDPOINT, "my.bucket_1", "a/b//c%20d"),
    ],
    ids=["plain", "saved", "upload", "emulator", "any script", "deletion"],
)
async def test_an_address_is_byte_for_byte_that_of_the_library(
    key_file: Path, request_: Request
) -> None:
    signer = KeyFileSigner(key_file)
    unsigned = prepare(request_, email=signer.email, at_seconds=AT_SECONDS, expires_seconds=900)
    ours = unsigned.signed(await signer.sign(unsigned.message))
    assert ours == library_url(key_file, request_, 900)


def test_a_key_file_that_was_made_is_for_its_owner_alone(key_file: Path) -> None:
    assert key_file.stat().st_mode & 0o077 == 0
    assert json.loads(key_file.read_text())["type"] == "service_account"


def test_who_only_signs_never_imports_the_libraries(key_file: Path) -> None:
    script = f"""
import asyncio, sys
from pathlib import Path
from shared.adapters.blobs.gcs import GcsBlobs
from shared.adapters.blobs.gcs_signers import IamSigner, KeyFileSigner
from shared.adapters.blobs.s3 import S3Blobs
from shared.adapters.system import SystemClock

S3Blobs("media", clock=SystemClock(), region="us-east-1")
IamSigner("a@b", SystemClock())
assert not {{"cryptography", "httpx"}} & set(sys.modules)
signer = KeyFileSigner(Path({str(key_file)!r}))
blobs = GcsBlobs("media", project="p", signer=signer, clock=SystemClock())
print(asyncio.run(blobs.sign_download("a", filename=None, expires_seconds=60)))
heavy = {{"boto3", "botocore", "google.cloud.storage", "google.auth", "requests", "aiohttp"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{ENDPOINT}/media/a?X-Goog-Algorithm=GOOG4-RSA-SHA256&")
