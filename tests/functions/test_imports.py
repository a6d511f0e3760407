"""Each function loads what it uses and nothing else: a cold start pays for every import."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra import bundle
from infra.routes import FUNCTIONS
from shared.adapters import providers
from shared.bootstrap import USES
from tests.bench.cold_start import settings

# As functions-framework loads it: the archive's root first, then the target, then one look at the
# App's ports, which are made by then.
PROGRAM = """
import json, sys
import functions_framework.aio
before = set(sys.modules)
import main
getattr(main, sys.argv[1])
print(json.dumps(sorted(set(sys.modules) - before)))
"""

# Loaded at first use by the one function that needs it, or by none that is deployed.
NEVER_AT_START = (
    "PIL",
    "aiohttp",
    "av",
    "boto3",
    "fastapi",
    "google.cloud.storage",
    "openai",
    "pydantic",
    "shared.adapters.http_client",
    "sqlite3",
    *(f"shared.adapters.providers.{name}" for name in providers.NAMES),
)
NEVER_IN_THE_WEBHOOK = ("cryptography", "google", "grpc", "jwt", "requests")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """What each function has loaded when it is ready, beyond functions-framework itself."""
    folder = tmp_path_factory.mktemp("deployed")
    with zipfile.ZipFile(io.BytesIO(bundle.build())) as archive:
        archive.extractall(folder)
    return {name: _loaded(folder, name) for name in FUNCTIONS}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_ready_without_what_only_some_requests_need(
    loaded: dict[str, set[str]], name: str
) -> None:
    assert _among(NEVER_AT_START, loaded[name]) == set()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_loads_no_other_function(loaded: dict[str, set[str]], name: str) -> None:
    functions = {module for module in loaded[name] if module.startswith("functions.")}
    assert functions == {f"functions.{name}"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_loads_no_adapter_that_it_does_not_use(
    loaded: dict[str, set[str]], name: str
) -> None:
    used = {
        "store": "shared.adapters.store.firestore",
        "queue": "shared.adapters.queue",
        "blobs": "shared.adapters.blobs.gcs",
        "media": "shared.adapters.media",
        "callers": "shared.adapters.google_callers",
    }
    for port, module in used.items():
        assert (module in loaded[name]) == (port in USES[name]), port


def test_the_webhook_loads_neither_grpc_nor_google_nor_sessions(
    loaded: dict[str, set[str]],
) -> None:
    assert _among(NEVER_IN_THE_WEBHOOK, loaded["provider_webhook"]) == set()
    assert "shared.adapters.queue.cloud_tasks_rest" in loaded["provider_webhook"]


def test_every_function_says_what_it_uses() -> None:
    assert set(USES) == set(FUNCTIONS)


def _loaded(folder: Path, name: str) -> set[str]:
    environment = {**settings(name, ""), "PYTHONPATH": str(folder)}
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM, name],
        cwd=Path("/"),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return set(json.loads(answer.stdout.splitlines()[-1]))


def _among(names: tuple[str, ...], modules: set[str]) -> set[str]:
    return {
        module
        for module in modules
        if any(module == name or module.startswith(f"{name}.") for name in names)
    }
