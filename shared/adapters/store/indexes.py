"""Which composite index serves a query, asked alike of every store: SQLite could sort without one
and an emulator does not mind, but Firestore would refuse.
"""

from collections.abc import Sequence
from typing import Protocol

from shared.ports import Order, Query


class Index(Protocol):
    """A composite index that a query of the product needs."""

    @property
    def collection(self) -> str: ...

    @property
    def fields(self) -> tuple[Order, ...]: ...


def serving_index(query: Query, indexes: Sequence[Index]) -> Index | None:
    """The index whose first fields are compared for equality and whose others are the order.

    None when the query needs none. Raises ValueError when it needs one that is not there.
    """
    equal = {where.field for where in query.where if where.op in ("==", "in")}
    order = tuple(o for o in query.order if o.field not in equal)
    for index in indexes:
        first, rest = index.fields[: len(equal)], index.fields[len(equal) :]
        if (
            index.collection == query.collection
            and {field.field for field in first} == equal
            and rest == order
        ):
            return index
    named = {where.field for where in query.where} | {o.field for o in query.order}
    if query.order and len(named) > 1:
        raise ValueError(f"no index serves {query}; add one to shared.records.INDEXES")
    return None
