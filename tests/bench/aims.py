"""What the product should reach, beside what a run measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench import loads, starts
from tests.bench.big_result import BigResult
from tests.bench.loads import Row
from tests.bench.starts import Start

_CONCURRENCY = 16


@dataclass(frozen=True, slots=True)
class Aim:
    """At least, or at most, so much of something."""

    what: str
    unit: str
    measured: float
    at_least: float = 0.0
    at_most: float = float("inf")

    @property
    def is_met(self) -> bool:
        """Whether the run reached it."""
        return self.at_least <= self.measured <= self.at_most


def aims(rows: Sequence[Row], all_starts: Sequence[Start], big: BigResult) -> list[Aim]:
    """Every aim that the rows can tell something about."""
    status = max(row.per_second for row in rows if row.name == loads.STATUS)
    at = {row.name: row for row in rows if row.concurrency == _CONCURRENCY}
    create, in_memory = at[loads.CREATE], at.get(loads.CREATE_IN_MEMORY)
    ours = [s for s in all_starts if s.name not in (starts.BASELINE, starts.LOCAL_WITH_VENDOR)]
    found = [
        Aim("status", "/s", status, at_least=3000),
        Aim(f"create, {_CONCURRENCY} connections", "/s", create.per_second, at_least=500),
        Aim(f"create, {_CONCURRENCY} connections, p99", " ms", create.p99_ms, at_most=60),
        Aim(
            "idle memory of any process", " MiB", max(s.memory.total_mib for s in ours), at_most=150
        ),
        Aim(
            "first answer of any process",
            " s",
            max(s.first_answer_seconds for s in ours),
            at_most=0.9,
        ),
        Aim(f"memory for a result of {big.size_mb:.0f} MB", " MiB", big.more_mib, at_most=64),
        Aim("errors", "", sum(row.errors for row in rows), at_most=0),
    ]
    if in_memory:
        name = f"{in_memory.name}, {_CONCURRENCY} connections"
        found.insert(3, Aim(name, "/s", in_memory.per_second, at_least=2000))
    return found
