"""Requests per second and latencies of each function, beside a function that does nothing."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from shared import bootstrap
from shared.config import read_settings
from shared.usecases.audit import audit
from tests.bench import requests, servers
from tests.bench.ground import Ground, prepare
from tests.bench.load import Load, run_load
from tests.bench.plan import Plan
from tests.bench.processes import cpu_seconds
from tests.bench.servers import Server

BASELINE = "nothing"
STATUS = "status"
WEBHOOK = "webhook"
CREATE = "create"
CREATE_IN_MEMORY = "create, in memory"

MEMORY = Path("/dev/shm")
_WARM_SECONDS = 1
_WARM_CONNECTIONS = 16
_PREPARED_PER_SECOND = 10_000


@dataclass(frozen=True, slots=True)
class Target:
    """A server under load and the requests that it gets; those of `writes` are all new ones."""

    name: str
    server: Server
    ground: Ground
    make: requests.Make
    writes: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """A target at one concurrency. `ratio` is its rate as a share of the baseline's; `cpu_ms` is
    what the server's processor did for one request."""

    name: str
    concurrency: int
    per_second: float
    ratio: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    errors: int


def measure(folder: Path, plan: Plan) -> list[Row]:
    """Play all requests at all concurrencies, round after round, so that what else the machine does
    meets them alike; the medians of the rounds. Raises when the books do not balance afterwards."""
    with ExitStack() as stack:
        grounds = [prepare(folder, plan.users, plan.jobs)]
        if MEMORY.is_dir():
            in_memory = stack.enter_context(tempfile.TemporaryDirectory(dir=MEMORY))
            grounds.append(prepare(Path(in_memory), plan.users, plan.jobs))
        targets = list(_targets(stack, grounds))
        for target in targets:
            _play(target, _WARM_CONNECTIONS, _WARM_SECONDS)
        rounds = [
            [
                row
                for concurrency in plan.concurrencies
                for row in _beside(targets, concurrency, plan)
            ]
            for _ in range(plan.rounds)
        ]
        for ground in grounds:
            asyncio.run(_audit(ground))
    return [_median(rows) for rows in zip(*rounds, strict=True)]


def _targets(stack: ExitStack, grounds: list[Ground]) -> Iterator[Target]:
    def serve(command: list[str], ground: Ground) -> Server:
        return stack.enter_context(servers.serving(command, ground.settings))

    first = grounds[0]
    nothing = serve(servers.baseline(), first)
    yield Target(BASELINE, nothing, first, requests.nothing, writes=False)
    status = serve(servers.function("job_status"), first)
    yield Target(STATUS, status, first, requests.status, writes=False)
    webhook = serve(servers.function("provider_webhook"), first)
    yield Target(WEBHOOK, webhook, first, requests.webhook)
    for name, ground in zip((CREATE, CREATE_IN_MEMORY), grounds, strict=False):
        create = serve(servers.function("create_job"), ground)
        yield Target(name, create, ground, requests.create)


def _beside(targets: list[Target], concurrency: int, plan: Plan) -> Iterator[Row]:
    """One run of each target, the baseline's first."""
    baseline_per_second = 0.0
    for target in targets:
        load, cpu_ms = _play(target, concurrency, plan.seconds)
        baseline_per_second = baseline_per_second or load.per_second
        ratio = load.per_second / baseline_per_second
        times = load.p50_ms, load.p99_ms, cpu_ms
        yield Row(target.name, concurrency, load.per_second, ratio, *times, load.errors)


def _play(target: Target, concurrency: int, seconds: int) -> tuple[Load, float]:
    """The load, and the processor time of the server for each request in milliseconds."""
    prepared = target.make(target.ground, seconds * _PREPARED_PER_SECOND)
    before_seconds = cpu_seconds(target.server.pid)
    load = run_load(target.server.url, concurrency, seconds, prepared)
    spent_seconds = cpu_seconds(target.server.pid) - before_seconds
    if target.writes and load.requests > len(prepared):
        raise RuntimeError(f"{target.name} was so fast that requests were repeated; prepare more")
    return load, 1000 * spent_seconds / load.requests


def _median(rows: tuple[Row, ...]) -> Row:
    return Row(
        rows[0].name,
        rows[0].concurrency,
        per_second=median(row.per_second for row in rows),
        ratio=median(row.ratio for row in rows),
        p50_ms=median(row.p50_ms for row in rows),
        p99_ms=median(row.p99_ms for row in rows),
        cpu_ms=median(row.cpu_ms for row in rows),
        errors=sum(row.errors for row in rows),
    )


async def _audit(ground: Ground) -> None:
    result = await audit(bootstrap.build(read_settings(ground.settings)))
    if result.differences:
        raise RuntimeError(f"the books do not balance: {result.differences[:3]}")
