"""A very large result on its way from the vendor into the bucket: time and memory."""

import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench import servers
from tests.bench.ground import PROMPT, prepare
from tests.bench.plan import Plan
from tests.bench.processes import forget_peak, peak_mib, resident_mib
from tests.product import Caller

_LIMIT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class BigResult:
    """`more_mib` is the peak above what the process had after an ordinary job."""

    size_mb: float
    seconds: float
    before_mib: float
    more_mib: float


def measure(folder: Path, plan: Plan) -> BigResult:
    """Order a video from the local runner, and then one whose result is padded to this size."""
    ground = prepare(folder, users=1, jobs=0)
    with servers.serving(servers.local(), ground.settings) as server:
        user = Caller(server.url, ground.tokens[0])
        _size_bytes(user, f"{PROMPT} [sandbox render=instant latency=0]")
        before_mib = resident_mib(server.pid)
        forget_peak(server.pid)
        began = time.perf_counter()
        huge = f"{PROMPT} [sandbox render=instant latency=0 result=huge:{plan.result_megabytes}]"
        size_bytes = _size_bytes(user, huge)
        seconds = time.perf_counter() - began
        more_mib = peak_mib(server.pid) - before_mib
    return BigResult(size_bytes / 1e6, seconds, before_mib, more_mib)


def _size_bytes(user: Caller, prompt: str) -> int:
    """Of the stored result of a job with this prompt."""
    job = user.wait(user.create(prompt)["id"], _LIMIT_SECONDS)
    assert job["status"] == "succeeded", job
    size_bytes: int = job["result"]["size_bytes"]
    return size_bytes
