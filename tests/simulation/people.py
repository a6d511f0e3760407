"""Creators and their browsers: they ask, double-click, lose patience, try again, and look."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from shared import ids
from shared.app import App
from tests.simulation.doors import Door, Playing, Refused, Wanted
from tests.simulation.faults import note
from tests.simulation.kernel import (
    Activity,
    InjectedError,
    Kernel,
    Killed,
    Violation,
    Wait,
    fail,
)

_PATIENCE_MS = 35_000
_BACKOFF_MS = 3_000
_TRIES_MAX = 4
# A marked retry is the same request for two minutes, by clocks that are up to 20 s wrong each.
_RETRY_KNOWN_MS = 60_000


class Cloud(Protocol):
    """Where function calls run."""

    kernel: Kernel
    door: Door
    has_skew: bool

    def app(self) -> App:
        """The ports for one function call."""
        ...

    def count(self, code: str) -> None:
        """Somebody was refused."""
        ...

    def owner(self, job_id: str) -> str | None:
        """Whose job it is, by the store."""
        ...


class Answer(NamedTuple):
    """What a browser got: a value, a refusal, or nothing usable."""

    value: Any = None
    refusal: Refused | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that a person wants made, and what else they do about it."""

    user_id: str
    number: int
    model: str
    start_ms: int
    key: str | None = None
    image_id: str | None = None
    count: int = 1
    fallback_models: tuple[str, ...] = ()
    twin_after_ms: int | None = None
    twin_wants_other: bool = False
    cancel_after_ms: int | None = None
    looks: int = 0
    delete_after_ms: int | None = None


class Person:
    """Plays one wish from the first click to the last look."""

    def __init__(self, cloud: Cloud, wish: Wish, stranger: str) -> None:
        self._cloud = cloud
        self._kernel = cloud.kernel
        self._wish = wish
        self._stranger = stranger
        self._made: set[tuple[str, str]] = set()  # job id, and the prompt it was asked for with
        self._first_ms = 0

    def __str__(self) -> str:
        return f"{self._wish.user_id} wish {self._wish.number}"

    async def play(self) -> None:
        """From the first click to the last look."""
        wish, kernel = self._wish, self._kernel
        await kernel.pause(wish.start_ms)
        self._first_ms = kernel.now_ms
        if wish.twin_after_ms is not None:
            kernel.spawn(self, self._twin(wish.twin_after_ms), raise_error)
        job_id = await self._create(self._wanted("a red fox"))
        if job_id is None:
            return
        if wish.cancel_after_ms is not None:
            await kernel.pause(wish.cancel_after_ms)
            await self._cancel(job_id)
        for _ in range(wish.looks):
            await self._look(job_id)
        if wish.looks:
            await self._be_spied_on(job_id)
        if wish.delete_after_ms is not None:
            await self._delete(job_id, wish.delete_after_ms)

    async def _twin(self, after_ms: int) -> None:
        """A second click, or the same key for another wish."""
        await self._kernel.pause(after_ms)
        await self._create(
            self._wanted("a blue fox" if self._wish.twin_wants_other else "a red fox")
        )

    async def _create(self, wanted: Wanted) -> str | None:
        for _ in range(_TRIES_MAX):
            app = self._cloud.app()
            answer = await self._ask("create", app, self._cloud.door.create(app, wanted))
            if answer.value is not None:
                return self._check_made(wanted, answer.value["id"])
            if answer.refusal is not None:
                self._check_refusal(answer.refusal)
                return None
            if not self._kernel.faults.hits("client_retries"):
                return None
            await self._kernel.pause(int(self._kernel.chance.random() * _BACKOFF_MS))
            wanted = replace(wanted, is_retry=True)
        return None

    def _check_made(self, wanted: Wanted, job_id: str) -> str:
        user_id, key = self._wish.user_id, wanted.key
        owner = self._cloud.owner(job_id)
        if owner != user_id:
            fail("I16", f"{user_id} was given {job_id} of {owner}")
        self._made.add((job_id, wanted.prompt))
        if key is not None:
            if job_id != ids.job_id(user_id, key) or len(self._made) > 1:
                fail("I12", f"key {key} made {sorted(self._made)}")
        elif len(self._made) > 1 and self._is_one_wish(wanted):
            fail("I12", f"one wish made {sorted(self._made)}")
        return job_id

    def _is_one_wish(self, wanted: Wanted) -> bool:
        """Whether requests without a key must have been recognised as the same."""
        if wanted.is_retry:
            is_soon = self._kernel.now_ms - self._first_ms < _RETRY_KNOWN_MS
            return is_soon and self._wish.twin_after_ms is None
        return not self._wish.twin_wants_other and not self._cloud.has_skew

    def _check_refusal(self, refusal: Refused) -> None:
        self._cloud.count(refusal.code)
        if refusal.code == "idempotency_key_reused" and not self._wish.twin_wants_other:
            fail("I12", "the same body was refused as another one")

    async def _cancel(self, job_id: str) -> None:
        app = self._cloud.app()
        answer = await self._ask(
            "cancel", app, self._cloud.door.cancel(app, self._wish.user_id, job_id)
        )
        if answer.value is not None and answer.value["status"] != "cancelled":
            fail("I5", f"{job_id} was said to be cancelled: {answer.value}")

    async def _look(self, job_id: str) -> None:
        app = self._cloud.app()
        answer = await self._ask(
            "read", app, self._cloud.door.read(app, self._wish.user_id, job_id)
        )
        if answer.value is not None and answer.value["id"] != job_id:
            fail("I16", f"asked for {job_id}, got {answer.value}")
        await self._kernel.pause(int(self._kernel.chance.random() * 20_000))

    async def _be_spied_on(self, job_id: str) -> None:
        """Somebody else asks for the job, by its id and by their own list."""
        app, door = self._cloud.app(), self._cloud.door
        stranger = self._stranger
        for act in (door.read, door.cancel, door.delete):
            answer = await self._ask("spy", app, act(app, stranger, job_id))
            if answer.value is not None or (answer.refusal and answer.refusal.status != 404):
                fail("I16", f"{stranger} learned of {job_id}: {answer}")
            app = self._cloud.app()
        answer = await self._ask("list", app, door.list(app, stranger))
        foreign = [
            job["id"] for job in answer.value or [] if self._cloud.owner(job["id"]) != stranger
        ]
        if foreign:
            fail("I16", f"{stranger} was shown {foreign}")

    async def _delete(self, job_id: str, after_ms: int) -> None:
        for _ in range(3):
            await self._kernel.pause(after_ms)
            app = self._cloud.app()
            await self._ask("delete", app, self._cloud.door.delete(app, self._wish.user_id, job_id))

    def _wanted(self, words: str) -> Wanted:
        wish = self._wish
        prompt = f"{words} number {wish.number}"
        return Wanted(
            wish.user_id,
            wish.model,
            prompt,
            wish.image_id,
            wish.key,
            wish.count,
            wish.fallback_models,
        )

    async def _ask(self, verb: str, app: App, playing: Playing) -> Answer:
        answer: Answer = await _asked(self._kernel, f"{self}: {verb}", app, playing)
        return answer


def _asked(kernel: Kernel, title: str, app: App, playing: Playing) -> Wait:
    """Call a function and wait for it, no longer than a person does."""

    def begin(person: Activity) -> None:
        is_waiting = True

        def hear(answer: Answer) -> None:
            nonlocal is_waiting
            if is_waiting:
                is_waiting = False
                kernel.after(kernel.latency_ms(), kernel.resume, person, answer)

        def lose_patience() -> None:
            if is_waiting:
                note(kernel.faults, "deadline")
                hear(Answer())

        kernel.spawn(title, playing, lambda value, error: hear(_heard(value, error)), app)
        kernel.after(_PATIENCE_MS, lose_patience)

    return Wait(begin)


def _heard(value: Any, error: Exception | None) -> Answer:
    if error is None:
        return Answer(True if value is None else value)
    if isinstance(error, Refused):
        return Answer() if error.status >= 500 else Answer(refusal=error)
    raise_error(value, error)
    return Answer()


Ended = Callable[[Any, Exception | None], None]


def raise_error(_value: Any, error: Exception | None) -> None:
    """A function may die, or meet an error that we injected; anything else is a mistake of its."""
    is_expected = error is None or isinstance(error, Killed | InjectedError | FileNotFoundError)
    if not is_expected and not (isinstance(error, Refused) and error.status >= 500):
        raise Violation(f"a function ended with {type(error).__name__}: {error}") from error
