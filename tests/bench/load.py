"""Load by wrk on one address, and what it measured."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, slots=True)
class Load:
    """One run: requests a second, latencies, and how many answers were not 2xx or 3xx."""

    per_second: float
    p50_ms: float
    p99_ms: float
    errors: int


def run_load(url: str, connections: int, seconds: int, script: str, folder: Path) -> Load:
    """Run wrk with a Lua script for the requests."""
    path = folder / "requests.lua"
    path.write_text(script)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(path), url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return Load(
        per_second=float(_found(r"Requests/sec:\s+([\d.]+)", said)),
        p50_ms=_latency_ms("50", said),
        p99_ms=_latency_ms("99", said),
        errors=int(failed.group(1)) if failed else 0,
    )


def _latency_ms(percentile: str, said: str) -> float:
    found = re.search(rf"{percentile}%\s+([\d.]+)(us|ms|s)", said)
    assert found, said
    return float(found.group(1)) * _UNITS_MS[found.group(2)]


def _found(pattern: str, said: str) -> str:
    found = re.search(pattern, said)
    assert found, said
    return found.group(1)
