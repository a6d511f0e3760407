"""All mutants, each in a process of its own, and the report of who was noticed how."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.simulation.mutants import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]


def hunt_one(name: str, seeds: int) -> str | None:
    """How a mutant was noticed, or None."""
    command = [sys.executable, "-m", "tests.simulation.mutation", name, str(seeds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.stderr.strip():
        raise RuntimeError(f"{name}: {done.stderr}")
    return done.stdout.strip() if done.returncode == 0 else None


def hunt_all(seeds: int, processes: int) -> int:
    """Hunt every mutant and print how it went; returns 1 when one got away unexplained."""
    escaped = 0
    with ThreadPoolExecutor(processes) as pool:
        results = pool.map(lambda mutant: (mutant, hunt_one(mutant.name, seeds)), MUTANTS)
        for mutant, noticed in results:
            print(_line(mutant, noticed), flush=True)
            escaped += noticed is None and not mutant.survives
    print(f"{len(MUTANTS)} mutants, {escaped} escaped")
    return 1 if escaped else 0


def _line(mutant: Mutant, noticed: str | None) -> str:
    if noticed is not None:
        return f"noticed   {mutant.name}: {noticed[:140]}"
    return f"{'explained' if mutant.survives else 'ESCAPED  '} {mutant.name}: {mutant.survives}"
