"""A Cloud Tasks stand-in in a process: `python -m infra.emulators.cloud_tasks --help`.

Its tasks survive a restart when it is given a file; its key too when it is given one, so that
verifiers need not fetch it again.
"""

import argparse
import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.children import wait_for_parent
from infra.emulators.cloud_tasks_identity import ISSUER, Identity, read_or_make_key
from infra.emulators.cloud_tasks_rules import queues_of
from infra.emulators.cloud_tasks_server import HOST, cloud_tasks
from infra.local.vendor_process import free_port
from shared import catalogue
from shared.usecases.tasks import queue_specs

_ROOT = Path(__file__).parents[2]
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stand-in is, as host and port: gRPC, and HTTP for REST, metadata and keys."""

    address: str
    http_address: str

    @property
    def keys_url(self) -> str:
        """Where verifiers of its tokens fetch the keys."""
        return f"http://{self.http_address}/certs"


@contextmanager
def cloud_tasks_emulator(
    project: str,
    region: str,
    *,
    data: Path | None = None,
    key: Path | None = None,
    port: int | None = None,
    certs_port: int | None = None,
) -> Iterator[Place]:
    """A running process with the catalogue's queues; the same ports, data and key bring the same
    one back."""
    place = Place(f"{HOST}:{port or free_port()}", f"{HOST}:{certs_port or free_port()}")
    command = [
        *(sys.executable, "-m", "infra.emulators.cloud_tasks", "--exit-with-stdin"),
        *("--port", place.address.rpartition(":")[2]),
        *("--certs-port", place.http_address.rpartition(":")[2]),
        *("--project", project, "--region", region),
        *(("--data", str(data)) if data else ()),
        *(("--key", str(key)) if key else ()),
    ]
    with subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        try:
            _wait(f"http://{place.http_address}/healthz", process)
            yield place
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal."""
    options = _options(arguments)
    logging.basicConfig(level=logging.WARNING, format="cloud tasks: %(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if options.exit_with_stdin:
        threading.Thread(target=_stop_with_stdin, daemon=True).start()
    try:
        asyncio.run(_serve(options))
    except KeyboardInterrupt:
        print("stopped")
    return 0


async def _serve(options: argparse.Namespace) -> None:
    identity = Identity(read_or_make_key(options.key), options.issuer)
    specs = queue_specs(catalogue.load())
    async with cloud_tasks(
        identity,
        options.data,
        port=options.port,
        http_port=options.certs_port,
        time_scale=options.time_scale,
    ) as running:
        for queue in queues_of(options.project, options.region, specs):
            running.queues.update_queue(queue)
        print(f"gRPC {running.address}, HTTP {running.http_address}", flush=True)
        await running.ended


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="infra.emulators.cloud_tasks", description=__doc__)
    parser.add_argument("--port", type=int, default=8123, help="gRPC; 0 is a free one")
    parser.add_argument(
        "--certs-port", type=int, default=8124, help="HTTP: /certs, /v2, /computeMetadata"
    )
    parser.add_argument("--data", type=Path, help="a file that keeps the tasks")
    parser.add_argument("--key", type=Path, help="a file that keeps the key of the tokens")
    parser.add_argument("--issuer", default=ISSUER, help="who the tokens are from")
    parser.add_argument("--project", default="local", help="of the catalogue's queues")
    parser.add_argument("--region", default="us-central1", help="of the catalogue's queues")
    parser.add_argument(
        "--time-scale", type=float, default=1.0, help="0.1 makes delays ten times shorter"
    )
    parser.add_argument(
        "--exit-with-stdin", action="store_true", help="exit when stdin closes, as a child should"
    )
    return parser.parse_args(arguments)


def _stop_with_stdin() -> None:
    wait_for_parent()
    os.kill(os.getpid(), signal.SIGTERM)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the Cloud Tasks stand-in ended with code {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=1.0):  # noqa: S310  # our own loopback address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError("the Cloud Tasks stand-in did not start")


if __name__ == "__main__":
    sys.exit(main())
