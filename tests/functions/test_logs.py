"""Logs say which request and which job, and never a secret, a signed address or a prompt: canaries
go down every path that ends in an error.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.manifest import manifest
from infra.routes import FUNCTIONS, routers
from shared import bootstrap, http, logs, sessions
from shared.app import App
from shared.config import Settings, read_settings
from shared.errors import AppError, VendorBusy, VendorGone, VendorRejected, VendorUnknown
from shared.usecases.describe_work import callback_mac
from shared.usecases.read_session import Session
from shared.vendor_accounts import VendorAccount
from tests.product import ROOT, free_port, running, wait_until_answers

VENDOR_SECRETS = ("vendor_sandbox_key", "vendor_sandbox_webhook_secrets")
SECRETS = {
    name: f"canary-{name}-{'x' * 32}"
    for name in (*manifest()["settings"]["secret"], *VENDOR_SECRETS)
}
PROMPT = "canary prompt of a person who believes that nobody else reads it"
TEXT = "canary text of an error https://storage.example/o?X-Goog-Signature=canary-signature"
TOKEN = "canary.session.token"
JOB = f"job_{'0' * 32}"
TRACE = "0af7651916cd43dd8448eb211c80319c"

JOB_BODY = {"model": "sandbox-video", "prompt": PROMPT}
REQUESTS: list[tuple[str, str, Any]] = [
    ("POST", "/v1/auth/local", {"email": "canary@example.test"}),
    ("POST", "/v1/auth/end", None),
    ("GET", "/v1/account", None),
    ("GET", "/v1/account/ledger", None),
    ("POST", "/v1/quotes", JOB_BODY),
    ("POST", "/v1/jobs", JOB_BODY),
    ("GET", "/v1/jobs", None),
    ("GET", f"/v1/jobs/{JOB}", None),
    ("GET", f"/v1/jobs/{JOB}/content", None),
    ("POST", f"/v1/jobs/{JOB}/cancel", None),
    ("DELETE", f"/v1/jobs/{JOB}", None),
    ("POST", "/v1/uploads", {"filename": PROMPT, "content_type": "image/png", "size_bytes": 9}),
    ("GET", "/v1/uploads/img_canary", None),
    ("POST", "/tasks/dispatch_job", {"job_id": JOB, "epoch": 1}),
    ("POST", "/cron/sweep", None),
]


def kinds(root: type[AppError] = AppError) -> Iterator[type[AppError]]:
    """Every refusal that there is."""
    yield root
    for kind in root.__subclasses__():
        yield from kinds(kind)


def troubles() -> dict[str, Exception]:
    """What a port can raise: each has what nobody may read as its text, or as its cause's."""
    found: dict[str, Exception] = {kind.__name__: kind("In public.") for kind in kinds()}
    for vendor in (VendorRejected, VendorBusy, VendorUnknown, VendorGone):
        found[vendor.__name__] = vendor("provider_failed", "in our words")
    for crash in (RuntimeError, KeyError, ValueError, OSError, AssertionError):
        found[crash.__name__] = crash(TEXT, PROMPT, SECRETS)
    for error in found.values():
        error.__cause__ = ConnectionError(TEXT, PROMPT, TOKEN, *SECRETS.values())
    return found


TROUBLES = troubles()


class Broken:
    """A port of which every call ends in the same error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        async def fail(*args: object, **kwargs: object) -> None:
            raise self._error

        return fail


@dataclass(frozen=True, slots=True)
class Service:
    """All functions in this process, and an App to break."""

    app: App
    client: httpx.AsyncClient

    def breaks(self, error: Exception) -> None:
        """From now on everything outside answers with this."""
        broken: Any = Broken(error)
        bootstrap.provide(replace(self.app, store=broken, queue=broken, blobs=broken, media=broken))

    async def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """One request by whoever may make it."""
        token = sessions.issue(self.app, Session("usr_canary", 1))
        if path.startswith(("/tasks/", "/cron/")):
            token = self.app.settings.task_secret
        headers = {"authorization": f"Bearer {token}", "traceparent": f"00-{TRACE}-01-01"}
        return await self.client.request(method, path, json=body, headers=headers)


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """What `configure` changed is undone after the test."""
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    kept, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = kept, level
    sys.excepthook, threading.excepthook = hooks
    logging.raiseExceptions = True


def configure() -> None:
    """Logs as a deployed function has them, on the stdout of this moment, which is captured."""
    logs.configure(project="reelmint-test")


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    named = {name.upper(): secret for name, secret in SECRETS.items()}
    app = bootstrap.build(read_settings({"DATA_DIR": str(tmp_path), **named}))
    bootstrap.provide(app)
    http._sessions = sessions.Sessions()
    transport = httpx.ASGITransport(http.api(routers()), raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield Service(app, client)
    finally:
        bootstrap.provide(None)
        http._sessions = sessions.Sessions()
        await app.store._database.close()  # type: ignore[attr-defined]


def canaries_in(text: str) -> list[str]:
    """What should not be there. Every secret, text and prompt of this file has the word."""
    return [line for line in text.splitlines() if "canary" in line]


def entries(text: str) -> list[dict[str, Any]]:
    """The log's lines; each of them is JSON."""
    return [json.loads(line) for line in text.splitlines()]


# ---------------------------------------------------------------- canaries


def test_every_secret_has_a_canary() -> None:
    hidden = {entry.name for entry in fields(Settings) if not entry.repr}
    hidden |= {f"vendor_sandbox_{entry.name}" for entry in fields(VendorAccount) if not entry.repr}
    assert set(SECRETS) >= hidden


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_no_error_of_a_port_tells_what_it_knows(
    service: Service, trouble: str, capfd: pytest.CaptureFixture[str]
) -> None:
    configure()
    service.breaks(TROUBLES[trouble])
    refused = 0
    for method, path, body in REQUESTS:
        answer = await service.ask(method, path, body)
        refused += answer.status_code >= 400
        assert canaries_in(answer.text) == []
    assert refused >= len(REQUESTS) - 3  # a task can be "final", a quote needs no document
    output = capfd.readouterr()
    assert canaries_in(output.out + output.err) == []
    assert entries(output.out) or issubclass(type(TROUBLES[trouble]), AppError)


async def test_no_webhook_s_body_or_address_is_told(
    service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    configure()
    mac = callback_mac(SECRETS["hook_secret"], "sandbox", JOB)
    body = b'{"canary": "body of a webhook", "id": 7}'
    now = str(int(time.time()))
    secret = SECRETS["vendor_sandbox_webhook_secrets"].encode()
    signed = hmac.new(secret, body, hashlib.sha256).hexdigest()
    service.breaks(RuntimeError(TEXT))
    for address in (mac, "canary-mac"):
        for signature in ("canary-signature", f"t={now},v1={signed}", signed, ""):
            path = f"/hooks/providers/sandbox/{JOB}/{address}"
            headers = {"sandbox-signature": signature, "authorization": f"Bearer {TOKEN}"}
            answer = await service.client.post(path, content=body, headers=headers)
            assert answer.status_code >= 400
            assert canaries_in(answer.text) == []
            assert mac not in answer.text
    output = capfd.readouterr()
    assert canaries_in(output.out + output.err) == []
    assert mac not in output.out + output.err


async def test_no_refused_session_or_body_is_told(
    service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    configure()
    for token in (TOKEN, SECRETS["task_secret"], "", f"{TOKEN} {PROMPT}"):
        headers = {"authorization": f"Bearer {token}"}
        for method, path, body in REQUESTS:
            answer = await service.client.request(method, path, json=body, headers=headers)
            assert canaries_in(answer.text.replace("canary@example.test", "")) == []
    for content in (b"{canary", b'"canary"', b"[1, canary]", b"\xffcanary", b"canary" * 20_000):
        answer = await service.ask("POST", "/v1/jobs")
        answer = await service.client.post("/v1/jobs", content=content)
        assert answer.status_code >= 400
        assert canaries_in(answer.text) == []
    output = capfd.readouterr()
    assert canaries_in(output.out + output.err) == []


def test_a_whole_installation_tells_none_of_it_while_vendors_fail(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    named = {name.upper(): secret for name, secret in SECRETS.items()}
    with running(tmp_path, named) as product:
        user = product.sign_in()
        for trouble in ("create=garbage_json", "fail=render", "moderation=refuse", "result=html"):
            job = user.create(f"{PROMPT} [sandbox {trouble}]")
            ended = user.wait(job["id"], 60)
            assert canaries_in(json.dumps(ended["error"])) == []
        for path in ("/v1/canary", "/blobs/results/canary?signature=canary", "/canary"):
            user.http.get(path)
    output = capfd.readouterr()
    assert '"logger": "shared.adapters.providers.driver"' in output.out
    assert canaries_in(output.out + output.err) == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_cannot_start_tells_no_secret(name: str) -> None:
    named = {key.upper(): secret for key, secret in SECRETS.items()}
    too_short = {key.upper(): "canary" for key in SECRETS}
    for secrets_told in (named, too_short):
        ended = _framework(name, {"PROFILE": "cloud", "PORT": "0", **secrets_told})
        output, error = ended.communicate(timeout=30)
        assert ended.returncode == 2
        (entry,) = entries(output)
        assert (entry["severity"], canaries_in(output + error)) == ("CRITICAL", [])
        assert "GOOGLE_PROJECT is missing" in entry["message"]


def test_a_deployed_crash_is_one_entry_and_one_answer(tmp_path: Path) -> None:
    blocked = tmp_path / "canary-folder"
    blocked.write_text("not a folder")
    port = free_port()
    told = {"PORT": str(port), "DATA_DIR": str(blocked), "GOOGLE_PROJECT": "reelmint-test"}
    process = _framework("provider_webhook", {key.upper(): s for key, s in SECRETS.items()} | told)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 30
    answer = None
    while answer is None and time.monotonic() < deadline:
        try:
            answer = httpx.post(
                f"{url}/hooks/providers/sandbox/{JOB}/canary-mac",
                content=PROMPT,
                headers={"x-cloud-trace-context": f"{TRACE}/7;o=1"},
                trust_env=False,
            )
        except httpx.TransportError:
            time.sleep(0.05)
    process.terminate()
    output, error = process.communicate(timeout=30)
    assert answer is not None
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
    (entry,) = entries(output)
    assert entry["logging.googleapis.com/trace"] == f"projects/reelmint-test/traces/{TRACE}"
    assert entry["logging.googleapis.com/labels"] == {"job_id": JOB}
    assert entry["route"] == "/hooks/providers/{provider}/{job_id}/{mac}"
    assert entry["stack"].endswith("builtins.FileExistsError")
    assert canaries_in(output.replace(str(ROOT), "") + error + answer.text) == []


# ---------------------------------------------------------------- what an entry has


async def test_an_entry_names_its_trace_its_job_and_where_it_happened(
    service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    configure()
    service.breaks(RuntimeError(TEXT))
    await service.ask("GET", f"/v1/jobs/{JOB}")
    (entry,) = entries(capfd.readouterr().out)
    assert (entry["severity"], entry["message"]) == ("ERROR", "unexpected error")
    assert (entry["method"], entry["route"]) == ("GET", "/v1/jobs/{job_id}")
    assert entry["logging.googleapis.com/trace"] == f"projects/reelmint-test/traces/{TRACE}"
    assert entry["logging.googleapis.com/labels"] == {"job_id": JOB}
    assert entry["job_id"] == JOB
    assert "in read_session" in entry["stack"]
    assert entry["stack"].endswith("builtins.RuntimeError")


async def test_a_task_s_entries_name_its_job(
    service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    configure()
    service.breaks(TROUBLES["Unavailable"])
    await service.ask("POST", "/tasks/repair_job", {"job_id": JOB})
    (entry,) = entries(capfd.readouterr().out)
    assert (entry["message"], entry["job_id"]) == ("task put off", JOB)


async def test_a_request_without_a_trace_has_none(capfd: pytest.CaptureFixture[str]) -> None:
    configure()
    for value in (b"", b"canary", b"00-xyz-01-01", f"{TRACE}0".encode()):
        headers = [(b"traceparent", value), (b"x-cloud-trace-context", value)]
        logs.about_request({"headers": headers, "path_params": {"job_id": PROMPT}})
        logging.getLogger("shared.http").warning("about a request")
    written = entries(capfd.readouterr().out)
    assert written
    assert all(set(entry) == {"severity", "message", "logger"} for entry in written)


async def test_what_libraries_write_is_cut_to_their_own_words(
    capfd: pytest.CaptureFixture[str],
) -> None:
    configure()

    async def fail() -> None:
        raise ValueError(TEXT)

    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_exception_handler(
        {"message": "Task exception was never retrieved", "exception": task.exception()}
    )
    logging.getLogger("google.auth").warning("no token: %s", TOKEN)
    logging.getLogger("httpx").info("HTTP Request: GET %s", TEXT)
    logging.getLogger("shared.http").error("%d canaries", PROMPT)
    output = capfd.readouterr()
    assert canaries_in(output.out + output.err) == []
    assert [entry["message"] for entry in entries(output.out)] == [
        "Task exception was never retrieved",
        "no token: %s",
    ]


def test_an_error_that_ends_the_process_is_an_entry_too() -> None:
    program = f"from shared import logs\nlogs.configure()\nraise ValueError({TEXT!r})"
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    (entry,) = entries(ended.stdout)
    assert (entry["severity"], ended.stderr) == ("CRITICAL", "")
    assert entry["stack"].endswith("builtins.ValueError")
    assert canaries_in(ended.stdout) == []


def test_requests_that_went_well_leave_no_line(tmp_path: Path) -> None:
    port = free_port()
    told = {"PORT": str(port), "DATA_DIR": str(tmp_path)}
    process = _framework("job_status", {key.upper(): s for key, s in SECRETS.items()} | told)
    wait_until_answers(f"http://127.0.0.1:{port}")
    process.terminate()
    assert process.communicate(timeout=30) == ("", "")


def _framework(name: str, told: dict[str, str]) -> subprocess.Popen[str]:
    framework = str(Path(sys.executable).parent / "functions-framework")
    command = [framework, "--asgi", "--host", "127.0.0.1"]
    command += ["--source", "infra/main.py", "--target", name]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **told}
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
