"""The store port on SQLite: JSON documents, optimistic first, then inside the writer.

A commit is tried as on Firestore: read, decide, then write if nothing that was relied on has
changed. When it has, the step is repeated inside the writer's transaction, where nothing can come
between: a hot document costs its writers a queue and never an error.
"""

import asyncio
import json
import secrets
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from shared.adapters.sqlite import Database
from shared.adapters.store import rules
from shared.adapters.store.indexes import Index
from shared.adapters.store.sqlite_queries import Statement, build, define_index
from shared.errors import Contention
from shared.ports import Check, Create, Decide, Delete, Document, Documents, Key, Put, Query, Write

ATTEMPTS_MAX = 5  # of commits that failed or were not heard of; races are lost once at most
RETRY_MILLISECONDS_MAX = 200
SMALL_LIMIT_MAX = 100

# Every commit takes the next number, and every document it writes has that number as its version:
# a version never comes back, even when a document is deleted and created anew.
_TABLES = (
    """CREATE TABLE IF NOT EXISTS documents (
        collection TEXT NOT NULL,
        id TEXT NOT NULL,
        data TEXT NOT NULL,
        version INTEGER NOT NULL,
        PRIMARY KEY (collection, id))""",
    "CREATE TABLE IF NOT EXISTS commits (number INTEGER NOT NULL)",
    "INSERT INTO commits SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM commits)",
)
_NEXT_COMMIT = "UPDATE commits SET number = number + 1 RETURNING number"
_SET = (
    "INSERT INTO documents (collection, id, data, version) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (collection, id) DO UPDATE SET data = excluded.data, version = excluded.version"
)
_DELETE = "DELETE FROM documents WHERE collection = ? AND id = ?"


class SqliteStore:
    """Documents in one table of the shared database file."""

    def __init__(self, database: Database, indexes: Sequence[Index] = ()) -> None:
        """Make the table, and the indexes that are not there yet."""
        self._database = database
        self._indexes = tuple(indexes)
        database.define([*_TABLES, *(define_index(index) for index in indexes)])

    async def close(self) -> None:
        """Close the file, which closes the queue on it too."""
        await self._database.close()

    async def get(self, keys: Sequence[Key]) -> Documents:
        """See the port."""
        rules.check_keys(keys)
        return self._database.read(lambda connection: _read(connection, keys))

    async def transact(
        self, keys: Sequence[Key], decide: Decide, *, known: Documents | None = None
    ) -> Documents:
        """See the port."""
        rules.check_keys(keys)
        for attempt in range(ATTEMPTS_MAX):
            # `known` saves a round trip elsewhere. Here a read takes microseconds and is never old.
            read = self._database.read(lambda connection: _read(connection, keys))
            step = _Commit(keys, decide, read)
            if not step.writes:
                return step.documents
            try:
                return await self._database.write(step)
            except sqlite3.OperationalError as error:
                # Locked, full, or a reply that was lost: only a new read can tell.
                if attempt == ATTEMPTS_MAX - 1:
                    raise Contention("the documents are busy; try again") from error
            await asyncio.sleep(_pause_seconds(attempt))
        raise AssertionError("the last attempt raises")

    async def query(self, query: Query) -> Sequence[Document]:
        """See the port."""
        rules.check_query(query)
        statement = build(query, self._indexes)
        if statement.served and query.limit <= SMALL_LIMIT_MAX:
            return self._database.read(lambda connection: _select(connection, query, statement))
        return await self._database.read_in_thread(
            lambda connection: _select(connection, query, statement)
        )


class _Commit:
    """One step for the writer: write what was decided if it still holds, else decide again here."""

    def __init__(self, keys: Sequence[Key], decide: Decide, documents: Documents) -> None:
        self._keys = keys
        self._decide = decide
        self.documents = documents
        self.writes = self._decided()

    def __call__(self, connection: sqlite3.Connection) -> Documents:
        if not self._holds(connection):
            self.documents = _read(connection, self._keys)
            self.writes = self._decided()
            if not self._holds(connection):
                raise Contention("a document to be created exists already")
        if not self.writes:
            return self.documents
        (number,) = connection.execute(_NEXT_COMMIT).fetchone()
        result = dict(self.documents)
        for write in self.writes:
            if not isinstance(write, Check):
                result[write.key] = self._apply(connection, write, number)
        return result

    def _decided(self) -> Sequence[Write]:
        writes = self._decide(self.documents)
        rules.check_writes(self.documents, writes)
        self._texts = {
            write.key: rules.encode(write.data)
            for write in writes
            if isinstance(write, Create | Put)
        }
        return writes

    def _holds(self, connection: sqlite3.Connection) -> bool:
        """Whether every document that is written or checked is as `decide` took it to be."""
        touched = {write.key: write for write in self.writes}
        rows = _rows(connection, "version", touched)
        found = {Key(collection, id): version for collection, id, version in rows}
        return all(
            found.get(key) == (None if isinstance(write, Create) else self.documents[key].version)
            for key, write in touched.items()
        )

    def _apply(
        self, connection: sqlite3.Connection, write: Create | Put | Delete, number: int
    ) -> Document:
        key = write.key
        if isinstance(write, Delete):
            connection.execute(_DELETE, (key.collection, key.id))
            return Document(key, None, None)
        connection.execute(_SET, (key.collection, key.id, self._texts[key], number))
        return Document(key, write.data, number)


def _read(connection: sqlite3.Connection, keys: Sequence[Key]) -> Mapping[Key, Document]:
    documents = {key: Document(key, None, None) for key in keys}
    for collection, id, text, version in _rows(connection, "data, version", keys):
        key = Key(collection, id)
        documents[key] = Document(key, json.loads(text), version)
    return documents


def _rows(
    connection: sqlite3.Connection, columns: str, keys: Collection[Key]
) -> list[tuple[Any, ...]]:
    """The documents that exist. One statement is one snapshot."""
    if not keys:
        return []
    values = [part for key in keys for part in (key.collection, key.id)]
    # (collection, id) IN (VALUES …) would scan the whole table.
    terms = " OR ".join(["(collection = ? AND id = ?)"] * len(keys))
    sql = f"SELECT collection, id, {columns} FROM documents WHERE {terms}"  # noqa: S608 - all ours
    return connection.execute(sql, values).fetchall()


def _select(connection: sqlite3.Connection, query: Query, statement: Statement) -> list[Document]:
    rows: list[tuple[str, str, Any]] = connection.execute(
        statement.sql, statement.values
    ).fetchall()
    return [
        Document(Key(query.collection, id), json.loads(text), version) for id, text, version in rows
    ]


def _pause_seconds(attempt: int) -> float:
    """Doubling and jittered, so that those who lost together do not come back together."""
    return secrets.randbelow(min(RETRY_MILLISECONDS_MAX, 8 << attempt)) / 1000
