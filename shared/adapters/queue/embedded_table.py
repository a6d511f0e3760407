"""The tables of the embedded queue: the tasks that wait, and the keys of those that ended.

Every function is one step for `shared.adapters.sqlite.Database`.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from shared.ports import Task

TABLES = (
    """CREATE TABLE IF NOT EXISTS tasks (
        number INTEGER PRIMARY KEY,
        queue TEXT NOT NULL,
        key TEXT NOT NULL,
        name TEXT NOT NULL,
        payload TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        due_ms INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        UNIQUE (queue, key))""",
    "CREATE INDEX IF NOT EXISTS tasks_due ON tasks (queue, due_ms, number)",
    """CREATE TABLE IF NOT EXISTS ended_tasks (
        queue TEXT NOT NULL,
        key TEXT NOT NULL,
        free_ms INTEGER NOT NULL,
        PRIMARY KEY (queue, key)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS ended_tasks_free ON ended_tasks (free_ms)",
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task in the table. `attempts` is how often its delivery has begun."""

    number: int
    attempts: int
    task: Task


def insert(connection: sqlite3.Connection, task: Task, payload: str, now_ms: int) -> bool:
    """Add a task, unless its key is taken; whether it was added."""
    added = connection.execute(
        "INSERT INTO tasks (queue, key, name, payload, at_ms, due_ms)"
        " SELECT ?1, ?2, ?3, ?4, ?5, max(?5, ?6)"
        " WHERE NOT EXISTS"
        " (SELECT 1 FROM ended_tasks WHERE queue = ?1 AND key = ?2 AND free_ms > ?6)"
        " ON CONFLICT (queue, key) DO NOTHING",
        (task.queue, task.key, task.name, payload, task.at_ms, now_ms),
    )
    return added.rowcount == 1


def due(connection: sqlite3.Connection, queue: str, now_ms: int, limit: int) -> list[Waiting]:
    """The tasks that may be delivered, those that have waited longest first."""
    rows = connection.execute(
        "SELECT number, attempts, name, key, payload, at_ms FROM tasks"
        " WHERE queue = ? AND due_ms <= ? ORDER BY due_ms, number LIMIT ?",
        (queue, now_ms, limit),
    ).fetchall()
    return [
        Waiting(number, attempts, Task(name, key, json.loads(payload), queue, at_ms))
        for number, attempts, name, key, payload, at_ms in rows
    ]


def next_due_ms(connection: sqlite3.Connection, queue: str, now_ms: int) -> int | None:
    """When the next task that is not due yet will be."""
    (due_ms,) = connection.execute(
        "SELECT min(due_ms) FROM tasks WHERE queue = ? AND due_ms > ?", (queue, now_ms)
    ).fetchone()
    return int(due_ms) if due_ms is not None else None


def count_attempts(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Note that deliveries begin, so that a task that kills the process is not tried for ever."""
    connection.executemany(
        "UPDATE tasks SET attempts = attempts + 1 WHERE number = ?", [(each,) for each in numbers]
    )


def postpone(connection: sqlite3.Connection, number: int, due_ms: int) -> None:
    """Deliver a task again, later."""
    connection.execute("UPDATE tasks SET due_ms = ? WHERE number = ?", (due_ms, number))


def end(connection: sqlite3.Connection, waiting: Waiting, free_ms: int) -> None:
    """Remove a task; its key stays taken until `free_ms`."""
    connection.execute("DELETE FROM tasks WHERE number = ?", (waiting.number,))
    connection.execute(
        "INSERT OR REPLACE INTO ended_tasks (queue, key, free_ms) VALUES (?, ?, ?)",
        (waiting.task.queue, waiting.task.key, free_ms),
    )


def free_keys(connection: sqlite3.Connection, now_ms: int, limit: int) -> int:
    """Forget keys whose time is over, at most `limit`; how many."""
    return connection.execute(
        "DELETE FROM ended_tasks WHERE (queue, key) IN"
        " (SELECT queue, key FROM ended_tasks WHERE free_ms <= ? ORDER BY free_ms LIMIT ?)",
        (now_ms, limit),
    ).rowcount


def depths(connection: sqlite3.Connection) -> dict[str, int]:
    """How many tasks each queue has that has any."""
    return dict(connection.execute("SELECT queue, count(*) FROM tasks GROUP BY queue").fetchall())
