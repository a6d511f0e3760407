"""Checks terraform/ without a cloud: `python -m infra.terraform_check`.

Format, `init`, `validate` and `terraform test` with a mocked provider, in a copy. Where a checker
with a stand-in provider lies beside the checkout, it is used; otherwise the real provider is
fetched, which needs `terraform` and a network.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_ROOT = Path(__file__).parents[1]
_FOLDER = _ROOT / "terraform"
_CHECKER = _ROOT.parent / "shared" / "tools" / "terraform_check" / "check"
_INIT = "init -backend=false -input=false -no-color"
_TIMEOUT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the check went, and what the tools said. `unavailable`: nothing to check with."""

    state: Literal["passed", "failed", "unavailable"]
    said: str


def check() -> Outcome:
    """Run whatever can be run here."""
    if _CHECKER.exists():
        return _outcome(_run([str(_CHECKER), str(_FOLDER)], _ROOT))
    if shutil.which("terraform") is None:
        return Outcome(
            "unavailable", "There is neither a checker beside the checkout nor terraform."
        )
    with tempfile.TemporaryDirectory() as copy:
        return _check_with_the_provider(Path(copy))


def main() -> int:
    """Exit code 1 when the check failed or could not be made."""
    outcome = check()
    print(outcome.said)
    print(f"terraform: {outcome.state}")
    return 0 if outcome.state == "passed" else 1


def _check_with_the_provider(copy: Path) -> Outcome:
    shutil.copytree(_FOLDER, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".terraform*"))
    said = ""
    for words in ("fmt -check -recursive -diff", _INIT, "validate -no-color", "test -no-color"):
        done = _run(["terraform", *words.split()], copy)
        said += done.stdout
        if done.returncode:
            return Outcome("unavailable" if words == _INIT else "failed", said)
    return Outcome("passed", said)


def _outcome(done: subprocess.CompletedProcess[str]) -> Outcome:
    return Outcome("failed" if done.returncode else "passed", done.stdout)


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=_TIMEOUT_SECONDS,
    )


if __name__ == "__main__":
    sys.exit(main())
