"""The sandbox vendor as a child process that ends with its parent."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from shared.models import Catalogue

_START_SECONDS = 60.0
_STOP_SECONDS = 5.0


@contextmanager
def sandbox(catalogue: Catalogue, api_key: str, webhook_secret: str) -> Iterator[str]:
    """Run the vendor with as many places as our pool has; yields its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        *(sys.executable, "-m", "infra.sandbox", "--exit-with-stdin", "--port", str(port)),
        *("--concurrency", str(catalogue.pools["sandbox"].slots)),
        # Joined, because a secret may begin with a dash.
        *(f"--api-key={api_key}", f"--webhook-secret={webhook_secret}"),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_until_ready(url, process)
            yield url
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the sandbox vendor ended with code {process.returncode}")
        try:
            if httpx.get(f"{url}/healthz", trust_env=False, timeout=1.0).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError("the sandbox vendor did not start")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
