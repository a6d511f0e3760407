"""Eden AI's translator against its simulator, from the order to a result that decodes."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from infra.vendors.edenai import WIRE
from shared import catalogue
from shared.errors import (
    VendorBusy,
    VendorGone,
    VendorRejected,
    VendorUnknown,
    WebhookRefused,
)
from shared.ports import Hint, Inbound
from tests.vendors.stage import Stage, json_of, staged

KEY = {"authorization": f"Bearer {WIRE.settings.api_key}"}
FILM, OLD_FILM = "edenai-hailuo-02", "edenai-v2-hailuo-02"
PICTURE, PICTURES = "edenai-seedream-4-5", "edenai-image-01"
EACH_CALL = [FILM, OLD_FILM, PICTURE]
ASYNC, SYNC, V2 = "/v3/universal-ai/async", "/v3/universal-ai", "/v2/video/generation_async/"
NOW_MS = 1_795_251_601_500


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged("edenai") as made:
        yield made


ON_SALE = [
    model.id
    for model in catalogue.load().models.values()
    if model.provider == "edenai" and model.state in ("live", "retiring")
]


@pytest.mark.parametrize("model", ON_SALE)
async def test_every_model_is_ordered_made_fetched_and_decodes(
    stage: Stage, tmp_path: Path, model: str
) -> None:
    work = stage.work(model)
    outcome = await stage.made(work)
    assert outcome.state == "succeeded"
    [info] = await stage.seen(work, outcome, tmp_path)
    assert (info.duration_seconds is not None) is (work.ticket.kind == "video")


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        (FILM, {"images": ["start"], "duration_seconds": 10}),
        ("edenai-pixverse-v5.5", {"images": ["start"], "aspect_ratio": "9:16"}),
        (OLD_FILM, {"duration_seconds": 10}),
    ],
)
async def test_every_setting_is_taken(stage: Stage, model: str, settings: dict[str, Any]) -> None:
    assert (await stage.made(stage.work(model, **settings))).state == "succeeded"


async def test_a_film_has_the_shape_that_was_asked_for(stage: Stage, tmp_path: Path) -> None:
    work = stage.work("edenai-pixverse-v5", aspect_ratio="9:16", switches="render=real")
    [info] = await stage.seen(work, await stage.made(work), tmp_path)
    assert (info.width, info.height) == (720, 1280)
    assert info.duration_seconds == pytest.approx(5, abs=0.2)


async def test_a_film_begins_with_the_picture(stage: Stage, tmp_path: Path) -> None:
    work = stage.work(FILM, images=["start"], switches="render=real")
    [info] = await stage.seen(work, await stage.made(work), tmp_path)
    assert info.height / info.width == pytest.approx(4 / 3, abs=0.02)


async def test_pictures_come_with_the_answer(stage: Stage, tmp_path: Path) -> None:
    for model, count in ((PICTURE, 1), (PICTURES, 4)):
        work = stage.work(model, count=count)
        accepted = await stage.submit(work)
        assert (accepted.task_id, len(accepted.parcels)) == ("", count)
        outcome = await stage.ended(work, accepted)
        assert len(await stage.seen(work, outcome, tmp_path)) == count


async def test_a_picture_s_answer_with_all_its_bytes_is_not_too_long(stage: Stage) -> None:
    work = stage.work(PICTURES, count=4, switches="render=real")
    assert len((await stage.submit(work)).parcels) == 4


# ---------------------------------------------------------------- when it goes wrong


@pytest.mark.parametrize(
    ("switches", "code"),
    [
        ("fail=render", "provider_failed"),
        ("fail=capacity", "provider_busy"),
        ("moderation=late", "moderation_blocked"),
        ("create=http_500", "provider_failed"),
    ],
)
async def test_an_answer_without_a_picture_is_the_end_of_it(
    stage: Stage, switches: str, code: str
) -> None:
    with pytest.raises(VendorRejected) as caught:
        await stage.submit(stage.work(PICTURE, switches=switches))
    assert caught.value.code == code


@pytest.mark.parametrize("model", [FILM, OLD_FILM])
async def test_a_server_error_leaves_open_whether_a_film_is_made(stage: Stage, model: str) -> None:
    with pytest.raises(VendorUnknown):
        await stage.submit(stage.work(model, switches="create=http_500"))


@pytest.mark.parametrize("model", ["edenai-runway-gen-3", "edenai-kling-2.5", "edenai-nova-reel"])
async def test_what_it_does_not_sell_any_more_is_gone(stage: Stage, model: str) -> None:
    with pytest.raises(VendorRejected) as caught:
        await stage.submit(stage.work(model))
    assert caught.value.code == "model_gone"


async def test_more_than_there_are_places_or_a_minute_has_is_busy() -> None:
    async with staged("edenai", concurrency=1, submits_per_minute=2) as stage:
        await stage.submit(stage.work(FILM, switches="hang"))
        with pytest.raises(VendorBusy):
            await stage.submit(stage.work(OLD_FILM))
        with pytest.raises(VendorBusy):
            await stage.submit(stage.work(PICTURE))
        assert (await stage.stats())["max_running"] == 1


async def test_a_task_that_it_does_not_know_is_gone(stage: Stage) -> None:
    accepted = await stage.submit(stage.work(OLD_FILM))
    for model, task_id in ((FILM, "550e8400"), (OLD_FILM, "550e8400"), (FILM, accepted.task_id)):
        with pytest.raises(VendorGone):
            await stage.driver.poll(replace(stage.work(model).ticket, task_id=task_id))


# ---------------------------------------------------------------- stopping


async def test_a_running_job_is_stopped_and_then_not_there(stage: Stage) -> None:
    work = stage.work(FILM, switches="hang")
    ticket = replace(work.ticket, task_id=(await stage.submit(work)).task_id)
    assert (await stage.driver.cancel(ticket)).state == "cancelled"
    assert (await stage.stats())["cancelled"] == 1
    for ask in (stage.driver.cancel, stage.driver.poll):
        with pytest.raises(VendorGone):
            await ask(ticket)


async def test_a_job_of_the_old_api_goes_on(stage: Stage) -> None:
    work = stage.work(OLD_FILM, switches="hang")
    ticket = replace(work.ticket, task_id=(await stage.submit(work)).task_id)
    assert (await stage.driver.cancel(ticket)).state == "running"
    assert (await stage.stats())["cancelled"] == 0


# ---------------------------------------------------------------- callbacks


@pytest.mark.parametrize("model", [FILM, OLD_FILM])
@pytest.mark.parametrize("switches", ["", "fail=render"])
async def test_a_signed_callback_names_the_task_and_our_job(
    stage: Stage, model: str, switches: str
) -> None:
    work = stage.work(model, callback_url=stage.inbox.url, switches=switches)
    accepted = await stage.submit(work)
    assert await stage.called() == [Hint(accepted.task_id)]
    [came] = stage.inbox.came
    told = json_of(came)
    assert told["user_parameters"] == {"job": work.ticket.job_id}
    assert told["status"] == ("fail" if switches else "success")
    assert (told["provider"], told["model"]) == ("minimax", "MiniMax-Hailuo-02")
    assert came.headers["x-edenai-hash-algorithm"] == "SHA256"


@pytest.mark.parametrize("switch", ["forged", "forged_foreign"])
async def test_a_forged_callback_is_refused(stage: Stage, switch: str) -> None:
    work = stage.work(FILM, callback_url=stage.inbox.url, switches=f"webhook={switch}")
    await stage.made(work)
    await stage.submit(stage.work(FILM, callback_url=stage.inbox.url))
    assert len(await stage.called()) == 1
    assert stage.inbox.refused >= 1


async def test_a_signature_is_good_for_its_own_event_alone(stage: Stage) -> None:
    for _ in range(2):
        await stage.submit(stage.work(FILM, callback_url=stage.inbox.url))
    first, second = await _both(stage)
    with pytest.raises(WebhookRefused):
        await stage.driver.hint("edenai", Inbound(first.headers, second.body), NOW_MS)


async def test_an_event_that_was_written_anew_is_still_signed(stage: Stage) -> None:
    await stage.submit(stage.work(FILM, callback_url=stage.inbox.url))
    [hint] = await stage.called()
    [came] = stage.inbox.came
    anew = httpx.Request("POST", stage.url, json=json_of(came)).content
    assert anew != came.body
    assert await stage.driver.hint("edenai", Inbound(came.headers, anew), NOW_MS) == hint


async def _both(stage: Stage) -> list[Inbound]:
    await stage.called(2)
    return stage.inbox.came


# ---------------------------------------------------------------- the simulator is strict

A_FILM: dict[str, Any] = {"model": "video/generation_async/minimax", "input": {"text": "a fox"}}
AN_IMAGE: dict[str, Any] = {"model": "image/generation/minimax", "input": {"text": "a fox"}}
AN_OLD_FILM: dict[str, Any] = {"providers": ["minimax"], "text": "a fox"}


def film(**inputs: Any) -> dict[str, Any]:
    return {**A_FILM, "input": {**A_FILM["input"], **inputs}}


def image(**inputs: Any) -> dict[str, Any]:
    return {**AN_IMAGE, "input": {**AN_IMAGE["input"], **inputs}}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (ASYNC, film(duration="5"), "duration"),
        (ASYNC, film(dimension="720p"), "dimension"),
        (ASYNC, film(file="not an address"), "file"),
        (ASYNC, film(seed=2_147_483_647), "seed"),
        (ASYNC, film(resolution="1280x720"), "resolution"),
        (ASYNC, film(negative_prompt="rain"), "negative_prompt"),
        (ASYNC, film(text=""), "text"),
        (ASYNC, {**A_FILM, "input": {}}, "text"),
        (ASYNC, {**A_FILM, "webhook": "https://a.example"}, "webhook"),
        (ASYNC, {**A_FILM, "webhook_receiver": "a.example"}, "webhook_receiver"),
        (ASYNC, {**A_FILM, "users_webhook_parameters": {}}, "users_webhook_parameters"),
        (ASYNC, {**A_FILM, "fallbacks": [A_FILM["model"]] * 4}, "fallbacks"),
        (SYNC, image(resolution="1K"), "resolution"),
        (SYNC, image(num_images="2"), "num_images"),
        (SYNC, image(reference_images="https://a.example/a.png"), "reference_images"),
        (SYNC, image(duration=5), "duration"),
        (SYNC, {**AN_IMAGE, "webhook_receiver": "https://a.example"}, "webhook_receiver"),
    ],
)
async def test_v3_refuses_what_is_not_documented(
    stage: Stage, path: str, body: dict[str, Any], field: str
) -> None:
    answer = await stage.post(path, body, KEY)
    assert answer.status_code == 422
    assert field in answer.json()["detail"][0]["loc"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**AN_OLD_FILM, "duration": "6"}, "duration"),
        ({**AN_OLD_FILM, "providers": []}, "providers"),
        ({**AN_OLD_FILM, "providers": ["runwayml"]}, "providers"),
        ({**AN_OLD_FILM, "settings": {"minimax": "MiniMax-Hailuo-03"}}, "providers"),
        ({**AN_OLD_FILM, "file": "https://a.example/a.png"}, "file"),
        ({**AN_OLD_FILM, "user_webhook_parameters": {}}, "user_webhook_parameters"),
        ({"providers": ["minimax"]}, "text"),
    ],
)
async def test_v2_refuses_what_is_not_documented(
    stage: Stage, body: dict[str, Any], field: str
) -> None:
    answer = await stage.post(V2, body, KEY)
    assert answer.status_code == 400
    assert list(answer.json()["error"]["message"]) == [field]


async def test_a_model_has_its_own_call(stage: Stage) -> None:
    for path, body in ((SYNC, A_FILM), (ASYNC, AN_IMAGE)):
        assert (await stage.post(path, body, KEY)).status_code == 404
    gone = {**A_FILM, "model": "video/generation_async/google/veo-3.0-generate-001"}
    assert (await stage.post(ASYNC, gone, KEY)).status_code == 404
    spare = {**A_FILM, "fallbacks": [gone["model"]]}
    assert (await stage.post(ASYNC, spare, KEY)).status_code == 404


async def test_without_the_key_or_json_nothing_is_taken(stage: Stage) -> None:
    for path, body in ((ASYNC, A_FILM), (SYNC, AN_IMAGE), (V2, AN_OLD_FILM)):
        assert (await stage.post(path, body)).status_code == 401
        plain = await stage.post(path, body, {**KEY, "content-type": "text/plain"})
        assert plain.status_code in {400, 422}
    assert (await stage.stats())["accepted"] == 0


async def test_a_job_has_a_uuid_and_a_model_may_have_any_number_of_slashes(stage: Stage) -> None:
    body = {**A_FILM, "model": "video/generation_async/minimax/T2V/I2V-01-Director"}
    answer = await stage.post(ASYNC, body, KEY)
    assert answer.status_code == 202
    public_id = answer.json()["public_id"]
    assert str(UUID(public_id)) == public_id
