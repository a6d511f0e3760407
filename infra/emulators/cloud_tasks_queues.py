"""Cloud Tasks v2 as a value in this process: queues, named tasks, and their deliveries.

What a back end relies on is here: names stay taken after their task, schedule time, retries with
backoff, rate and concurrency limits, pause and resume, OIDC. Not modelled: paging, update masks,
App Engine tasks, routing overrides, IAM.
"""

import asyncio
import itertools
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import grpc
from google.cloud import tasks_v2

from infra.emulators.cloud_tasks_delivery import NO_ANSWER, Delivery
from infra.emulators.cloud_tasks_journal import Held, Journal
from infra.emulators.cloud_tasks_lane import Lane
from infra.emulators.cloud_tasks_rules import (
    QueueMessage,
    Refused,
    TaskMessage,
    backoff_seconds,
    complete_queue,
    complete_task,
    is_given_up,
)

# "up to 24 hours" in the reference, about one hour in the product's documentation.
NAME_TAKEN_SECONDS = 3_600.0
_FREE_NAMES_SECONDS = 60.0
_log = logging.getLogger(__name__)

State = tasks_v2.Queue.State


class Queues:
    """All queues. Every method but `async with` is one atomic step. `time_scale` shortens delays,
    backoffs and deadlines, for tests. Errors are `Refused`."""

    def __init__(self, journal: Journal, delivery: Delivery, time_scale: float = 1.0) -> None:
        self._journal = journal
        self._delivery = delivery
        self._time_scale = time_scale
        self._lanes: dict[str, Lane] = {}
        self._pumps: dict[str, asyncio.Task[None]] = {}
        self._attempts: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(time.time_ns())

    async def __aenter__(self) -> Self:
        """Go on where the journal ends."""
        for queue in self._journal.queues():
            self._open(queue)
        for held in self._journal.tasks():
            self._lanes[held.queue].wait(held)
        self._purge = asyncio.create_task(self._free_names())
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Drop what is being delivered: it is due at the next start."""
        running = [self._purge, *self._pumps.values(), *self._attempts]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    # ------------------------------------------------------------ queues

    def create_queue(self, queue: QueueMessage) -> QueueMessage:
        """Add a queue."""
        if queue.name in self._lanes:
            raise Refused(grpc.StatusCode.ALREADY_EXISTS, "Queue already exists.")
        return self.update_queue(queue)

    def update_queue(self, queue: QueueMessage) -> QueueMessage:
        """Add a queue or give one other limits; what waits in it stays."""
        complete_queue(queue)
        lane = self._lanes.get(queue.name)
        queue.state = lane.queue.state if lane else State.RUNNING
        self._journal.put_queue(queue)
        if lane:
            lane.change(queue)
        else:
            self._open(queue)
        return queue

    def get_queue(self, name: str) -> QueueMessage:
        """One queue."""
        return self._lane(name).queue

    def list_queues(self, parent: str) -> Sequence[QueueMessage]:
        """The queues of one place, by name."""
        names = sorted(name for name in self._lanes if name.startswith(f"{parent}/queues/"))
        return [self._lanes[name].queue for name in names]

    def delete_queue(self, name: str) -> None:
        """Remove a queue and what waits in it."""
        self._lane(name).held.clear()
        self._journal.drop_queue(name)
        self._pumps.pop(name).cancel()
        del self._lanes[name]

    def pause_queue(self, name: str) -> QueueMessage:
        """Begin no delivery until it is resumed. What is being delivered goes on."""
        return self._set_state(name, State.PAUSED)

    def resume_queue(self, name: str) -> QueueMessage:
        """Deliver again."""
        return self._set_state(name, State.RUNNING)

    def _set_state(self, name: str, state: int) -> QueueMessage:
        lane = self._lane(name)
        lane.queue.state = state
        self._journal.put_queue(lane.queue)
        lane.change(lane.queue)
        return lane.queue

    def purge_queue(self, name: str) -> QueueMessage:
        """Remove what waits in a queue."""
        lane = self._lane(name)
        for held in list(lane.held.values()):
            self._end(lane, held)
        return lane.queue

    # ------------------------------------------------------------ tasks

    def create_task(self, parent: str, task: TaskMessage) -> TaskMessage:
        """Queue a task. A name is taken by a task that waits, or that ended a while ago."""
        lane = self._lane(parent)
        complete_task(task, parent, str(next(self._numbers)))
        now = time.time()
        if task.name in lane.held:
            raise Refused(grpc.StatusCode.ALREADY_EXISTS, "Requested entity already exists")
        if self._journal.is_taken(task.name, now):
            raise Refused(
                grpc.StatusCode.ALREADY_EXISTS,
                "The task cannot be created because a task with this name existed too recently.",
            )
        delay_seconds = max(0.0, task.schedule_time.ToNanoseconds() / 1e9 - now)
        held = Held(task, now + delay_seconds * self._time_scale)
        self._journal.put_task(held)
        lane.wait(held)
        return task

    def get_task(self, name: str) -> TaskMessage:
        """One task that is not done."""
        return self._held(name)[1].task

    def list_tasks(self, parent: str) -> Sequence[TaskMessage]:
        """The tasks of a queue that are not done."""
        return [held.task for held in self._lane(parent).held.values()]

    def delete_task(self, name: str) -> None:
        """Remove a task; a delivery of it that runs is not heard any more."""
        self._end(*self._held(name))

    def run_task(self, name: str) -> TaskMessage:
        """Deliver a task now, whatever the limits, the state of the queue, or a running attempt."""
        lane, held = self._held(name)
        lane.begin(held)
        self._deliver(lane, held)
        return held.task

    # ------------------------------------------------------------ deliveries

    def _open(self, queue: QueueMessage) -> None:
        lane = self._lanes[queue.name] = Lane(queue)
        running = lane.run(lambda held: self._deliver(lane, held))
        self._pumps[queue.name] = asyncio.create_task(running)

    def _deliver(self, lane: Lane, held: Held) -> None:
        attempt = asyncio.create_task(self._attempt(lane, held))
        self._attempts.add(attempt)
        attempt.add_done_callback(self._attempts.discard)

    async def _attempt(self, lane: Lane, held: Held) -> None:
        task = held.task
        task.dispatch_count += 1
        begun = datetime.now(UTC)
        try:
            code = await self._delivery.attempt(lane.queue.name.rpartition("/")[2], held)
        finally:
            lane.end(held)
        if lane.held.get(held.name) is not held:
            return
        self._note(held, begun, code)
        if 200 <= code < 300:
            self._end(lane, held)
        elif not held.running:
            self._again(lane, held)

    def _note(self, held: Held, begun: datetime, code: int) -> None:
        task = held.task
        last = task.last_attempt
        last.Clear()
        last.schedule_time.FromNanoseconds(int(held.due * 1e9))
        last.dispatch_time.FromDatetime(begun)
        if code != NO_ANSWER:
            last.response_time.GetCurrentTime()
            last.response_status.message = f"HTTP status code {code}"
            task.response_count += 1
            held.executions += code < 500
        held.previous = code
        if task.dispatch_count == 1:
            task.first_attempt.dispatch_time.FromDatetime(begun)

    def _again(self, lane: Lane, held: Held) -> None:
        now, attempts = time.time(), held.task.dispatch_count
        first = held.task.first_attempt.dispatch_time.ToNanoseconds() / 1e9
        if is_given_up(lane.queue, attempts, (now - first) / self._time_scale):
            _log.error("%s: given up after %d attempts", held.name, attempts)
            self._end(lane, held)
            return
        held.due = now + backoff_seconds(lane.queue, attempts) * self._time_scale
        self._journal.put_task(held)
        lane.wait(held)

    def _end(self, lane: Lane, held: Held) -> None:
        self._journal.end_task(held.name, time.time() + NAME_TAKEN_SECONDS)
        del lane.held[held.name]

    async def _free_names(self) -> None:
        while True:
            self._journal.free_names(time.time())
            await asyncio.sleep(_FREE_NAMES_SECONDS)

    def _lane(self, name: str) -> Lane:
        if name not in self._lanes:
            raise Refused(grpc.StatusCode.NOT_FOUND, "Queue does not exist.")
        return self._lanes[name]

    def _held(self, name: str) -> tuple[Lane, Held]:
        lane = self._lane(name.partition("/tasks/")[0])
        if name not in lane.held:
            raise Refused(grpc.StatusCode.NOT_FOUND, "The task no longer exists.")
        return lane, lane.held[name]
