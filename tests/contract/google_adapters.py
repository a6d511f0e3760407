"""The Google adapters of the ports, on emulators, for the same suites."""

import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from shared.adapters.store.firestore import FirestoreStore
from tests import emulators
from tests.contract.adapters import StoreStage


class CountingInterceptor(grpc.aio.UnaryUnaryClientInterceptor):
    """Counts commits, and on demand lets one land and loses its reply."""

    def __init__(self) -> None:
        self.loses_next = False
        self.commits = 0

    async def intercept_unary_unary(
        self, continuation: Callable[..., Any], details: Any, request: Any
    ) -> Any:
        """Pass the call on."""
        call = await continuation(details, request)
        self.commits += 1
        if self.loses_next:
            self.loses_next = False
            await call
            raise grpc.aio.AioRpcError(
                grpc.StatusCode.UNAVAILABLE,
                grpc.aio.Metadata(),
                grpc.aio.Metadata(),
                "the reply was lost",
            )
        return call


@contextlib.asynccontextmanager
async def firestore_store(_folder: Path) -> AsyncIterator[StoreStage]:
    """Firestore, in a project of its own."""
    interceptor = CountingInterceptor()
    store = FirestoreStore(
        f"test-{secrets.token_hex(6)}",
        emulator=emulators.firestore(),
        interceptors=[interceptor],
    )

    def lose_next_reply() -> None:
        interceptor.loses_next = True

    try:
        yield StoreStage(store, lose_next_reply)
    finally:
        await store.close()


STORES = {"firestore": firestore_store}
