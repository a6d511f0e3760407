"""`kill -9` at random moments while many jobs run: every job ends, and the money is right.

KILL_RUNS says how many times over (1 unless set; 20 in a row is the release check).
"""

import os
import random
import time
from pathlib import Path

import pytest

from tests import emulators
from tests.product import FINAL, Caller, Product, free_port, running, vendor_running

JOBS = 50
KILLS = 4
PLACES = 4
END_SECONDS = 90.0
EMAILS = [f"user-{number}@example.test" for number in range(5)]
RUNS = int(os.environ.get("KILL_RUNS", "1"))
BEHAVIOUR = ("--render", "instant", "--latency", "uniform:0.1:0.8", "--failure-rate", "0.1")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("run", range(RUNS))
def test_every_job_ends_and_the_books_balance_after_kills(run: int, tmp_path: Path) -> None:
    chance = random.Random(os.urandom(8).hex())
    port = free_port()
    with vendor_running("--concurrency", str(PLACES), *BEHAVIOUR) as vendor_url:
        settings = {"VENDOR_SANDBOX_URL": vendor_url, "TRIAL_GENERATIONS": "100"}
        with running(tmp_path, settings, port) as product:
            users = [product.sign_in(email) for email in EMAILS]
            started = [_start(users, number) for number in range(JOBS)]
            time.sleep(chance.uniform(0.2, 1.5))
            product.kill()
        for _ in range(KILLS - 1):
            with running(tmp_path, settings, port) as product:
                time.sleep(chance.uniform(0.2, 2.0))
                product.kill()
        with running(tmp_path, settings, port) as product:
            back = {email: product.sign_in(email) for email in EMAILS}
            jobs = [(back[email], job_id) for email, job_id in started]
            _wait_for_all(jobs)
            _check(product, jobs)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("run", range(RUNS))
def test_every_job_ends_with_any_function_killed_at_any_moment(run: int, tmp_path: Path) -> None:
    """The deployed shape: each function is a process of its own, and comes back by itself."""
    emulators.require()
    chance = random.Random(os.urandom(8).hex())
    with vendor_running("--concurrency", str(PLACES), *BEHAVIOUR) as vendor_url:
        settings = {"VENDOR_SANDBOX_URL": vendor_url, "TRIAL_GENERATIONS": "100"}
        with running(tmp_path, settings, module="infra.cloud_local") as product:
            users = {email: product.sign_in(email) for email in EMAILS}
            jobs = [_start(list(users.values()), number) for number in range(JOBS)]
            started = [(users[email], job_id) for email, job_id in jobs]
            for _ in range(3 * KILLS):
                time.sleep(chance.uniform(0.1, 1.0))
                product.kill_function(chance.choice(["run_task", "provider_webhook", "sweep"]))
            _wait_for_all(started)
            _check(product, started)


def _start(users: list[Caller], number: int) -> tuple[str, str]:
    index = number % len(users)
    return EMAILS[index], users[index].create(f"job {number}", model="sandbox-image")["id"]


def _wait_for_all(started: list[tuple[Caller, str]]) -> None:
    deadline = time.monotonic() + END_SECONDS
    waiting = list(started)
    while waiting:
        assert time.monotonic() < deadline, [user.job(job)["stage"] for user, job in waiting]
        waiting = [(user, job) for user, job in waiting if user.job(job)["status"] not in FINAL]
        time.sleep(0.2)


def _check(product: Product, started: list[tuple[Caller, str]]) -> None:
    for user, job_id in started:
        job = user.job(job_id)
        receipt = job["receipt"]
        settled = receipt["charged_tokens"], receipt["returned_tokens"]
        held = receipt["held_tokens"]
        assert settled == ((held, 0) if job["status"] == "succeeded" else (0, held)), job
    for user in {user for user, _ in started}:
        assert user.balance()[1] == 0, "nothing stays held"
    audit = product.audit()
    assert audit.returncode == 0, audit.stdout
    assert product.vendor("stats")["max_running"] <= PLACES
