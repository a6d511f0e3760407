"""What vendors do on bad days, and what the creator has afterwards: the result, or the tokens."""

import time

import httpx
import pytest

from tests.product import Caller, Product, Refusal


def failed(user: Caller, prompt: str, seconds: float = 40.0) -> str:
    """The failure code of a job that must end with every token back."""
    before = user.balance()
    job = user.wait(user.create(prompt)["id"], seconds)
    assert job["status"] == "failed", job
    assert user.balance() == before
    assert job["receipt"]["charged_tokens"] == 0
    assert job["receipt"]["returned_tokens"] == job["receipt"]["held_tokens"]
    assert "Your tokens are back" in job["error"]["message"]
    code: str = job["error"]["code"]
    return code


@pytest.mark.parametrize(
    ("directive", "code"),
    [
        ("fail=render", "provider_failed"),
        ("moderation=refuse", "moderation_blocked"),
        ("moderation=late", "moderation_blocked"),
        ("result=corrupt", "result_invalid"),
        ("result=html", "result_invalid"),
        ("result=expired", "result_unavailable"),
        ("result=redirect_private", "result_unavailable"),
    ],
)
def test_a_vendor_that_fails_costs_nothing(user: Caller, directive: str, code: str) -> None:
    assert failed(user, f"a red fox [sandbox {directive}]") == code


@pytest.mark.parametrize(
    "directive",
    [
        "webhook=lost",
        "webhook=late:3",
        "webhook=duplicated:5",
        "webhook=reordered",
        "webhook=forged",
        "webhook=forged_foreign",
        "create=drop_after_accept",
        "create=garbage_json",
    ],
)
def test_a_job_survives_what_happens_to_its_messages(user: Caller, directive: str) -> None:
    available, _ = user.balance()
    job = user.wait(user.create(f"a red fox [sandbox {directive}]")["id"])
    assert job["status"] == "succeeded", job
    assert user.balance() == (available - job["receipt"]["charged_tokens"], 0)
    assert job["receipt"]["charged_tokens"] == job["receipt"]["held_tokens"]


def test_a_busy_vendor_is_asked_again_and_then_given_up(user: Caller) -> None:
    assert failed(user, "a red fox [sandbox create=http_429]", 90) == "provider_busy"


@pytest.mark.parametrize("directive", ["create=drop_before_accept", "create=http_500"])
def test_a_submit_that_nobody_answers_is_refunded_after_it_was_looked_up(
    user: Caller, directive: str
) -> None:
    assert failed(user, f"a red fox [sandbox {directive}]") == "timed_out"


def test_a_forged_webhook_changes_nothing(product: Product, user: Caller) -> None:
    job = user.create("a red fox [sandbox latency=3]")
    user.wait_for(job["id"], lambda now: now["stage"] == "generating")
    for mac in ("0" * 64, "", "x"):
        address = f"{product.base_url}/hooks/providers/sandbox/{job['id']}/{mac}"
        answer = httpx.post(address, json={"id": "gen_x", "status": "succeeded"}, trust_env=False)
        assert answer.status_code in (403, 404)
    assert user.job(job["id"])["stage"] == "generating"
    assert user.wait(job["id"])["status"] == "succeeded"


def test_a_waiting_job_is_cancelled_with_all_tokens_back(product: Product) -> None:
    blockers, user = product.sign_in(), product.sign_in()
    for number in range(4):
        blockers.create(f"slow {number} [sandbox latency=6]")
    before = user.balance()
    job = user.create("waits its turn")
    assert (job["status"], job["cancellable"]) == ("queued", True)
    assert user.job(job["id"])["queue_position"] == 1
    cancelled = user.call("POST", f"/v1/jobs/{job['id']}/cancel")
    assert (cancelled["status"], user.balance()) == ("cancelled", before)
    assert user.call("POST", f"/v1/jobs/{job['id']}/cancel")["status"] == "cancelled"


def test_a_running_job_is_cancelled_where_the_vendor_allows_it(user: Caller) -> None:
    before = user.balance()
    job = user.create("a red fox [sandbox latency=20]")
    user.wait_for(job["id"], lambda now: now["stage"] == "generating")
    assert user.call("POST", f"/v1/jobs/{job['id']}/cancel")["status"] == "cancelled"
    assert user.balance() == before


def test_a_finished_job_cannot_be_cancelled_and_stays_charged(user: Caller) -> None:
    done = user.wait(user.create("a kite", model="sandbox-image")["id"])
    with pytest.raises(Refusal) as caught:
        user.call("POST", f"/v1/jobs/{done['id']}/cancel")
    assert (caught.value.status, caught.value.error["code"]) == (409, "not_cancellable")
    assert user.job(done["id"])["receipt"] == done["receipt"]


def test_an_open_job_cannot_be_deleted(user: Caller) -> None:
    job = user.create("a red fox [sandbox latency=3]")
    with pytest.raises(Refusal) as caught:
        user.call("DELETE", f"/v1/jobs/{job['id']}")
    assert (caught.value.status, caught.value.error["code"]) == (409, "job_not_finished")


def test_more_jobs_than_places_never_run_more_than_the_places_at_once(product: Product) -> None:
    users = [product.sign_in() for _ in range(3)]
    jobs = [
        (user, user.create(f"crowd {number}", model="sandbox-image")["id"])
        for user in users
        for number in range(8)
    ]
    assert all(user.wait(job, 60)["status"] == "succeeded" for user, job in jobs)
    assert product.vendor("stats")["max_running"] <= 4


def test_the_books_balance_after_all_of_it(product: Product) -> None:
    deadline = time.monotonic() + 30
    while (audit := product.audit()).returncode != 0 and time.monotonic() < deadline:
        time.sleep(1)
    assert audit.returncode == 0, audit.stdout + audit.stderr
    assert "the books balance" in audit.stdout
