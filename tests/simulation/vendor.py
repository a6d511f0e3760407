"""A vendor as a world of its own: it accepts, works, fails, hangs, forgets, and tells or does not.

It is the judge too: it counts what runs and refuses nothing that it should not have been sent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tests.simulation.kernel import Kernel

LOOKUP_LAG_MS = 20_000
HANG_BEYOND_LIMIT_MS = 900_000
_HOOK_LATE_MS = (10_000, 300_000)


@dataclass(frozen=True, slots=True)
class Traits:
    """What kind of a vendor this is."""

    name: str
    places: int
    run_limit_ms: int
    finds_by_our_id: bool
    can_cancel: bool
    sends_hooks: bool
    signs_hooks: bool
    echoes_our_id: bool
    refuses_duplicates: bool
    enforces_places: bool


@dataclass(slots=True)
class Generation:
    """One accepted order."""

    id: str
    client_id: str
    kind: str
    callback_url: str | None
    accepted_ms: int
    visible_ms: int
    will: str
    state: str = "running"
    result: str = "normal"

    @property
    def is_over(self) -> bool:
        """Whether its place is free again."""
        return self.state != "running"


class Judge(Protocol):
    """Who is told what reaches the vendor."""

    def was_sent(self, vendor: str, job_id: str) -> None: ...

    def was_accepted(self, vendor: "Vendor", generation: Generation) -> None: ...


class Refused(Exception):
    """A request that the vendor does not serve."""

    def __init__(self, status: int, code: str, **details: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.details = details


Announce = Callable[["Vendor", Generation], None]


class Vendor:
    """One vendor account."""

    def __init__(self, kernel: Kernel, traits: Traits, judge: Judge) -> None:
        self.traits = traits
        self.running = 0
        self.generations: dict[str, Generation] = {}
        self.by_client_id: dict[str, list[Generation]] = {}
        self.announce: Announce = lambda _vendor, _generation: None
        self.on_accept: Announce = lambda _vendor, _generation: None
        self._kernel = kernel
        self._judge = judge

    def order(self, client_id: str, kind: str, callback_url: str | None) -> Generation:
        """Accept an order; raises `Refused`."""
        faults = self._kernel.faults
        self._judge.was_sent(self.traits.name, client_id)
        if faults.hits("vendor_rejects"):
            raise Refused(422, "moderation_blocked")
        if faults.hits("vendor_busy") or (
            self.traits.enforces_places and self.running >= self.traits.places
        ):
            raise Refused(429, "too_many_generations")
        earlier = self.by_client_id.get(client_id)
        if earlier and self.traits.refuses_duplicates:
            raise Refused(409, "duplicate_client_id", generation_id=earlier[0].id)
        return self._accept(client_id, kind, callback_url)

    def find(self, generation_id: str) -> Generation:
        """The generation with this id; raises `Refused`."""
        generation = self.generations.get(generation_id)
        if generation is None:
            raise Refused(404, "not_found")
        return generation

    def look_up(self, client_id: str) -> list[Generation]:
        """What was accepted under our id and can be seen by now."""
        found = self.by_client_id.get(client_id, [])
        return [each for each in found if each.visible_ms <= self._kernel.now_ms]

    def cancel(self, generation: Generation) -> None:
        """Stop a generation; raises `Refused` after its end."""
        if generation.is_over:
            raise Refused(409, "not_cancellable")
        self._end(generation, "cancelled")

    def _accept(self, client_id: str, kind: str, callback_url: str | None) -> Generation:
        kernel, faults = self._kernel, self._kernel.faults
        generation = Generation(
            id=f"gen_{self.traits.name}_{len(self.by_client_id)}_{kernel.chance.getrandbits(32):08x}",
            client_id=client_id,
            kind=kind,
            callback_url=callback_url,
            accepted_ms=kernel.now_ms,
            visible_ms=kernel.now_ms + (LOOKUP_LAG_MS if faults.hits("lookup_lag") else 0),
            will="failed" if faults.hits("generation_fails") else "succeeded",
        )
        if faults.hits("accept_and_drop"):
            return generation
        self._judge.was_accepted(self, generation)
        self.running += 1
        self.generations[generation.id] = generation
        self.by_client_id.setdefault(client_id, []).append(generation)
        self._draw_result(generation)
        kernel.after(self._duration_ms(), self._end, generation, generation.will)
        self.on_accept(self, generation)
        return generation

    def _duration_ms(self) -> int:
        chance, faults = self._kernel.chance, self._kernel.faults
        limit_ms = self.traits.run_limit_ms
        if faults.hits("generation_hangs"):
            return limit_ms + HANG_BEYOND_LIMIT_MS
        if faults.hits("generation_late"):
            return limit_ms + int(chance.random() * HANG_BEYOND_LIMIT_MS)
        draw = chance.random()
        return int(draw * 10_000) if draw < 0.15 else int(draw * draw * 60_000)

    def _draw_result(self, generation: Generation) -> None:
        for kind in ("result_dead", "result_bad", "result_huge"):
            if self._kernel.faults.hits(kind):
                generation.result = kind

    def _end(self, generation: Generation, state: str) -> None:
        if generation.is_over:
            return
        generation.state = state
        self.running -= 1
        if self._kernel.tell:
            self._kernel.tell(self.traits.name, f"{generation.id} of {generation.client_id[:12]} {state}")
        self._send_hooks(generation)

    def _send_hooks(self, generation: Generation) -> None:
        kernel, faults = self._kernel, self._kernel.faults
        if not self.traits.sends_hooks or generation.callback_url is None or faults.hits("hook_lost"):
            return
        delay_ms = kernel.latency_ms()
        if faults.hits("hook_late"):
            delay_ms += kernel.chance.randrange(*_HOOK_LATE_MS)
        for copy in range(3 if faults.hits("hook_twice") else 1):
            kernel.after(delay_ms + copy * 700, self.announce, self, generation)
