"""Every way in which a generation, a create, a status call or a lookup can go wrong."""

import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from infra.sandbox.behaviour import SWITCHES, read_switches
from infra.sandbox.grammars import Words
from infra.sandbox.orders import Order
from infra.sandbox.settings import Settings
from infra.sandbox.vendor import Vendor
from tests.sandbox.calls import Inbox, Sandbox, read_error

NOT_ACCEPTED = ["drop_before_accept", "hang_before_accept:0.05"]
QUICK_AMOUNTS = {"seconds": "0.05", "times": "2", "megabytes": "1", "bytes_per_second": "1e6"}


@pytest.mark.parametrize("code", ["render_failed", "out_of_capacity", "internal"])
def test_a_generation_fails_with_the_code_that_was_asked_for(sandbox: Sandbox, code: str) -> None:
    generation = sandbox.finish(behaviour={"fail": code})
    assert generation["status"] == "failed"
    assert generation["error"]["code"] == code
    assert generation["error"]["message"]
    assert "result" not in generation
    assert sandbox.stats()["failed"] == 1


def test_a_share_of_generations_fails(sandbox: Sandbox) -> None:
    sandbox.switch(failure_rate=0.5, failure_kinds="internal")
    ended = [sandbox.finish() for _ in range(30)]
    failed = [one["error"]["code"] for one in ended if one["status"] == "failed"]
    assert 5 < len(failed) < 25
    assert set(failed) == {"internal"}


def test_moderation_refuses_at_once(sandbox: Sandbox) -> None:
    reply = sandbox.order(behaviour={"moderation": "refuse"})
    assert read_error(reply) == (422, "moderation_blocked")
    assert sandbox.stats()["accepted"] == 0


def test_moderation_blocks_late(sandbox: Sandbox) -> None:
    generation = sandbox.finish(behaviour={"moderation": "late"})
    assert generation["status"] == "failed"
    assert generation["error"]["code"] == "moderation_blocked"


def test_a_latency_is_kept(sandbox: Sandbox) -> None:
    started = time.monotonic()
    sandbox.finish("a fox [sandbox latency=0.4]")
    assert 0.4 <= time.monotonic() - started < 1.5


def test_a_generation_that_hangs_runs_until_it_is_cancelled(sandbox: Sandbox) -> None:
    generation = sandbox.accept("a fox [sandbox hang]")
    time.sleep(0.2)
    assert sandbox.show(generation["id"])["status"] == "running"
    sandbox.http.post(f"/v1/generations/{generation['id']}/cancel").raise_for_status()
    assert sandbox.show(generation["id"])["status"] == "cancelled"


def test_a_connection_drops_after_the_order_was_accepted(sandbox: Sandbox) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.order(client_id="ours", behaviour={"create": "drop_after_accept"})
    assert len(sandbox.find("ours")) == 1
    assert read_error(sandbox.order(client_id="ours")) == (409, "duplicate_client_id")


@pytest.mark.parametrize("create", NOT_ACCEPTED)
def test_a_connection_drops_before_the_order_was_accepted(sandbox: Sandbox, create: str) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.order(client_id="ours", behaviour={"create": create})
    assert sandbox.find("ours") == []
    assert sandbox.accept(client_id="ours")


def test_a_create_hangs_longer_than_its_caller_waits_but_was_accepted(sandbox: Sandbox) -> None:
    sandbox.switch(create="hang:0.6")
    with pytest.raises(httpx.ReadTimeout):
        sandbox.order(client_id="ours", timeout_seconds=0.2)
    assert len(sandbox.find("ours")) == 1


def test_a_create_that_hangs_still_answers(sandbox: Sandbox, inbox: Inbox) -> None:
    generation = sandbox.accept(behaviour={"create": "hang:0.3"}, callback_url=inbox.url)
    assert generation["status"] == "queued"
    assert inbox.events, "the webhook came before the answer to the create call"


def test_a_create_breaks_without_accepting(sandbox: Sandbox) -> None:
    reply = sandbox.order(client_id="ours", behaviour={"create": "http_500"})
    assert read_error(reply) == (500, "internal")
    assert sandbox.find("ours") == []


def test_a_create_is_told_to_come_later_though_places_are_free(sandbox: Sandbox) -> None:
    reply = sandbox.order(client_id="ours", behaviour={"create": "http_429"})
    assert read_error(reply) == (429, "too_many_generations")
    assert reply.headers["Retry-After"] == "2"
    assert sandbox.find("ours") == []


@pytest.mark.parametrize(("seconds", "retry_after"), [("7", "7"), ("0.5", "0.5"), ("0", None)])
def test_a_create_says_when_to_come_again_or_does_not(
    sandbox: Sandbox, seconds: str, retry_after: str | None
) -> None:
    reply = sandbox.order(behaviour={"create": f"http_429:{seconds}"})
    assert read_error(reply) == (429, "too_many_generations")
    assert reply.headers.get("Retry-After") == retry_after
    assert sandbox.stats()["refused_busy"] == 1


@pytest.mark.parametrize(
    ("create", "status", "code"),
    [
        ("unauthorized", 401, "unauthorized"),
        ("no_credit", 402, "no_credit"),
        ("model_gone", 404, "unknown_model"),
    ],
)
def test_a_create_is_refused_for_good(
    sandbox: Sandbox, create: str, status: int, code: str
) -> None:
    reply = sandbox.order(client_id="ours", behaviour={"create": create})
    assert read_error(reply) == (status, code)
    assert sandbox.find("ours") == []


def test_a_create_answers_byte_by_byte(sandbox: Sandbox) -> None:
    started = time.monotonic()
    reply = sandbox.order(client_id="ours", behaviour={"create": "drip:1000"})
    assert time.monotonic() - started > 0.1
    assert reply.status_code == 201
    assert [found["id"] for found in sandbox.find("ours")] == [reply.json()["id"]]


def test_a_create_that_drips_outlasts_every_single_wait(sandbox: Sandbox) -> None:
    body = {
        "client_id": "ours",
        "kind": "video",
        "model": "sandbox-video-1",
        "prompt": "a fox [sandbox create=drip:10]",
    }
    pieces = []
    started = time.monotonic()
    with sandbox.http.stream("POST", "/v1/generations", json=body, timeout=0.5) as reply:
        for piece in reply.iter_raw():
            pieces.append(piece)
            if time.monotonic() - started > 1:
                break
    assert 5 <= len(pieces) <= 11
    assert {len(piece) for piece in pieces} == {1}


def test_a_gateway_answers_for_an_order_that_was_accepted(sandbox: Sandbox) -> None:
    reply = sandbox.order(client_id="ours", behaviour={"create": "html_502"})
    assert reply.status_code == 502
    assert reply.headers["Content-Type"].startswith("text/html")
    assert len(sandbox.find("ours")) == 1


def test_an_answer_is_garbage_for_an_order_that_was_accepted(sandbox: Sandbox) -> None:
    reply = sandbox.order(client_id="ours", behaviour={"create": "garbage_json"})
    assert reply.status_code == 201
    with pytest.raises(ValueError, match="Unterminated"):
        reply.json()
    assert len(sandbox.find("ours")) == 1


def test_a_status_call_breaks_while_the_generation_goes_on(sandbox: Sandbox) -> None:
    generation = sandbox.accept(client_id="ours")
    path = f"/v1/generations/{generation['id']}"
    sandbox.switch(status="http_500")
    assert read_error(sandbox.http.get(path)) == (500, "internal")
    lookup = sandbox.http.get("/v1/generations", params={"client_id": "ours"})
    assert read_error(lookup) == (500, "internal")
    sandbox.switch(status="html")
    page = sandbox.http.get(path)
    assert (page.status_code, page.headers["Content-Type"][:9]) == (200, "text/html")
    sandbox.switch()
    assert sandbox.wait_for_end(generation["id"])["status"] == "succeeded"


def test_a_status_call_hangs_for_the_generation_that_asked_for_it(sandbox: Sandbox) -> None:
    slow = sandbox.accept(behaviour={"status": "hang:0.3"})
    quick = sandbox.accept()
    for generation, is_slow in ((slow, True), (quick, False)):
        started = time.monotonic()
        sandbox.show(generation["id"])
        assert (time.monotonic() - started >= 0.3) is is_slow


@pytest.mark.parametrize(
    ("status", "error"),
    [("http_429:3", (429, "too_many_generations")), ("unauthorized", (401, "unauthorized"))],
)
def test_a_status_call_is_refused_while_the_generation_goes_on(
    sandbox: Sandbox, status: str, error: tuple[int, str]
) -> None:
    generation = sandbox.accept(client_id="ours")
    sandbox.switch(status=status)
    reply = sandbox.http.get(f"/v1/generations/{generation['id']}")
    assert read_error(reply) == error
    assert reply.headers.get("Retry-After") == ("3" if error[0] == 429 else None)
    lookup = sandbox.http.get("/v1/generations", params={"client_id": "ours"})
    assert read_error(lookup) == error
    sandbox.switch()
    assert sandbox.wait_for_end(generation["id"])["status"] == "succeeded"


def test_a_status_call_answers_byte_by_byte(sandbox: Sandbox) -> None:
    generation = sandbox.finish(behaviour={"status": "drip:1000"})
    assert generation["status"] == "succeeded"
    started = time.monotonic()
    assert sandbox.show(generation["id"])["id"] == generation["id"]
    assert time.monotonic() - started > 0.1


def test_a_status_call_answers_for_another_generation(sandbox: Sandbox) -> None:
    generation = sandbox.accept(behaviour={"status": "foreign"})
    assert sandbox.show(generation["id"])["id"] != generation["id"]


@pytest.mark.parametrize(("most", "made"), [(100, 3), (2, 2), (1, 1)])
async def test_no_more_results_are_made_than_that(most: int, made: int) -> None:
    vendor = Vendor(Settings(), "http://127.0.0.1")
    order = Order("ours", "image", "sandbox-image-1", "a fox", "a fox", count=3, units=3)
    generation = vendor.accept(replace(order, overrides=read_switches({"results": most})))
    assert (generation.order.count, generation.order.units) == (made, 3)
    await vendor.close()


def test_a_lookup_lags_behind_acceptance(sandbox: Sandbox) -> None:
    generation = sandbox.accept(client_id="ours", behaviour={"lookup_lag_seconds": 0.4})
    assert sandbox.find("ours") == []
    assert sandbox.show(generation["id"])["client_id"] == "ours"
    time.sleep(0.5)
    assert len(sandbox.find("ours")) == 1


def _every_word() -> Iterator[tuple[str, str]]:
    for name, switch in SWITCHES.items():
        if isinstance(switch.grammar, Words):
            for word, amounts in switch.grammar.options.items():
                texts = (QUICK_AMOUNTS.get(amount.name, "0.1") for amount in amounts)
                yield name, ":".join([word, *texts])


@pytest.mark.parametrize(("name", "value"), list(_every_word()))
def test_no_fault_keeps_a_place_or_harms_the_next_order(
    sandbox: Sandbox, inbox: Inbox, name: str, value: str
) -> None:
    try:
        sandbox.order(behaviour={name: value}, callback_url=inbox.url)
    except httpx.RemoteProtocolError:
        assert "drop" in value or "before_accept" in value
    deadline = time.monotonic() + 5
    while sandbox.stats()["running"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    generation = sandbox.finish()
    assert sandbox.download(generation).status_code == 200
