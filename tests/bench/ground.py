"""What the load acts on: an installation with many users, their session tokens and their jobs."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from shared import bootstrap, ids, records, sessions
from shared.app import App
from shared.config import read_settings
from shared.job_states import State
from shared.jobs import Job, Result, Settings
from shared.ports import Documents, Write
from shared.usecases.create_job import create_job
from shared.usecases.open_pools import open_pools
from shared.usecases.price_job import CreateJob
from shared.usecases.read_session import Session
from shared.usecases.sign_in_local import sign_in_local

MODEL = "sandbox-video"
PROMPT = "a red fox runs through fresh snow at dawn, the camera follows low and close"

# Secrets that the bench knows, and no limits in the way of so many requests.
SETTINGS: Mapping[str, str] = {
    "SESSION_SECRET": "the bench signs sessions with this one",
    "QUOTE_SECRET": "the bench signs quotes with this other one",
    "HOOK_SECRET": "the bench signs callback addresses with it",
    "BLOB_SECRET": "the bench signs download addresses with it",
    "TASK_SECRET": "the bench would call the tasks with this one",
    "JOBS_PER_MINUTE": "200",
    "WAITING_JOBS_MAX": "1000000",
    "TRIAL_GENERATIONS": "1000000",
}
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Owned:
    """A job and the token of its owner."""

    token: str
    job_id: str


@dataclass(frozen=True, slots=True)
class Ground:
    """An installation that is ready for load."""

    settings: Mapping[str, str]
    tokens: Sequence[str]
    jobs: Sequence[Owned]


def prepare(folder: Path, users: int, jobs: int) -> Ground:
    """Sign in so many users and give them so many jobs: every second one runs, the others are
    finished."""
    return asyncio.run(_prepare({**SETTINGS, "DATA_DIR": str(folder)}, users, jobs))


async def _prepare(settings: Mapping[str, str], users: int, jobs: int) -> Ground:
    app = bootstrap.build(read_settings(settings))
    await open_pools(app)
    signed_in = await sign_in(app, users)
    tokens = [sessions.issue(app, session) for session in signed_in]
    made = await _jobs(app, signed_in, jobs) if jobs else []
    owned = [Owned(tokens[number % users], job.id) for number, job in enumerate(made)]
    return Ground(settings, tokens, owned)


async def sign_in(app: App, users: int) -> list[Session]:
    """The sessions of so many users."""
    owners = [
        owner
        for start in range(0, users, _BATCH)
        for owner in await asyncio.gather(
            *(
                sign_in_local(app, f"user{number}@bench.test", "en")
                for number in range(start, min(start + _BATCH, users))
            )
        )
    ]
    return [Session(owner.account.id, owner.account.sessions_epoch) for owner in owners]


async def _jobs(app: App, signed_in: Sequence[Session], count: int) -> list[Job]:
    """Written as they stand, after the pattern of one that was really ordered."""
    order = CreateJob(signed_in[0], MODEL, PROMPT, Settings(), images={})
    pattern = await create_job(app, order)
    made = [
        _job(pattern, signed_in[number % len(signed_in)].user_id, number) for number in range(count)
    ]
    for start in range(0, count, _BATCH):
        writes = [records.create_job(job) for job in made[start : start + _BATCH]]
        await app.store.transact([], partial(_all, writes))
    return made


def _all(writes: Sequence[Write], _documents: Documents) -> Sequence[Write]:
    return writes


def _job(pattern: Job, user_id: str, number: int) -> Job:
    job = replace(pattern, id=ids.job_id(user_id, str(number)), user_id=user_id, due_at_ms=None)
    if number % 2:
        return replace(job, state=State.RUNNING, started_at_ms=job.created_at_ms)
    return replace(
        job,
        state=State.DONE,
        completed_at_ms=job.created_at_ms,
        charged_tokens=job.hold_tokens,
        slots=(),
        results=(
            Result(
                blob_key=f"results/{job.id}/result",
                thumbnail_key=f"results/{job.id}/thumbnail.jpg",
                content_type="video/mp4",
                size_bytes=1_300_000,
                width=1280,
                height=720,
                duration_seconds=4.0,
            ),
        ),
    )
