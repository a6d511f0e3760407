"""The wire on a good day: what is accepted, shown, found, cancelled and refused."""

from typing import Any

import httpx
import pytest

from tests.sandbox.calls import Sandbox, read_error, read_object

BAD_FIELDS = [
    ("client_id", ""),
    ("client_id", "x" * 129),
    ("client_id", 7),
    ("kind", "sound"),
    ("model", ""),
    ("prompt", ""),
    ("prompt", "x" * 4001),
    ("prompt", None),
    ("prompt", "half a surrogate \ud800"),
    ("negative_prompt", 1),
    ("duration_seconds", 0),
    ("duration_seconds", 11),
    ("duration_seconds", 2.5),
    ("duration_seconds", "2"),
    ("duration_seconds", True),
    ("resolution", "4k"),
    ("aspect_ratio", "2:1"),
    ("start_image_url", "ftp://example.com/a.png"),
    ("start_image_url", "data:text/html,hello"),
    ("end_image_url", "file:///etc/passwd"),
    ("callback_url", "http://"),
    ("callback_url", "http://[broken"),
    ("behaviour", []),
    ("frames", 12),
]


def test_an_accepted_order_is_queued_and_gets_an_id(sandbox: Sandbox) -> None:
    reply = sandbox.order(client_id="ours", behaviour={"latency": 5})
    assert reply.status_code == 201
    generation = read_object(reply)
    assert generation["id"].startswith("gen_")
    assert isinstance(generation["created_at"], int)
    del generation["id"], generation["created_at"]
    assert generation == {
        "client_id": "ours",
        "kind": "video",
        "status": "queued",
        "progress": 0.0,
    }


def test_a_generation_runs_makes_progress_and_succeeds(sandbox: Sandbox) -> None:
    seen = [sandbox.accept(behaviour={"latency": 0.5})]
    while seen[-1]["status"] in {"queued", "running"}:
        seen.append(sandbox.show(seen[0]["id"]))
    assert list(dict.fromkeys(one["status"] for one in seen)) == [
        "queued",
        "running",
        "succeeded",
    ]
    progress = [one["progress"] for one in seen]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    assert seen[-1]["completed_at"] >= seen[-1]["created_at"]


def test_every_look_at_a_succeeded_generation_mints_an_address_that_works(
    sandbox: Sandbox,
) -> None:
    generation = sandbox.finish()
    result = generation["result"]
    assert result["content_type"] == "video/mp4"
    assert result["expires_at"] > generation["completed_at"]
    for again in (generation, sandbox.show(generation["id"])):
        reply = sandbox.download(again)
        assert reply.status_code == 200
        assert len(reply.content) == result["size_bytes"]


def test_a_changed_address_is_refused(sandbox: Sandbox) -> None:
    url = httpx.URL(sandbox.finish()["result"]["url"])
    later = str(int(url.params["expires"]) + 1)
    for broken in (
        url.copy_set_param("token", "0" * 64),
        url.copy_set_param("expires", later),
        url.copy_remove_param("token"),
        url.copy_with(path=url.path.replace("video.mp4", "other.mp4")),
    ):
        assert read_error(sandbox.stranger.get(broken)) == (403, "bad_token")


def test_a_lookup_finds_what_was_accepted_under_our_id(sandbox: Sandbox) -> None:
    accepted = sandbox.accept(client_id="ours / with & signs")
    assert [found["id"] for found in sandbox.find("ours / with & signs")] == [accepted["id"]]
    assert sandbox.find("never used") == []
    assert read_error(sandbox.http.get("/v1/generations")) == (400, "invalid_request")


def test_every_call_needs_the_key(sandbox: Sandbox) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "sandbox-key"}):
        for method, path in (
            ("POST", "/v1/generations"),
            ("GET", "/v1/generations?client_id=x"),
            ("GET", "/v1/generations/gen_1"),
            ("POST", "/v1/generations/gen_1/cancel"),
        ):
            reply = sandbox.stranger.request(method, path, headers=headers)
            assert read_error(reply) == (401, "unauthorized")


@pytest.mark.parametrize(("name", "value"), BAD_FIELDS)
def test_a_field_that_does_not_fit_is_refused_by_name(
    sandbox: Sandbox, name: str, value: Any
) -> None:
    reply = sandbox.order(**{"prompt": "a red fox", name: value})
    assert read_error(reply) == (400, "invalid_request")
    assert reply.json()["error"]["param"] == name


@pytest.mark.parametrize("name", ["client_id", "kind", "model", "prompt"])
def test_a_missing_field_is_refused_by_name(sandbox: Sandbox, name: str) -> None:
    body = {"client_id": "ours", "kind": "image", "model": "sandbox-image-1", "prompt": "a fox"}
    del body[name]
    reply = sandbox.http.post("/v1/generations", json=body)
    assert read_error(reply) == (400, "invalid_request")
    assert reply.json()["error"]["param"] == name


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_not_an_object_is_refused(sandbox: Sandbox, body: bytes) -> None:
    reply = sandbox.http.post("/v1/generations", content=body)
    assert read_error(reply) == (400, "invalid_request")


def test_a_body_over_the_limit_is_refused(sandbox: Sandbox) -> None:
    reply = sandbox.http.post("/v1/generations", content=b" " * 25_000_001)
    assert read_error(reply) == (400, "invalid_request")


def test_an_unknown_model_is_told_from_one_of_the_other_kind(sandbox: Sandbox) -> None:
    assert read_error(sandbox.order(model="sandbox-video-9")) == (404, "unknown_model")
    assert read_error(sandbox.order(model="sandbox-image-1")) == (400, "invalid_request")


def test_an_image_has_no_duration(sandbox: Sandbox) -> None:
    reply = sandbox.order(kind="image", duration_seconds=2)
    assert read_error(reply) == (400, "invalid_request")
    assert reply.json()["error"]["param"] == "duration_seconds"


def test_a_second_order_under_one_id_names_the_first(sandbox: Sandbox) -> None:
    first = sandbox.accept(client_id="ours")
    reply = sandbox.order(client_id="ours", prompt="something else")
    assert read_error(reply) == (409, "duplicate_client_id")
    assert reply.json()["error"]["generation_id"] == first["id"]
    assert sandbox.stats()["duplicates"] == 1
    assert sandbox.stats()["accepted"] == 1


def test_a_place_is_held_from_acceptance_to_the_end(sandbox: Sandbox) -> None:
    held = [sandbox.accept(behaviour={"hang": True})["id"] for _ in range(4)]
    reply = sandbox.order()
    assert read_error(reply) == (429, "too_many_generations")
    assert int(reply.headers["Retry-After"]) > 0
    sandbox.http.post(f"/v1/generations/{held[0]}/cancel").raise_for_status()
    assert sandbox.finish()["status"] == "succeeded"
    stats = sandbox.stats()
    assert (stats["running"], stats["max_running"], stats["refused_busy"]) == (3, 4, 1)


def test_a_duplicate_is_recognised_even_when_no_place_is_free(sandbox: Sandbox) -> None:
    for number in range(4):
        sandbox.accept(client_id=f"ours-{number}", behaviour={"hang": True})
    assert read_error(sandbox.order(client_id="ours-0")) == (409, "duplicate_client_id")


def test_a_queued_or_running_generation_can_be_cancelled_once(sandbox: Sandbox) -> None:
    generation = sandbox.accept(behaviour={"latency": 60})
    cancel = f"/v1/generations/{generation['id']}/cancel"
    reply = sandbox.http.post(cancel)
    assert reply.status_code == 200
    assert reply.json()["status"] == "cancelled"
    assert "result" not in reply.json()
    assert read_error(sandbox.http.post(cancel)) == (409, "not_cancellable")
    assert sandbox.stats()["running"] == 0


def test_a_succeeded_generation_cannot_be_cancelled(sandbox: Sandbox) -> None:
    generation = sandbox.finish()
    reply = sandbox.http.post(f"/v1/generations/{generation['id']}/cancel")
    assert read_error(reply) == (409, "not_cancellable")


def test_what_is_not_there_is_not_found_in_the_same_shape(sandbox: Sandbox) -> None:
    assert read_error(sandbox.http.get("/v1/generations/gen_none")) == (404, "not_found")
    assert read_error(sandbox.http.post("/v1/generations/gen_none/cancel")) == (404, "not_found")
    assert read_error(sandbox.http.get("/v2/nothing")) == (404, "not_found")
    assert read_error(sandbox.http.put("/v1/generations")) == (405, "method_not_allowed")


def test_health_needs_no_key(sandbox: Sandbox) -> None:
    assert sandbox.stranger.get("/healthz").json() == {"status": "ok"}
