"""Cold starts in the cloud profile: from the start of a process to its first answer, which reads a
document where the function reads any: `python -m tests.bench.cold_start` (ROUNDS, default 7).

Each function starts from the unpacked archive, beside functions-framework alone and with the
Firestore client, all in turn and so many rounds. What counts is the ratio of the processor time:
the time by the clock is shown too, and is only of use where nothing else runs.
"""

import io
import os
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import jwt

from infra import bundle
from infra.emulators.firestore import NoEmulator, firestore_emulator
from infra.routes import FUNCTIONS
from shared.config import REQUIRED
from tests.bench.processes import cpu_seconds
from tests.product import ROOT, free_port

PAGE = ROOT / "docs" / "performance.md"
BEGIN = "<!-- cold starts: begin, written by python -m tests.bench.cold_start -->"
END = "<!-- cold starts: end -->"

BARE = "framework alone"
FIRESTORE = "framework and Firestore client"
# What a function may take of its baseline's processor time.
BUDGETS = {"provider_webhook": 1.5, "create_job": 1.2, "job_status": 1.2}
WITHOUT_DATABASE = frozenset({"provider_webhook"})

_FRAMEWORK = Path(sys.executable).parent / "functions-framework"
_BASELINES = str(ROOT / "tests" / "bench" / "cold_start_baselines.py")
_LIMIT_SECONDS = 90.0
_AGAIN_SECONDS = 0.002
_SESSION_SECRET = "the bench signs a session of nobody with this"
# The first request of each: one that has to look for the account, where there are accounts.
_READING = {
    "account": "GET /v1/account",
    "create_job": "POST /v1/jobs/job_none/cancel",
    "job_status": "GET /v1/jobs/job_none",
    "uploads": "GET /v1/uploads/img_none",
}
# The same functions, when their first request has something to validate: it loads pydantic.
_VALIDATING = {
    "create_job, first an order": "POST /v1/jobs",
    "job_status, first a list": "GET /v1/jobs",
}
_BODIES = {"POST /v1/jobs": '{"model": "sandbox-video", "prompt": "a red fox"}'}


@dataclass(frozen=True, slots=True)
class Start:
    """One start, or the medians of several."""

    seconds: float
    cpu_seconds: float


def main() -> int:
    """Exit code 1 when a budget is not kept."""
    rounds = int(os.environ.get("ROUNDS", "7"))
    with ExitStack() as stack:
        try:
            emulator = stack.enter_context(firestore_emulator())
        except NoEmulator:
            emulator = ""
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with zipfile.ZipFile(io.BytesIO(bundle.build())) as archive:
            archive.extractall(folder)
        starts = _measure(folder, emulator, rounds)
    text = spelled(starts, rounds, is_read=bool(emulator))
    print(text)
    if PAGE.exists():
        _keep(text)
    return 0 if all(_ratio(starts, name) <= most for name, most in BUDGETS.items()) else 1


def spelled(starts: Mapping[str, Start], rounds: int, *, is_read: bool) -> str:
    """The figures as a table in Markdown."""
    read = "a document where the function reads any" if is_read else "no document"
    lines = [
        f"Medians of {rounds} starts of each, taken in turn; the first answer reads {read}.",
        "",
        "| Process | First answer, ms | CPU until then, ms | Of its baseline | Budget |",
        "|---|---|---|---|---|",
    ]
    for name, start in starts.items():
        budget = f"{BUDGETS[name]:g}" if name in BUDGETS else ""
        lines.append(
            f"| {name} | {start.seconds * 1000:.0f} | {start.cpu_seconds * 1000:.0f} "
            f"| {_ratio(starts, name):.2f} | {budget} |"
        )
    return "\n".join(lines)


def _measure(folder: Path, emulator: str, rounds: int) -> Mapping[str, Start]:
    def one(name: str) -> Start:
        if name in (BARE, FIRESTORE):
            target = "nothing" if name == BARE else "firestore"
            told = {"FIRESTORE_EMULATOR_HOST": emulator} if emulator else {}
            return _start(["--source", _BASELINES, "--target", target], told, ROOT, "GET /healthz")
        function = name.partition(",")[0]
        asks = {**_READING, **_VALIDATING} if emulator else {}
        ask = asks.get(name, "GET /healthz")
        return _start(["--target", function], settings(function, emulator), folder, ask)

    names = (BARE, FIRESTORE, *FUNCTIONS, *(_VALIDATING if emulator else ()))
    taken: dict[str, list[Start]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            taken[name].append(one(name))
    return {name: _median(starts) for name, starts in taken.items()}


def settings(name: str, emulator: str) -> dict[str, str]:
    """The cloud profile with a word for everything that the function must have."""
    made = {
        required.upper(): f"a word that is long enough: {required}" for required in REQUIRED[name]
    }
    if "SESSION_SECRET" in made:
        made["SESSION_SECRET"] = _SESSION_SECRET
    return {
        **made,
        "PROFILE": "cloud",
        "FUNCTION_TARGET": name,
        "PUBLIC_URL": "https://reelmint.example",
        "GOOGLE_PROJECT": "bench",
        "BLOBS": "gcs",
        "SIGNING_SERVICE_ACCOUNT": "functions@reelmint.example",
        "FIRESTORE_EMULATOR_HOST": emulator,
        "VENDOR_SANDBOX_URL": "https://sandbox.example",
        "VENDOR_SANDBOX_KEY": "sandbox-key",
    }


def _start(options: list[str], told: Mapping[str, str], folder: Path, ask: str) -> Start:
    port = free_port()
    command = [str(_FRAMEWORK), "--asgi", "--host", "127.0.0.1", "--port", str(port), *options]
    began = time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, env=dict(told), stdout=subprocess.DEVNULL
    ) as process:
        try:
            _answer(port, ask, began)
            return Start(time.perf_counter() - began, cpu_seconds(process.pid))
        finally:
            process.terminate()
            process.wait(_LIMIT_SECONDS)


def _answer(port: int, ask: str, began: float) -> None:
    """Ask as soon as somebody listens, and wait for an answer, which may be a refusal."""
    body = _BODIES.get(ask, "")
    head = (
        f"{ask} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    )
    token = jwt.encode(
        {"sub": "nobody", "epoch": 1, "iat": 0, "exp": 2**33}, _SESSION_SECRET, "HS256"
    )
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), _LIMIT_SECONDS) as connection:
                connection.sendall(f"{head}Authorization: Bearer {token}\r\n\r\n{body}".encode())
                status = connection.recv(65536).partition(b" ")[2][:3]
                assert status.isdigit() and int(status) < 500, status
                return
        except ConnectionRefusedError:
            assert time.perf_counter() - began < _LIMIT_SECONDS, "the server did not start"
            time.sleep(_AGAIN_SECONDS)


def _median(starts: Sequence[Start]) -> Start:
    return Start(
        median(start.seconds for start in starts), median(start.cpu_seconds for start in starts)
    )


def _baseline(name: str) -> str:
    return BARE if name in WITHOUT_DATABASE or name in (BARE, FIRESTORE) else FIRESTORE


def _ratio(starts: Mapping[str, Start], name: str) -> float:
    return starts[name].cpu_seconds / starts[_baseline(name)].cpu_seconds


def _keep(text: str) -> None:
    """Put the figures into their section of the page, which is made where it is missing."""
    page = PAGE.read_text()
    if BEGIN not in page:
        page = f"{page.rstrip()}\n\n## Cold starts\n\n{BEGIN}\n{END}\n"
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


if __name__ == "__main__":
    sys.exit(main())
