"""What every queue owes: each task is delivered at least once, later again when that failed."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from shared.ports import Task, Verdict
from tests.contract.adapters import QueueStage

PATIENCE_SECONDS = 10.0


def task(key: str, queue: str = "wide", at_ms: int = 0) -> Task:
    return Task("settle", key, {"job_id": key}, queue, at_ms)


class Deliveries:
    """A handler that remembers, and gives each key its verdicts in turn; then it is done."""

    def __init__(self, verdicts: Iterable[Verdict | Exception] = ()) -> None:
        self.tasks: list[Task] = []
        self.seconds: list[float] = []
        self._verdicts = list(verdicts)

    async def __call__(self, task: Task) -> Verdict:
        self.tasks.append(task)
        self.seconds.append(time.monotonic())
        verdict = self._verdicts.pop(0) if self._verdicts else "done"
        if isinstance(verdict, Exception):
            raise verdict
        return verdict

    @property
    def keys(self) -> Counter[str]:
        return Counter(task.key for task in self.tasks)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - the other side knows of no event
            await asyncio.sleep(0.005)


async def quiet() -> None:
    """Longer than the longest pause of a queue: what should not be delivered would be."""
    await asyncio.sleep(0.35)


async def test_a_task_arrives_as_it_was_pushed(queue_stage: QueueStage) -> None:
    deliveries = Deliveries()
    await queue_stage.start_delivery(deliveries)
    pushed = Task("settle", "job:1", {"job_id": "1", "n": 3, "text": "да"}, "wide")
    await queue_stage.queue.push(pushed)
    await until(lambda: bool(deliveries.tasks))
    (arrived,) = deliveries.tasks
    assert (arrived.name, arrived.key, arrived.queue) == ("settle", "job:1", "wide")
    assert dict(arrived.payload) == pushed.payload


async def test_tasks_pushed_before_delivery_starts_arrive(queue_stage: QueueStage) -> None:
    for n in range(20):
        await queue_stage.queue.push(task(f"t{n}"))
    deliveries = Deliveries()
    await queue_stage.start_delivery(deliveries)
    await until(lambda: len(deliveries.keys) == 20)


async def test_a_key_that_waits_is_not_queued_again(queue_stage: QueueStage) -> None:
    await asyncio.gather(*(queue_stage.queue.push(task("once")) for _ in range(10)))
    deliveries = Deliveries()
    await queue_stage.start_delivery(deliveries)
    await until(lambda: bool(deliveries.tasks))
    await quiet()
    assert deliveries.keys == {"once": 1}


async def test_a_key_that_is_being_delivered_is_not_queued_again(queue_stage: QueueStage) -> None:
    arrived, leave = asyncio.Event(), asyncio.Event()
    keys: list[str] = []

    async def handle(task: Task) -> Verdict:
        keys.append(task.key)
        arrived.set()
        await leave.wait()
        return "done"

    await queue_stage.start_delivery(handle)
    await queue_stage.queue.push(task("once"))
    await arrived.wait()
    await queue_stage.queue.push(task("once"))
    leave.set()
    await quiet()
    assert keys == ["once"]


@pytest.mark.parametrize("verdict", ["done", "final"])
async def test_a_key_that_ended_is_not_queued_again(
    queue_stage: QueueStage, verdict: Verdict
) -> None:
    deliveries = Deliveries([verdict])
    await queue_stage.start_delivery(deliveries)
    await queue_stage.queue.push(task("once"))
    await until(lambda: bool(deliveries.tasks))
    await quiet()
    await queue_stage.queue.push(task("once"))
    await queue_stage.queue.push(task("another"))
    await until(lambda: deliveries.keys["another"] == 1)
    await quiet()
    assert deliveries.keys == {"once": 1, "another": 1}


async def test_the_same_key_in_two_queues_is_two_tasks(queue_stage: QueueStage) -> None:
    deliveries = Deliveries()
    await queue_stage.start_delivery(deliveries)
    await queue_stage.queue.push(task("both", "wide"))
    await queue_stage.queue.push(task("both", "narrow"))
    await until(lambda: {each.queue for each in deliveries.tasks} == {"wide", "narrow"})


async def test_a_task_for_later_waits_and_holds_up_no_other(queue_stage: QueueStage) -> None:
    deliveries = Deliveries()
    await queue_stage.start_delivery(deliveries)
    start = time.monotonic()
    await queue_stage.queue.push(task("later", at_ms=int(time.time() * 1000) + 700))
    await queue_stage.queue.push(task("now"))
    await until(lambda: deliveries.keys["now"] == 1)
    assert deliveries.keys["later"] == 0
    await until(lambda: deliveries.keys["later"] == 1)
    assert 0.65 <= deliveries.seconds[-1] - start < 3


async def test_a_task_of_the_past_is_due_now(queue_stage: QueueStage) -> None:
    deliveries = Deliveries()
    await queue_stage.start_delivery(deliveries)
    await queue_stage.queue.push(task("old", at_ms=1_000))
    await until(lambda: deliveries.keys["old"] == 1)


@pytest.mark.parametrize("failure", ["again", ValueError("a bug of the handler")])
async def test_a_failed_delivery_is_repeated_after_a_doubling_pause(
    queue_stage: QueueStage, failure: Verdict | Exception
) -> None:
    deliveries = Deliveries([failure, failure, "done"])
    await queue_stage.start_delivery(deliveries)
    await queue_stage.queue.push(task("stubborn"))
    await until(lambda: len(deliveries.tasks) == 3)
    await quiet()
    assert deliveries.keys == {"stubborn": 3}
    first, second, third = deliveries.seconds
    assert second - first >= 0.045
    assert third - second >= 0.09


async def test_a_task_is_given_up_after_the_attempts_of_its_queue(queue_stage: QueueStage) -> None:
    deliveries = Deliveries(["again"] * 100)
    await queue_stage.start_delivery(deliveries)
    await queue_stage.queue.push(task("hopeless"))
    await until(lambda: len(deliveries.tasks) == 5)
    await quiet()
    assert len(deliveries.tasks) == 5


async def test_a_final_verdict_ends_a_task(queue_stage: QueueStage) -> None:
    deliveries = Deliveries(["again", "final"])
    await queue_stage.start_delivery(deliveries)
    await queue_stage.queue.push(task("impossible"))
    await until(lambda: len(deliveries.tasks) == 2)
    await quiet()
    assert len(deliveries.tasks) == 2


class Gauge:
    """A handler that takes a moment and knows how many of it ran at once, per queue."""

    def __init__(self, seconds: float) -> None:
        self.ended: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self._seconds = seconds
        self._running: Counter[str] = Counter()

    async def __call__(self, task: Task) -> Verdict:
        self._running[task.queue] += 1
        self.most[task.queue] = max(self.most[task.queue], self._running[task.queue])
        await asyncio.sleep(self._seconds)
        self._running[task.queue] -= 1
        self.ended[task.queue] += 1
        return "done"


async def test_a_queue_delivers_as_many_at_once_as_it_may_and_never_more(
    queue_stage: QueueStage,
) -> None:
    gauge = Gauge(0.03)
    for n in range(25):
        await queue_stage.queue.push(task(f"before{n}", "narrow"))
    await queue_stage.start_delivery(gauge)
    await asyncio.gather(*(queue_stage.queue.push(task(f"t{n}", "narrow")) for n in range(25)))
    await until(lambda: gauge.ended["narrow"] == 50)
    assert gauge.most["narrow"] == 5


async def test_a_full_queue_does_not_hold_up_another(queue_stage: QueueStage) -> None:
    """In both ways: a crowd of quick tasks, and a few that never end."""
    gauge = Gauge(0.02)
    never = asyncio.Event()

    async def handle(task: Task) -> Verdict:
        if task.queue == "narrow":
            await never.wait()
        return await gauge(task)

    for n in range(50):
        await queue_stage.queue.push(task(f"stuck{n}", "narrow"))
    await queue_stage.start_delivery(handle)
    await asyncio.gather(*(queue_stage.queue.push(task(f"t{n}")) for n in range(200)))
    await until(lambda: gauge.ended["wide"] == 200)
    assert gauge.ended["narrow"] == 0


async def test_what_was_being_delivered_in_a_crash_is_delivered_again(
    queue_stage: QueueStage,
) -> None:
    hanging: list[str] = []

    async def hang(task: Task) -> Verdict:
        hanging.append(task.key)
        await asyncio.Event().wait()
        return "done"

    for n in range(10):
        await queue_stage.queue.push(task(f"t{n}", "narrow"))
    await queue_stage.start_delivery(hang)
    await until(lambda: len(hanging) == 5)
    await queue_stage.crash()

    deliveries = Deliveries()
    await queue_stage.start_delivery(deliveries)
    await until(lambda: len(deliveries.keys) == 10)


async def test_what_was_done_before_a_crash_is_not_done_again(queue_stage: QueueStage) -> None:
    deliveries = Deliveries()
    await queue_stage.start_delivery(deliveries)
    for n in range(10):
        await queue_stage.queue.push(task(f"t{n}"))
    await until(lambda: len(deliveries.keys) == 10)
    await quiet()
    await queue_stage.crash()
    await queue_stage.start_delivery(deliveries)
    for n in range(10):
        await queue_stage.queue.push(task(f"t{n}"))
    await quiet()
    assert set(deliveries.keys.values()) == {1}


async def test_a_task_may_push_tasks(queue_stage: QueueStage) -> None:
    deliveries = Deliveries()

    async def handle(task: Task) -> Verdict:
        depth = int(task.key)
        if depth < 20:
            await queue_stage.queue.push(Task("settle", str(depth + 1), {}, "wide"))
        return await deliveries(task)

    await queue_stage.start_delivery(handle)
    await queue_stage.queue.push(task("0"))
    await until(lambda: len(deliveries.keys) == 21)


@pytest.mark.parametrize(
    "wrong",
    [
        Task("settle", "k", {}, "no-such-queue"),
        Task("", "k", {}, "wide"),
        Task("../admin", "k", {}, "wide"),
        Task("settle", "", {}, "wide"),
        Task("settle", "k" * 501, {}, "wide"),
        Task("settle", "k", {"text": "x" * 100_000}, "wide"),
        Task("settle", "k", {}, "wide", at_ms=int(time.time() * 1000) + 31 * 86_400_000),
    ],
    ids=["queue", "no name", "name", "no key", "long key", "large", "too late"],
)
async def test_tasks_that_another_queue_would_not_take_are_refused(
    queue_stage: QueueStage, wrong: Task
) -> None:
    with pytest.raises(ValueError, match=r"."):
        await queue_stage.queue.push(wrong)
