"""What pyproject.toml and the lock files promise each other."""

import re
import tomllib
from typing import Any

from tests.architecture.tree import ROOT

PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)

# aiohttp slows every cold start that can see it, niquests installs itself over urllib3.
BANNED_AT_RUN_TIME = {"aiohttp", "niquests"}


def test_what_runs_is_locked_at_the_versions_it_is_developed_with() -> None:
    assert _pins("run").items() <= _pins("dev").items()


def test_every_locked_package_is_checked_by_hash() -> None:
    for lock in ("run", "dev"):
        assert all("--hash=sha256:" in entry for entry in _entries(lock))


def test_a_lock_says_what_to_install_and_not_where_from() -> None:
    for lock in ("run", "dev"):
        text = _text(lock)
        assert "://" not in text
        assert not re.search(r"^\s*(-i|-f|--(?!hash=))", text, re.MULTILINE)


def test_the_runtime_has_nothing_that_is_banned_from_it() -> None:
    assert BANNED_AT_RUN_TIME.isdisjoint(_pins("run"))


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = _pyproject()["project"]
    assert _asked(project["dependencies"]) <= _pins("run").keys()
    assert _asked(project["optional-dependencies"]["dev"]) <= _pins("dev").keys()


def test_the_domain_contract_covers_the_whole_domain() -> None:
    contracts = {c["id"]: c for c in _pyproject()["tool"]["importlinter"]["contracts"]}
    innermost = " ".join(contracts["rings"]["layers"][-2:])
    written = {f"shared.{name}" for name in re.findall(r"\w+", innermost) if _exists(name)}
    assert written
    assert written == set(contracts["domain"]["source_modules"])


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def _text(lock: str) -> str:
    return (ROOT / "requirements" / f"{lock}.lock").read_text()


def _pins(lock: str) -> dict[str, str]:
    pins = dict(PIN.findall(_text(lock)))
    assert pins
    return pins


def _entries(lock: str) -> list[str]:
    return re.split(r"\n(?=[a-z0-9])", _text(lock).split("make lock\n", 1)[1])


def _asked(requirements: list[str]) -> set[str]:
    return {re.split(r"[^a-z0-9-]", requirement, maxsplit=1)[0] for requirement in requirements}


def _exists(name: str) -> bool:
    shared = ROOT / "shared"
    return (shared / f"{name}.py").exists() or (shared / name).is_dir()
