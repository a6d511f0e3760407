"""Whole lives of jobs per second, from order to charge, with a vendor that is done at once."""

import asyncio
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import uvloop

from shared import bootstrap, catalogue, records
from shared.adapters.queue.embedded import EmbeddedQueue
from shared.adapters.sqlite import Database
from shared.adapters.store.sqlite import SqliteStore
from shared.app import App
from shared.config import read_settings
from shared.jobs import Settings
from shared.ports import Task, Verdict
from shared.usecases.create_job import create_job
from shared.usecases.open_pools import open_pools
from shared.usecases.price_job import CreateJob
from shared.usecases.run_task import run_task
from shared.usecases.tasks import queue_specs
from tests.bench.ground import MODEL, PROMPT, SETTINGS, Ground, prepare, sign_in
from tests.bench.instant import BelievingMedia, InstantVendors
from tests.bench.plan import Plan
from tests.bench.servers import local, serving
from tests.product import vendor_running

POOL = "sandbox"
SLOTS = (4, 64)  # as the catalogue has it, and wide
_WIDE_SUBMITS_PER_MINUTE = 30_000  # as many as Cloud Tasks starts
_USERS = 200
_TOGETHER = 16
_LOOK_SECONDS = 0.05
_LIMIT_SECONDS = 300.0
_ENDED = {"succeeded", "failed", "cancelled"}
_COUNTS = (
    "SELECT json_extract(data, '$.status'), count(*) FROM documents WHERE collection = ? GROUP BY 1"
)


@dataclass(frozen=True, slots=True)
class Lives:
    """So many jobs lived their whole lives in so many seconds."""

    name: str
    slots: int
    jobs: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Their rate."""
        return self.jobs / self.seconds


def measure(folder: Path, plan: Plan) -> list[Lives]:
    """All ways of running, each in a folder of its own."""
    ways = [_over_the_wire(folder / "wire", plan.jobs_over_the_wire)]
    return ways + [_in_process(folder / str(n), plan.jobs_in_process, n) for n in SLOTS]


def _over_the_wire(folder: Path, jobs: int) -> Lives:
    """The local runner and the sandbox vendor as they are: two processes, real HTTP, real videos
    decoded. From the first order until the last charge."""
    slots = catalogue.load().pools[POOL].slots
    ground = prepare(folder, _USERS, jobs=0)
    arguments = ("--render", "instant", "--latency", "0", "--concurrency", str(slots))
    with (
        vendor_running(*arguments) as vendor_url,
        serving(local(), {**ground.settings, "VENDOR_SANDBOX_URL": vendor_url}) as server,
    ):
        began = time.perf_counter()
        _order_by_http(server.url, ground, jobs)
        charged = _all_charged(folder)
        seconds = time.perf_counter() - began
    assert charged == jobs, f"{charged} of {jobs} jobs"
    return Lives("local runner and sandbox vendor", slots, jobs, seconds)


def _in_process(folder: Path, jobs: int, slots: int) -> Lives:
    """One process without sockets and without decoding: real use cases, queue, store and blobs."""
    seconds = uvloop.run(_seconds_of(folder, jobs, slots))
    return Lives("use cases, queue and store alone", slots, jobs, seconds)


def _order_by_http(url: str, ground: Ground, jobs: int) -> None:
    body = {"model": MODEL, "prompt": PROMPT}
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        for number in range(jobs):
            token = ground.tokens[number % len(ground.tokens)]
            headers = {"authorization": f"Bearer {token}", "idempotency-key": str(number)}
            client.post("/v1/jobs", json=body, headers=headers).raise_for_status()


async def _seconds_of(folder: Path, jobs: int, slots: int) -> float:
    vendors = InstantVendors()
    async with Database(folder / "reelmint.db") as database:
        app = vendors.app = _app(folder, database, vendors, slots)
        queue = app.queue
        assert isinstance(queue, EmbeddedQueue)

        async def deliver(task: Task) -> Verdict:
            return await run_task(app, task.name, task.payload)

        await open_pools(app)
        commands = await _commands(app, jobs)
        deliveries = asyncio.create_task(queue.run(deliver))
        began = time.perf_counter()
        await asyncio.gather(*(_order(app, commands) for _ in range(_TOGETHER)))
        charged = await asyncio.to_thread(_all_charged, folder)
        seconds = time.perf_counter() - began
        assert charged == jobs, f"{charged} of {jobs} jobs"
        await queue.stop()
        await deliveries
    return seconds


def _app(folder: Path, database: Database, vendors: InstantVendors, slots: int) -> App:
    app = bootstrap.build(read_settings({**SETTINGS, "DATA_DIR": str(folder)}))
    pool = app.catalogue.pools[POOL]
    places = dict.fromkeys(pool.places, slots)
    wide = replace(pool, places=places, submits_per_minute=_WIDE_SUBMITS_PER_MINUTE)
    models = replace(app.catalogue, pools={POOL: wide})
    return replace(
        app,
        catalogue=models,
        store=SqliteStore(database, records.INDEXES),
        queue=EmbeddedQueue(database, queue_specs(models), app.clock),
        vendors=vendors,
        media=BelievingMedia(),
    )


async def _commands(app: App, jobs: int) -> Iterable[CreateJob]:
    sessions = await sign_in(app, _USERS)
    return iter(
        [
            CreateJob(
                sessions[number % len(sessions)],
                MODEL,
                PROMPT,
                Settings(),
                images={},
                idempotency_key=str(number),
            )
            for number in range(jobs)
        ]
    )


async def _order(app: App, commands: Iterable[CreateJob]) -> None:
    for command in commands:
        await create_job(app, command)


def _all_charged(folder: Path) -> int:
    """Wait until every job is; how many there are."""
    deadline = time.monotonic() + _LIMIT_SECONDS
    while not (counts := _counts(folder)).keys() <= _ENDED:
        assert time.monotonic() < deadline, counts
        time.sleep(_LOOK_SECONDS)
    assert counts.keys() == {"succeeded"}, counts
    return counts["succeeded"]


def _counts(folder: Path) -> dict[str, int]:
    """How many jobs have each status."""
    with closing(sqlite3.connect(folder / "reelmint.db")) as connection:
        return dict(connection.execute(_COUNTS, (records.JOBS,)).fetchall())
