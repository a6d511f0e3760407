"""The queue port on Cloud Tasks over gRPC, for functions that load gRPC for Firestore anyway.

What starts light uses `cloud_tasks_rest` instead: the same requests without this import.
"""

from collections.abc import Sequence
from typing import Any

import grpc
import grpc.aio
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcAsyncIOTransport
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from shared.adapters.queue.cloud_tasks_creation import (
    CALL_SECONDS,
    Creation,
    Creations,
    NotCreated,
    ask_until_created,
)
from shared.ports import QueueSpec, Task

# A channel that lost its server would otherwise wait up to two minutes before it looks again.
_CHANNEL_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)
_PASSING = (
    exceptions.Aborted,
    exceptions.Cancelled,
    exceptions.DeadlineExceeded,
    exceptions.InternalServerError,
    exceptions.ResourceExhausted,
    exceptions.ServiceUnavailable,
    exceptions.Unknown,
)


class CloudTasksQueue:
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
        interceptors: Sequence[grpc.aio.ClientInterceptor] = (),
    ) -> None:
        """`emulator` is a host and port; empty means the real one, with the default credentials."""
        self._creations = Creations(project, region, specs, tasks_url, service_account)
        self._emulator = emulator
        self._interceptors = tuple(interceptors)
        self._made: tasks_v2.CloudTasksAsyncClient | None = None

    async def push(self, task: Task) -> None:
        """See the port. A task that no queue takes is a programming error and raises ValueError."""
        creation = self._creations.creation(task)
        request = _request(creation)
        await ask_until_created(lambda: self._ask(request), creation)

    async def close(self) -> None:
        """Close the channel."""
        if self._made is not None:
            await self._made.transport.close()  # type: ignore[no-untyped-call]
            self._made = None

    async def _ask(self, request: tasks_v2.CreateTaskRequest) -> None:
        try:
            await self._client.create_task(request, retry=None, timeout=CALL_SECONDS)
        except exceptions.AlreadyExists:
            return
        except exceptions.GoogleAPICallError as error:
            raise NotCreated(str(error), again=isinstance(error, _PASSING)) from error
        except GoogleAuthError as error:
            raise NotCreated(f"no access token: {error}", again=bool(error.retryable)) from error

    @property
    def _client(self) -> tasks_v2.CloudTasksAsyncClient:
        """Made on first use, because a channel belongs to the event loop that is running then."""
        if self._made is None:
            self._made = tasks_v2.CloudTasksAsyncClient(transport=self._transport())
        return self._made

    def _transport(self) -> CloudTasksGrpcAsyncIOTransport:
        if self._emulator:
            channel = grpc.aio.insecure_channel(
                self._emulator, options=_CHANNEL_OPTIONS, interceptors=self._interceptors
            )
            return CloudTasksGrpcAsyncIOTransport(channel=channel)
        return CloudTasksGrpcAsyncIOTransport(channel=self._real_channel)

    def _real_channel(self, host: str, **wanted: Any) -> grpc.aio.Channel:
        wanted["options"] = [*wanted.get("options", ()), *_CHANNEL_OPTIONS]
        return CloudTasksGrpcAsyncIOTransport.create_channel(
            host, interceptors=self._interceptors, **wanted
        )


def _request(creation: Creation) -> tasks_v2.CreateTaskRequest:
    message = tasks_v2.CreateTaskRequest.pb()(parent=creation.queue_path)
    task = message.task
    task.name = creation.task_path
    task.dispatch_deadline.CopyFrom(_duration(creation.deadline_seconds))
    if creation.at_ms:
        task.schedule_time.CopyFrom(_timestamp(creation.at_ms))
    call = task.http_request
    call.url = creation.url
    call.http_method = tasks_v2.HttpMethod.POST
    call.headers["Content-Type"] = "application/json"
    call.body = creation.body
    call.oidc_token.service_account_email = creation.service_account
    call.oidc_token.audience = creation.audience
    request: tasks_v2.CreateTaskRequest = tasks_v2.CreateTaskRequest.wrap(message)
    return request


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromMilliseconds(int(seconds * 1000))
    return duration


def _timestamp(unix_ms: int) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromMilliseconds(unix_ms)
    return timestamp
