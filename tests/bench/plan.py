"""How much is measured: a whole run, or a quick one that only shows that everything works."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Amounts of each part of the bench."""

    seconds: int  # of one load
    rounds: int  # of loads; their medians count
    concurrencies: tuple[int, ...]
    users: int
    jobs: int
    jobs_over_the_wire: int
    jobs_in_process: int
    starts: int  # of each process; their medians count
    result_megabytes: int


WHOLE = Plan(
    seconds=3,
    rounds=3,
    concurrencies=(1, 16, 64),
    users=3000,
    jobs=2000,
    jobs_over_the_wire=400,
    jobs_in_process=2000,
    starts=5,
    result_megabytes=500,
)
QUICK = Plan(
    seconds=1,
    rounds=1,
    concurrencies=(16,),
    users=200,
    jobs=200,
    jobs_over_the_wire=40,
    jobs_in_process=150,
    starts=1,
    result_megabytes=100,
)
