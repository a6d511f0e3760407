"""Load by wrk on one address, and what it measured."""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_REPLAY = Path(__file__).parent / "replay.lua"
_UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True, slots=True)
class Load:
    """One run. `errors` counts answers that were not 2xx or 3xx, and connections that broke."""

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    errors: int


def run_load(url: str, connections: int, seconds: int, requests: Sequence[bytes]) -> Load:
    """Send these whole HTTP requests one after the other, and again from the first."""
    with tempfile.NamedTemporaryFile() as file:
        for request in requests:
            file.write(b"%d\n%b" % (len(request), request))
        file.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
        command += ["-s", str(_REPLAY), url, "--", file.name]
        return read_load(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def read_load(said: str) -> Load:
    """What wrk printed. Raises `ValueError` when a figure is not there."""
    broken = re.search(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said
    )
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return Load(
        requests=int(_found(r"(\d+) requests in", said)[0]),
        per_second=float(_found(r"Requests/sec:\s+([\d.]+)", said)[0]),
        p50_ms=_latency_ms("50", said),
        p99_ms=_latency_ms("99", said),
        errors=sum(int(count) for found in (broken, refused) if found for count in found.groups()),
    )


def _latency_ms(percentile: str, said: str) -> float:
    value, unit = _found(rf"\s{percentile}%\s+([\d.]+)(us|ms|s|m)\b", said)
    return float(value) * _UNITS_MS[unit]


def _found(pattern: str, said: str) -> tuple[str, ...]:
    found = re.search(pattern, said)
    if found is None:
        raise ValueError(f"wrk printed nothing like {pattern!r}:\n{said}")
    return found.groups()
