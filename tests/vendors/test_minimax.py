"""MiniMax: its translator against its simulator, from the order to a result that decodes."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from infra.vendors.minimax import WIRE
from shared.errors import VendorBusy, VendorRejected
from shared.ports import Hint
from tests.vendors.stage import Stage, json_of, staged

KEY = {"authorization": f"Bearer {WIRE.settings.api_key}"}
V1, V2 = "/v1/video_generation", "/v2/video_generation"


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged("minimax") as made:
        yield made


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("MiniMax-Hailuo-02", {}),
        ("MiniMax-Hailuo-02", {"images": ["start", "end"], "resolution": "1080P"}),
        ("MiniMax-Hailuo-02", {"images": ["start"], "resolution": "512P", "duration_seconds": 10}),
        ("MiniMax-Hailuo-2.3-Fast", {}),
        ("T2V-01-Director", {}),
        ("S2V-01", {}),
        ("MiniMax-H3", {"duration_seconds": 4}),
        ("MiniMax-H3", {"images": ["start", "end"], "resolution": "2K"}),
        ("MiniMax-H3-Max", {"images": ["subject"], "resolution": "480P"}),
        ("minimax-run-for-life", {"prompt": "Lion"}),
        ("minimax-diving", {}),
        ("minimax-hopeless-life", {"prompt": "小狗加班"}),
    ],
)
async def test_a_video_is_ordered_made_fetched_and_decodes(
    stage: Stage, tmp_path: Path, model: str, settings: dict[str, Any]
) -> None:
    work = stage.work(model, **settings)
    outcome = await stage.made(work)
    assert outcome.state == "succeeded"
    [info] = await stage.seen(work, outcome, tmp_path)
    assert info.duration_seconds


async def test_pictures_come_with_the_answer(stage: Stage, tmp_path: Path) -> None:
    work = stage.work("image-01", count=3, aspect_ratio="16:9", images=["subject"])
    accepted = await stage.submit(work)
    assert len(accepted.parcels) == 3
    assert len(await stage.seen(work, await stage.ended(work, accepted), tmp_path)) == 3


async def test_every_template_takes_what_the_catalogue_says(stage: Stage) -> None:
    from shared import catalogue

    templates = [m for m in catalogue.load().models.values() if m.pool == "minimax-template"]
    assert len(templates) == 22
    for model in templates:
        assert (await stage.made(stage.work(model.id))).state == "succeeded", model.id


async def test_another_region_s_key_is_ours_to_mend() -> None:
    async with staged("minimax", key="a-key-of-china") as stage:
        for model in ("MiniMax-Hailuo-02", "MiniMax-H3", "image-01", "minimax-diving"):
            with pytest.raises(VendorRejected) as caught:
                await stage.submit(stage.work(model))
            assert caught.value.code == "provider_misconfigured"


async def test_more_than_there_are_places_or_a_minute_has_is_busy() -> None:
    async with staged("minimax", concurrency=1, submits_per_minute=2) as stage:
        await stage.submit(stage.work("MiniMax-Hailuo-02", switches="hang"))
        with pytest.raises(VendorBusy):
            await stage.submit(stage.work("MiniMax-Hailuo-02"))
        with pytest.raises(VendorBusy):
            await stage.submit(stage.work("MiniMax-H3"))
        assert (await stage.stats())["max_running"] == 1


# ---------------------------------------------------------------- callbacks


async def test_the_callback_is_tried_while_it_is_given_and_then_told_every_step(
    stage: Stage,
) -> None:
    work = stage.work("MiniMax-Hailuo-02", callback_url=stage.inbox.url)
    accepted = await stage.submit(work)
    assert set(json_of(stage.inbox.came[0])) == {"challenge"}
    hints = await stage.called(2)
    assert set(hints) == {Hint(accepted.task_id)}
    assert json_of(stage.inbox.came[-1])["status"] == "success"


async def test_the_newer_dialect_s_callback_names_the_same_task(stage: Stage) -> None:
    accepted = await stage.submit(stage.work("MiniMax-H3", callback_url=stage.inbox.url))
    assert set(await stage.called(2)) == {Hint(accepted.task_id)}


async def test_a_callback_address_that_does_not_echo_is_ours_to_mend(stage: Stage) -> None:
    work = stage.work("MiniMax-Hailuo-02", callback_url=f"{stage.url}/healthz")
    with pytest.raises(VendorRejected) as caught:
        await stage.submit(work)
    assert caught.value.code == "provider_misconfigured"


# ---------------------------------------------------------------- the simulator is strict

VIDEO: dict[str, Any] = {"model": "MiniMax-Hailuo-02", "prompt": "a fox"}
H3: dict[str, Any] = {
    "model": "MiniMax-H3",
    "content": [{"type": "text", "text": "a fox"}],
    "resolution": "768P",
    "duration": 5,
    "ratio": "16:9",
}
FRAME = {"type": "image_url", "image_url": {"url": "https://a.example/a.png"}}


@pytest.mark.parametrize(
    "body",
    [
        {**VIDEO, "duration": "6"},
        {**VIDEO, "duration": 7},
        {**VIDEO, "duration": 10, "resolution": "1080P"},
        {**VIDEO, "resolution": "512P"},
        {**VIDEO, "aspect_ratio": "16:9"},
        {**VIDEO, "seed": 1},
        {**VIDEO, "prompt": "x" * 2001},
        {**VIDEO, "model": "MiniMax-Hailuo-03"},
        {**VIDEO, "model": "MiniMax-Hailuo-2.3-Fast"},
        {**VIDEO, "model": "T2V-01", "duration": 6},
        {**VIDEO, "first_frame_image": "ftp://a.example/a.png"},
        {"model": "S2V-01", "subject_reference": [{"type": "character", "image": "https://a.b/c"}]},
        {"model": "MiniMax-Hailuo-02"},
    ],
)
async def test_v1_refuses_what_is_not_documented(stage: Stage, body: dict[str, Any]) -> None:
    answer = await stage.post(V1, body, KEY)
    assert (answer.status_code, answer.json()["base_resp"]["status_code"]) == (200, 2013)


@pytest.mark.parametrize(
    "body",
    [
        {**H3, "ratio": "adaptive"},
        {**H3, "duration": 16},
        {**H3, "resolution": "1080P"},
        {**H3, "content": []},
        {**H3, "content": [*H3["content"], *H3["content"]]},
        {**H3, "content": [*H3["content"], FRAME]},
        {**H3, "content": [*H3["content"], {**FRAME, "role": "first_frame"}]},
        {**H3, "n": 2},
    ],
)
async def test_v2_refuses_what_is_not_documented(stage: Stage, body: dict[str, Any]) -> None:
    answer = await stage.post(V2, body, KEY)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "bad_request_error"


async def test_without_the_key_or_json_nothing_is_taken(stage: Stage) -> None:
    assert (await stage.post(V1, VIDEO)).json()["base_resp"]["status_code"] == 1004
    assert (await stage.post(V2, H3)).status_code == 401
    plain = await stage.post(V1, VIDEO, {**KEY, "content-type": "text/plain"})
    assert plain.json()["base_resp"]["status_code"] == 2013


async def test_a_template_with_the_wrong_inputs_is_refused(stage: Stage) -> None:
    path = "/v1/video_template_generation"
    for body in (
        {"template_id": "392747428568649728"},
        {"template_id": "394125185182695432", "media_inputs": [{"value": "https://a.b/c"}]},
        {"template_id": "1"},
        {"template_id": 392747428568649728, "media_inputs": [{"value": "https://a.b/c"}]},
    ):
        answer = await stage.post(path, body, KEY)
        assert answer.json()["base_resp"]["status_code"] == 2013, json.dumps(body)
