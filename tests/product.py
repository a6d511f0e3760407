"""The product as its users meet it: `python -m infra.local` in a process, spoken to by HTTP."""

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from infra.audit import settings_of
from shared import bootstrap, callers
from shared.app import App

ROOT = Path(__file__).parents[1]
START_SECONDS = 180.0  # the deployed shape is ten processes, and CI has two cores
FINAL = {"succeeded", "failed", "cancelled"}
Json = dict[str, Any]
T = TypeVar("T")

# Short timers, and neither limits per minute nor pauses that a test would run into by accident.
TEST_SETTINGS: Mapping[str, str] = {
    "JOBS_PER_MINUTE": "200",
    "UPLOADS_PER_MINUTE": "200",
    "WAITING_JOBS_MAX": "200",
    "TRIAL_GENERATIONS": "10",
    "SWEEP_SECONDS": "1",
    "READY_AGAIN_SECONDS": "2",
    "UNKNOWN_AFTER_SECONDS": "4",
    "UNKNOWN_AGAIN_SECONDS": "1",
    "ABSENT_AFTER_SECONDS": "6",
    "VENDOR_TOTAL_SECONDS": "3",
    "VENDOR_CONNECT_SECONDS": "1",
    "CHECK_FIRST_SECONDS": "1",
    "CHECK_MAX_SECONDS": "2",
    "STORE_AGAIN_SECONDS": "3",
    "STORE_LIMIT_SECONDS": "8",
    "BUSY_AGAIN_SECONDS": "1",
    "QUARANTINE_MARGIN_SECONDS": "5",
    "PAUSE_AFTER_FAILURES": "1000",
}


_clients: list[httpx.Client] = []  # closed with the installation that they spoke to


@dataclass(eq=False, slots=True)
class Refusal(Exception):
    """An answer that is not 2xx."""

    status: int
    error: Json
    headers: Mapping[str, str]


class Caller:
    """One signed-in user."""

    def __init__(self, base_url: str, token: str = "") -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(
            base_url=base_url, headers=headers, timeout=30, trust_env=False, follow_redirects=False
        )
        _clients.append(self.http)

    def call(self, method: str, path: str, **kwargs: Any) -> Json:
        """The JSON of a 2xx answer. Raises `Refusal`."""
        answer = self.http.request(method, path, **kwargs)
        if not answer.is_success:
            raise Refusal(answer.status_code, answer.json()["error"], dict(answer.headers))
        body: Json = answer.json()
        return body

    def create(self, prompt: str = "a red fox", key: str | None = None, **fields: Any) -> Json:
        """A new job; with a key of its own unless one is given."""
        headers = {"idempotency-key": key or secrets.token_hex(8)}
        body = {"model": "sandbox-video", "prompt": prompt, **fields}
        return self.call("POST", "/v1/jobs", json=body, headers=headers)

    def job(self, job_id: str) -> Json:
        """The job as it is now."""
        return self.call("GET", f"/v1/jobs/{job_id}")

    def wait(self, job_id: str, seconds: float = 40.0) -> Json:
        """The job when it has ended."""
        return self.wait_for(job_id, lambda job: job["status"] in FINAL, seconds)

    def wait_for(self, job_id: str, wanted: Any, seconds: float = 40.0) -> Json:
        """The job once it is as wanted."""
        deadline = time.monotonic() + seconds
        while not wanted(job := self.job(job_id)):
            assert time.monotonic() < deadline, f"not in {seconds} s: {job}"
            time.sleep(0.1)
        return job

    def balance(self) -> tuple[int, int]:
        """Available and held tokens."""
        account = self.call("GET", "/v1/account")
        return account["available_tokens"], account["held_tokens"]

    def rows(self) -> list[Json]:
        """The newest hundred ledger rows."""
        page = self.call("GET", "/v1/account/ledger?limit=100")
        rows: list[Json] = page["data"]
        return rows


@dataclass(frozen=True, slots=True)
class Product:
    """A running installation."""

    base_url: str
    folder: Path
    process: subprocess.Popen[bytes]
    environment: Mapping[str, str]

    def sign_in(self, email: str | None = None) -> Caller:
        """A user, new unless the address is known."""
        address = email or f"{secrets.token_hex(6)}@example.test"
        body = Caller(self.base_url).call("POST", "/v1/auth/local", json={"email": address})
        return Caller(self.base_url, body["token"])

    def vendor(self, path: str, method: str = "GET", **kwargs: Any) -> Json:
        """The sandbox vendor's controls."""
        return Caller(self.base_url).call(method, f"/sandbox/{path}", **kwargs)

    def audit(self) -> subprocess.CompletedProcess[str]:
        """What `make audit` says."""
        return self._run("infra.audit")

    def operate(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What the operator's command does and says."""
        return self._run("infra.operate", *words)

    def _run(self, module: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module, *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def beside(self, act: Callable[[App], Awaitable[T]]) -> T:
        """Do something in its store, from here and with the settings that it has."""
        return asyncio.run(self._beside(act))

    async def _beside(self, act: Callable[[App], Awaitable[T]]) -> T:
        settings = settings_of(self.folder, self.environment)
        assert settings is not None, "a running installation has data"
        app = bootstrap.build(settings)
        try:
            return await act(app)
        finally:
            callers.provide(None)  # a cloud's App brings its own
            await app.store.close()  # type: ignore[attr-defined]

    def kill_function(self, name: str) -> None:
        """End one deployed function in the middle of whatever it does; it is started again."""
        httpx.post(f"{self.base_url}/local/kill/{name}", trust_env=False).raise_for_status()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def running(
    folder: Path,
    settings: Mapping[str, str] | None = None,
    port: int | None = None,
    module: str = "infra.local",
    output: Path | None = None,
) -> Iterator[Product]:
    """An installation, on a free port unless one is given, stopped at the end. What it prints goes
    to `output` where that is given.
    """
    port = port or free_port()
    environment = {**os.environ, **TEST_SETTINGS, **(settings or {})}
    environment |= {"PORT": str(port), "DATA_DIR": str(folder)}
    command = [sys.executable, "-m", module]
    with (
        output.open("w") if output else nullcontext() as printed,
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=printed) as process,
    ):
        product = Product(f"http://127.0.0.1:{port}", folder, process, environment)
        try:
            wait_until_up(product)
            yield product
        finally:
            process.terminate()
            process.wait(20)
            while _clients:
                _clients.pop().close()
            wait_until_nobody_is_left(folder)


def wait_until_nobody_is_left(folder: Path) -> None:
    """No process that was told of this installation's folder outlives it."""
    deadline = time.monotonic() + 10
    while left := _processes_of(folder):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def _processes_of(folder: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            told, state = (process / "environ").read_bytes(), (process / "stat").read_text()
            if f"={folder}".encode() in told and process.name != str(os.getpid()):
                found.append(state.partition(" (")[0] + (process / "cmdline").read_text())
    return found


@contextmanager
def vendor_running(*arguments: str, port: int | None = None) -> Iterator[str]:
    """A sandbox vendor that outlives the product, on a free port unless one is given; yields its
    address.
    """
    port = port or free_port()
    command = [sys.executable, "-m", "infra.sandbox", "--port", str(port), *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_answers(url)
            yield url
        finally:
            process.terminate()
            process.wait(20)


def wait_until_up(product: Product) -> None:
    """Return when it answers."""
    wait_until_answers(product.base_url, product.process)


def wait_until_answers(url: str, process: subprocess.Popen[bytes] | None = None) -> None:
    """Return when a server answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process is None or process.poll() is None, "the server ended while it started"
        try:
            if httpx.get(f"{url}/healthz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the server did not start")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
