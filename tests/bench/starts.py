"""From the start of a process to its first answer, and its memory when it has nothing to do."""

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from infra.routes import FUNCTIONS
from tests.bench import servers
from tests.bench.ground import SETTINGS
from tests.bench.plan import Plan
from tests.bench.processes import Memory, cpu_seconds, memory
from tests.product import vendor_running

BASELINE = "nothing"
LOCAL = "local runner"
LOCAL_WITH_VENDOR = "local runner that starts its vendor"

_ASK = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
_GOOD = b"HTTP/1.1 200 "
_ASK_AGAIN_SECONDS = 0.005
_LIMIT_SECONDS = 30.0
_IDLE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Start:
    """Medians of several starts of one process."""

    name: str
    first_answer_seconds: float
    cpu_seconds: float  # until then
    memory: Memory


def measure(folder: Path, plan: Plan) -> list[Start]:
    """Start the baseline, every function and the local runner, in turn and so many times."""
    alone = {**SETTINGS, "DATA_DIR": str(folder)}
    with vendor_running() as vendor_url:
        beside = {**alone, "VENDOR_SANDBOX_URL": vendor_url}
        processes = [
            (BASELINE, servers.baseline(), alone),
            *((name, servers.function(name), alone) for name in FUNCTIONS),
            (LOCAL, servers.local(), beside),
            (LOCAL_WITH_VENDOR, servers.local(), alone),
        ]
        rounds = [[_start(*process) for process in processes] for _ in range(plan.starts)]
    return [_median(list(starts)) for starts in zip(*rounds, strict=True)]


def _start(name: str, command: list[str], settings: Mapping[str, str]) -> Start:
    began = time.perf_counter()
    with servers.started(command, settings) as server:
        while not _answers(server.port):
            assert time.perf_counter() - began < _LIMIT_SECONDS, "the server did not start"
            time.sleep(_ASK_AGAIN_SECONDS)
        first_answer_seconds = time.perf_counter() - began
        spent_seconds = cpu_seconds(server.pid)
        time.sleep(_IDLE_SECONDS)
        return Start(name, first_answer_seconds, spent_seconds, memory(server.pid))


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_LIMIT_SECONDS) as connection:
            connection.sendall(_ASK)
            return connection.recv(len(_GOOD)) == _GOOD
    except ConnectionError:
        return False


def _median(starts: list[Start]) -> Start:
    return Start(
        starts[0].name,
        median(start.first_answer_seconds for start in starts),
        median(start.cpu_seconds for start in starts),
        Memory(
            median(start.memory.resident_mib for start in starts),
            median(start.memory.total_mib for start in starts),
        ),
    )
