"""The simulator notices mistakes: every mutant is caught, or it is explained why it cannot be."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.simulation.hunting import hunt_one
from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.mutation import mutated

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 2_000

MISTAKES = [mutant for mutant in MUTANTS if not mutant.survives]
# A small budget is enough for these: they break a scenario without any fault.
PLAIN = (
    "capture before storing",
    "create without writing the slot",
    "forget to free the slot",
    "no sweeper",
    "a key names nothing",
    "a short quarantine",
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_a_mutant_changes_what_is_really_there(mutant: Mutant) -> None:
    source = (ROOT / f"{mutant.module.replace('.', '/')}.py").read_text()
    changed = mutated(mutant, source)
    assert changed != source
    compile(changed, mutant.module, "exec")


def test_there_are_many_mutants_and_few_that_survive() -> None:
    names = {mutant.name for mutant in MUTANTS}
    assert len(names) == len(MUTANTS)
    assert len(MISTAKES) >= 50
    assert all(len(mutant.survives) > 40 for mutant in MUTANTS if mutant.survives)


@pytest.mark.parametrize("name", PLAIN)
def test_a_gross_mistake_is_noticed_at_once(name: str) -> None:
    assert hunt_one(name, 20)


@pytest.mark.skipif(
    "MUTANTS" not in os.environ, reason="many minutes: MUTANTS=1, or infra.simulate --mutants"
)
@pytest.mark.timeout(3600)
def test_every_mutant_is_noticed() -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        noticed = pool.map(lambda mutant: hunt_one(mutant.name, SEEDS), MISTAKES)
        escaped = [m.name for m, how in zip(MISTAKES, noticed, strict=True) if how is None]
    assert escaped == []
