"""The store port on Firestore: plain reads, and one commit with preconditions.

No pessimistic locks: a function that dies between its read and its commit leaves nothing behind.
Commits are not retried by the client library, since the retry of one that landed fails on its own
precondition. After any commit error the documents are read again and `decide` looks for its own
marker.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import grpc
import grpc.aio
from google.api_core import exceptions
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport
from google.cloud.firestore_v1.types import firestore as wrapped

from shared.adapters.store import rules
from shared.adapters.store.firestore_queries import structured
from shared.adapters.store.firestore_values import decode, fill
from shared.adapters.store.indexes import Index, serving_index
from shared.errors import Contention, Unavailable
from shared.ports import (
    Check,
    Create,
    Decide,
    Delete,
    Document,
    Documents,
    Key,
    Put,
    Query,
    Write,
)

ATTEMPTS_MAX = 12
PAUSE_FIRST_MILLISECONDS = 4
PAUSE_MAX_MILLISECONDS = 1_000
CALL_SECONDS = 10.0

_LOST_RACES = (
    exceptions.Aborted,
    exceptions.AlreadyExists,
    exceptions.FailedPrecondition,
    exceptions.NotFound,
)
# The commit may have landed: only a new read can tell.
_UNKNOWN_OUTCOMES = (
    exceptions.Cancelled,
    exceptions.DeadlineExceeded,
    exceptions.InternalServerError,
    exceptions.ResourceExhausted,
    exceptions.ServiceUnavailable,
    exceptions.Unknown,
)


class FirestoreStore:
    """Documents of one database."""

    def __init__(
        self,
        project: str,
        database: str = "(default)",
        *,
        indexes: Sequence[Index] = (),
        emulator: str = "",
        interceptors: Sequence[grpc.aio.ClientInterceptor] = (),
    ) -> None:
        """`emulator` is a host and port; empty means the real one, with the default credentials."""
        self._database = f"projects/{project}/databases/{database}"
        self._parent = f"{self._database}/documents"
        self._metadata = (("google-cloud-resource-prefix", self._database),)
        self._indexes = tuple(indexes)
        self._emulator = emulator
        self._interceptors = tuple(interceptors)
        self._made: FirestoreAsyncClient | None = None

    async def get(self, keys: Sequence[Key]) -> Documents:
        """See the port."""
        rules.check_keys(keys)
        request = wrapped.BatchGetDocumentsRequest.pb()(
            database=self._database, documents=[self._name(key) for key in keys]
        )
        found = {key: Document(key, None, None) for key in keys}
        with _translated():
            stream = await self._client.batch_get_documents(
                wrapped.BatchGetDocumentsRequest.wrap(request),
                metadata=self._metadata,
                timeout=CALL_SECONDS,
            )
            async for reply in stream:
                raw = wrapped.BatchGetDocumentsResponse.pb(reply)
                if raw.WhichOneof("result") == "found":
                    document = self._document(raw.found)
                    found[document.key] = document
        return found

    async def transact(
        self, keys: Sequence[Key], decide: Decide, *, known: Documents | None = None
    ) -> Documents:
        """See the port."""
        rules.check_keys(keys)
        documents = await self._read_missing(keys, known or {})
        writes = _guess(decide, documents) if known else None
        last: Exception | None = None
        for attempt in range(ATTEMPTS_MAX):
            if attempt:
                await asyncio.sleep(_pause_seconds(attempt))
            if not writes:
                documents = await self.get(keys) if attempt or known else documents
                writes = decide(documents)
                rules.check_writes(documents, writes)
                if not writes:
                    return documents
            try:
                return await self._commit(documents, writes)
            except (*_LOST_RACES, *_UNKNOWN_OUTCOMES) as error:
                last, writes = error, None
        raise Contention("The documents are busy. Try again.") from last

    async def query(self, query: Query) -> Sequence[Document]:
        """See the port."""
        rules.check_query(query)
        serving_index(query, self._indexes)
        request = wrapped.RunQueryRequest.pb()(
            parent=self._parent, structured_query=structured(query, self._parent)
        )
        with _translated():
            stream = await self._client.run_query(
                wrapped.RunQueryRequest.wrap(request),
                metadata=self._metadata,
                timeout=CALL_SECONDS,
            )
            return [document async for document in self._documents(stream)]

    async def close(self) -> None:
        """Close the channel."""
        if self._made is not None:
            await self._made.transport.close()  # type: ignore[no-untyped-call]
            self._made = None

    @property
    def _client(self) -> FirestoreAsyncClient:
        """Made on first use, because a channel belongs to the event loop that is running then."""
        if self._made is None:
            self._made = FirestoreAsyncClient(transport=self._transport())
        return self._made

    def _transport(self) -> FirestoreGrpcAsyncIOTransport:
        interceptors = list(self._interceptors)
        if self._emulator:
            channel = grpc.aio.insecure_channel(self._emulator, interceptors=interceptors)
            return FirestoreGrpcAsyncIOTransport(channel=channel)
        return FirestoreGrpcAsyncIOTransport()

    async def _read_missing(self, keys: Sequence[Key], known: Documents) -> Documents:
        """What is not known is read, in one call; what is known is believed in the first
        attempt.
        """
        missing = [key for key in keys if key not in known]
        read = await self.get(missing) if missing else {}
        return {key: known[key] if key in known else read[key] for key in keys}

    async def _commit(self, documents: Documents, writes: Sequence[Write]) -> Documents:
        request = wrapped.CommitRequest.pb()(database=self._database)
        for write in writes:
            self._add(request.writes.add(), documents, write)
        reply = await self._client.commit(
            wrapped.CommitRequest.wrap(request),
            retry=None,
            metadata=self._metadata,
            timeout=CALL_SECONDS,
        )
        results = wrapped.CommitResponse.pb(reply).write_results
        after = dict(documents)
        for write, result in zip(writes, results, strict=True):
            if isinstance(write, Delete):
                after[write.key] = Document(write.key, None, None)
            elif isinstance(write, Create | Put):
                version = _version(result.update_time)
                after[write.key] = Document(write.key, write.data, version)
        return after

    def _add(self, message: Any, documents: Documents, write: Write) -> None:
        name = self._name(write.key)
        if isinstance(write, Delete):
            message.delete = name
        else:
            message.update.name = name
        if isinstance(write, Create | Put):
            rules.encode(write.data)  # the same limits as every store
            message.update.SetInParent()
            fill(message.update.fields, write.data)
        elif isinstance(write, Check):
            # An update of no fields changes nothing, and still holds its precondition.
            message.update_mask.SetInParent()
        version = None if isinstance(write, Create) else documents[write.key].version
        if version is None:
            message.current_document.exists = False
        else:
            seconds, nanos = _timestamp(version)
            message.current_document.update_time.seconds = seconds
            message.current_document.update_time.nanos = nanos

    async def _documents(self, stream: Any) -> AsyncIterator[Document]:
        async for reply in stream:
            raw = wrapped.RunQueryResponse.pb(reply)
            if raw.HasField("document"):
                yield self._document(raw.document)

    def _document(self, raw: Any) -> Document:
        collection, _, id = raw.name.removeprefix(f"{self._parent}/").partition("/")
        return Document(Key(collection, id), decode(raw.fields), _version(raw.update_time))

    def _name(self, key: Key) -> str:
        return f"{self._parent}/{key.collection}/{key.id}"


def _guess(decide: Decide, documents: Documents) -> Sequence[Write]:
    """What `decide` would write if the caller's guess is right; the commit's preconditions find
    out.

    A guess leads to a commit or to nothing: refusing, or doing nothing, needs the truth.
    """
    try:
        writes = decide(documents)
    except Exception:  # noqa: BLE001  # whatever it was, it was said of a guess
        return ()
    rules.check_writes(documents, writes)
    return writes


@contextmanager
def _translated() -> Iterator[None]:
    """A read that fails changed nothing: say so, and let the caller come again."""
    try:
        yield
    except exceptions.GoogleAPICallError as error:
        raise Unavailable("The database does not answer. Try again.") from error
    except exceptions.RetryError as error:
        raise Unavailable("The database does not answer. Try again.") from error


def _version(time: Any) -> tuple[int, int]:
    return time.seconds, time.nanos


def _timestamp(version: object) -> tuple[int, int]:
    assert isinstance(version, tuple), "a version of ours"
    seconds, nanos = version
    return seconds, nanos


def _pause_seconds(attempt: int) -> float:
    """Doubling and jittered, so that those who lost together do not come back together."""
    pause_milliseconds = min(PAUSE_MAX_MILLISECONDS, PAUSE_FIRST_MILLISECONDS << attempt)
    return secrets.randbelow(pause_milliseconds) / 1000
