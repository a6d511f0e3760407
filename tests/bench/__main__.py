"""Measures everything once and writes docs/performance.md: `python -m tests.bench [--quick]`."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tests.bench import big_result, lifecycles, loads, machine, report, starts
from tests.bench.plan import QUICK, WHOLE, Plan
from tests.bench.report import Figures
from tests.product import ROOT

T = TypeVar("T")

PAGE = ROOT / "docs" / "performance.md"


def main() -> int:
    """Exit code 0 when every request was answered well, whatever the speed."""
    options = _parser().parse_args()
    subprocess.run([ROOT / "infra" / "setup" / "wrk.sh"], check=True)
    figures = _measure(QUICK if options.quick else WHOLE)
    text = report.spelled(figures)
    print(text)
    if not options.quick:
        report.keep(PAGE, text)
    return 1 if any(row.errors for row in figures.rows) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a minute that shows that everything works; kept nowhere",
    )
    return parser


def _measure(plan: Plan) -> Figures:
    def part(measure: Callable[[Path, Plan], T]) -> T:
        with tempfile.TemporaryDirectory(prefix="reelmint-bench-") as folder:
            return measure(Path(folder), plan)

    return Figures(
        machine=machine.facts(),
        starts=part(starts.measure),
        rows=part(loads.measure),
        lives=part(lifecycles.measure),
        big=part(big_result.measure),
    )


if __name__ == "__main__":
    sys.exit(main())
