"""Cloud Storage on this machine: what its client sends, and signed addresses that are verified.

`python -m infra.emulators.storage --port 9199 --data DIR --key FILE --origin http://localhost:8080`

The objects outlive it. The key file is a service account's; who signs addresses uses the same one.
"""

import argparse
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from infra.children import wait_for_parent
from infra.emulators.storage_json import json_routes
from infra.emulators.storage_objects import Objects
from infra.emulators.storage_signatures import Verifier, make_key_file
from infra.emulators.storage_xml import xml_routes
from infra.local.vendor_process import free_port

HOST = "127.0.0.1"

_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_GRACE_SECONDS = 2


def storage_app(data: Path, key_file: Path, origins: Sequence[str] = ()) -> Starlette:
    """The emulator as an app, over the objects below `data`."""
    objects = Objects(data)

    async def ready(_: Request) -> Response:
        return PlainTextResponse("the storage emulator\n")

    return Starlette(
        routes=[
            Route("/", ready),
            *json_routes(objects),
            *xml_routes(objects, Verifier(key_file), origins),
        ]
    )


@contextmanager
def storage_emulator(
    data: Path, key_file: Path, origins: Sequence[str] = (), port: int | None = None
) -> Iterator[str]:
    """A running emulator in a process of its own; yields its address. A key file that is not there
    is made."""
    port = port or free_port()
    command = [
        *(sys.executable, "-m", "infra.emulators.storage", "--exit-with-stdin"),
        *("--port", str(port), "--data", str(data), "--key", str(key_file), "--make-key"),
        *(part for origin in origins for part in ("--origin", origin)),
    ]
    url = f"http://{HOST}:{port}"
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        try:
            _wait(url, process)
            yield url
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal, or until stdin closes when that was asked for."""
    options = _build_parser().parse_args(arguments)
    if options.make_key and not options.key.exists():
        make_key_file(options.key)
    app = storage_app(options.data, options.key, options.origin)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, options.port))
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                lifespan="off",
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        if options.exit_with_stdin:
            threading.Thread(target=_stop_with_stdin, args=(server,), daemon=True).start()
        print(f"storage emulator at http://{HOST}:{listener.getsockname()[1]}", flush=True)
        server.run(sockets=[listener])
    return 0


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.emulators.storage",
        description="Cloud Storage on this machine, with signed addresses that are verified.",
    )
    parser.add_argument("--port", type=int, default=0, help="0: any (%(default)s)")
    parser.add_argument("--data", type=Path, required=True, help="the folder of the objects")
    parser.add_argument("--key", type=Path, required=True, help="a service account's key file")
    parser.add_argument("--make-key", action="store_true", help="make the key file if it is absent")
    parser.add_argument(
        "--origin", action="append", default=[], help="whose pages may use it; may be repeated"
    )
    parser.add_argument(
        "--exit-with-stdin", action="store_true", help="exit when stdin closes, as a child should"
    )
    return parser


def _stop_with_stdin(server: uvicorn.Server) -> None:
    wait_for_parent()
    server.should_exit = True
    time.sleep(_STOP_SECONDS)
    os._exit(0)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the storage emulator ended with code {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=1.0):  # noqa: S310  # our own loopback address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError("the storage emulator did not start")


if __name__ == "__main__":
    sys.exit(main())
