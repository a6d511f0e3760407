"""What every store demands of its callers, so that code which passes on one passes on the other.

Breaking a rule is a programming error: it raises ValueError before anything is read or written.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from shared.ports import Create, Data, Documents, Key, Query, Write

KEYS_MAX = 100
WRITES_MAX = 100
ID_BYTES_MAX = 1_500
DOCUMENT_BYTES_MAX = 1_000_000
IN_VALUES_MAX = 30
LIMIT_MAX = 1_000

_COLLECTION = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_RANGES = ("<", "<=", ">", ">=")


def check_keys(keys: Sequence[Key]) -> None:
    """Collections and ids that Firestore takes too, and not too many of them."""
    if len(keys) > KEYS_MAX:
        raise ValueError(f"{len(keys)} documents in one call; at most {KEYS_MAX}")
    for key in keys:
        check_key(key)


def check_key(key: Key) -> None:
    """A collection and an id that Firestore takes too."""
    if not _COLLECTION.fullmatch(key.collection):
        raise ValueError(f"not a collection: {key.collection!r}")
    id = key.id
    if not id or "/" in id or id in (".", "..") or len(id.encode()) > ID_BYTES_MAX:
        raise ValueError(f"not a document id: {id!r}")
    if id.startswith("__") and id.endswith("__"):
        raise ValueError(f"a reserved document id: {id!r}")


def check_writes(documents: Documents, writes: Sequence[Write]) -> None:
    """At most one write per document, and only blind creates of what was not read."""
    if len(writes) > WRITES_MAX:
        raise ValueError(f"{len(writes)} writes in one commit; at most {WRITES_MAX}")
    written: set[Key] = set()
    for write in writes:
        if write.key in written:
            raise ValueError(f"two writes on one document: {write.key}")
        written.add(write.key)
        if write.key in documents:
            continue
        if not isinstance(write, Create):
            raise ValueError(f"{type(write).__name__} of a document that was not read: {write.key}")
        check_key(write.key)


def encode(data: Data) -> str:
    """The document as JSON text. Raises ValueError when it is too large or not JSON."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    if len(text) > DOCUMENT_BYTES_MAX or len(text.encode()) > DOCUMENT_BYTES_MAX:
        raise ValueError(f"a document of more than {DOCUMENT_BYTES_MAX} bytes")
    return text


def check_query(query: Query) -> None:
    """A query that means the same in every store and that one composite index can serve."""
    if not _COLLECTION.fullmatch(query.collection):
        raise ValueError(f"not a collection: {query.collection!r}")
    if not 1 <= query.limit <= LIMIT_MAX:
        raise ValueError(f"a limit of {query.limit}; 1 to {LIMIT_MAX}")
    _check_fields(query)
    for where in query.where:
        _check_value(where.op, where.value)
    if query.after is not None:
        if len(query.after) != len(query.order) + 1:
            raise ValueError("`after` holds one value per ordered field, then the id")
        if not isinstance(query.after[-1], str):
            raise ValueError("`after` ends with a document id")


def _check_fields(query: Query) -> None:
    ordered = [order.field for order in query.order]
    for field in (*ordered, *(where.field for where in query.where)):
        if not _FIELD.fullmatch(field):
            raise ValueError(f"not a field: {field!r}")
    if len(set(ordered)) != len(ordered):
        raise ValueError("a field is ordered twice")
    for where in query.where:
        if where.op in _RANGES and where.field not in ordered:
            # Firestore would sort by it without being asked, and the cursor would not know.
            raise ValueError(f"a range on {where.field!r} needs it in the order")


def _check_value(op: str, value: Any) -> None:
    if op == "in":
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise ValueError("`in` needs several values")
        if not 1 <= len(value) <= IN_VALUES_MAX:
            raise ValueError(f"`in` takes 1 to {IN_VALUES_MAX} values, not {len(value)}")
    for each in value if op == "in" else (value,):
        if each is None and op != "==":
            raise ValueError(f"null can only be compared with `==`, not `{op}`")
        if not isinstance(each, str | int | float | None):
            raise ValueError(f"not a value to compare with: {each!r}")
