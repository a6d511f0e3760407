"""A process killed at random moments loses nothing that it had acknowledged."""

import asyncio
import contextlib
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from shared.adapters.queue.embedded import EmbeddedQueue
from shared.adapters.sqlite import Database
from shared.adapters.store.sqlite import SqliteStore
from shared.adapters.system import SystemClock
from shared.ports import Task, Verdict
from tests.unit.adapters import kill_worker

LIVES = 10
LIFE_SECONDS = (0.05, 0.4)
ROOT = Path(__file__).resolve().parents[3]


def live_and_die(database_path: Path, notes_path: Path, life: int) -> set[str]:
    """What the process had noted as durable when it was killed."""
    command = [sys.executable, "-m", "tests.unit.adapters.kill_worker"]
    arguments = [str(database_path), str(notes_path), f"life{life}"]
    with subprocess.Popen([*command, *arguments], cwd=ROOT) as process:
        deadline = time.monotonic() + 10
        while not notes_path.exists() or not notes_path.stat().st_size:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.005)
        time.sleep(random.uniform(*LIFE_SECONDS))
        assert process.poll() is None
        process.kill()
    return set(notes_path.read_text().split("\n")[:-1])


async def finish(database_path: Path) -> None:
    """One more life, in which everything that is queued is done."""
    async with Database(database_path) as database:
        store = SqliteStore(database)
        queue = EmbeddedQueue(database, kill_worker.SPECS, SystemClock())

        async def handle(task: Task) -> Verdict:
            return await kill_worker.handle(store, task)

        running = asyncio.create_task(queue.run(handle))
        async with asyncio.timeout(10):
            while (await queue.depths())["work"]:  # noqa: ASYNC110 - there is no such event
                await asyncio.sleep(0.01)
        await queue.stop()
        await running


async def test_nothing_acknowledged_is_lost_by_kill_9_at_random_moments(tmp_path: Path) -> None:
    database_path = tmp_path / "reelmint.db"
    notes: set[str] = set()
    for life in range(LIVES):
        notes |= live_and_die(database_path, tmp_path / f"notes{life}", life)
    await finish(database_path)

    with contextlib.closing(sqlite3.connect(database_path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = {
            id for (id,) in connection.execute("SELECT id FROM documents WHERE collection = 'rows'")
        }
        counted = connection.execute(
            "SELECT sum(json_extract(data, '$.rows')) FROM documents WHERE collection = 'counters'"
        ).fetchone()[0]

    wrote = {note.removeprefix("wrote ") for note in notes if note.startswith("wrote ")}
    pushed = {note.removeprefix("pushed ") for note in notes if note.startswith("pushed ")}
    assert len(wrote) > 100
    assert len(pushed) > 100
    assert wrote <= rows, "a commit was acknowledged and lost"
    assert {f"task:{key}" for key in pushed} <= rows, "a task was acknowledged and never done"
    assert counted == len(rows), "a commit was done by half"
