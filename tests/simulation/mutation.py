"""Runs one mutant: `python -m tests.simulation.mutation NAME SEEDS` in a process of its own.

The mutated text is compiled in place of the module's own when that is first imported, so this
module imports nothing of the product before. The exit status is 0 when the mutant was noticed.
"""

import sys
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType

from tests.simulation.mutants import MUTANTS, Mutant


class StaleMutant(Exception):
    """The text that a mutant changes does not stand in its module exactly once."""


class _Loader(SourceFileLoader):
    def __init__(self, mutant: Mutant, path: str) -> None:
        super().__init__(mutant.module, path)
        self._mutant = mutant

    def get_code(self, fullname: str) -> CodeType:
        """The module's code with the mistake in it."""
        return compile(mutated(self._mutant, self.get_source(fullname) or ""), self.path, "exec")


class _Finder(MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        """Finds the one module."""
        if fullname != self._mutant.module:
            return None
        spec = PathFinder.find_spec(fullname, path)  # type: ignore[arg-type]
        assert spec is not None
        assert spec.origin is not None
        spec.loader = _Loader(self._mutant, spec.origin)
        return spec


def mutated(mutant: Mutant, source: str) -> str:
    """The text with the mistake in it. Raises `StaleMutant`."""
    count = source.count(mutant.before)
    if count != 1:
        raise StaleMutant(f"{mutant.name}: its text stands in {mutant.module} {count} times")
    return source.replace(mutant.before, mutant.after)


def find(name: str) -> Mutant:
    """The mutant with this name."""
    return next(mutant for mutant in MUTANTS if mutant.name == name)


def hunt(mutant: Mutant, seeds: int) -> str | None:
    """How the mutant was noticed: by a scenario, by a single fault in one, or by a seed."""
    sys.meta_path.insert(0, _Finder(mutant))
    from tests.simulation import exhaustive
    from tests.simulation.campaign import relax_gc
    from tests.simulation.scenarios import SCENARIOS
    from tests.simulation.seeds import run_seed

    relax_gc()
    for scenario in SCENARIOS:
        plain = exhaustive.run(scenario, {})
        if not exhaustive.is_as_expected(scenario, plain):
            seconds = f"{plain.states} after {plain.seconds:.0f} s"
            return f"scenario {scenario.name!r}: {plain.ran.violations or seconds}"
    for seed in (*mutant.seeds, *range(seeds)):
        violations = run_seed(seed).violations
        if violations:
            return f"seed {seed}: {violations[seed].splitlines()[-1]}"
    for scenario in SCENARIOS:
        violations = exhaustive.run_singles(scenario).violations
        if violations:
            return next(iter(violations.values()))
    return next((text for text in _pairs(mutant)), None)


def _pairs(mutant: Mutant) -> Iterator[str]:
    """What pairs of faults find, the first of them at a commit."""
    from tests.simulation import exhaustive
    from tests.simulation.scenarios import SCENARIOS

    for scenario in SCENARIOS:
        if scenario.name == mutant.pairs:
            calls = exhaustive.run(scenario, {}).calls
            for number, kind in exhaustive.singles(calls):
                if calls[number] == "commit":
                    yield from exhaustive.run_pairs_after(
                        scenario, number, kind
                    ).violations.values()


if __name__ == "__main__":
    noticed = hunt(find(sys.argv[1]), int(sys.argv[2]))
    print(noticed or "not noticed")
    sys.exit(0 if noticed else 1)
