"""The control calls and the limits on what one process keeps."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from infra.sandbox import generations
from infra.sandbox.chance import Fate
from infra.sandbox.generations import Generation, Media, Register, Status
from infra.sandbox.orders import Order
from infra.sandbox.refusals import Refusal
from infra.sandbox.server import build_app
from infra.sandbox.settings import Settings
from tests.sandbox.calls import Sandbox, read_error

FATE = Fate(0, None, hangs=False)


def test_control_needs_no_key_on_this_machine(sandbox: Sandbox) -> None:
    for path in ("behaviour", "stats", "generations"):
        assert sandbox.stranger.get(f"/control/{path}").status_code == 200


@pytest.mark.parametrize("host", ["203.0.113.9", "10.0.0.1", "::ffff:203.0.113.9", "unknown"])
async def test_control_answers_to_this_machine_only(host: str) -> None:
    async with _called_from(host) as stranger:
        reply = await stranger.get("/control/stats")
        assert read_error(reply) == (403, "loopback_only")
        assert (await stranger.get("/healthz")).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
async def test_control_knows_this_machine_by_all_its_names(host: str) -> None:
    async with _called_from(host) as owner:
        assert (await owner.get("/control/stats")).status_code == 200


def test_stats_count_what_happened(sandbox: Sandbox) -> None:
    sandbox.finish()
    sandbox.finish(behaviour={"fail": "internal"})
    hung = sandbox.accept(behaviour={"hang": True})
    stats = sandbox.stats()
    assert stats["concurrency"] == 4
    assert (stats["accepted"], stats["succeeded"], stats["failed"]) == (3, 1, 1)
    assert stats["running"] == 1
    sandbox.http.post(f"/v1/generations/{hung['id']}/cancel").raise_for_status()
    assert sandbox.stats()["cancelled"] == 1


def test_a_reset_forgets_generations_counts_and_switches(sandbox: Sandbox) -> None:
    hung = sandbox.accept(client_id="ours", behaviour={"hang": True})
    sandbox.switch(webhook="lost")
    sandbox.http.post("/control/reset").raise_for_status()
    assert sandbox.http.get(f"/v1/generations/{hung['id']}").status_code == 404
    assert sandbox.stats()["running"] == 0
    assert sandbox.http.get("/control/behaviour").json()["webhook"] == "normal"
    assert sandbox.accept(client_id="ours")["id"] != hung["id"]


def test_the_listing_shows_what_was_ordered_newest_first(sandbox: Sandbox) -> None:
    sandbox.finish("first")
    sandbox.finish("лиса [sandbox webhook=lost]", resolution="720p")
    listed = sandbox.http.get("/control/generations").json()["data"]
    assert [one["order"]["caption"] for one in listed] == ["лиса", "first"]
    assert listed[0]["order"]["prompt"] == "лиса [sandbox webhook=lost]"
    assert listed[0]["order"]["resolution"] == "720p"
    assert listed[0]["order"]["behaviour"]["webhook"] == "lost"


def test_the_oldest_finished_generation_goes_when_too_many_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(generations, "KEPT_MAX", 3)
    register = Register(concurrency=10)
    hung = _admit(register, "hung")
    done = [_finish(register, f"done-{number}", b"x") for number in range(3)]
    assert register.find(hung.id) is hung
    assert register.find(done[2].id) is done[2]
    with pytest.raises(Refusal, match="no generation"):
        register.find(done[0].id)
    assert register.find_by_client_id("done-0") is None


def test_a_picture_in_an_order_is_not_kept_after_the_end() -> None:
    register = Register(concurrency=1)
    picture = "data:image/png;base64," + "A" * 1_000_000
    order = Order("ours", "video", "sandbox-video-1", "a", "a", start_image_url=picture)
    generation = register.admit(order, FATE, 0.0)
    register.move(generation, Status.CANCELLED, 1.0)
    assert len(generation.order.start_image_url or "") < 100


def test_the_oldest_result_loses_its_bytes_when_too_many_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(generations, "KEPT_RESULT_BYTES_MAX", 25)
    register = Register(concurrency=10)
    done = [_finish(register, f"done-{number}", b"0123456789") for number in range(3)]
    assert [one.media and one.media.content for one in done] == [None, b"0123456789", b"0123456789"]


def test_a_step_that_is_not_in_the_table_is_a_mistake_of_ours() -> None:
    register = Register(concurrency=1)
    generation = _finish(register, "done", b"x")
    for status in Status:
        with pytest.raises(AssertionError):
            register.move(generation, status, 1.0)


def test_fifty_orders_at_once_never_hold_more_places_than_there_are(sandbox: Sandbox) -> None:
    async def order_all() -> list[int]:
        headers = {"Authorization": "Bearer sandbox-key"}
        async with httpx.AsyncClient(
            base_url=sandbox.url, headers=headers, trust_env=False
        ) as http:
            body = {
                "kind": "video",
                "model": "sandbox-video-1",
                "prompt": "a [sandbox latency=0.3]",
            }
            replies = await asyncio.gather(
                *(
                    http.post("/v1/generations", json={**body, "client_id": str(number)})
                    for number in range(50)
                )
            )
        return [reply.status_code for reply in replies]

    statuses = asyncio.run(order_all())
    stats = sandbox.stats()
    assert set(statuses) == {201, 429}
    assert stats["max_running"] == 4
    assert stats["refused_busy"] == statuses.count(429)
    assert stats["accepted"] == statuses.count(201)


@asynccontextmanager
async def _called_from(host: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose requests seem to come from this address."""
    app = build_app(Settings(), "http://test")
    transport = httpx.ASGITransport(app, client=(host, 80))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client


def _admit(register: Register, client_id: str) -> Generation:
    order = Order(client_id, "video", "sandbox-video-1", "a fox", "a fox")
    return register.admit(order, FATE, 0.0)


def _finish(register: Register, client_id: str, content: bytes) -> Generation:
    generation = _admit(register, client_id)
    register.move(generation, Status.RUNNING, 0.0)
    media = Media(content, "video/mp4", "video.mp4", len(content))
    register.move(generation, Status.SUCCEEDED, 1.0, media)
    return generation
