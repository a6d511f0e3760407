"""Creators and their browsers: they ask, double-click, lose patience, try again, cancel and look."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, Protocol

from shared import ids
from shared.app import App
from shared.errors import AppError, IdempotencyKeyReused, NotFound, Unavailable
from shared.jobs import Job, Settings
from shared.usecases.cancel_job import cancel_job
from shared.usecases.create_job import CreateJob, create_job
from shared.usecases.delete_job import delete_job
from shared.usecases.read_jobs import list_jobs, read_job
from shared.usecases.read_session import Session
from tests.simulation.invariants import require
from tests.simulation.kernel import Activity, Kernel, Killed, Violation, Wait

_PATIENCE_MS = 35_000
_BACKOFF_MS = 3_000
_TRIES_MAX = 4


class Cloud(Protocol):
    """Where function calls run."""

    kernel: Kernel

    def app(self) -> App: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a browser got: a value, a refusal with a code, or nothing usable."""

    value: Any = None
    refusal: AppError | None = None
    is_broken: bool = False


def ask(cloud: Cloud, name: str, call: Coroutine[Any, Any, Any]) -> Wait:
    """Call a function and wait for it, no longer than a person does."""
    kernel = cloud.kernel

    def begin(person: Activity) -> None:
        is_waiting = True

        def hear(answer: Answer) -> None:
            nonlocal is_waiting
            if is_waiting:
                is_waiting = False
                kernel.after(kernel.latency_ms(), kernel.resume, person, answer)

        def lose_patience() -> None:
            if is_waiting:
                kernel.faults.fired["deadline"] += 1
            hear(Answer(is_broken=True))

        kernel.spawn(name, call, lambda _activity, value, error: hear(_answer(value, error)))
        kernel.after(_PATIENCE_MS, lose_patience)

    return Wait(begin)


def _answer(value: Any, error: BaseException | None) -> Answer:
    if error is None:
        return Answer(value)
    if isinstance(error, Killed | OSError | Unavailable):
        return Answer(is_broken=True)
    if isinstance(error, AppError):
        return Answer(refusal=error)
    raise Violation(f"a function ended with {type(error).__name__}: {error}") from error


@dataclass(slots=True)
class Wish:
    """One thing that a person wants made."""

    user_id: str
    number: int
    model: str
    key: str | None
    start_ms: int


class Person:
    """Plays one wish from the first click to the last look."""

    def __init__(self, cloud: Cloud, wish: Wish, stranger: str, count: Callable[[str], None]) -> None:
        self._cloud = cloud
        self._kernel = cloud.kernel
        self._wish = wish
        self._stranger = stranger
        self._count = count
        self._session = Session(wish.user_id, 1)
        self._made: dict[str, str] = {}  # job id -> prompt it was made for
        self._first_ms = 0
        self._asked_otherwise = False

    async def play(self) -> None:
        """From the first click to the last look."""
        kernel, faults = self._kernel, self._kernel.faults
        await kernel.pause(self._wish.start_ms)
        self._first_ms = kernel.now_ms
        if faults.hits("client_doubles"):
            kernel.spawn(self._name("twin"), self._twin(), _ended, has_faults=False)
        job_id = await self._create(self._command("a red fox"))
        if job_id is None:
            return
        chance = kernel.chance.random()
        if chance < 0.25:
            await kernel.pause(int(kernel.chance.random() * 60_000))
            await self._cancel(job_id)
        elif chance < 0.5:
            await self._look(job_id)
        elif chance < 0.6:
            await self._delete(job_id)

    async def _twin(self) -> None:
        """A second click, or the same key for another wish."""
        await self._kernel.pause(int(self._kernel.chance.random() * 400))
        words = "a blue fox" if self._wish.key and self._kernel.chance.random() < 0.3 else "a red fox"
        self._asked_otherwise = words != "a red fox"
        await self._create(self._command(words))

    async def _create(self, command: CreateJob) -> str | None:
        for _ in range(_TRIES_MAX):
            call = create_job(self._cloud.app(), command)
            answer: Answer = await ask(self._cloud, self._name("create"), call)
            if answer.value is not None:
                return self._check_made(command, answer.value)
            if answer.refusal is not None:
                self._count(answer.refusal.code)
                self._check_refusal(command, answer.refusal)
                return None
            if not self._kernel.faults.hits("client_retries"):
                return None
            await self._kernel.pause(int(self._kernel.chance.random() * _BACKOFF_MS))
            command = replace(command, is_retry=True)
        return None

    def _check_made(self, command: CreateJob, job: Job) -> str:
        user_id, key = self._wish.user_id, command.idempotency_key
        require(job.user_id == user_id, "I16", f"{user_id} was given the job of {job.user_id}")
        self._made[job.id] = command.prompt
        if key is not None:
            require(job.id == ids.job_id(user_id, key), "I12", f"key {key} made {job.id}")
            prompts = set(self._made.values())
            require(len(prompts) == 1, "I12", f"key {key} was taken for two different bodies")
        elif command.is_retry and self._kernel.now_ms - self._first_ms < 60_000:
            require(len(self._made) == 1, "I12", f"a marked retry made {sorted(self._made)}")
        return job.id

    def _check_refusal(self, command: CreateJob, refusal: AppError) -> None:
        if isinstance(refusal, IdempotencyKeyReused):
            require(self._asked_otherwise, "I12", "the same body was refused as another one")

    async def _cancel(self, job_id: str) -> None:
        call = cancel_job(self._cloud.app(), self._session, job_id)
        answer: Answer = await ask(self._cloud, self._name("cancel"), call)
        if answer.value is not None:
            state = answer.value.state.value
            require(state == "cancelled", "I5", f"{job_id} was said to be cancelled and is {state}")

    async def _look(self, job_id: str) -> None:
        for _ in range(2):
            call = read_job(self._cloud.app(), self._wish.user_id, job_id)
            answer: Answer = await ask(self._cloud, self._name("read"), call)
            if answer.value is not None:
                require(answer.value.user_id == self._wish.user_id, "I16", "a foreign job was read")
            await self._kernel.pause(int(self._kernel.chance.random() * 20_000))
        spy = read_job(self._cloud.app(), self._stranger, job_id)
        answer = await ask(self._cloud, self._name("spy"), spy)
        require(answer.value is None, "I16", f"{self._stranger} read {job_id}")
        is_hidden = answer.is_broken or isinstance(answer.refusal, NotFound)
        require(is_hidden, "I16", f"{self._stranger} learned of {job_id}: {answer.refusal}")
        listing = list_jobs(self._cloud.app(), self._stranger, 20, None, None, None)
        answer = await ask(self._cloud, self._name("list"), listing)
        if answer.value is not None:
            foreign = [job.id for job in answer.value.jobs if job.user_id != self._stranger]
            require(not foreign, "I16", f"{self._stranger} was shown {foreign}")

    async def _delete(self, job_id: str) -> None:
        for _ in range(3):
            await self._kernel.pause(int(self._kernel.chance.random() * 120_000))
            call = delete_job(self._cloud.app(), self._session, job_id)
            await ask(self._cloud, self._name("delete"), call)

    def _command(self, words: str) -> CreateJob:
        return CreateJob(
            session=self._session,
            model=self._wish.model,
            prompt=f"{words} number {self._wish.number}",
            settings=Settings(),
            images={},
            idempotency_key=self._wish.key,
        )

    def _name(self, verb: str) -> str:
        return f"{self._wish.user_id} {verb} #{self._wish.number}"


def _ended(_activity: Activity, _value: Any, error: BaseException | None) -> None:
    if error is not None:
        raise error
