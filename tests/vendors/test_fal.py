"""fal: its translator against its simulator, from the order to a result that decodes."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.vendors.fal import WIRE
from shared.errors import VendorGone, WebhookRefused
from shared.ports import Hint
from tests.vendors.stage import Stage, json_of, staged

KEY = {"authorization": f"Key {WIRE.settings.api_key}"}
FILM, PICTURES, EDIT = "fal-seedance-1-pro", "fal-flux-dev", "fal-flux-pro-kontext"
SEEDANCE = "/fal-ai/bytedance/seedance/v1/pro/text-to-video"
FLUX = "/fal-ai/flux/dev"


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged("fal") as made:
        yield made


async def test_several_pictures_are_as_many_results(stage: Stage, tmp_path: Path) -> None:
    work = stage.work(PICTURES, count=4)
    assert len(await stage.seen(work, await stage.made(work), tmp_path)) == 4


async def test_a_film_begins_with_the_picture_and_has_its_shape(
    stage: Stage, tmp_path: Path
) -> None:
    work = stage.work(FILM, images=["start"], resolution="480p", switches="render=real")
    [info] = await stage.seen(work, await stage.made(work), tmp_path)
    assert (info.width, info.height) == (480, 640)
    assert info.duration_seconds == pytest.approx(5, abs=0.2)


async def test_a_picture_that_cannot_be_fetched_is_a_failure(stage: Stage) -> None:
    asked = stage.work(FILM, images=["start"], switches="render=real")
    nowhere = replace(asked.images["start"], url=f"{stage.url}/nothing.png")
    outcome = await stage.made(replace(asked, images={"start": nowhere}))
    assert (outcome.state, outcome.detail) == ("failed", "file_download_error")


async def test_an_unknown_request_is_gone(stage: Stage) -> None:
    ticket = replace(stage.work(FILM).ticket, task_id="gen_never")
    with pytest.raises(VendorGone):
        await stage.driver.poll(ticket)
    with pytest.raises(VendorGone):
        await stage.driver.cancel(ticket)


# ---------------------------------------------------------------- the queue


async def test_what_exceeds_the_concurrency_waits_and_is_not_refused() -> None:
    async with staged("fal", concurrency=2) as stage:
        works = [stage.work(FILM, switches="hang"), stage.work(FILM, switches="hang")]
        running = [await stage.submit(work) for work in works]
        waiting = stage.work(FILM)
        accepted = await stage.submit(waiting)
        assert [await status_of(stage, each.task_id) for each in running] == ["IN_PROGRESS"] * 2
        assert await status_of(stage, accepted.task_id) == "IN_QUEUE"
        ticket = replace(waiting.ticket, task_id=accepted.task_id)
        assert (await stage.driver.poll(ticket)).state == "running"
        await stage.driver.cancel(replace(works[0].ticket, task_id=running[0].task_id))
        assert (await stage.ended(waiting, accepted)).state == "succeeded"


async def test_the_queue_says_how_many_are_before() -> None:
    async with staged("fal", concurrency=1) as stage:
        asked = [await stage.submit(stage.work(FILM, switches="hang")) for _ in range(3)]
        places = [(await look(stage, each.task_id)).json().get("queue_position") for each in asked]
        assert places == [None, 0, 1]


async def test_a_request_that_is_stopped_is_cancelled_and_one_that_is_over_says_how(
    stage: Stage,
) -> None:
    work = stage.work(FILM, switches="hang")
    ticket = replace(work.ticket, task_id=(await stage.submit(work)).task_id)
    assert (await stage.driver.poll(ticket)).state == "running"
    assert (await stage.driver.cancel(ticket)).state == "cancelled"
    done = stage.work(PICTURES)
    outcome = await stage.made(done)
    again = await stage.driver.cancel(replace(done.ticket, task_id=outcome.task_id))
    assert again.state == "succeeded"


async def look(stage: Stage, task_id: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=stage.url, headers=KEY, trust_env=False) as client:
        return await client.get(f"/fal-ai/bytedance/requests/{task_id}/status")


async def status_of(stage: Stage, task_id: str) -> str:
    """The word as it stands on the wire; 202 goes with all but the last."""
    reply = await look(stage, task_id)
    word: str = reply.json()["status"]
    assert (reply.status_code == 200) is (word == "COMPLETED")
    return word


# ---------------------------------------------------------------- callbacks


@pytest.mark.parametrize(("switches", "word"), [("", "OK"), ("fail=render", "ERROR")])
async def test_the_vendor_calls_once_it_is_over_and_signs(
    stage: Stage, switches: str, word: str
) -> None:
    work = stage.work(FILM, callback_url=stage.inbox.url, switches=switches)
    accepted = await stage.submit(work)
    assert await stage.called() == [Hint(accepted.task_id)]
    [call] = stage.inbox.came
    assert json_of(call)["status"] == word
    assert len(call.headers["x-fal-webhook-signature"]) == 128


async def test_a_forged_call_is_refused(stage: Stage) -> None:
    forged = stage.work(FILM, callback_url=stage.inbox.url, switches="webhook=forged")
    await stage.submit(forged)
    await until_refused(stage)
    genuine = await stage.submit(stage.work(FILM, callback_url=stage.inbox.url))
    assert await stage.called() == [Hint(genuine.task_id)]


async def test_a_call_that_somebody_changed_is_refused(stage: Stage) -> None:
    await stage.submit(stage.work(FILM, callback_url=stage.inbox.url))
    await stage.called()
    call, now_ms = stage.inbox.came[0], int(time.time() * 1000)
    changed = replace(call, body=call.body.replace(b"OK", b"KO"))
    with pytest.raises(WebhookRefused):
        await stage.driver.hint("fal", changed, now_ms)
    hint = await stage.driver.hint("fal", call, now_ms)
    assert hint.task_id


async def until_refused(stage: Stage) -> None:
    deadline = time.monotonic() + 20
    while not stage.inbox.refused:
        assert time.monotonic() < deadline, "nothing forged came"
        await asyncio.sleep(0.02)


async def test_the_key_set_has_the_signing_key_among_others(stage: Stage) -> None:
    async with httpx.AsyncClient(base_url=stage.url, trust_env=False) as client:
        keys = (await client.get("/.well-known/jwks.json")).json()["keys"]
    assert len({key["x"] for key in keys}) == 2
    assert {(key["kty"], key["crv"]) for key in keys} == {("OKP", "Ed25519")}


# ---------------------------------------------------------------- results


# ---------------------------------------------------------------- how strict the simulator is

BAD_INPUTS: dict[str, dict[str, Any]] = {
    "an input that does not exist": {"prompt": "a fox", "seconds": 5},
    "a duration that is a number": {"prompt": "a fox", "duration": 5},
    "a duration that there is not": {"prompt": "a fox", "duration": "13"},
    "a resolution that there is not": {"prompt": "a fox", "resolution": "4k"},
    "a shape that there is not": {"prompt": "a fox", "aspect_ratio": "5:1"},
    "no prompt": {"duration": "5"},
    "an envelope": {"input": {"prompt": "a fox"}},
}


@pytest.mark.parametrize("bad", BAD_INPUTS)
async def test_the_simulator_refuses(stage: Stage, bad: str) -> None:
    reply = await stage.post(SEEDANCE, BAD_INPUTS[bad], KEY)
    assert reply.status_code == 422, reply.text
    assert reply.json()["detail"][0]["loc"][0] == "body"
    assert (await stage.stats())["accepted"] == 0


@pytest.mark.parametrize("path", ["/fal-ai/flux", "/fal-ai/nothing/at-all", "/somebody/flux/dev"])
async def test_an_app_that_does_not_exist_is_not_found(stage: Stage, path: str) -> None:
    assert (await stage.post(path, {"prompt": "a fox"}, KEY)).status_code == 404


@pytest.mark.parametrize("headers", [{}, {"authorization": f"Bearer {WIRE.settings.api_key}"}])
async def test_the_simulator_wants_its_own_scheme(stage: Stage, headers: dict[str, str]) -> None:
    assert (await stage.post(FLUX, {"prompt": "a fox"}, headers)).status_code == 401


@pytest.mark.parametrize("lifecycle", ["a day", '{"expires": 60}', "[]"])
async def test_the_simulator_reads_the_lifecycle(stage: Stage, lifecycle: str) -> None:
    headers = {**KEY, "x-fal-object-lifecycle-preference": lifecycle}
    assert (await stage.post(FLUX, {"prompt": "a fox"}, headers)).status_code == 422


async def test_requests_lie_below_the_first_two_parts_of_the_name_and_nowhere_else(
    stage: Stage,
) -> None:
    reply = await stage.post(SEEDANCE, {"prompt": "a fox"}, KEY)
    told = reply.json()
    assert (
        told["status_url"] == f"{stage.url}/fal-ai/bytedance/requests/{told['request_id']}/status"
    )
    async with httpx.AsyncClient(base_url=stage.url, headers=KEY, trust_env=False) as client:
        for app in ("fal-ai/flux", SEEDANCE.removeprefix("/")):
            reply = await client.get(f"/{app}/requests/{told['request_id']}/status")
            assert reply.status_code == 404


async def test_an_answer_that_is_asked_for_too_early_is_not_there(stage: Stage) -> None:
    reply = await stage.post(FLUX, {"prompt": "a fox [sandbox hang]"}, KEY)
    async with httpx.AsyncClient(headers=KEY, trust_env=False) as client:
        early = await client.get(reply.json()["response_url"])
    assert early.status_code == 400
    assert early.json() == {"detail": "Request is still in progress"}
