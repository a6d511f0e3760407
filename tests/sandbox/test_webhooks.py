"""Webhooks: their signature, their retries, and every way in which they deceive."""

import hashlib
import hmac
import time

import pytest

from tests.sandbox.calls import Event, Inbox, Sandbox

SECRET = b"sandbox-webhook-secret"


def test_success_failure_and_cancellation_are_announced(sandbox: Sandbox, inbox: Inbox) -> None:
    sandbox.accept(client_id="done", callback_url=inbox.url)
    inbox.wait_for(1)
    sandbox.accept(client_id="broken", callback_url=inbox.url, behaviour={"fail": "internal"})
    inbox.wait_for(2)
    hung = sandbox.accept(client_id="gone", callback_url=inbox.url, behaviour={"hang": True})
    sandbox.http.post(f"/v1/generations/{hung['id']}/cancel").raise_for_status()
    events = inbox.wait_for(3)
    assert [(event.body["event"], event.body["client_id"]) for event in events] == [
        ("generation.succeeded", "done"),
        ("generation.failed", "broken"),
        ("generation.cancelled", "gone"),
    ]
    assert all(_is_genuine(event) for event in events)
    assert sandbox.download(events[0].body).status_code == 200
    assert events[1].body["error"]["code"] == "internal"


def test_an_event_is_the_generation_with_the_name_of_the_event(
    sandbox: Sandbox, inbox: Inbox
) -> None:
    generation = sandbox.finish(callback_url=inbox.url)
    body = inbox.wait_for(1)[0].body
    assert body.keys() == {*generation, "event"}
    assert {name: body[name] for name in ("id", "status", "completed_at")} == {
        name: generation[name] for name in ("id", "status", "completed_at")
    }


def test_a_refused_event_is_sent_again_after_a_pause(sandbox: Sandbox, inbox: Inbox) -> None:
    inbox.answers = [503]
    sandbox.accept(callback_url=inbox.url)
    first, second = inbox.wait_for(2)
    assert first.raw_body == second.raw_body
    assert second.arrived_at - first.arrived_at >= 0.5
    assert _is_genuine(second)


def test_an_event_is_given_up_after_three_more_tries(sandbox: Sandbox, inbox: Inbox) -> None:
    inbox.answers = [500, 302, 404, 503]
    sandbox.accept(callback_url=inbox.url)
    inbox.wait_for(4)
    time.sleep(0.3)
    assert len(inbox.events) == 4
    assert sandbox.stats()["webhooks_given_up"] == 1


def test_nobody_at_the_callback_address_harms_nobody(sandbox: Sandbox) -> None:
    generation = sandbox.finish(callback_url="http://127.0.0.1:9/nobody")
    assert generation["status"] == "succeeded"


def test_a_lost_event_never_comes(sandbox: Sandbox, inbox: Inbox) -> None:
    sandbox.finish("a fox [sandbox webhook=lost]", callback_url=inbox.url)
    time.sleep(0.2)
    assert inbox.events == []
    assert sandbox.stats()["webhooks_lost"] == 1


def test_a_late_event_comes_after_the_generation_has_ended(sandbox: Sandbox, inbox: Inbox) -> None:
    sandbox.finish("a fox [sandbox webhook=late:0.4]", callback_url=inbox.url)
    assert inbox.events == []
    ended = time.monotonic()
    assert inbox.wait_for(1)[0].arrived_at - ended > 0.2


def test_a_duplicated_event_comes_as_often_as_asked(sandbox: Sandbox, inbox: Inbox) -> None:
    sandbox.accept("a fox [sandbox webhook=duplicated:3]", callback_url=inbox.url)
    inbox.wait_for(3)
    time.sleep(0.1)
    assert len(inbox.events) == 3
    assert len({event.body["id"] for event in inbox.events}) == 1
    assert all(_is_genuine(event) for event in inbox.events)


def test_a_stale_event_follows_the_last_one(sandbox: Sandbox, inbox: Inbox) -> None:
    sandbox.accept("a fox [sandbox webhook=reordered]", callback_url=inbox.url)
    last, stale = inbox.wait_for(2)
    assert last.body["event"] == "generation.succeeded"
    assert stale.body["event"] == "generation.running"
    assert stale.body["status"] == "running"
    assert "result" not in stale.body
    assert stale.body["id"] == last.body["id"]
    assert _is_genuine(stale)


def test_a_forged_event_has_a_wrong_signature(sandbox: Sandbox, inbox: Inbox) -> None:
    generation = sandbox.finish("a fox [sandbox webhook=forged]", callback_url=inbox.url)
    event = inbox.wait_for(1)[0]
    assert event.body["id"] == generation["id"]
    assert event.signature.startswith("v1=")
    assert not _is_genuine(event)


def test_a_foreign_event_names_a_generation_that_nobody_ordered(
    sandbox: Sandbox, inbox: Inbox
) -> None:
    generation = sandbox.finish("a fox [sandbox webhook=forged_foreign]", callback_url=inbox.url)
    event = inbox.wait_for(1)[0]
    assert event.body.keys() == {*generation, "event"}
    assert event.body["id"] != generation["id"]
    assert not _is_genuine(event)
    assert sandbox.http.get(f"/v1/generations/{event.body['id']}").status_code == 404


@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_a_cancelled_render_announces_nothing_else(
    sandbox: Sandbox, inbox: Inbox, status: str
) -> None:
    fate = {"latency": 0.2, "fail": "never" if status == "succeeded" else "internal"}
    generation = sandbox.accept(callback_url=inbox.url, behaviour=fate)
    sandbox.http.post(f"/v1/generations/{generation['id']}/cancel").raise_for_status()
    time.sleep(0.4)
    assert [event.body["event"] for event in inbox.events] == ["generation.cancelled"]


def _is_genuine(event: Event) -> bool:
    message = event.timestamp.encode() + b"." + event.raw_body
    return event.signature == "v1=" + hmac.new(SECRET, message, hashlib.sha256).hexdigest()
