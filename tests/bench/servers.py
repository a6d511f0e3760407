"""What is measured: functions-framework processes, each on a port of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.product import ROOT, free_port, wait_until_answers

_FRAMEWORK = Path(sys.executable).parent / "functions-framework"
_BASELINE = "tests/bench/baseline.py"
_FUNCTIONS = "infra/main.py"
_STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running process and where it listens."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


def baseline() -> list[str]:
    """The command that serves a function which does nothing."""
    return _framework(_BASELINE, "nothing")


def function(name: str) -> list[str]:
    """The command that serves one function as the cloud does."""
    return _framework(_FUNCTIONS, name)


def local() -> list[str]:
    """The command that runs the whole product; the settings say where the sandbox vendor is, or it
    starts one."""
    return [sys.executable, "-m", "infra.local"]


@contextmanager
def serving(command: list[str], settings: Mapping[str, str]) -> Iterator[Server]:
    """A server that answers, on a free port, until the end."""
    with started(command, settings) as server:
        wait_until_answers(server.url)
        yield server


@contextmanager
def started(command: list[str], settings: Mapping[str, str]) -> Iterator[Server]:
    """A server whose process has just begun."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": ".", "WORKERS": "1", **settings, "PORT": str(port)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            yield Server(port, process.pid)
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)


def _framework(source: str, target: str) -> list[str]:
    return [
        *(str(_FRAMEWORK), "--asgi", "--host", "127.0.0.1"),
        *("--source", source, "--target", target),
    ]
