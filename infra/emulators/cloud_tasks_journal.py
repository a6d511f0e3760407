"""What survives a restart of the Cloud Tasks stand-in: queues, waiting tasks, taken names."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from google.cloud import tasks_v2

from infra.emulators.cloud_tasks_rules import QueueMessage, TaskMessage

_TABLES = """
CREATE TABLE IF NOT EXISTS queues (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tasks (
    name TEXT PRIMARY KEY, queue TEXT NOT NULL, body BLOB NOT NULL, due REAL NOT NULL,
    previous INTEGER NOT NULL, executions INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS taken (name TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS taken_until ON taken (until);
"""


@dataclass(slots=True, eq=False)
class Held:
    """A task that is not done. `due` is in Unix seconds; `previous` is the HTTP status of the last
    answer and `executions` counts the answers that were no 5xx."""

    task: TaskMessage
    due: float
    previous: int = 0
    executions: int = 0
    running: int = 0

    @property
    def name(self) -> str:
        """The task's full name."""
        return str(self.task.name)

    @property
    def queue(self) -> str:
        """The full name of its queue."""
        return self.name.partition("/tasks/")[0]


class Journal:
    """One SQLite file, or none. Each change is durable against the end of the process when the
    call returns."""

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=NORMAL")
        self._file.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def queues(self) -> Iterator[QueueMessage]:
        """Every queue."""
        for (body,) in self._file.execute("SELECT body FROM queues").fetchall():
            yield tasks_v2.Queue.pb().FromString(body)

    def put_queue(self, queue: QueueMessage) -> None:
        """Keep a queue as it is now."""
        row = (queue.name, queue.SerializeToString())
        self._file.execute("INSERT OR REPLACE INTO queues VALUES (?, ?)", row)

    def drop_queue(self, name: str) -> None:
        """Forget a queue and what waits in it."""
        with self._file:
            self._file.execute("BEGIN")
            self._file.execute("DELETE FROM queues WHERE name = ?", (name,))
            self._file.execute("DELETE FROM tasks WHERE queue = ?", (name,))

    def tasks(self) -> Iterator[Held]:
        """Every task that is not done; what was being delivered is due."""
        asked = "SELECT body, due, previous, executions FROM tasks ORDER BY due"
        for body, due, previous, executions in self._file.execute(asked).fetchall():
            yield Held(tasks_v2.Task.pb().FromString(body), due, previous, executions)

    def put_task(self, held: Held) -> None:
        """Keep a task as it is now."""
        body = held.task.SerializeToString()
        row = (held.name, held.queue, body, held.due, held.previous, held.executions)
        self._file.execute("INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?, ?)", row)

    def end_task(self, name: str, taken_until: float) -> None:
        """Forget a task, and keep its name from being used again for a while."""
        with self._file:
            self._file.execute("BEGIN")
            self._file.execute("DELETE FROM tasks WHERE name = ?", (name,))
            self._file.execute("INSERT OR REPLACE INTO taken VALUES (?, ?)", (name, taken_until))

    def is_taken(self, name: str, now: float) -> bool:
        """Whether a task of this name ended too recently."""
        asked = "SELECT 1 FROM taken WHERE name = ? AND until > ?"
        return self._file.execute(asked, (name, now)).fetchone() is not None

    def free_names(self, now: float) -> None:
        """Forget the names whose time is over."""
        self._file.execute("DELETE FROM taken WHERE until <= ?", (now,))
