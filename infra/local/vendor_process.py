"""The vendors on this machine, as child processes that end with their parent."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import httpx

from infra import vendors
from infra.vendors import accounts
from shared import catalogue
from shared.vendor_accounts import VendorAccount

_SANDBOX = "sandbox"

_START_SECONDS = 60.0
_STOP_SECONDS = 5.0


@contextmanager
def with_sandbox(ours: Sequence[VendorAccount]) -> Iterator[tuple[VendorAccount, ...]]:
    """The accounts, with a sandbox vendor behind the one of that name: a child of this process
    unless the account says where there is one.
    """
    account = sandbox_of(ours)
    if account.url:
        yield tuple(ours)
        return
    pools = catalogue.load(ours).pools.values()
    with _running(account, sum(pool.places.get(account.name, 0) for pool in pools)) as url:
        there = replace(account, url=url)
        yield tuple(there if each is account else each for each in ours)


@contextmanager
def with_simulated_vendors(environment: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """The environment; with accounts at simulators of all vendors, which run until the block ends,
    where it says VENDORS=simulated. Raises `RuntimeError`.
    """
    if environment.get("VENDORS") != "simulated":
        yield environment
        return
    command = [sys.executable, "-m", "infra.vendors", "--exit-with-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        try:
            told: dict[str, str] = {}
            for name in vendors.NAMES:
                wire = vendors.load(name)
                url = f"http://127.0.0.1:{wire.settings.port}"
                _wait_until_ready(url, process)
                told |= accounts.environment(wire, url)
            yield {**told, **environment}
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)


def sandbox_of(ours: Sequence[VendorAccount]) -> VendorAccount:
    """Our account with the sandbox vendor, which every installation on one machine has."""
    return next(account for account in ours if account.name == _SANDBOX)


@contextmanager
def _running(account: VendorAccount, places: int) -> Iterator[str]:
    """Run the vendor with as many places as our account has; yields its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        *(sys.executable, "-m", "infra.sandbox", "--exit-with-stdin", "--port", str(port)),
        *("--concurrency", str(places)),
        # Joined, because a secret may begin with a dash.
        *(f"--api-key={account.key}", f"--webhook-secret={account.webhook_secrets[0]}"),
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
            raise RuntimeError(f"the vendor of {url} ended with code {process.returncode}")
        try:
            if httpx.get(f"{url}/healthz", trust_env=False, timeout=1.0).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError(f"the vendor of {url} did not start")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
