"""Documents, changed in transactions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

Data = Mapping[str, Any]  # a JSON object; ints stay ints


class Key(NamedTuple):
    """Where one document lives. A tuple, since nothing is made, hashed and compared more often."""

    collection: str
    id: str


class Document(NamedTuple):
    """One document as it was read. `data` and `version` are None when it does not exist."""

    key: Key
    data: Data | None
    version: object | None


Documents = Mapping[Key, Document]


@dataclass(frozen=True, slots=True)
class Create:
    """Write a document that must not exist. It need not have been read."""

    key: Key
    data: Data


@dataclass(frozen=True, slots=True)
class Put:
    """Replace a document that was read, if it is still as it was read (absent counts too)."""

    key: Key
    data: Data


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a document that was read, if it is still as it was read."""

    key: Key


@dataclass(frozen=True, slots=True)
class Check:
    """Write nothing, but commit only if this document is still as it was read."""

    key: Key


Write = Create | Put | Delete | Check
Decide = Callable[[Documents], Sequence[Write]]

Operator = Literal["==", "<", "<=", ">", ">=", "in"]


@dataclass(frozen=True, slots=True)
class Where:
    """One condition on a top-level field."""

    field: str
    op: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key; the document id is always the last one, in the direction of the last given."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Documents of one collection. `after` holds the last seen values of `order`, then the last
    seen id.
    """

    collection: str
    where: tuple[Where, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int = 100
    after: tuple[Any, ...] | None = None


class Store(Protocol):
    """Documents that change in optimistic, all-or-nothing commits."""

    async def get(self, keys: Sequence[Key]) -> Documents:
        """Read documents in one call, each at its newest committed version; all of `keys` are in
        the answer.
        """
        ...

    async def transact(
        self, keys: Sequence[Key], decide: Decide, *, known: Documents | None = None
    ) -> Documents:
        """Read `keys`, let `decide` choose the writes, commit all of them or none, and return the
        documents as they now stand (read ones overlaid with written ones, with versions fit for
        `known`).

        `decide` is pure and may run several times. It starts again from the read when a race was
        lost or when the outcome of a commit is not known, so it must recognise its own earlier
        effect (a row, a claim, an epoch) and then return no writes. No writes commits nothing.
        Documents in `known` are taken as read in the first attempt; a wrong guess costs one more
        round. Raises `Contention` when every attempt was lost, and whatever `decide` raises.
        """
        ...

    async def query(self, query: Query) -> Sequence[Document]:
        """Matching documents in order. Documents without an ordered or compared field do not
        match.
        """
        ...
