"""The program: what it prints, what it refuses, and when it exits."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from infra.sandbox.behaviour import SWITCHES

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "infra.sandbox"]


def test_help_explains_every_switch() -> None:
    text = " ".join(_run("--help").stdout.split())
    for switch in SWITCHES.values():
        assert f"--{switch.name.replace('_', '-')}" in text
        assert switch.explanation in text


@pytest.mark.parametrize(
    "words",
    [["--latency", "soon"], ["--wobble"], ["--create", "explode"], ["--concurrency", "0"]],
)
def test_what_does_not_exist_is_refused(words: list[str]) -> None:
    refused = _run(*words)
    assert refused.returncode == 2
    assert words[0] in refused.stderr


def test_a_taken_port_is_told_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = _run("--port", str(taken.getsockname()[1]))
    assert refused.returncode == 1
    assert refused.stderr.startswith("cannot listen on 127.0.0.1:")
    assert "Traceback" not in refused.stderr


def test_it_says_where_it_is_ready_and_exits_with_stdin() -> None:
    with _started("--exit-with-stdin", "--latency", "2", "--api-key", "other") as (process, url):
        assert httpx.get(f"{url}/control/behaviour", trust_env=False).json()["latency"] == "fixed:2"
        refused = httpx.get(f"{url}/v1/generations/x", trust_env=False)
        assert refused.status_code == 401
        known = {"Authorization": "Bearer other"}
        assert httpx.get(f"{url}/v1/generations/x", headers=known, trust_env=False).is_client_error
        assert process.stdin
        process.stdin.close()
        assert process.wait(timeout=10) == 0


def test_a_hanging_request_does_not_keep_it_alive() -> None:
    with _started("--exit-with-stdin", "--create", "hang:60") as (process, url):
        body = {"client_id": "a", "kind": "image", "model": "sandbox-image-1", "prompt": "a fox"}
        headers = {"Authorization": "Bearer sandbox-key"}
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(
                f"{url}/v1/generations", json=body, headers=headers, timeout=0.3, trust_env=False
            )
        assert process.stdin
        process.stdin.close()
        assert process.wait(timeout=10) == 0


def test_result_addresses_point_where_the_public_is_told() -> None:
    words = ("--exit-with-stdin", "--render", "instant", "--public-url", "https://media.test/")
    with _started(*words) as (_, url):
        body = {"client_id": "a", "kind": "image", "model": "sandbox-image-1", "prompt": "a fox"}
        headers = {"Authorization": "Bearer sandbox-key"}
        with httpx.Client(base_url=url, headers=headers, trust_env=False) as http:
            generation = http.post("/v1/generations", json=body).json()
            while generation["status"] != "succeeded":
                generation = http.get(f"/v1/generations/{generation['id']}").json()
        assert generation["result"]["url"].startswith("https://media.test/files/gen_")


@contextmanager
def _started(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A sandbox of its own process on a free port, and its local address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [*COMMAND, "--port", str(port), *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout
            assert process.stdout.readline().startswith("vendor ready at http")
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
