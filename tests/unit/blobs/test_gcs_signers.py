"""Signing by IAM, against a stand-in for IAM and for the metadata server on a real socket."""

import base64
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from shared.adapters.blobs.gcs_signers import IamSigner, KeyFileSigner
from shared.errors import Unavailable
from tests.contract.adapters import serving

EMAIL = "signer@project.iam.gserviceaccount.com"
MESSAGE = b"GOOG4-RSA-SHA256\n..."


@dataclass
class Google:
    """Answers as IAM and the metadata server do; `statuses` come first, one for each signing."""

    statuses: list[int] = field(default_factory=list)
    tokens: int = 0
    signings: int = 0
    token_seconds: int = 3_600
    garbage: bool = False
    now_ms: int = 0

    async def token(self, request: Request) -> Response:
        assert request.headers["metadata-flavor"] == "Google"
        self.tokens += 1
        token = {"access_token": f"token-{self.tokens}", "expires_in": self.token_seconds}
        return JSONResponse({**token, "token_type": "Bearer"})

    async def sign(self, request: Request) -> Response:
        self.signings += 1
        assert request.headers["authorization"] == f"Bearer token-{self.tokens}"
        assert request.path_params["email"] == EMAIL
        if self.statuses:
            return PlainTextResponse("no", self.statuses.pop(0))
        if self.garbage:
            return JSONResponse({"signedBlob": 7})
        message = base64.b64decode(json.loads(await request.body())["payload"])
        signed = base64.b64encode(b"signed " + message).decode()
        return JSONResponse({"keyId": "1", "signedBlob": signed})


class GoogleClock:
    """The time that `Google` keeps."""

    def __init__(self, google: Google) -> None:
        self._google = google

    def now_ms(self) -> int:
        return self._google.now_ms

    def monotonic_ms(self) -> int:
        return self._google.now_ms


@pytest.fixture
def google() -> Google:
    return Google()


@pytest.fixture
async def signer(google: Google) -> AsyncIterator[IamSigner]:
    routes = [
        Route("/computeMetadata/v1/instance/service-accounts/default/token", google.token),
        Route("/v1/projects/-/serviceAccounts/{email}:signBlob", google.sign, methods=["POST"]),
    ]
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with serving(Starlette(routes=routes), listener):
            made = IamSigner(EMAIL, GoogleClock(google), iam_url=url, metadata_url=url)
            yield made
            await made.close()


async def test_a_signature_is_one_call_and_a_token_lasts(signer: IamSigner, google: Google) -> None:
    for _ in range(3):
        assert await signer.sign(MESSAGE) == b"signed " + MESSAGE
    assert (google.tokens, google.signings) == (1, 3)


async def test_a_token_is_renewed_before_it_expires(signer: IamSigner, google: Google) -> None:
    await signer.sign(MESSAGE)
    google.now_ms = (3_600 - 226) * 1000
    await signer.sign(MESSAGE)
    assert google.tokens == 1
    google.now_ms = (3_600 - 225) * 1000
    await signer.sign(MESSAGE)
    assert google.tokens == 2


async def test_a_token_that_iam_does_not_take_is_renewed(signer: IamSigner, google: Google) -> None:
    google.statuses = [401]
    assert await signer.sign(MESSAGE) == b"signed " + MESSAGE
    assert (google.tokens, google.signings) == (2, 2)


async def test_a_stumble_is_tried_again_and_a_fall_is_not_forever(
    signer: IamSigner, google: Google
) -> None:
    google.statuses = [503, 429]
    assert await signer.sign(MESSAGE) == b"signed " + MESSAGE
    google.statuses = [500] * 3
    with pytest.raises(Unavailable):
        await signer.sign(MESSAGE)
    assert google.signings == 6


async def test_a_refusal_is_for_the_operator_and_tells_no_secret(
    signer: IamSigner, google: Google
) -> None:
    google.statuses = [403]
    with pytest.raises(RuntimeError, match="403") as refused:
        await signer.sign(MESSAGE)
    assert google.signings == 1
    assert "token-1" not in repr(refused.value)


async def test_an_answer_without_a_signature_is_none(signer: IamSigner, google: Google) -> None:
    google.garbage = True
    with pytest.raises(Unavailable):
        await signer.sign(MESSAGE)


async def test_nobody_there_is_unavailable(google: Google) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        signer = IamSigner(EMAIL, GoogleClock(google), iam_url=url, metadata_url=url)
        with pytest.raises(Unavailable):
            await signer.sign(MESSAGE)
        await signer.close()


def test_nobody_cannot_sign(google: Google, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="service account"):
        IamSigner("", GoogleClock(google))
    with pytest.raises(FileNotFoundError):
        KeyFileSigner(tmp_path / "none.json")
