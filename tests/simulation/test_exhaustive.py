"""Every single fault at every port call of the small scenarios, and every pair in some of them."""

import pytest

from tests.simulation import exhaustive
from tests.simulation.scenarios import SCENARIOS, Scenario

# All pairs of all scenarios take a while: `make exhaustive`. Here are some of some.
WITH_PAIRS = {"rejected": 16, "success": 40}


@pytest.fixture(params=SCENARIOS, ids=lambda scenario: scenario.name.replace(" ", "-"))
def scenario(request: pytest.FixtureRequest) -> Scenario:
    chosen: Scenario = request.param
    return chosen


def test_a_scenario_ends_as_it_should_and_in_time(scenario: Scenario) -> None:
    plain = exhaustive.run(scenario, {})
    assert exhaustive.is_as_expected(scenario, plain), plain


def test_no_single_fault_breaks_a_scenario(scenario: Scenario) -> None:
    ran = exhaustive.run_singles(scenario)
    assert ran.seeds > 50
    assert not ran.violations


def test_hardly_any_single_fault_costs_a_success() -> None:
    """Only a process that dies or freezes between its claim and its answer from the vendor does."""
    success = SCENARIOS[0]
    plain = exhaustive.run(success, {})
    ends = [
        exhaustive.run(success, {number: kind}).states
        for number, kind in exhaustive.singles(plain.calls)
    ]
    assert len(ends) > 150
    assert sum(states != ("done",) for states in ends) <= 5


@pytest.mark.parametrize("name", WITH_PAIRS)
def test_no_pair_of_faults_breaks_a_short_scenario(name: str) -> None:
    scenario = next(each for each in SCENARIOS if each.name == name)
    first = list(exhaustive.singles(exhaustive.run(scenario, {}).calls))
    for number, kind in first[:: WITH_PAIRS[name]]:
        assert not exhaustive.run_pairs_after(scenario, number, kind).violations
