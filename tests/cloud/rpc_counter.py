"""Counts every call to Firestore, by name."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import grpc.aio


class RpcCounter:
    """Two interceptors, because reads stream and commits do not."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.interceptors = [_Unary(self.calls), _Stream(self.calls)]

    def take(self) -> int:
        """How many calls since the last time."""
        count = self.calls.total()
        self.calls.clear()
        return count


class _Unary(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, calls: Counter[str]) -> None:
        self._calls = calls

    async def intercept_unary_unary(
        self, continuation: Callable[..., Any], details: Any, request: Any
    ) -> Any:
        self._calls[_name(details)] += 1
        return await continuation(details, request)


class _Stream(grpc.aio.UnaryStreamClientInterceptor):
    def __init__(self, calls: Counter[str]) -> None:
        self._calls = calls

    async def intercept_unary_stream(
        self, continuation: Callable[..., Any], details: Any, request: Any
    ) -> Any:
        self._calls[_name(details)] += 1
        return await continuation(details, request)


def _name(details: Any) -> str:
    method = details.method
    return str(method.decode() if isinstance(method, bytes) else method).rpartition("/")[2]
