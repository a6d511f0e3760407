"""A process made to be killed: it writes, pushes and handles as fast as it can.

Whatever it is told is durable it notes at once, in a file of its own: that note must hold for ever.

`python -m tests.unit.adapters.kill_worker DATABASE NOTES LIFE`
"""

import asyncio
import itertools
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from shared.adapters.queue.embedded import EmbeddedQueue
from shared.adapters.sqlite import Database
from shared.adapters.store.sqlite import SqliteStore
from shared.adapters.system import SystemClock
from shared.ports import Create, Documents, Key, Put, QueueSpec, Store, Task, Verdict, Write

WRITERS = 8
COUNTERS = 3
SPECS = (QueueSpec("work", 20, 100_000, min_backoff_seconds=0.01, max_backoff_seconds=0.02),)


def counter_key(row_id: str) -> Key:
    """The counter that a row is counted in."""
    return Key("counters", str(len(row_id) % COUNTERS))


async def add_row(store: Store, row_id: str) -> None:
    """Create a row and count it, once however often it is called."""
    row, counter = Key("rows", row_id), counter_key(row_id)

    def decide(documents: Documents) -> Sequence[Write]:
        if documents[row].data:
            return []
        count = (documents[counter].data or {"rows": 0})["rows"]
        return [Create(row, {"id": row_id}), Put(counter, {"rows": count + 1})]

    await store.transact([row, counter], decide)


async def handle(store: Store, task: Task) -> Verdict:
    """Do a task: its row is its effect. Every third fails after that the first time."""
    row_id = f"task:{task.key}"
    fails = int(task.key.rpartition("-")[2]) % 3 == 0
    first = (await store.get([Key("rows", row_id)]))[Key("rows", row_id)].data is None
    await add_row(store, row_id)
    return "again" if first and fails else "done"


async def live(database_path: Path, notes_path: Path, life: str) -> None:
    """Until killed."""
    notes = os.open(notes_path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    database = Database(database_path)
    store, queue = SqliteStore(database), EmbeddedQueue(database, SPECS, SystemClock())

    async def write(writer: int) -> None:
        for number in itertools.count():
            row_id = f"{life}-{writer}-{number}"
            await add_row(store, row_id)
            os.write(notes, f"wrote {row_id}\n".encode())
            await queue.push(Task("work", row_id, {"id": row_id}, "work"))
            os.write(notes, f"pushed {row_id}\n".encode())

    await asyncio.gather(
        queue.run(lambda task: handle(store, task)), *(write(writer) for writer in range(WRITERS))
    )


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
