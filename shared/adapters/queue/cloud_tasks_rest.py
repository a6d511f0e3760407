"""The queue port on Cloud Tasks over REST, for functions that must start light: neither gRPC nor
the Google libraries are loaded.

Two small calls: an access token from the metadata server (kept until shortly before it expires),
and the creation. Source: cloudtasks.googleapis.com/$discovery/rest?version=v2, and "Authenticate
workloads with the metadata server" for the token.
"""

import asyncio
import base64
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from shared.adapters.queue.cloud_tasks_creation import (
    CALL_SECONDS,
    Creation,
    Creations,
    NotCreated,
    ask_until_created,
)
from shared.ports import QueueSpec, Task

API_URL = "https://cloudtasks.googleapis.com"
METADATA_URL = "http://metadata.google.internal"
TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105
# The metadata server hands out tokens that have five minutes left, so ask later than that.
TOKEN_MARGIN_SECONDS = 60.0
CONNECTIONS_MAX = 8

_PASSING = frozenset({401, 408, 429, 500, 502, 503, 504})


class CloudTasksRest:
    """The queues of `specs` in one project and region, whose tasks call `tasks_url`."""

    def __init__(
        self,
        project: str,
        region: str,
        specs: Sequence[QueueSpec],
        tasks_url: str,
        service_account: str,
        *,
        emulator: str = "",
    ) -> None:
        """`emulator` is a host and port that answers for the API and for the metadata server; empty
        means the real ones."""
        self._creations = Creations(project, region, specs, tasks_url, service_account)
        self._api_url = f"http://{emulator}" if emulator else API_URL
        self._metadata_url = f"http://{emulator}" if emulator else METADATA_URL
        self._token = ""
        self._token_until = 0.0
        self._token_lock = asyncio.Lock()
        # Waiting for a place is not waiting for Cloud Tasks, and costs none of its seconds.
        self._places = asyncio.Semaphore(CONNECTIONS_MAX)
        self._made: httpx.AsyncClient | None = None

    async def push(self, task: Task) -> None:
        """See the port. A task that no queue takes is a programming error and raises ValueError."""
        creation = self._creations.creation(task)
        async with self._places:
            await ask_until_created(lambda: self._ask(creation), creation)

    async def close(self) -> None:
        """Close the connections."""
        if self._made is not None:
            await self._made.aclose()
            self._made = None

    async def _ask(self, creation: Creation) -> None:
        token = await self._access_token()
        try:
            reply = await self._client.post(
                f"{self._api_url}/v2/{creation.queue_path}/tasks",
                json=_request(creation),
                headers={"authorization": f"Bearer {token}"},
            )
        except httpx.TransportError as error:
            raise NotCreated(repr(error), again=True) from error
        if reply.is_success or (reply.status_code == 409 and b"ALREADY_EXISTS" in reply.content):
            return
        if reply.status_code == 401 and token == self._token:
            self._token_until = 0.0
        again = reply.status_code in _PASSING or b"ABORTED" in reply.content
        raise NotCreated(f"{reply.status_code} {reply.text[:300]}", again=again)

    async def _access_token(self) -> str:
        async with self._token_lock:
            if time.monotonic() >= self._token_until:
                self._token, seconds = await self._new_token()
                self._token_until = time.monotonic() + seconds - TOKEN_MARGIN_SECONDS
            return self._token

    async def _new_token(self) -> tuple[str, float]:
        """A token and for how many seconds it is good."""
        try:
            reply = await self._client.get(
                f"{self._metadata_url}{TOKEN_PATH}", headers={"metadata-flavor": "Google"}
            )
            reply.raise_for_status()
            body = reply.json()
            return str(body["access_token"]), float(body["expires_in"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise NotCreated(f"no access token: {error!r}", again=True) from error

    @property
    def _client(self) -> httpx.AsyncClient:
        """Made on first use, because connections belong to the event loop that is running then."""
        if self._made is None:
            limits = httpx.Limits(max_connections=CONNECTIONS_MAX)
            self._made = httpx.AsyncClient(timeout=CALL_SECONDS, limits=limits, trust_env=False)
        return self._made


def _request(creation: Creation) -> dict[str, Any]:
    task: dict[str, Any] = {
        "name": creation.task_path,
        "dispatchDeadline": f"{creation.deadline_seconds:g}s",
        "httpRequest": {
            "url": creation.url,
            "httpMethod": "POST",
            "headers": {"Content-Type": "application/json"},
            "body": base64.b64encode(creation.body).decode(),
            "oidcToken": {
                "serviceAccountEmail": creation.service_account,
                "audience": creation.audience,
            },
        },
    }
    if creation.at_ms:
        due = datetime.fromtimestamp(creation.at_ms / 1000, UTC)
        task["scheduleTime"] = due.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"task": task}
