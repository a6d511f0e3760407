"""ModelsLab's translator against its simulator, from the order to a result that decodes."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.vendors.modelslab import RETRY_AFTER_SECONDS, WIRE
from shared import catalogue
from shared.adapters.providers.modelslab import PROVIDER
from shared.errors import VendorBusy, VendorGone, VendorRejected
from shared.ports import Hint
from tests.vendors.stage import Stage, json_of, staged

KEY = WIRE.settings.api_key
ULTRA, FILM, PICTURE = (
    "modelslab-text2video-ultra",
    "modelslab-seedance-t2v",
    "modelslab-seedream-4.5",
)
EACH_FAMILY = [ULTRA, FILM, PICTURE]
V6, FROM_PICTURE = "/api/v6/video/text2video_ultra", "/api/v6/video/img2video_ultra"
V7, V7_FROM_PICTURE = "/api/v7/video-fusion/text-to-video", "/api/v7/video-fusion/image-to-video"
IMAGES = "/api/v7/images/text-to-image"


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged("modelslab") as made:
        yield made


LIVE = [
    model.id
    for model in catalogue.load().models.values()
    if model.provider == "modelslab" and model.state == "live"
]


@pytest.mark.parametrize("model", LIVE)
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
        (ULTRA, {"aspect_ratio": "9:16", "negative_prompt": "rain"}),
        ("modelslab-img2video-ultra", {"resolution": "720p"}),
        ("modelslab-ltx-2.3", {"images": ["start"]}),
        ("modelslab-seedance-1-5-pro", {"audio": True, "duration_seconds": 10}),
        ("modelslab-kling-v2-5-turbo-t2v", {"aspect_ratio": "1:1", "duration_seconds": 10}),
        ("modelslab-nano-banana-pro", {"images": ["source"], "resolution": "2K"}),
    ],
)
async def test_every_setting_is_taken(stage: Stage, model: str, settings: dict[str, Any]) -> None:
    assert (await stage.made(stage.work(model, **settings))).state == "succeeded"


async def test_an_upright_film_stands_upright(stage: Stage, tmp_path: Path) -> None:
    work = stage.work(ULTRA, aspect_ratio="9:16", switches="render=real")
    [info] = await stage.seen(work, await stage.made(work), tmp_path)
    assert info.width < info.height
    assert info.duration_seconds == pytest.approx(5, abs=0.2)


async def test_a_film_begins_with_the_picture(stage: Stage, tmp_path: Path) -> None:
    work = stage.work("modelslab-seedance-i2v", switches="render=real")
    [info] = await stage.seen(work, await stage.made(work), tmp_path)
    assert info.height / info.width == pytest.approx(4 / 3, abs=0.02)


async def test_a_picture_may_come_at_once_or_later(stage: Stage) -> None:
    assert (await stage.submit(stage.work(PICTURE))).parcels
    work = stage.work(PICTURE, switches="latency=1.5")
    accepted = await stage.submit(work)
    assert not accepted.parcels
    assert (await stage.ended(work, accepted)).parcels


async def test_the_links_of_the_future_are_not_fetched(stage: Stage) -> None:
    work = stage.work(FILM, switches="hang")
    accepted = await stage.submit(work)
    ticket = replace(work.ticket, task_id=accepted.task_id)
    body = {"key": KEY}
    raw = await stage.post(f"/api/v7/video-fusion/fetch/{accepted.task_id}", body)
    assert raw.json()["future_links"]
    outcome = await stage.driver.poll(ticket)
    assert (outcome.state, outcome.parcels) == ("running", ())


# ---------------------------------------------------------------- when it goes wrong


@pytest.mark.parametrize(
    ("switches", "code"),
    [("fail=render", "provider_failed"), ("moderation=late", "moderation_blocked")],
)
async def test_a_picture_that_fails_at_once_is_over(stage: Stage, switches: str, code: str) -> None:
    with pytest.raises(VendorRejected) as caught:
        await stage.submit(stage.work(PICTURE, switches=switches))
    assert caught.value.code == code


@pytest.mark.parametrize("model", ["modelslab-veo2", "modelslab-veo3"])
async def test_what_its_maker_has_shut_is_gone(stage: Stage, model: str) -> None:
    with pytest.raises(VendorRejected) as caught:
        await stage.submit(stage.work(model))
    assert caught.value.code == "model_gone"


async def test_a_sixth_order_is_told_when_to_come_again() -> None:
    async with staged("modelslab", concurrency=WIRE.settings.concurrency) as stage:
        for model in (ULTRA, FILM, FILM, FILM, PICTURE):
            await stage.submit(stage.work(model, switches="hang"))
        with pytest.raises(VendorBusy) as caught:
            await stage.submit(stage.work(PICTURE))
        assert caught.value.retry_after_seconds == RETRY_AFTER_SECONDS
        assert (await stage.stats())["max_running"] == 5


async def test_a_task_that_it_does_not_know_is_gone(stage: Stage) -> None:
    for model in EACH_FAMILY:
        with pytest.raises(VendorGone):
            await stage.driver.poll(replace(stage.work(model).ticket, task_id="155918900"))


async def test_a_task_is_asked_for_where_it_was_ordered(stage: Stage) -> None:
    accepted = await stage.submit(stage.work(ULTRA))
    with pytest.raises(VendorGone):
        await stage.driver.poll(replace(stage.work(FILM).ticket, task_id=accepted.task_id))


def test_nothing_can_be_looked_up_or_stopped() -> None:
    assert (PROVIDER.lookup, PROVIDER.cancel) == (None, None)


# ---------------------------------------------------------------- callbacks


@pytest.mark.parametrize("switches", ["", "fail=render"])
@pytest.mark.parametrize("model", EACH_FAMILY)
async def test_a_callback_names_the_task_and_our_job(
    stage: Stage, model: str, switches: str
) -> None:
    # A picture's answer waits for it, unless it takes too long.
    work = stage.work(
        model, callback_url=stage.inbox.url, switches=f"latency=1.5 {switches}".strip()
    )
    accepted = await stage.submit(work)
    assert await stage.called() == [Hint(accepted.task_id)]
    told = json_of(stage.inbox.came[0])
    assert told["track_id"] == work.ticket.job_id
    assert told["id"] == accepted.task_id
    assert told["status"] == ("failed" if switches else "success")


# ---------------------------------------------------------------- the simulator is strict

A_FOX: dict[str, Any] = {"key": KEY, "prompt": "a fox"}
A_V6: dict[str, Any] = {**A_FOX, "model_id": "wan2.2"}
A_FILM: dict[str, Any] = {**A_FOX, "model_id": "seedance-t2v"}
AN_I2V: dict[str, Any] = {**A_FOX, "model_id": "seedance-i2v"}
AN_IMAGE: dict[str, Any] = {**A_FOX, "model_id": "seedream-4.5"}
AN_ADDRESS = "https://a.example/a.png"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (V6, {**A_V6, "resolution": "480"}, "resolution"),
        (V6, {**A_V6, "resolution": 720}, "resolution"),
        (V6, {**A_V6, "num_frames": 81.5}, "num_frames"),
        (V6, {**A_V6, "fps": 60}, "fps"),
        (V6, {**A_V6, "portrait": "yes"}, "portrait"),
        (V6, {**A_V6, "duration": "5"}, "duration"),
        (V6, {**A_V6, "aspect_ratio": "9:16"}, "aspect_ratio"),
        (V6, {**A_V6, "init_image": AN_ADDRESS}, "init_image"),
        (V6, {**A_FOX}, "model_id"),
        (FROM_PICTURE, {**A_V6}, "init_image"),
        (FROM_PICTURE, {**A_V6, "init_image": [AN_ADDRESS]}, "init_image"),
        (FROM_PICTURE, {**A_V6, "init_image": AN_ADDRESS, "resolution": 1080}, "resolution"),
        (V7, {**A_FILM, "duration": 5}, "duration"),
        (V7, {**A_FILM, "duration": "31"}, "duration"),
        (V7, {**A_FILM, "resolution": 480}, "resolution"),
        (V7, {**A_FILM, "num_frames": 81}, "num_frames"),
        (V7, {**A_FILM, "aspect_ratio": "wide"}, "aspect_ratio"),
        (V7, {**A_FILM, "generate_audio": "true"}, "generate_audio"),
        (V7, {**A_FILM, "webhook": "not an address"}, "webhook"),
        (V7, {**A_FILM, "prompt": ""}, "prompt"),
        (V7, {"key": KEY, "model_id": "seedance-t2v"}, "prompt"),
        (V7_FROM_PICTURE, {**AN_I2V}, "init_image"),
        (V7_FROM_PICTURE, {**AN_I2V, "init_image": []}, "init_image"),
        (IMAGES, {**AN_IMAGE, "duration": "5"}, "duration"),
        (IMAGES, {**AN_IMAGE, "generate_audio": True}, "generate_audio"),
    ],
)
async def test_what_is_not_documented_is_refused_with_the_field(
    stage: Stage, path: str, body: dict[str, Any], field: str
) -> None:
    answer = await stage.post(path, body)
    said = answer.json()
    assert (answer.status_code, said["status"]) == (200, "error")
    [named] = said["message"]
    assert named.split(".")[0] == field


async def test_v7_takes_a_picture_alone_or_in_a_list(stage: Stage) -> None:
    for picture in (stage.picture_url, [stage.picture_url]):
        answer = await stage.post(V7_FROM_PICTURE, {**AN_I2V, "init_image": picture})
        assert answer.json()["status"] == "processing"


async def test_a_model_has_its_own_calls(stage: Stage) -> None:
    for path, model in ((V7, "seedance-i2v"), (V7, "seedream-4.5"), (IMAGES, "seedance-t2v")):
        said = (await stage.post(path, {**A_FOX, "model_id": model})).json()
        assert said == {"status": "error", "message": f"Model not found: {model}"}


async def test_v6_makes_with_wan_what_it_does_not_have(stage: Stage) -> None:
    said = (await stage.post(V6, {**A_FOX, "model_id": "cogvideox"})).json()
    assert said["status"] == "processing"
    assert isinstance(said["id"], int)


async def test_without_the_key_nothing_is_taken_or_told(stage: Stage) -> None:
    accepted = await stage.submit(stage.work(FILM))
    polled = f"/api/v7/video-fusion/fetch/{accepted.task_id}"
    for path, body in ((V7, {**A_FILM, "key": "wrong"}), (polled, {"key": "wrong"})):
        said = (await stage.post(path, body)).json()
        assert said == {"status": "error", "messege": "Invalid API key"}
    for path, body in ((V7, {"prompt": "a fox", "model_id": "seedance-t2v"}), (polled, {})):
        assert "key" in (await stage.post(path, body)).json()["message"]
    assert (await stage.stats())["accepted"] == 1
