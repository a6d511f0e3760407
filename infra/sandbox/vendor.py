"""The vendor itself: accepts orders, plays each generation to its end and tells the caller."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Mapping
from dataclasses import asdict, replace
from random import Random
from typing import Any

from infra.sandbox.behaviour import Behaviour
from infra.sandbox.chance import draw_fate
from infra.sandbox.generations import Failure, Generation, Media, Register, Status
from infra.sandbox.links import ResultLinks
from infra.sandbox.orders import Order
from infra.sandbox.refusals import Refusal
from infra.sandbox.settings import Settings
from infra.sandbox.studio import NotMade, Studio
from infra.sandbox.webhooks import Body, Postman, SandboxSigner, Signer

QUEUED_SHARE = 0.1
RENDER_GUESS_SECONDS = 1.5
PROGRESS_MAX_BEFORE_END = 0.99
FAILURES = {
    "render_failed": "the generation could not be rendered",
    "out_of_capacity": "no capacity was left for this generation",
    "internal": "something went wrong inside the vendor",
    "moderation_blocked": "the content was refused by moderation",
}

log = logging.getLogger(__name__)


class Vendor:
    """Everything that one sandbox process knows. All of it is used from one event loop."""

    def __init__(self, settings: Settings, public_url: str, signer: Signer | None = None) -> None:
        self.settings = settings
        self.links = ResultLinks(public_url)
        self._studio = Studio()
        self._postman = Postman(signer or SandboxSigner(settings.webhook_secret))
        self._tasks: set[asyncio.Task[None]] = set()
        self._plays: dict[str, asyncio.Task[None]] = {}
        self._start_over()

    def _start_over(self) -> None:
        self.defaults: Behaviour = self.settings.behaviour
        self.register = Register(
            self.settings.concurrency, queues=self.does_queue(), apart=self.places_apart()
        )
        self._places = asyncio.Semaphore(self.register.places)
        self._chance = Random(self.settings.seed)

    async def open(self) -> None:
        """Prepare what the first caller would otherwise wait for."""
        if self.settings.behaviour.render.word == "instant":
            await self._studio.warm_up()

    async def close(self) -> None:
        await self._cancel_tasks()
        await self._studio.close()
        await self._postman.close()

    async def reset(self) -> None:
        """Forget everything that happened since the start, switches included."""
        await self._cancel_tasks()
        self._start_over()

    def behaviour_of(self, generation: Generation | None) -> Behaviour:
        """The switches that hold for a generation now: its own, then the process-wide ones."""
        return self.defaults.with_overrides(generation.order.overrides if generation else {})

    def accept(self, order: Order) -> Generation:
        """A queued generation that holds a place; raises the refusals of a real vendor."""
        behaviour = self.defaults.with_overrides(order.overrides)
        if behaviour.moderation.word == "refuse":
            self.register.counts.refused_moderation += 1
            raise Refusal("moderation_blocked", "the prompt was refused by moderation")
        self.register.require_place(order.client_id, order.units, order.kind)
        order = replace(order, count=min(order.count, int(behaviour.results)))
        generation = self.register.admit(order, draw_fate(behaviour, self._chance), time.time())
        play = self._spawn(self._play(generation))
        self._plays[generation.id] = play
        play.add_done_callback(lambda _: self._plays.pop(generation.id, None))
        return generation

    def look_up(self, client_id: str) -> list[Generation]:
        """What was accepted under the caller's id, unless it is too fresh to be visible."""
        generation = self.register.find_by_client_id(client_id)
        if generation is None:
            return []
        lag_seconds = self.behaviour_of(generation).lookup_lag_seconds
        is_visible = time.time() - generation.accepted_at >= lag_seconds
        return [generation] if is_visible else []

    def cancel(self, generation: Generation) -> None:
        """End it at once; raises 409 when it has ended already."""
        if generation.is_terminal:
            raise Refusal("not_cancellable", f"the generation is {generation.status} already")
        self._move(generation, Status.CANCELLED)
        self._plays[generation.id].cancel()

    def describe(self, generation: Generation) -> dict[str, object]:
        """The generation object of the wire; every call mints a fresh address for the result."""
        words: dict[str, object] = {
            "id": generation.id,
            "client_id": generation.order.client_id,
            "kind": generation.order.kind,
            "status": generation.status.value,
            "progress": self._measure_progress(generation),
            "created_at": int(generation.accepted_at),
        }
        if generation.completed_at is not None:
            words["completed_at"] = int(generation.completed_at)
        if generation.media is not None:
            is_dead = self.behaviour_of(generation).result.word == "expired"
            words["result"] = self.links.mint(generation.id, generation.media, is_dead=is_dead)
        if generation.error is not None:
            words["error"] = asdict(generation.error)
        return words

    def does_queue(self) -> bool:
        """Whether an order that finds no place waits for one; otherwise it is refused."""
        return False

    def places_apart(self) -> Mapping[str, int]:
        """How many places those kinds of work have that do not share the others'."""
        return {}

    async def _play(self, generation: Generation) -> None:
        """From queued to the end. The latency begins where the waiting for a place ends."""
        async with self._places:
            await self._run(generation)

    async def _run(self, generation: Generation) -> None:
        """What rendering took is part of the latency, not added to it."""
        clock = asyncio.get_running_loop()
        ends_at = clock.time() + generation.fate.latency_seconds
        await asyncio.sleep(generation.fate.latency_seconds * QUEUED_SHARE)
        self._move(generation, Status.RUNNING)
        if generation.fate.hangs:
            await asyncio.Event().wait()
        outcome = await self._make(generation)
        await asyncio.sleep(max(0, ends_at - clock.time()))
        status = Status.SUCCEEDED if isinstance(outcome, Media) else Status.FAILED
        self._move(generation, status, outcome)

    async def _make(self, generation: Generation) -> Media | Failure:
        code = generation.fate.failure_code
        if code is not None:
            return Failure(code, FAILURES[code])
        try:
            if self.behaviour_of(generation).render.word == "instant":
                return await self._studio.make_instant(generation.order.kind)
            return await self._studio.make(generation.order)
        except NotMade as error:
            return Failure(error.code, str(error))
        except Exception:
            log.exception("generation %s broke", generation.id)
            return Failure("internal", FAILURES["internal"])

    def _move(
        self, generation: Generation, status: Status, outcome: Media | Failure | None = None
    ) -> None:
        self.register.move(generation, status, time.time(), outcome)
        callback_url = generation.order.callback_url
        if callback_url is None or not self.is_news(generation):
            return
        self._spawn(
            self._postman.announce(
                callback_url,
                self.behaviour_of(generation).webhook,
                lambda: self.event(generation),
                self.register.counts,
            )
        )

    def is_news(self, generation: Generation) -> bool:
        """Whether callers are told of where a generation stands now."""
        return generation.is_terminal

    def event(self, generation: Generation) -> Body:
        """What callers are told."""
        event = f"generation.{generation.status.value}"
        return {"event": event, **self.describe(generation)}

    def _measure_progress(self, generation: Generation) -> float:
        """Elapsed time over expected time; it never falls and reaches 1 only at success."""
        if not generation.is_terminal:
            expected_seconds = max(generation.fate.latency_seconds, RENDER_GUESS_SECONDS)
            share = (time.time() - generation.accepted_at) / expected_seconds
            reached = round(min(share, PROGRESS_MAX_BEFORE_END), 3)
            generation.progress = max(generation.progress, reached)
        return generation.progress

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _cancel_tasks(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
