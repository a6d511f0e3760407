"""What Cloud Tasks v2 accepts, and what it fills in. Source: the types of google-cloud-tasks."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import grpc
from google.cloud import tasks_v2

from shared.ports import QueueSpec

# Messages of google.cloud.tasks.v2 as protobuf has them, which has no types for them.
QueueMessage: TypeAlias = Any
TaskMessage: TypeAlias = Any

BODY_BYTES_MAX = 100 * 1024
URL_CHARS_MAX = 2_083
DELAY_MAX = timedelta(days=30)
DEADLINE_MIN = timedelta(seconds=15)
DEADLINE_MAX = timedelta(minutes=30)
DEADLINE_DEFAULT = timedelta(minutes=10)
CONCURRENT_MAX = 5_000
PER_SECOND_MAX = 500.0

_QUEUE_PATH = re.compile(r"projects/[a-z0-9.:-]+/locations/[a-z0-9-]+/queues/[A-Za-z0-9-]{1,100}")
_TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,500}")


class Refused(Exception):
    """A call that the service answers with an error."""

    def __init__(self, status: grpc.StatusCode, message: str) -> None:
        super().__init__(f"{status.name}: {message}")
        self.status = status
        self.message = message


def queues_of(project: str, region: str, specs: Iterable[QueueSpec]) -> Sequence[QueueMessage]:
    """The queues that `terraform/queues.tf` makes of the same specs."""
    return [_queue_of(f"projects/{project}/locations/{region}", spec) for spec in specs]


def complete_queue(queue: QueueMessage) -> None:
    """Check a queue and fill in what was left out. Raises `Refused`."""
    if not _QUEUE_PATH.fullmatch(queue.name):
        raise _invalid(f"Invalid queue name {queue.name!r}.")
    limits, retry = queue.rate_limits, queue.retry_config
    limits.max_dispatches_per_second = limits.max_dispatches_per_second or PER_SECOND_MAX
    limits.max_concurrent_dispatches = limits.max_concurrent_dispatches or 1_000
    limits.max_burst_size = max(1, int(limits.max_dispatches_per_second / 5))
    if not 0 < limits.max_dispatches_per_second <= PER_SECOND_MAX:
        raise _invalid("Queue.rate_limits.max_dispatches_per_second must be at most 500.")
    if not 0 < limits.max_concurrent_dispatches <= CONCURRENT_MAX:
        raise _invalid("Queue.rate_limits.max_concurrent_dispatches must be at most 5000.")
    retry.max_attempts = retry.max_attempts or 100
    retry.max_doublings = retry.max_doublings or 16
    if not retry.HasField("min_backoff"):
        retry.min_backoff.FromMilliseconds(100)
    if not retry.HasField("max_backoff"):
        retry.max_backoff.FromSeconds(3_600)
    if retry.min_backoff.ToTimedelta() > retry.max_backoff.ToTimedelta():
        raise _invalid("Queue.retry_config.min_backoff must not be above max_backoff.")


def complete_task(task: TaskMessage, parent: str, new_id: str) -> None:
    """Check a task and fill in what was left out. Raises `Refused`."""
    task.name = task.name or f"{parent}/tasks/{new_id}"
    queue_path, _, task_id = task.name.partition("/tasks/")
    if queue_path != parent or not _TASK_ID.fullmatch(task_id):
        raise _invalid(f"Invalid task name {task.name!r} for the queue {parent!r}.")
    call = task.http_request
    if not call.url.startswith(("http://", "https://")) or len(call.url) > URL_CHARS_MAX:
        raise _invalid("HttpRequest.url must start with 'http://' or 'https://'.")
    if len(call.body) > BODY_BYTES_MAX:
        raise _invalid("Task size too large.")
    call.http_method = call.http_method or tasks_v2.HttpMethod.POST
    now = datetime.now(UTC)
    task.create_time.FromDatetime(now)
    if not task.HasField("schedule_time") or task.schedule_time.ToDatetime(UTC) < now:
        task.schedule_time.FromDatetime(now)
    if task.schedule_time.ToDatetime(UTC) - now > DELAY_MAX:
        raise _invalid("Task.schedule_time must be at most 30 days in the future.")
    if not task.HasField("dispatch_deadline"):
        task.dispatch_deadline.FromTimedelta(DEADLINE_DEFAULT)
    if not DEADLINE_MIN <= task.dispatch_deadline.ToTimedelta() <= DEADLINE_MAX:
        raise _invalid("Task.dispatch_deadline must be between 15 seconds and 30 minutes.")


def backoff_seconds(queue: QueueMessage, attempts: int) -> float:
    """The pause after so many failed attempts: it doubles a number of times, then it grows by the
    last step each time, up to the maximum."""
    retry = queue.retry_config
    doublings = min(attempts - 1, retry.max_doublings)
    steps_after = attempts - 1 - doublings
    first_seconds: float = retry.min_backoff.ToTimedelta().total_seconds()
    pause_seconds: float = first_seconds * 2.0**doublings * (1 + steps_after)
    longest_seconds: float = retry.max_backoff.ToTimedelta().total_seconds()
    return min(pause_seconds, longest_seconds)


def is_given_up(queue: QueueMessage, attempts: int, tried_seconds: float) -> bool:
    """Whether no attempt is left. With a maximum duration too, both limits must be reached."""
    retry = queue.retry_config
    limit_seconds: float = retry.max_retry_duration.ToTimedelta().total_seconds()
    if retry.max_attempts < 0:
        return 0 < limit_seconds <= tried_seconds
    return bool(attempts >= retry.max_attempts and tried_seconds >= limit_seconds)


def _queue_of(parent: str, spec: QueueSpec) -> QueueMessage:
    queue = tasks_v2.Queue.pb()(name=f"{parent}/queues/{spec.name}")
    queue.rate_limits.max_concurrent_dispatches = spec.max_concurrent_dispatches
    queue.rate_limits.max_dispatches_per_second = spec.max_dispatches_per_second
    queue.retry_config.max_attempts = spec.max_attempts
    queue.retry_config.max_doublings = 16
    queue.retry_config.min_backoff.FromTimedelta(timedelta(seconds=spec.min_backoff_seconds))
    queue.retry_config.max_backoff.FromTimedelta(timedelta(seconds=spec.max_backoff_seconds))
    return queue


def _invalid(message: str) -> Refused:
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, message)
