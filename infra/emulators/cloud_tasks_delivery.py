"""One attempt of Cloud Tasks to deliver a task: the request it makes, and what came of it."""

import asyncio
import logging
from types import TracebackType
from typing import Self

import httpx
from google.cloud import tasks_v2

from infra.emulators.cloud_tasks_identity import Identity
from infra.emulators.cloud_tasks_journal import Held

NO_ANSWER = 0
_THROTTLING = (429, 503)
_log = logging.getLogger(__name__)


class Delivery:
    """The side that calls. Connections are not kept: a worker that restarts costs no attempt."""

    def __init__(self, identity: Identity, time_scale: float = 1.0) -> None:
        self._identity = identity
        self._time_scale = time_scale
        self._client = httpx.AsyncClient(
            timeout=None,  # noqa: S113  # the dispatch deadline bounds each attempt
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def attempt(self, queue_id: str, held: Held) -> int:
        """The status of the answer, or `NO_ANSWER`."""
        task = held.task
        call = task.http_request
        method = tasks_v2.HttpMethod(call.http_method).name
        deadline_seconds = task.dispatch_deadline.ToTimedelta().total_seconds() * self._time_scale
        try:
            async with asyncio.timeout(deadline_seconds):
                reply = await self._client.request(
                    method, call.url, content=call.body, headers=self._headers(queue_id, held)
                )
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            _log.info("%s: no answer from %s: %r", task.name, call.url, error)
            return NO_ANSWER
        if reply.status_code in _THROTTLING:
            _log.warning(
                "%s: %d, the real service would slow the whole queue down",
                *(task.name, reply.status_code),
            )
        return reply.status_code

    def _headers(self, queue_id: str, held: Held) -> dict[str, str]:
        task = held.task
        call = task.http_request
        headers = {"User-Agent": "Google-Cloud-Tasks", **dict(call.headers)}
        headers |= {
            "X-CloudTasks-QueueName": queue_id,
            "X-CloudTasks-TaskName": str(task.name).rpartition("/")[2],
            "X-CloudTasks-TaskRetryCount": str(task.dispatch_count - 1),
            "X-CloudTasks-TaskExecutionCount": str(held.executions),
            "X-CloudTasks-TaskETA": f"{held.due:.6f}",
        }
        if held.previous:
            headers["X-CloudTasks-TaskPreviousResponse"] = str(held.previous)
        if account := call.oidc_token.service_account_email:
            token = self._identity.token(account, call.oidc_token.audience or call.url)
            headers["Authorization"] = f"Bearer {token}"
        return headers
