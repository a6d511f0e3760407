"""Each function in its own functions-framework process, started again when it dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from infra.children import die_with_parent

_ROOT = Path(__file__).parents[2]
_LOOK_SECONDS = 0.2
_START_SECONDS = 170.0
_STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One function: where it listens and everything that it is told."""

    name: str
    port: int
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        """Its own address, as Cloud Run would give it one."""
        return f"http://127.0.0.1:{self.port}"


class Processes:
    """All functions, kept running until `stop`."""

    def __init__(self, specs: list[FunctionSpec]) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self._running = {spec.name: _start(spec) for spec in specs}
        self._is_stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def wait_until_ready(self) -> None:
        """Return when every function answers."""
        deadline = time.monotonic() + _START_SECONDS
        for spec in self._specs.values():
            while not _answers(spec.url):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{spec.name} did not start")
                time.sleep(0.1)

    def kill(self, name: str) -> None:
        """End one function at once, in the middle of whatever it does; it comes back by itself."""
        _signal(self._running[name], signal.SIGKILL)

    def stop(self) -> None:
        """End all of them, politely."""
        self._is_stopping.set()
        self._keeper.join()
        for process in self._running.values():
            _signal(process, signal.SIGTERM)
        for process in self._running.values():
            process.wait(_STOP_SECONDS)

    def _keep(self) -> None:
        while not self._is_stopping.wait(_LOOK_SECONDS):
            for name, process in self._running.items():
                if process.poll() is not None:
                    self._running[name] = _start(self._specs[name])


def _start(spec: FunctionSpec) -> subprocess.Popen[bytes]:
    command = [
        *(sys.executable, "-m", "infra.cloud_local.function", "--asgi"),
        *("--source", str(_ROOT / "infra" / "main.py"), "--target", spec.name),
        *("--host", "127.0.0.1", "--port", str(spec.port)),
    ]
    # Not this process's own environment: a function knows what it is told and nothing else.
    environment = {**spec.environment, "PYTHONPATH": str(_ROOT), "WORKERS": "1"}
    return subprocess.Popen(
        command,
        cwd=_ROOT,
        env=environment,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509  # one call into libc, before any thread
    )


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is None:
        os.killpg(process.pid, number)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False, timeout=5.0).status_code == 200
    except httpx.TransportError:
        return False
