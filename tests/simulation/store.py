"""The store port on plain dictionaries: atomic commits with preconditions, and every way to lose one.

It behaves as the cloud's store may: what is `known` is believed in the first attempt, a lost reply
and a lost race look the same, and after either the step starts again from the read.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

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
    Where,
    Write,
)
from tests.simulation.kernel import Call, Kernel

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
    """Documents in memory. `watch` sees every commit."""

    def __init__(self, kernel: Kernel, watch: Watch) -> None:
        self._kernel = kernel
        self._watch = watch
        self._collections: dict[str, dict[str, Document]] = {}
        self._commits = 0
        self.down_until_ms = 0

    # ------------------------------------------------------------ the port

    async def get(self, keys: Sequence[Key]) -> Documents:
        """See the port."""
        return await self._call("read", lambda: self._read(keys), keys)

    async def transact(
        self, keys: Sequence[Key], decide: Decide, *, known: Documents | None = None
    ) -> Documents:
        """See the port."""
        documents = await self._first(keys, known)
        for attempt in range(ATTEMPTS_MAX):
            writes = decide(documents)
            if not writes:
                return documents
            try:
                return await self._commit(documents, writes)
            except Lost:
                await self._kernel.pause(1 + int(self._kernel.chance.random() * _PAUSE_MS * (attempt + 1)))
            documents = await self.get(keys)
        raise Contention("the documents are busy; try again")

    async def query(self, query: Query) -> Sequence[Document]:
        """See the port."""
        return await self._call("query", lambda: self._select(query), query)

    # ------------------------------------------------------------ what tests and checks look at

    def peek(self, key: Key) -> Data | None:
        """A document as it is now."""
        found = self._collections.get(key.collection, {}).get(key.id)
        return None if found is None else found.data

    def all(self, collection: str) -> Iterable[Data]:
        """Every document of a collection as it is now."""
        for document in self._collections.get(collection, {}).values():
            assert document.data is not None
            yield document.data

    def put_now(self, writes: Iterable[Create]) -> None:
        """Set the stage: documents that are there before anything begins."""
        changes = []
        for write in writes:
            collection = self._collections.setdefault(write.key.collection, {})
            collection[write.key.id] = Document(write.key, write.data, 0)
            changes.append(Change(write.key, None, write.data))
        self._watch(changes)

    # ------------------------------------------------------------ how it works

    async def _first(self, keys: Sequence[Key], known: Documents | None) -> Documents:
        if not known:
            return await self.get(keys)
        missing = [key for key in keys if key not in known]
        read = await self.get(missing) if missing else {}
        return {key: known[key] if key in known else read[key] for key in keys}

    async def _commit(self, documents: Documents, writes: Sequence[Write]) -> Documents:
        return await Call("commit", lambda: self._apply(documents, writes), Lost, writes)

    def _call(self, port: str, effect: Callable[[], Any], about: object) -> Call:
        return Call(port, lambda: self._up(effect), _unavailable, about)

    def _up(self, effect: Callable[[], Any]) -> Any:
        if self._kernel.now_ms < self.down_until_ms:
            raise _unavailable()
        return effect()

    def _read(self, keys: Sequence[Key]) -> Documents:
        collections = self._collections
        found: dict[Key, Document] = {}
        for key in keys:
            document = collections.get(key.collection, {}).get(key.id)
            found[key] = Document(key, None, None) if document is None else document
        return found

    def _apply(self, documents: Documents, writes: Sequence[Write]) -> Documents:
        if self._kernel.now_ms < self.down_until_ms or self._kernel.faults.hits("contention"):
            raise Lost
        for write in writes:
            present = self._collections.get(write.key.collection, {}).get(write.key.id)
            expected = None if isinstance(write, Create) else documents[write.key].version
            if expected != (None if present is None else present.version):
                raise Lost
        self._commits += 1
        result = dict(documents)
        changes: list[Change] = []
        for write in writes:
            if isinstance(write, Check):
                continue
            collection = self._collections.setdefault(write.key.collection, {})
            before = collection.get(write.key.id)
            if isinstance(write, Delete):
                collection.pop(write.key.id, None)
                result[write.key] = Document(write.key, None, None)
                changes.append(Change(write.key, before and before.data, None))
            else:
                assert isinstance(write, Create | Put)
                after = Document(write.key, write.data, self._commits)
                collection[write.key.id] = result[write.key] = after
                changes.append(Change(write.key, before and before.data, write.data))
        self._watch(changes)
        return result

    def _select(self, query: Query) -> Sequence[Document]:
        found = [
            document
            for document in self._collections.get(query.collection, {}).values()
            if document.data is not None and _matches(document.data, query)
        ]
        orders = query.order
        descends = bool(orders) and orders[-1].descending
        found.sort(key=lambda document: document.key.id, reverse=descends)
        for order in reversed(orders):
            name = order.field
            found.sort(key=lambda document: _rank((document.data or {})[name]), reverse=order.descending)
        if query.after is not None:
            found = [document for document in found if _is_after(document, query, query.after)]
        return found[: query.limit]


def _unavailable() -> Exception:
    return Unavailable("The store does not answer.")


def _matches(data: Data, query: Query) -> bool:
    for where in query.where:
        if where.field not in data or not _holds(where, data[where.field]):
            return False
    return all(order.field in data for order in query.order)


def _holds(where: Where, value: Any) -> bool:
    wanted, op = where.value, where.op
    if op == "==":
        return _rank(value) == _rank(wanted)
    if op == "in":
        return any(_rank(value) == _rank(each) for each in wanted)
    (kind, number), (wanted_kind, wanted_number) = _rank(value), _rank(wanted)
    if kind != wanted_kind:
        return False
    match op:
        case "<":
            return bool(number < wanted_number)
        case "<=":
            return bool(number <= wanted_number)
        case ">":
            return bool(number > wanted_number)
        case _:
            return bool(number >= wanted_number)


def _rank(value: Any) -> tuple[int, Any]:
    """Values of one kind compare with each other; null is below everything, true is not 1."""
    if value is None:
        return 0, 0
    if isinstance(value, bool):
        return 1, value
    if isinstance(value, int | float):
        return 2, value
    return 3, value


def _is_after(document: Document, query: Query, after: tuple[Any, ...]) -> bool:
    data: Mapping[str, Any] = document.data or {}
    descends = False
    for order, last in zip(query.order, after, strict=False):
        descends = order.descending
        here, there = _rank(data[order.field]), _rank(last)
        if here != there:
            return (here < there) if order.descending else (here > there)
    return document.key.id < after[-1] if descends else document.key.id > after[-1]
