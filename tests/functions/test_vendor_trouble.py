"""A vendor that does not work: nothing is sent to it for a while, one job tries it, and creators
have their results later, or from elsewhere.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.usecases.pause_vendor import pauses
from shared.vendor_health import Pause, Stage
from tests import emulators
from tests.product import Caller, Json, Product, Refusal, free_port, running, vendor_running

MODEL = "sandbox-image"
PLACES = 4  # as the catalogue has it
FAILURES_MAX = 3
PAUSE_SECONDS = "10"  # a busy machine needs some to see a pause before it is over
SETTINGS = {
    "PAUSE_AFTER_FAILURES": str(FAILURES_MAX),
    "PAUSE_SECONDS": PAUSE_SECONDS,
    "PAUSE_MAX_SECONDS": PAUSE_SECONDS,
    "STORE_LIMIT_SECONDS": "30",  # what is stored slowly is no failure of the vendor
}
ANOTHER_KEY = "--api-key=a-key-that-we-do-not-have"
SECOND_ACCOUNT = {
    "VENDOR_SANDBOX_2_KEY": "sandbox-key",
    "VENDOR_SANDBOX_2_WEBHOOK_SECRETS": "sandbox-webhook-secret",
}
MODULES = {"local": "infra.local", "cloud": "infra.cloud_local"}


@dataclass(frozen=True, slots=True)
class Installation:
    """A product, the port where it looks for its vendor, and what it says."""

    product: Product
    vendor_port: int
    output: Path

    def pause(self, account: str = "sandbox") -> Pause | None:
        """The pause of an account, if there ever was one."""
        found = self.product.beside(pauses)
        return next((pause for pause in found if pause.account == account), None)

    def wait_for_pause(self, stage: Stage, times: int = 1) -> Pause:
        """The pause of our account, once it is as wanted."""
        found: list[Pause] = []

        def is_there() -> bool:
            pause = self.pause()
            found[:] = [pause] if pause else []
            return pause is not None and (pause.stage, pause.times) == (stage, times)

        wait_until(is_there)
        return found[0]

    def logged(self, message: str) -> list[Json]:
        """Every entry with this message."""
        lines = self.output.read_text().splitlines()
        entries = [json.loads(line) for line in lines if line.startswith("{")]
        return [entry for entry in entries if entry["message"] == message]

    def switch(self, verb: str, name: str) -> None:
        """As the operator does."""
        done = self.product.operate(verb, name)
        assert done.returncode == 0, done.stderr
        assert f"switched off: {name if verb == 'off' else 'nothing'}" in done.stdout


@contextmanager
def installed(folder: Path, shape: str, **settings: str) -> Iterator[Installation]:
    """An installation whose vendor comes and goes as the test wants."""
    if shape == "cloud":
        emulators.require()
    port, output = free_port(), folder / "output"
    told = {**SETTINGS, "VENDOR_SANDBOX_URL": f"http://127.0.0.1:{port}", **settings}
    with running(folder, told, module=MODULES[shape], output=output) as product:
        yield Installation(product, port, output)


@pytest.fixture(scope="module", params=list(MODULES))
def here(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """One for all tests of this file, each of which starts the vendor that it needs."""
    with installed(tmp_path_factory.mktemp("data"), request.param) as here:
        yield here


@pytest.mark.timeout(180)
def test_a_revoked_key_pauses_the_account_once_and_its_jobs_run_when_the_pause_is_over(
    here: Installation,
) -> None:
    user = here.product.sign_in()
    available, _ = user.balance()
    paused, resumed = len(here.logged("vendor paused")), len(here.logged("vendor resumed"))
    with vendor_running(ANOTHER_KEY, port=here.vendor_port):
        jobs = [user.create(f"fox {n}", model=MODEL) for n in range(PLACES + 1)]
        held = sum(job["receipt"]["held_tokens"] for job in jobs)
        here.wait_for_pause(Stage.CLOSED)
        for job in jobs:
            user.wait_for(job["id"], lambda now: now["stage"] == "waiting")
        assert user.balance() == (available - held, held)
        assert here.product.vendor("stats")["accepted"] == 0
        assert "provider_misconfigured" in here.product.operate("status").stdout
    with vendor_running(port=here.vendor_port):
        ended = [user.wait(job["id"], 60) for job in jobs]
        pause = here.wait_for_pause(Stage.OPEN)
    assert {job["status"] for job in ended} == {"succeeded"}
    assert user.balance() == (available - held, 0)
    assert pause.reason == "provider_misconfigured"
    (entry,) = here.logged("vendor paused")[paused:]
    assert (entry["severity"], entry["pool"]) == ("ERROR", "sandbox")
    assert len(here.logged("vendor resumed")) == resumed + 1


@pytest.mark.timeout(180)
def test_a_vendor_that_keeps_failing_is_paused_tried_with_one_job_and_resumed(
    here: Installation,
) -> None:
    product = here.product
    paused = len(here.logged("vendor paused"))
    with vendor_running(port=here.vendor_port):
        product.vendor("behaviour", "PUT", json={"fail": "render", "latency": 0.5})
        users = [product.sign_in(), product.sign_in()]
        jobs = [
            (user, user.create(f"fox {n}", model=MODEL)["id"])
            for n in range(PLACES + 2)
            for user in users
        ]

        def statuses() -> list[str]:
            return [user.job(job_id)["status"] for user, job_id in jobs]

        assert here.wait_for_pause(Stage.CLOSED).reason == "provider_failed"
        wait_until(lambda: set(statuses()) == {"failed", "queued"})
        failed = statuses().count("failed")

        here.wait_for_pause(Stage.CLOSED, times=2)
        assert statuses().count("failed") == failed + 1, "one job tried"

        product.vendor("behaviour", "PUT", json={"latency": 0.5})
        ended = [user.wait(job_id, 60)["status"] for user, job_id in jobs]
        here.wait_for_pause(Stage.OPEN, times=2)
    assert ended.count("failed") == failed + 1
    assert ended.count("succeeded") == len(jobs) - failed - 1 > 0
    assert {user.balance()[1] for user in users} == {0}
    assert len(here.logged("vendor paused")) == paused + 2


@pytest.mark.timeout(120)
def test_failing_jobs_of_one_creator_pause_nothing(here: Installation) -> None:
    user = here.product.sign_in()
    paused = len(here.logged("vendor paused"))
    with vendor_running(port=here.vendor_port):
        good, bad = "[sandbox latency=1]", "[sandbox fail=render]"
        assert set(outcomes(user, good, PLACES)) == {"succeeded"}, "every place did well last"
        assert set(outcomes(user, bad, FAILURES_MAX + PLACES)) == {"failed"}
    assert len(here.logged("vendor paused")) == paused


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", [MODEL, "sandbox"])
def test_what_the_operator_switches_off_is_refused_at_once_until_it_is_on_again(
    here: Installation, name: str
) -> None:
    user = here.product.sign_in()
    with vendor_running(port=here.vendor_port):
        here.switch("off", name)
        with pytest.raises(Refusal) as refused:
            user.create("a kite", model=MODEL)
        assert (refused.value.status, refused.value.error["code"]) == (409, "model_unavailable")
        assert user.rows()[0]["kind"] == "grant", "nothing was held"
        wait_until(lambda: state_of(MODEL, user) == "off")
        assert (state_of("sandbox-video", user) == "off") == (name == "sandbox")

        here.switch("on", name)
        assert user.wait(user.create("a kite", model=MODEL)["id"])["status"] == "succeeded"
        wait_until(lambda: state_of(MODEL, user) == "live")


@pytest.mark.timeout(120)
def test_what_waits_for_a_model_that_is_switched_off_ends_with_the_tokens_back(
    here: Installation,
) -> None:
    blocker, user = here.product.sign_in(), here.product.sign_in()
    with vendor_running(port=here.vendor_port):
        slow = [
            blocker.create(f"slow {n} [sandbox latency=10]", model=MODEL)["id"]
            for n in range(PLACES)
        ]
        before = user.balance()
        job = user.create("waits its turn", model=MODEL)
        assert job["stage"] == "waiting"
        for job_id in slow:
            blocker.wait_for(job_id, lambda now: now["stage"] == "generating")
        here.switch("off", MODEL)
        try:
            ended = user.wait(job["id"])
        finally:
            here.switch("on", MODEL)
        assert (ended["status"], ended["error"]["code"]) == ("failed", "model_off")
        assert user.balance() == before
        assert {blocker.wait(job_id)["status"] for job_id in slow} == {"succeeded"}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("shape", list(MODULES))
def test_jobs_of_an_account_whose_key_was_revoked_run_with_our_other_account(
    shape: str, tmp_path: Path
) -> None:
    with (
        vendor_running() as other_url,
        installed(tmp_path, shape, VENDOR_SANDBOX_2_URL=other_url, **SECOND_ACCOUNT) as here,
        vendor_running(ANOTHER_KEY, port=here.vendor_port),
    ):
        user = here.product.sign_in()
        prompt = "[sandbox latency=1]"
        assert set(outcomes(user, prompt, 2 * PLACES)) == {"succeeded"}
        assert here.product.vendor("stats")["accepted"] == 0
        paused = here.pause()
        assert paused is not None
        assert paused.stage != Stage.OPEN
        assert here.pause("sandbox_2") is None


@pytest.mark.timeout(180)
@pytest.mark.parametrize("shape", list(MODULES))
def test_a_job_whose_vendor_takes_nothing_is_made_by_the_model_that_its_creator_named(
    shape: str, tmp_path: Path
) -> None:
    dear, cheap = "MiniMax-Hailuo-02", "sandbox-video"
    nobody = {
        "VENDOR_MINIMAX_KEY": "a-key",
        "VENDOR_MINIMAX_URL": f"http://127.0.0.1:{free_port()}",
        "BUSY_ATTEMPTS_MAX": "2",
    }
    order: Json = {"prompt": "a red fox", "duration_seconds": 6}
    with (
        installed(tmp_path, shape, **nobody) as here,
        vendor_running("--render", "instant", port=here.vendor_port),
    ):
        user = here.product.sign_in()
        available, _ = user.balance()
        job = user.create(model=dear, fallback_models=[cheap], **order)
        assert job["model"] == dear
        done = user.wait(job["id"], 60)
        assert (done["status"], done["model"]) == ("succeeded", cheap)
        quoted = user.call("POST", "/v1/quotes", json={"model": cheap, **order})
        price_tokens = quoted["total_tokens"]
        held_tokens = job["receipt"]["held_tokens"]
        assert done["receipt"]["charged_tokens"] == price_tokens < held_tokens
        assert done["receipt"]["returned_tokens"] == held_tokens - price_tokens
        assert user.balance() == (available - price_tokens, 0)
        kinds = [row["kind"] for row in user.rows() if row["job_id"] == job["id"]]
        assert sorted(kinds) == ["capture", "hold", "rest"]


def outcomes(user: Caller, directive: str, count: int) -> list[str]:
    """How so many jobs end that are created together."""
    jobs = [user.create(f"fox {n} {directive}", model=MODEL)["id"] for n in range(count)]
    return [user.wait(job, 60)["status"] for job in jobs]


def state_of(model: str, user: Caller) -> str:
    """The model's state in the list."""
    listed = user.call("GET", "/v1/models")["data"]
    return str(next(entry["state"] for entry in listed if entry["id"] == model))


def wait_until(is_so: Callable[[], bool], seconds: float = 40.0) -> None:
    """Return when it is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not in {seconds} s"
        time.sleep(0.1)
