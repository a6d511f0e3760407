"""Who may call `/tasks` and `/cron` on Google Cloud: whoever holds Google's token, nobody else."""

import base64
import hashlib
import hmac
import json
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from functions import run_task as task_function, sweep as sweep_function
from infra.emulators.cloud_tasks_identity import Identity, make_key
from shared import bootstrap, callers, http, sessions
from shared.adapters.google_callers import KEYS_KEPT_SECONDS, GoogleCallers
from shared.app import App
from shared.callers import SharedSecret
from shared.config import read_settings
from shared.errors import Forbidden
from shared.usecases.read_session import Session
from tests.contract.adapters import serving
from tests.contract.google_adapters import identity
from tests.product import free_port

TASKS_URL, SWEEP_URL = "https://run-task.example", "https://sweep.example"
QUEUE = "queue@test.iam.gserviceaccount.com"
SCHEDULER = "scheduler@test.iam.gserviceaccount.com"
TASK = "/tasks/repair_job"
SWEEP = "/cron/sweep"


@dataclass(slots=True)
class Keys:
    """The address of the key set, which can be made to fail."""

    status: int = 200
    body: bytes = b""
    fetches: int = 0

    async def answer(self, _request: Request) -> Response:
        self.fetches += 1
        return Response(self.body or JSONResponse(identity().jwks()).body, self.status)


@dataclass(frozen=True, slots=True)
class Cloud:
    """The two internal functions with cloud settings, and their key set."""

    app: App
    keys: Keys
    client: httpx.AsyncClient

    async def post(self, path: str, token: str | None = None, **headers: str) -> httpx.Response:
        """One call, with a bearer token if one is given."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            given["authorization"] = f"Bearer {token}"
        return await self.client.post(path, json={"job_id": "job_none"}, headers=given)


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[Cloud]:
    listener = socket.create_server(("127.0.0.1", 0))
    keys = Keys()
    keys_url = f"http://127.0.0.1:{listener.getsockname()[1]}/certs"
    app = cloud_app(tmp_path)
    bootstrap.provide(app)
    callers.provide(GoogleCallers(app.settings.identity_issuer, keys_url))
    edge = http.api([task_function.router, sweep_function.router])
    transport = httpx.ASGITransport(edge, raise_app_exceptions=False)
    try:
        async with (
            serving(Starlette(routes=[Route("/certs", keys.answer)]), listener),
            httpx.AsyncClient(transport=transport, base_url=TASKS_URL) as client,
        ):
            yield Cloud(app, keys, client)
    finally:
        callers.provide(None)
        bootstrap.provide(None)
        await app.store._database.close()  # type: ignore[attr-defined]


def cloud_app(folder: Path) -> App:
    """The embedded adapters behind the cloud's settings."""
    names = ("SESSION", "QUOTE", "HOOK", "BLOB", "TASK")
    made = {f"{name}_SECRET": secrets.token_hex(32) for name in names}
    app = bootstrap.build(read_settings({"DATA_DIR": str(folder), **made}))
    settings = replace(
        app.settings,
        profile="cloud",
        tasks_url=TASKS_URL,
        tasks_service_account=QUEUE,
        sweep_url=SWEEP_URL,
        scheduler_service_account=SCHEDULER,
    )
    return replace(app, settings=settings)


def claims(account: str = QUEUE, audience: str = TASKS_URL, **others: Any) -> dict[str, Any]:
    return {**identity().claims(account, audience), **others}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in claims().items() if key != name}


# ---------------------------------------------------------------- who is let in


async def test_the_queue_may_call_tasks_and_the_scheduler_the_sweep(cloud: Cloud) -> None:
    assert (await cloud.post(TASK, identity().token(QUEUE, TASKS_URL))).status_code == 200
    assert (await cloud.post(SWEEP, identity().token(SCHEDULER, SWEEP_URL))).status_code == 200


async def test_a_clock_that_is_twenty_seconds_off_does_no_harm(cloud: Cloud) -> None:
    now = int(time.time())
    for skewed in (claims(exp=now - 15), claims(iat=now + 15), claims(nbf=now + 15)):
        assert (await cloud.post(TASK, identity().sign(skewed))).status_code == 200


# ---------------------------------------------------------------- who is not


def unsigned(_app: App) -> str:
    return jwt.encode(claims(), "", "none", headers={"kid": identity().key_id})


def signed_with_the_public_key(_app: App) -> str:
    """The classic confusion: our public key taken for the secret of an HS256 token."""
    key = identity().key.public_key()
    secret = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": "HS256", "typ": "JWT", "kid": identity().key_id}
    signed = b".".join(_part(json.dumps(each).encode()) for each in (header, claims()))
    mac = hmac.new(secret, signed, hashlib.sha256).digest()
    return b".".join((signed, _part(mac))).decode()


def _part(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def signed_by_another(_app: App) -> str:
    """A key of somebody else under the id of Google's."""
    return jwt.encode(claims(), make_key(), "RS256", headers={"kid": identity().key_id})


def of_an_unknown_key(_app: App) -> str:
    return Identity(make_key()).token(QUEUE, TASKS_URL)


def of_no_key(_app: App) -> str:
    return jwt.encode(claims(), identity().key, "RS256")


def cut(_app: App) -> str:
    return identity().sign(claims())[:-4]


def changed(_app: App) -> str:
    head, body, mac = identity().sign(claims(email="evil@test")).split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=="))
    body = _part(json.dumps({**said, "email": QUEUE}).encode()).decode()
    return f"{head}.{body}.{mac}"


def saying(said: Callable[[], dict[str, Any]]) -> Callable[[App], str]:
    return lambda _app: identity().sign(said())


STRANGERS: dict[str, Callable[[App], str]] = {
    "a user's session": lambda app: sessions.issue(app, Session("usr_1", 1)),
    "the local secret": lambda app: app.settings.task_secret,
    "nothing": lambda _app: "",
    "not a token": lambda _app: "a.b.c",
    "a token without end": lambda _app: "a" * 100_000,
    "unsigned": unsigned,
    "signed with the public key": signed_with_the_public_key,
    "signed by another": signed_by_another,
    "of an unknown key": of_an_unknown_key,
    "of no key": of_no_key,
    "cut": cut,
    "changed": changed,
    "the scheduler": saying(lambda: claims(SCHEDULER)),
    "another account": saying(lambda: claims("queue@other.iam.gserviceaccount.com")),
    "another case": saying(lambda: claims(QUEUE.upper())),
    "no account": saying(lambda: without("email")),
    "an account not verified": saying(lambda: claims(email_verified=False)),
    "an account that says it is verified": saying(lambda: claims(email_verified="true")),
    "another audience": saying(lambda: claims(audience=SWEEP_URL)),
    "an audience longer than ours": saying(lambda: claims(audience=f"{TASKS_URL}/tasks")),
    "many audiences": saying(lambda: claims(aud=[TASKS_URL, SWEEP_URL])),
    "no audience": saying(lambda: without("aud")),
    "another issuer": saying(lambda: claims(iss="https://accounts.example")),
    "no issuer": saying(lambda: without("iss")),
    "expired": saying(lambda: claims(exp=int(time.time()) - 30)),
    "for ever": saying(lambda: without("exp")),
    "from the future": saying(lambda: claims(iat=int(time.time()) + 60)),
}


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_nobody_else_may_call_tasks(cloud: Cloud, stranger: str) -> None:
    answer = await cloud.post(TASK, STRANGERS[stranger](cloud.app))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


async def test_the_queue_may_not_call_the_sweep(cloud: Cloud) -> None:
    for audience in (TASKS_URL, SWEEP_URL):
        answer = await cloud.post(SWEEP, identity().token(QUEUE, audience))
        assert answer.status_code == 403


@pytest.mark.parametrize("path", [TASK, SWEEP])
async def test_the_headers_of_cloud_tasks_prove_nothing(cloud: Cloud, path: str) -> None:
    answer = await cloud.post(
        path,
        X_CloudTasks_QueueName="repair",
        X_CloudTasks_TaskName="1",
        X_CloudScheduler="true",
        User_Agent="Google-Cloud-Tasks",
    )
    assert answer.status_code == 403


async def test_only_a_bearer_is_looked_at(cloud: Cloud) -> None:
    token = identity().token(QUEUE, TASKS_URL)
    for authorization in (token, f"Basic {token}", f"Bearer{token}", "Bearer"):
        assert (await cloud.post(TASK, authorization=authorization)).status_code == 403


async def test_a_refusal_does_not_say_why(cloud: Cloud) -> None:
    expired = await cloud.post(TASK, identity().sign(claims(exp=1)))
    nothing = await cloud.post(TASK)
    assert expired.json() == nothing.json()


async def test_no_secret_lets_nobody_in() -> None:
    for authorization in ("", "Bearer ", "Bearer", "Bearer x"):
        with pytest.raises(Forbidden):
            await SharedSecret("").require(authorization, "", "")


async def test_a_function_that_was_told_of_no_callers_lets_nobody_in(cloud: Cloud) -> None:
    callers.provide(None)
    assert (await cloud.post(TASK, identity().token(QUEUE, TASKS_URL))).status_code == 500


# ---------------------------------------------------------------- keys


@pytest.mark.parametrize(
    ("status", "body"), [(500, b""), (200, b"<html>"), (200, b"[]"), (200, b'{"keys": []}')]
)
async def test_without_keys_a_task_comes_again_and_does_not_slow_the_queue_down(
    cloud: Cloud, status: int, body: bytes
) -> None:
    cloud.keys.status, cloud.keys.body = status, body
    token = identity().token(QUEUE, TASKS_URL)
    assert (await cloud.post(TASK, token)).status_code == 500
    assert (await cloud.post(SWEEP, identity().token(SCHEDULER, SWEEP_URL))).status_code == 503
    cloud.keys.status, cloud.keys.body = 200, b""
    assert (await cloud.post(TASK, token)).status_code == 200


async def test_an_address_of_keys_where_nobody_is_means_again(cloud: Cloud) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/certs"
    callers.provide(GoogleCallers(cloud.app.settings.identity_issuer, nobody))
    assert (await cloud.post(TASK, identity().token(QUEUE, TASKS_URL))).status_code == 500


async def test_keys_are_fetched_once_for_many_calls(cloud: Cloud) -> None:
    for _ in range(20):
        assert (await cloud.post(TASK, identity().token(QUEUE, TASKS_URL))).status_code == 200
    assert cloud.keys.fetches == 1
    assert KEYS_KEPT_SECONDS <= 3_600


async def test_made_up_key_ids_do_not_make_us_fetch_each_time(cloud: Cloud) -> None:
    for n in range(20):
        token = jwt.encode(claims(), identity().key, "RS256", headers={"kid": f"made-up-{n}"})
        assert (await cloud.post(TASK, token)).status_code == 403
    assert cloud.keys.fetches == 1


# ---------------------------------------------------------------- verdicts


async def test_a_task_that_can_never_work_is_answered_200_so_that_it_ends(cloud: Cloud) -> None:
    token = identity().token(QUEUE, TASKS_URL)
    headers = {"authorization": f"Bearer {token}"}
    answer = await cloud.client.post("/tasks/check_job", json={"no": "job"}, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"verdict": "final"})


async def test_a_task_that_only_another_version_knows_comes_again(cloud: Cloud) -> None:
    answer = await cloud.post("/tasks/not_yet_known", identity().token(QUEUE, TASKS_URL))
    assert answer.status_code == 404
