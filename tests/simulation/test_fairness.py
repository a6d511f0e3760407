"""Who waits, and for how long: one user's many wishes do not hold up another user's one."""

from dataclasses import replace
from random import Random

from shared import records
from shared.ports import Data
from tests.simulation.faults import Swarm
from tests.simulation.people import Wish
from tests.simulation.seeds import play
from tests.simulation.stage import SETTINGS, Stage, catalogue_of
from tests.simulation.vendor import Traits
from tests.simulation.world import World

HEAVY, LIGHT, OTHER = "usr_0", "usr_3", "usr_1"
PLACES = 2


def _played(wishes: list[Wish], seed: int = 1) -> list[Data]:
    """The jobs, in the order in which they were sent, when nothing goes wrong."""
    chance = Random(seed)
    traits = (Traits("ada", places=PLACES, run_limit_ms=300_000),)
    settings = replace(SETTINGS, waiting_jobs_max=100, jobs_per_minute=100)
    world = World(chance, Swarm(chance, ()), Stage(traits, catalogue_of(traits), (settings,)))
    world.open(users=4, tokens=10_000)
    for wish in wishes:
        world.wish(wish, OTHER)
    assert not play(world, 0).violations
    return sorted(world.store.all(records.JOBS), key=lambda job: job["submitted_at_ms"])


def _wishes(user_id: str, count: int, start_ms: int) -> list[Wish]:
    return [
        Wish(user_id, number, "ada-image", start_ms + 40 * number, f"{user_id}-{number}")
        for number in range(count)
    ]


def test_one_wish_does_not_wait_for_somebody_elses_thirty() -> None:
    sent = [job["user_id"] for job in _played([*_wishes(HEAVY, 30, 0), *_wishes(LIGHT, 1, 5_000)])]
    # Both are on the free plan: the light user is next, after what was sent or granted already.
    assert sent.index(LIGHT) <= PLACES + 2


def test_two_lines_of_equal_users_are_served_in_turn() -> None:
    sent = [job["user_id"] for job in _played([*_wishes(HEAVY, 12, 0), *_wishes(LIGHT, 12, 3_000)])]
    first = sent.index(LIGHT)
    turns = sent[first : first + 16]
    assert abs(turns.count(HEAVY) - turns.count(LIGHT)) <= 2


def test_a_plan_of_twice_the_weight_gets_twice_the_starts() -> None:
    """The second user of a run is on the plan of weight 2."""
    sent = [job["user_id"] for job in _played([*_wishes(HEAVY, 14, 0), *_wishes(OTHER, 14, 3_000)])]
    first = sent.index(OTHER)
    turns = sent[first : first + 15]
    assert 8 <= turns.count(OTHER) <= 12


def test_without_faults_nobody_who_waits_is_overtaken() -> None:
    for seed in range(5):
        wishes = [*_wishes(HEAVY, 8, 0), *_wishes(OTHER, 8, 2_000), *_wishes(LIGHT, 4, 4_000)]
        sent = _played(wishes, seed)
        tags = [job["start_tag"] for job in sent if job["epoch"] > 1]  # those that had waited
        late = sum(tag < max(tags[:n], default=0) for n, tag in enumerate(tags))
        assert late <= 3  # those who came with a lower tag than was being served
