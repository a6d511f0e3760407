"""What is measured: functions-framework processes, each on a port of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.product import ROOT, free_port, wait_until_answers


@contextmanager
def framework(source: Path, target: str, settings: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """One function under functions-framework's ASGI mode; yields its address and process id."""
    port = free_port()
    command = [
        *(str(Path(sys.executable).parent / "functions-framework"), "--asgi"),
        *("--source", str(source), "--target", target, "--host", "127.0.0.1"),
    ]
    environment = {**os.environ, **settings, "PORT": str(port), "WORKERS": "1", "PYTHONPATH": "."}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, env=environment, **quiet) as process:  # type: ignore[call-overload]
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_answers(url, process)
            yield url, process.pid
        finally:
            process.terminate()
            process.wait(20)


def resident_mib(pid: int) -> float:
    """Memory of a process and its children."""
    pages = subprocess.run(
        ["ps", "-o", "rss=", "--pid", str(pid), "--ppid", str(pid)],
        capture_output=True,
        text=True,
        check=True,
    )
    return sum(int(line) for line in pages.stdout.split()) / 1024
