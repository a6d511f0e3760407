"""Replicate: its translator against its simulator, from the order to a result that decodes."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.sandbox.chance import Fate
from infra.sandbox.generations import Generation, Status
from infra.sandbox.orders import Order
from infra.vendors import replicate
from infra.vendors.replicate import WIRE
from shared.errors import VendorBusy, VendorGone, WebhookRefused
from shared.ports import Hint, Outcome
from tests.vendors.stage import PICTURE, Stage, json_of, staged

KEY = {"authorization": f"Bearer {WIRE.settings.api_key}"}
FILM = "replicate-seedance-1-pro"
SEEDANCE = "/v1/models/bytedance/seedance-1-pro/predictions"
SCHNELL = "/v1/models/black-forest-labs/flux-schnell/predictions"


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged("replicate") as made:
        yield made


async def test_a_list_of_pictures_is_as_many_results(stage: Stage, tmp_path: Path) -> None:
    work = stage.work("replicate-flux-schnell", count=3)
    assert len(await stage.seen(work, await stage.made(work), tmp_path)) == 3


async def test_a_film_begins_with_the_picture_and_has_its_shape(
    stage: Stage, tmp_path: Path
) -> None:
    work = stage.work(FILM, images=["start"], resolution="480p", switches="render=real")
    [info] = await stage.seen(work, await stage.made(work), tmp_path)
    assert (info.width, info.height) == (480, 640)
    assert info.duration_seconds == pytest.approx(5, abs=0.2)


async def test_a_model_that_does_not_exist_is_not_found(stage: Stage) -> None:
    body = {"input": {"prompt": "a fox"}}
    reply = await stage.post("/v1/models/bytedance/seedance-0/predictions", body, KEY)
    assert reply.status_code == 404


async def test_more_than_a_minute_has_is_busy_for_as_long_as_the_vendor_says() -> None:
    async with staged("replicate", submits_per_minute=1) as stage:
        await stage.submit(stage.work(FILM))
        with pytest.raises(VendorBusy) as caught:
            await stage.submit(stage.work(FILM))
        assert caught.value.retry_after_seconds == 30


async def test_an_unknown_prediction_is_gone(stage: Stage) -> None:
    ticket = replace(stage.work(FILM).ticket, task_id="gen_never")
    with pytest.raises(VendorGone):
        await stage.driver.poll(ticket)
    with pytest.raises(VendorGone):
        await stage.driver.cancel(ticket)


async def test_a_running_prediction_is_stopped_and_one_that_is_over_says_how(stage: Stage) -> None:
    work = stage.work(FILM, switches="hang")
    ticket = replace(work.ticket, task_id=(await stage.submit(work)).task_id)
    assert (await stage.driver.poll(ticket)).state == "running"
    assert await stage.driver.cancel(ticket) == Outcome(ticket.task_id, "cancelled")
    done = stage.work(FILM)
    outcome = await stage.made(done)
    again = await stage.driver.cancel(replace(done.ticket, task_id=outcome.task_id))
    assert again.state == "succeeded"


# ---------------------------------------------------------------- callbacks


async def test_the_vendor_calls_once_it_is_over_and_signs(stage: Stage) -> None:
    accepted = await stage.submit(stage.work(FILM, callback_url=stage.inbox.url))
    assert await stage.called() == [Hint(accepted.task_id)]
    [call] = stage.inbox.came
    assert json_of(call)["status"] == "succeeded"
    assert call.headers["webhook-signature"].startswith("v1,")


async def test_a_forged_call_is_refused(stage: Stage) -> None:
    forged = stage.work(FILM, callback_url=stage.inbox.url, switches="webhook=forged")
    await stage.submit(forged)
    await until_refused(stage)
    genuine = await stage.submit(stage.work(FILM, callback_url=stage.inbox.url))
    assert await stage.called() == [Hint(genuine.task_id)]


async def test_a_call_for_another_account_is_refused(stage: Stage) -> None:
    await stage.submit(stage.work(FILM, callback_url=stage.inbox.url))
    await stage.called()
    other = "whsec_" + base64.b64encode(b"the secret of somebody").decode()
    async with staged("replicate", webhook_secret=other) as elsewhere:
        with pytest.raises(WebhookRefused):
            await elsewhere.driver.hint("replicate", stage.inbox.came[0], now_ms())
    hint = await stage.driver.hint("replicate", stage.inbox.came[0], now_ms())
    assert hint.task_id


def now_ms() -> int:
    return int(time.time() * 1000)


async def until_refused(stage: Stage) -> None:
    deadline = time.monotonic() + 20
    while not stage.inbox.refused:
        assert time.monotonic() < deadline, "nothing forged came"
        await asyncio.sleep(0.02)


# ---------------------------------------------------------------- results


def test_an_hour_after_its_end_the_vendor_forgets_a_prediction() -> None:
    order = Order("ours", "video", "bytedance/seedance-1-pro", "a fox", "a fox")
    over = Generation("gen_1", order, Fate(0, None, False), 100.0, Status.SUCCEEDED)
    assert not replicate.is_forgotten(over, 10_000.0)
    over.completed_at = 200.0
    assert not replicate.is_forgotten(over, 200.0 + 3600)
    assert replicate.is_forgotten(over, 200.0 + 3601)


# ---------------------------------------------------------------- how strict the simulator is

GOOD: dict[str, Any] = {"prompt": "a fox", "duration": 5}
BAD_BODIES: dict[str, dict[str, Any]] = {
    "a field of the top that does not exist": {"input": GOOD, "model": "x"},
    "no input": {"webhook": "https://app.example/hook"},
    "an input that does not exist": {"input": {**GOOD, "seconds": 5}},
    "a duration in words": {"input": {**GOOD, "duration": "5"}},
    "a duration that there is not": {"input": {**GOOD, "duration": 7}},
    "a resolution that there is not": {"input": {**GOOD, "resolution": "4k"}},
    "a shape that there is not": {"input": {**GOOD, "aspect_ratio": "5:1"}},
    "a picture that is no address": {"input": {**GOOD, "image": "fox.png"}},
    "no prompt": {"input": {"duration": 5}},
    "an event that there is not": {"input": GOOD, "webhook_events_filter": ["done"]},
    "a webhook without TLS": {"input": GOOD, "webhook": "http://app.example/hook"},
}


@pytest.mark.parametrize("bad", BAD_BODIES)
async def test_the_simulator_refuses(stage: Stage, bad: str) -> None:
    reply = await stage.post(SEEDANCE, BAD_BODIES[bad], KEY)
    assert reply.status_code == 422, reply.text
    assert reply.json()["title"] == "Input validation failed"
    assert reply.json()["invalid_fields"][0]["field"]
    assert (await stage.stats())["accepted"] == 0


async def test_the_simulator_takes_what_the_documentation_shows(stage: Stage) -> None:
    body = {
        "input": {"prompt": "a cat surfing", "duration": 5, "aspect_ratio": "16:9"},
        "webhook": "https://app.example/hooks/replicate?job=42",
        "webhook_events_filter": ["completed"],
    }
    reply = await stage.post(SEEDANCE, body, KEY)
    assert reply.status_code == 201
    assert reply.json()["status"] == "starting"


@pytest.mark.parametrize("headers", [{}, {"authorization": "Token r8_simulated"}])
async def test_the_simulator_wants_a_bearer_token(stage: Stage, headers: dict[str, str]) -> None:
    reply = await stage.post(SCHNELL, {"input": {"prompt": "a fox"}}, headers)
    assert (reply.status_code, reply.json()["title"]) == (401, "Unauthenticated")


async def test_pictures_may_be_sent_in_the_request(stage: Stage) -> None:
    picture = f"data:image/jpeg;base64,{base64.b64encode(PICTURE).decode()}"
    body = {"input": {**GOOD, "image": picture, "resolution": "480p"}}
    reply = await stage.post(SEEDANCE, body, KEY)
    ticket = replace(stage.work(FILM).ticket, task_id=reply.json()["id"])
    deadline = time.monotonic() + 20
    while (outcome := await stage.driver.poll(ticket)).state == "running":
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    assert outcome.state == "succeeded"
