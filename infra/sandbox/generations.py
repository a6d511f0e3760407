"""The generations that the vendor knows: their table of states, their places, their counts."""

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from infra.sandbox.chance import Fate
from infra.sandbox.orders import Order
from infra.sandbox.refusals import Refusal, refuse_busy

KEPT_MAX = 50_000
KEPT_RESULT_BYTES_MAX = 256_000_000


class Status(StrEnum):
    """What a caller sees."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


FOLLOWING: Mapping[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.RUNNING, Status.CANCELLED}),
    Status.RUNNING: frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED}),
    Status.SUCCEEDED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Media:
    """A finished result. `content` is None when it is no longer kept; shared bytes always are."""

    content: bytes | None = field(repr=False)
    content_type: str
    name: str
    size_bytes: int
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no result."""

    code: str
    message: str


@dataclass(slots=True)
class Generation:
    """One accepted order. Times are unix seconds; `progress` never falls."""

    id: str
    order: Order
    fate: Fate
    accepted_at: float
    status: Status = Status.QUEUED
    progress: float = 0.0
    completed_at: float | None = None
    media: Media | None = None
    error: Failure | None = None

    @property
    def is_terminal(self) -> bool:
        return not FOLLOWING[self.status]


@dataclass(slots=True)
class Counts:
    """What `GET /control/stats` shows. `running` is the number of places held now."""

    running: int = 0
    max_running: int = 0
    accepted: int = 0
    refused_busy: int = 0
    refused_moderation: int = 0
    duplicates: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    webhooks_sent: int = 0
    webhooks_given_up: int = 0
    webhooks_lost: int = 0
    results_served: int = 0

    def as_json(self) -> dict[str, int]:
        return asdict(self)


class Register:
    """Generations by id and by the caller's id. A place is held from acceptance to the end, or
    waited for where the vendor queues what finds none. Kinds of work that stand in `apart` have
    places of their own.
    """

    def __init__(
        self,
        concurrency: int,
        *,
        queues: bool = False,
        apart: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self.concurrency = concurrency
        self.queues = queues
        self.counts = Counts()
        self._apart = apart
        self._held: Counter[str] = Counter()
        self._by_id: dict[str, Generation] = {}
        self._by_client_id: dict[str, Generation] = {}
        self._kept: dict[str, int] = {}
        self._kept_bytes = 0

    @property
    def places(self) -> int:
        """Of all kinds together."""
        return self.concurrency + sum(self._apart.values())

    def require_place(self, client_id: str, units: int = 1, kind: str = "") -> None:
        """Raises 409 for a client id that was used before and 429 when too few places are free."""
        self._refuse_duplicate(client_id)
        self._refuse_busy(units, kind)

    def admit(self, order: Order, fate: Fate, now: float) -> Generation:
        """A new generation that holds a place, after `require_place`."""
        assert self._has_places(order.units, order.kind)
        assert order.client_id not in self._by_client_id
        generation = Generation(f"gen_{secrets.token_hex(12)}", order, fate, now)
        self._by_id[generation.id] = generation
        self._by_client_id[order.client_id] = generation
        self.counts.accepted += 1
        self.counts.running += order.units
        self._held[self._pack(order.kind)] += order.units
        self.counts.max_running = max(self.counts.max_running, self.counts.running)
        self._forget_oldest()
        return generation

    def find(self, generation_id: str) -> Generation:
        """The generation with this id; raises 404."""
        generation = self._by_id.get(generation_id)
        if generation is None:
            raise Refusal("not_found", f"there is no generation {generation_id!r}")
        return generation

    def find_by_client_id(self, client_id: str) -> Generation | None:
        return self._by_client_id.get(client_id)

    def newest(self, limit: int) -> list[Generation]:
        return list(self._by_id.values())[: -limit - 1 : -1]

    def move(
        self,
        generation: Generation,
        status: Status,
        now: float,
        outcome: Media | Failure | None = None,
    ) -> None:
        """Take a step of the table; a terminal state gives the place back."""
        assert status in FOLLOWING[generation.status], (generation.status, status)
        generation.status = status
        if not generation.is_terminal:
            return
        generation.completed_at = now
        generation.order = generation.order.without_pictures()
        if isinstance(outcome, Failure):
            generation.error = outcome
        if isinstance(outcome, Media):
            generation.progress = 1.0
            self._keep_result(generation, outcome)
        self.counts.running -= generation.order.units
        self._held[self._pack(generation.order.kind)] -= generation.order.units
        setattr(self.counts, status.value, getattr(self.counts, status.value) + 1)

    def _refuse_duplicate(self, client_id: str) -> None:
        first = self._by_client_id.get(client_id)
        if first is None:
            return
        self.counts.duplicates += 1
        raise Refusal(
            "duplicate_client_id",
            f"client_id {client_id!r} was used before",
            details={"generation_id": first.id},
        )

    def _refuse_busy(self, units: int, kind: str) -> None:
        if self._has_places(units, kind):
            return
        self.counts.refused_busy += 1
        most = self._apart.get(kind, self.concurrency)
        raise refuse_busy(f"{most} generations are in progress, the most there may be")

    def _has_places(self, units: int, kind: str) -> bool:
        most = self._apart.get(kind, self.concurrency)
        return self.queues or self._held[self._pack(kind)] + units <= most

    def _pack(self, kind: str) -> str:
        """Whose places a kind of work takes."""
        return kind if kind in self._apart else ""

    def _forget_oldest(self) -> None:
        """Bound the memory: the oldest finished generation goes when too many are kept."""
        if len(self._by_id) <= KEPT_MAX:
            return
        oldest = next((kept for kept in self._by_id.values() if kept.is_terminal), None)
        if oldest is not None:
            del self._by_id[oldest.id]
            del self._by_client_id[oldest.order.client_id]
            self._kept_bytes -= self._kept.pop(oldest.id, 0)

    def _keep_result(self, generation: Generation, media: Media) -> None:
        """Bound the bytes: the oldest results lose theirs and their addresses answer 410."""
        generation.media = media
        if media.shared:
            return
        self._kept[generation.id] = media.size_bytes
        self._kept_bytes += media.size_bytes
        while self._kept_bytes > KEPT_RESULT_BYTES_MAX and len(self._kept) > 1:
            oldest = self._by_id[next(iter(self._kept))]
            assert oldest.media is not None
            oldest.media = replace(oldest.media, content=None)
            self._kept_bytes -= self._kept.pop(oldest.id)
