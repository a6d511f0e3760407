"""The archive: the same bytes each time, only what runs, and every function starts from it."""

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from infra import bundle
from infra.routes import FUNCTIONS
from shared.config import REQUIRED
from tests.product import ROOT, free_port, wait_until_answers

# What this asks of a function's settings besides that they are there.
VALUES = {"public_url": "https://reelmint.example"}


@pytest.fixture(scope="module")
def archive() -> bytes:
    return bundle.build()


@pytest.fixture(scope="module")
def deployed(archive: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive as the runtime unpacks it: nothing else is there, and nothing can be written."""
    folder = tmp_path_factory.mktemp("deployed")
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        zipped.extractall(folder)
    return folder


def test_two_builds_have_the_same_bytes_wherever_and_whenever_they_are_made(
    archive: bytes, tmp_path: Path
) -> None:
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        for name, path in bundle.sources().items():
            copied = tmp_path / path.relative_to(ROOT)
            copied.parent.mkdir(parents=True, exist_ok=True)
            copied.write_bytes(zipped.read(name))
    (tmp_path / "infra" / "bundle.py").write_bytes((ROOT / "infra" / "bundle.py").read_bytes())
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-m", "infra.bundle"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "build" / "functions.zip").read_bytes() == archive


def test_it_holds_what_runs_and_nothing_else(archive: bytes) -> None:
    names = _names(archive)
    assert {"main.py", "requirements.txt", "docs/openapi.json"} <= names
    assert {name.partition("/")[0] for name in names if "/" in name} == {
        "__pycache__",
        "docs",
        "functions",
        "shared",
    }
    laptop = ("sqlite", "embedded", "folder", "test", "infra", "web/")
    assert [name for name in names if any(word in name for word in laptop)] == []
    assert {f"functions/{name}.py" for name in FUNCTIONS} <= names
    assert "shared/catalogue/sandbox.toml" in names


def test_it_asks_for_the_locked_packages(archive: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        assert zipped.read("requirements.txt") == (ROOT / "requirements/run.lock").read_bytes()


def test_every_module_is_compiled_and_needs_no_look_at_its_source(archive: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        names = set(zipped.namelist())
        modules = {name for name in names if name.endswith(".py")}
        compiled = {name for name in names if name.endswith(".pyc")}
        assert len(compiled) == len(modules)
        # PEP 552: the flags are 1, a hash that is not checked.
        assert {zipped.read(name)[4:8] for name in compiled} == {b"\x01\0\0\0"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_starts_from_it_with_the_settings_that_it_requires(
    deployed: Path, name: str
) -> None:
    port = free_port()
    framework = str(Path(sys.executable).parent / "functions-framework")
    command = [framework, "--asgi", "--host", "127.0.0.1", "--port", str(port)]
    environment = {**_settings(name), "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, cwd=deployed, env=environment) as process:
        try:
            wait_until_answers(url, process)
            with httpx.Client(base_url=url, trust_env=False) as client:
                health = client.get("/healthz").json()
                assert health == {"status": "ok", "version": "from-the-archive"}
                if name == "job_status":
                    document = client.get("/v1/openapi.json")
                    assert document.content == (ROOT / "docs" / "openapi.json").read_bytes()
        finally:
            process.terminate()
            process.wait(20)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_without_its_settings_does_not_start_and_names_them_all(
    deployed: Path, name: str
) -> None:
    framework = str(Path(sys.executable).parent / "functions-framework")
    command = [framework, "--asgi", "--port", str(free_port())]
    environment = {"PROFILE": "cloud", "FUNCTION_TARGET": name, "PYTHONSAFEPATH": "1"}
    ended = subprocess.run(
        command, cwd=deployed, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert all(f"{setting.upper()} is missing" in ended.stdout for setting in REQUIRED[name])


def _settings(name: str) -> Mapping[str, str]:
    """The profile, and a word for each setting that the function cannot do without."""
    made = {
        setting.upper(): VALUES.get(setting, f"a word for {setting} that is long enough")
        for setting in REQUIRED[name]
    }
    return {
        **made,
        "PROFILE": "cloud",
        "FUNCTION_TARGET": name,
        "VERSION": "from-the-archive",
        "BLOBS": "gcs",
        "SIGNING_SERVICE_ACCOUNT": "functions@reelmint.example",
    }


def _names(archive: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        return set(zipped.namelist())
