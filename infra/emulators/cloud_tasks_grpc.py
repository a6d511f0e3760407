"""The gRPC face of the Cloud Tasks stand-in, for the official clients."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc
import grpc.aio
from google.cloud import tasks_v2
from google.protobuf.empty_pb2 import Empty

from infra.emulators.cloud_tasks_queues import Queues
from infra.emulators.cloud_tasks_rules import Refused, TaskMessage

_SERVICE = "google.cloud.tasks.v2.CloudTasks"

Call = Callable[[Queues, Any], Any]
Answer = Callable[[Any, "grpc.aio.ServicerContext[Any, Any]"], Awaitable[Any]]


def service(queues: Queues) -> grpc.GenericRpcHandler:
    """Every method there is."""
    methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        name: grpc.unary_unary_rpc_method_handler(
            _answer(queues, call),
            request_deserializer=getattr(tasks_v2, f"{name}Request").pb().FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )
        for name, call in _CALLS.items()
    }
    return grpc.method_handlers_generic_handler(_SERVICE, methods)


def _answer(queues: Queues, call: Call) -> Answer:
    async def answer(request: Any, context: "grpc.aio.ServicerContext[Any, Any]") -> Any:
        try:
            return call(queues, request)
        except Refused as refused:
            await context.abort(refused.status, refused.message)

    return answer


def _seen(task: TaskMessage, view: int) -> TaskMessage:
    """A task without its body, unless the full view was asked for."""
    if view == tasks_v2.Task.View.FULL:
        return task
    seen = type(task)()
    seen.CopyFrom(task)
    seen.http_request.body = b""
    return seen


def _list_queues(queues: Queues, request: Any) -> Any:
    return tasks_v2.ListQueuesResponse.pb()(queues=queues.list_queues(request.parent))


def _list_tasks(queues: Queues, request: Any) -> Any:
    found = [_seen(task, request.response_view) for task in queues.list_tasks(request.parent)]
    return tasks_v2.ListTasksResponse.pb()(tasks=found)


def _delete_queue(queues: Queues, request: Any) -> Empty:
    queues.delete_queue(request.name)
    return Empty()


def _delete_task(queues: Queues, request: Any) -> Empty:
    queues.delete_task(request.name)
    return Empty()


_CALLS: Mapping[str, Call] = {
    "CreateQueue": lambda q, r: q.create_queue(r.queue),
    "UpdateQueue": lambda q, r: q.update_queue(r.queue),
    "GetQueue": lambda q, r: q.get_queue(r.name),
    "ListQueues": _list_queues,
    "DeleteQueue": _delete_queue,
    "PauseQueue": lambda q, r: q.pause_queue(r.name),
    "ResumeQueue": lambda q, r: q.resume_queue(r.name),
    "PurgeQueue": lambda q, r: q.purge_queue(r.name),
    "CreateTask": lambda q, r: _seen(q.create_task(r.parent, r.task), r.response_view),
    "GetTask": lambda q, r: _seen(q.get_task(r.name), r.response_view),
    "ListTasks": _list_tasks,
    "DeleteTask": _delete_task,
    "RunTask": lambda q, r: _seen(q.run_task(r.name), r.response_view),
}
