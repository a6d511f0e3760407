"""A vendor as a world of its own: it accepts, works, fails, hangs, forgets, and tells or does not.

It knows nothing of us. What reaches it and what it takes is told to a judge.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from tests.simulation.faults import note
from tests.simulation.kernel import Kernel

LOOKUP_LAG_MS = 20_000
_HOOK_LATE_MS = (10_000, 300_000)
_ASLEEP_MS = (30_000, 400_000)
_EARLY_MS = 30
_USUAL_MS = 60_000


@dataclass(frozen=True, slots=True)
class Traits:
    """What kind of a vendor this is."""

    name: str
    places: int  # of our account
    run_limit_ms: int  # ours
    beyond_ms: int = (
        900_000  # what hangs is ended by the vendor so long after our limit, and no later
    )
    finds_by_our_id: bool = True
    can_cancel: bool = True
    sends_hooks: bool = True
    signs_hooks: bool = True
    echoes_our_id: bool = True
    refuses_duplicates: bool = True
    enforces_places: bool = False
    second_places: int = 0  # of a second account, where we have one
    counts_pictures: bool = False  # a generation takes a place for each of its results
    answers_with_results: bool = False

    @property
    def accounts(self) -> Mapping[str, int]:
        """What our accounts with it are called, and the places of each."""
        second = {f"{self.name}_2": self.second_places} if self.second_places else {}
        return {self.name: self.places, **second}


@dataclass(slots=True)
class Generation:
    """One accepted order."""

    id: str
    client_id: str
    kind: str
    count: int
    units: int
    callback_url: str
    accepted_ms: int
    visible_ms: int
    duration_ms: int = 0
    fate: str = "succeeded"
    state: str = "running"
    result: str = ""
    awake_ms: int = 0
    described: bytes = b""

    @property
    def is_over(self) -> bool:
        """Whether its place is free again."""
        return self.state != "running"


class Judge(Protocol):
    """Who is told what reaches a vendor."""

    def is_about_to_send(self, job_id: str) -> None:
        """We are about to order; the process may still freeze before the order leaves it."""
        ...

    def was_sent(self, job_id: str) -> None:
        """An order arrived."""
        ...

    def was_accepted(self, vendor: "Vendor", generation: Generation) -> None:
        """An order is about to be run."""
        ...


class Refused(Exception):
    """A request that the vendor does not serve."""

    def __init__(self, status: int, code: str, **details: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.details = details


Announce = Callable[["Vendor", Generation], None]


class Vendor:
    """A vendor as one account of ours sees it. `on_accept` and `on_end` hear of its generations."""

    def __init__(self, kernel: Kernel, traits: Traits, account: str, judge: Judge) -> None:
        self.traits = traits
        self.account = account
        self.revoked_until_ms = 0
        self.broken_until_ms = 0
        self.running = 0
        self.places = traits.accounts[account]
        self.generations: dict[str, Generation] = {}
        self.by_client_id: dict[str, list[Generation]] = {}
        self.on_accept: Announce = _say_nothing
        self.on_end: Announce = _say_nothing
        self._kernel = kernel
        self.judge = judge

    def order(self, client_id: str, kind: str, count: int, callback_url: str) -> Generation:
        """Accept an order; raises `Refused`."""
        faults = self._kernel.faults
        self.judge.was_sent(client_id)
        if self._kernel.now_ms < self.revoked_until_ms:
            note(faults, "key_revoked")
            raise Refused(401, "unauthorized")
        if faults.hits("vendor_rejects"):
            raise Refused(422, "moderation_blocked")
        units = count if self.traits.counts_pictures else 1
        is_full = self.traits.enforces_places and self.running + units > self.places
        if is_full or faults.hits("vendor_busy"):
            raise Refused(429, "too_many_generations")
        earlier = self.by_client_id.get(client_id)
        if earlier and self.traits.refuses_duplicates:
            raise Refused(409, "duplicate_client_id", generation_id=earlier[0].id)
        return self._accept(client_id, kind, count, units, callback_url)

    def find(self, generation_id: str) -> Generation:
        """The generation with this id; raises `Refused`."""
        generation = self.generations.get(generation_id)
        if generation is None or generation.visible_ms > self._kernel.now_ms:
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

    def _accept(
        self, client_id: str, kind: str, count: int, units: int, callback_url: str
    ) -> Generation:
        kernel, faults = self._kernel, self._kernel.faults
        lag_ms = LOOKUP_LAG_MS if faults.hits("lookup_lag") else 0
        generation = Generation(
            id=f"gen_{self.account}_{kernel.chance.getrandbits(32):08x}",
            client_id=client_id,
            kind=kind,
            count=count,
            units=units,
            callback_url=callback_url,
            accepted_ms=kernel.now_ms,
            visible_ms=kernel.now_ms + lag_ms,
        )
        if not self.traits.answers_with_results and faults.hits("accept_and_drop"):
            return generation
        self.judge.was_accepted(self, generation)
        self.running += units
        self.generations[generation.id] = generation
        self.by_client_id.setdefault(client_id, []).append(generation)
        if kernel.tell:
            kernel.tell(self.account, f"accepts {generation.id} for {client_id[:14]}")
        if kernel.now_ms < self.broken_until_ms:
            note(faults, "vendor_broken")
            generation.fate = "failed"
        elif faults.hits("generation_fails"):
            generation.fate = "failed"
        generation.duration_ms = self._duration_ms()
        if self.traits.answers_with_results and generation.fate == "succeeded":
            self._draw_result(generation)
        kernel.after(generation.duration_ms, self._end, generation, generation.fate)
        self.on_accept(self, generation)
        return generation

    def _duration_ms(self) -> int:
        faults, draw = self._kernel.faults, self._kernel.chance.random()
        if faults.hits("hook_early"):
            return int(draw * _EARLY_MS)
        if faults.hits("generation_hangs"):
            return self.traits.run_limit_ms + self.traits.beyond_ms
        if faults.hits("generation_late"):
            return self.traits.run_limit_ms + int(draw * self.traits.beyond_ms)
        return int(draw * draw * _USUAL_MS)

    def _end(self, generation: Generation, state: str) -> None:
        if generation.is_over:
            return
        generation.state = state
        generation.described = b""
        self.running -= generation.units
        if state == "succeeded" and not self.traits.answers_with_results:
            self._draw_result(generation)
        if self._kernel.tell:
            told = f"{generation.id} of {generation.client_id[:14]} {state} {generation.result}"
            self._kernel.tell(self.account, told)
        if self.traits.sends_hooks:
            self._send_hooks(generation)

    def _draw_result(self, generation: Generation) -> None:
        faults = self._kernel.faults
        if generation.count > 1 and faults.hits("result_fewer"):
            generation.count -= 1
        for kind in ("result_dead", "result_bad", "result_huge"):
            if faults.hits(kind):
                generation.result = kind
                return
        if faults.hits("result_asleep"):
            generation.awake_ms = self._kernel.now_ms + self._kernel.chance.randrange(*_ASLEEP_MS)

    def _send_hooks(self, generation: Generation) -> None:
        kernel, faults = self._kernel, self._kernel.faults
        if faults.hits("hook_lost"):
            return
        delay_ms = kernel.latency_ms()
        if faults.hits("hook_late"):
            delay_ms += kernel.chance.randrange(*_HOOK_LATE_MS)
        for copy in range(3 if faults.hits("hook_twice") else 1):
            kernel.after(delay_ms + copy * 700, self.on_end, self, generation)


def _say_nothing(_vendor: Vendor, _generation: Generation) -> None:
    """Nobody listens."""
