"""Bad days of the deployed shape: what Google's services do to it, and that nothing is lost.

OUTAGE_SECONDS says for how long a service stands still (15 unless set; a minute is the release
check).
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

from tests import emulators
from tests.product import Caller, Product, running

JOBS = 12
OUTAGE_SECONDS = int(os.environ.get("OUTAGE_SECONDS", "15"))


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    emulators.require()
    with running(tmp_path_factory.mktemp("data"), module="infra.cloud_local") as product:
        yield product


def child(product: Product, words: str) -> int:
    """The process of this installation whose command line has these words."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(product.process.pid)],
        capture_output=True,
        text=True,
        check=True,
    )
    found = [line for line in listed.stdout.splitlines() if words in line]
    assert len(found) == 1, listed.stdout
    return int(found[0].split()[0])


def start(user: Caller) -> list[str]:
    return [user.create(f"job {n}", model="sandbox-image")["id"] for n in range(JOBS)]


def check(product: Product, user: Caller, jobs: list[str]) -> None:
    """Every job ended, nothing is held, the books balance."""
    ended = [user.wait(job, 90) for job in jobs]
    assert {job["status"] for job in ended} <= {"succeeded", "failed"}
    assert user.balance()[1] == 0
    audit = product.audit()
    assert audit.returncode == 0, audit.stdout


@pytest.mark.timeout(240)
@pytest.mark.parametrize("words", ["CloudFirestore", "infra.emulators.cloud_tasks"])
def test_a_service_that_stands_still_for_a_while_under_load_loses_nothing(
    product: Product, words: str
) -> None:
    user, pid = product.sign_in(), child(product, words)
    jobs = start(user)
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(OUTAGE_SECONDS, os.kill, (pid, signal.SIGCONT)).start()
    time.sleep(OUTAGE_SECONDS + 1)
    check(product, user, jobs)


@pytest.mark.timeout(240)
def test_jobs_are_accepted_while_the_queue_is_away_and_start_when_it_is_back(
    product: Product,
) -> None:
    user, pid = product.sign_in(), child(product, "infra.emulators.cloud_tasks")
    os.kill(pid, signal.SIGSTOP)
    try:
        job = user.create("accepted without a queue", model="sandbox-image")
        assert job["status"] == "queued"
    finally:
        os.kill(pid, signal.SIGCONT)
    assert user.wait(job["id"], 90)["status"] == "succeeded"
    check(product, user, [job["id"]])
