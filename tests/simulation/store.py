"""The store port on plain dictionaries: atomic commits with preconditions, and ways to lose one.

It behaves as the cloud's store may: what is `known` is believed in the first attempt, a lost reply
and a lost race look the same, and after either the step starts again from the read.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from shared.adapters.store import rules
from shared.adapters.store.indexes import Index, serving_index
from shared.errors import Contention, Unavailable
from shared.ports import (
    Check,
    Create,
    Data,
    Decide,
    Delete,
    Document,
    Documents,
    Key,
    Put,
    Query,
    Write,
)
from tests.simulation.kernel import Call, Kernel
from tests.simulation.queries import select

ATTEMPTS_MAX = 6
_PAUSE_MS = 50


class Lost(Exception):
    """A commit that lost its race, or of which nobody knows."""


class Change(NamedTuple):
    """One document of a commit, as it was and as it is."""

    key: Key
    before: Data | None
    after: Data | None


Watch = Callable[[Sequence[Change]], None]


class SimulatedStore:
    """Documents in memory. `watch` sees every commit. With `indexes` it is strict: every rule of
    the real stores is enforced, and documents are JSON; otherwise that is left out, for speed."""

    def __init__(
        self,
        kernel: Kernel,
        watch: Watch,
        *,
        indexes: Sequence[Index] | None = None,
        attempts_max: int = ATTEMPTS_MAX,
    ) -> None:
        self._kernel = kernel
        self._watch = watch
        self._indexes = indexes or ()
        self._strict = indexes is not None
        self._attempts_max = attempts_max
        self._collections: dict[str, dict[str, Document]] = defaultdict(dict)
        self._commits = 0
        self.down_until_ms = 0

    # ------------------------------------------------------------ the port

    async def get(self, keys: Sequence[Key]) -> Documents:
        """See the port."""
        if self._strict:
            rules.check_keys(keys)
        documents: Documents = await Call("read", self._read, (keys,), _unavailable, _named)
        return documents

    async def transact(
        self, keys: Sequence[Key], decide: Decide, *, known: Documents | None = None
    ) -> Documents:
        """See the port."""
        if known:
            documents = await self._guessed(keys, known)
            try:
                writes = decide(documents)
            except Exception:  # noqa: BLE001 - it may come from a wrong guess, so it is asked again
                writes = []
            if not writes:
                documents = await self.get(keys)
                writes = decide(documents)
        else:
            documents = await self.get(keys)
            writes = decide(documents)
        for attempt in range(self._attempts_max):
            if not writes:
                return documents
            try:
                return await self._commit(documents, writes)
            except Lost:
                pause_ms = 1 + int(self._kernel.chance.random() * _PAUSE_MS * (attempt + 1))
            await self._kernel.pause(pause_ms)
            documents = await self.get(keys)
            writes = decide(documents)
        raise Contention("The documents are busy. Try again.")

    async def query(self, query: Query) -> Sequence[Document]:
        """See the port."""
        if self._strict:
            rules.check_query(query)
            serving_index(query, self._indexes)
        found: Sequence[Document] = await Call(
            "query", self._select, (query,), _unavailable, _asked
        )
        return found

    # ------------------------------------------------------------ what tests and checks look at

    def peek(self, key: Key) -> Data | None:
        """A document as it is now."""
        found = self._collections[key.collection].get(key.id)
        return None if found is None else found.data

    def all(self, collection: str) -> Iterable[Data]:
        """Every document of a collection as it is now."""
        return [
            document.data
            for document in self._collections[collection].values()
            if document.data is not None
        ]

    def set_up(self, writes: Sequence[Create]) -> None:
        """Documents that are there before anything begins."""
        self._commits += 1
        self._watch([self._write(write, {}) for write in writes])

    # ------------------------------------------------------------ how it works

    async def _guessed(self, keys: Sequence[Key], known: Documents) -> Documents:
        missing = [key for key in keys if key not in known]
        read = await self.get(missing) if missing else {}
        return {key: known[key] if key in known else read[key] for key in keys}

    async def _commit(self, documents: Documents, writes: Sequence[Write]) -> Documents:
        if self._strict:
            rules.check_writes(documents, writes)
            for write in writes:
                if isinstance(write, Create | Put):
                    rules.encode(write.data)
        after: Documents = await Call("commit", self._apply, (documents, writes), Lost, _written)
        return after

    def _check_up(self) -> None:
        if self._kernel.now_ms < self.down_until_ms:
            raise _unavailable()

    def _read(self, keys: Sequence[Key]) -> Documents:
        self._check_up()
        found: dict[Key, Document] = {}
        for key in keys:
            document = self._collections[key.collection].get(key.id)
            found[key] = Document(key, None, None) if document is None else document
        return found

    def _apply(self, documents: Documents, writes: Sequence[Write]) -> Documents:
        if self._kernel.now_ms < self.down_until_ms or self._kernel.faults.hits("contention"):
            raise Lost
        for write in writes:
            key = write.key
            present = self._collections[key.collection].get(key.id)
            expected = None if type(write) is Create else documents[key].version
            if expected != (None if present is None else present.version):
                raise Lost
        self._commits += 1
        result = dict(documents)
        changes = [self._write(write, result) for write in writes if not isinstance(write, Check)]
        self._watch(changes)
        return result

    def _write(self, write: Create | Put | Delete, result: dict[Key, Document]) -> Change:
        key = write.key
        collection = self._collections[key.collection]
        present = collection.get(key.id)
        before = None if present is None else present.data
        if isinstance(write, Delete):
            collection.pop(key.id, None)
            result[key] = Document(key, None, None)
            return Change(key, before, None)
        data = json.loads(json.dumps(write.data)) if self._strict else write.data
        collection[key.id] = result[key] = Document(key, data, self._commits)
        return Change(key, before, data)

    def _select(self, query: Query) -> Sequence[Document]:
        self._check_up()
        return select(self._collections[query.collection].values(), query)


def _unavailable() -> Exception:
    return Unavailable("The store does not answer.")


def _named(keys: Iterable[Key]) -> str:
    return ", ".join(f"{key.collection}/{key.id[:14]}" for key in keys)


def _asked(query: Query) -> str:
    where = " and ".join(f"{each.field} {each.op} {each.value}" for each in query.where)
    return f"{query.collection} where {where}"


def _written(_documents: Documents, writes: Sequence[Write]) -> str:
    return _named(write.key for write in writes)
