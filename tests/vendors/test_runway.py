"""Runway's translator against its simulator: every mode from the order to a result that decodes."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.vendors.runway import VERSION, WIRE
from shared.errors import NotFound, VendorGone, VendorRejected
from shared.ports import Accepted, Inbound, Outcome, Picture, Ticket, Work
from tests.vendors.stage import INSTANT, Stage, staged

KEY = {"authorization": f"Bearer {WIRE.settings.api_key}"}
HEADERS = {**KEY, "x-runway-version": VERSION}


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged("runway") as made:
        yield made


def task_of(work: Work, accepted: Accepted) -> Ticket:
    return replace(work.ticket, task_id=accepted.task_id)


MODES: list[tuple[str, dict[str, Any]]] = [
    ("gen4.5", {}),
    ("gen4.5", {"images": ["start"], "aspect_ratio": "21:9", "duration_seconds": 2}),
    ("gen4_turbo", {}),
    ("gen4_turbo", {"prompt": "", "aspect_ratio": "1:1"}),
    ("runway-veo3-1", {"negative_prompt": "rain", "aspect_ratio": "9:16"}),
    ("runway-veo3-1", {"images": ["start"], "resolution": "1080p", "duration_seconds": 4}),
    ("runway-veo3-1-fast", {"images": ["start", "end"], "audio": True}),
    ("gen4_image", {}),
    ("gen4_image", {"images": ["subject", "source"], "resolution": "1080p"}),
    ("gen4_image_turbo", {"aspect_ratio": "3:4"}),
]


@pytest.mark.parametrize(
    "model", ["gen4.5", "runway-veo3-1", "runway-veo3-1-fast", "gen4_image", "gen4_image_turbo"]
)
async def test_every_shape_and_size_of_the_catalogue_is_one_of_theirs(
    stage: Stage, model: str
) -> None:
    from shared import catalogue

    can = catalogue.load().models[model].capabilities
    images = {"gen4.5": ["start"], "gen4_image_turbo": ["subject"]}.get(model, [])
    for resolution in can.resolutions or (None,):
        for ratio in can.aspect_ratios:
            await stage.submit(
                stage.work(model, images=images, resolution=resolution, aspect_ratio=ratio)
            )


async def test_a_film_goes_from_the_first_picture_to_the_last(stage: Stage, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"images": ["start", "end"], "duration_seconds": 4}
    asked = stage.work(
        "runway-veo3-1-fast", switches="render=real", aspect_ratio="9:16", **settings
    )
    work = replace(asked, images={"start": painted((0, 160, 0)), "end": painted((0, 0, 160))})
    outcome = await stage.made(work)
    [info] = await stage.seen(work, outcome, tmp_path)
    assert (info.width, info.height) == (720, 1280)
    assert info.duration_seconds == pytest.approx(4, abs=0.2)
    first, last = corners(await stage.fetched(work, outcome.parcels[0]))
    assert first[1] > first[2]
    assert last[2] > last[1]


def painted(colour: tuple[int, int, int]) -> Picture:
    """A picture of one colour."""
    from PIL import Image

    drawn = io.BytesIO()
    Image.new("RGB", (360, 640), colour).save(drawn, "PNG")
    return Picture("https://files.example/a.png", "image/png", drawn.getvalue())


def corners(film: bytes) -> tuple[Any, Any]:
    """The colours of the top left corner in the first and the last frame."""
    import av

    with av.open(io.BytesIO(film), "r") as container:
        frames = [
            frame.to_image()  # type: ignore[no-untyped-call]
            for frame in container.decode(video=0)
        ]
    return frames[0].getpixel((4, 4)), frames[-1].getpixel((4, 4))


async def test_a_picture_that_cannot_be_read_is_the_order_s_fault(stage: Stage) -> None:
    work = stage.work("gen4_turbo", switches="render=real")
    broken = replace(work, images={"start": Picture("", "image/png", b"no picture at all")})
    outcome = await stage.made(broken)
    assert (outcome.state, outcome.failure_code) == ("failed", "provider_rejected")
    assert outcome.detail == "ASSET.INVALID"


async def test_a_model_that_they_do_not_have_is_gone(stage: Stage) -> None:
    work = stage.work("gen4.5")
    gone = replace(work, ticket=replace(work.ticket, vendor_model="gen3a_turbo"))
    with pytest.raises(VendorRejected) as caught:
        await stage.submit(gone)
    assert caught.value.code == "model_gone"


async def test_a_task_that_nobody_has_is_gone(stage: Stage) -> None:
    work = stage.work("gen4.5")
    for task_id in ("d2e3d1f4-1b3c-4b5c-8d46-1c1d7ce86892", "not-a-uuid"):
        with pytest.raises(VendorGone):
            await stage.driver.poll(task_of(work, Accepted(task_id)))


# ---------------------------------------------------------------- places


async def status_of(stage: Stage, accepted: Accepted) -> str:
    async with httpx.AsyncClient(trust_env=False, headers=HEADERS) as client:
        answer = await client.get(f"{stage.url}/v1/tasks/{accepted.task_id}")
    word: str = answer.json()["status"]
    return word


async def test_what_finds_no_place_waits_and_is_made_in_its_turn() -> None:
    async with staged("runway", concurrency=1, behaviour=INSTANT) as stage:
        first, second = stage.work("gen4.5", switches="hang"), stage.work("gen4.5")
        holding, waiting = await stage.submit(first), await stage.submit(second)
        await asyncio.sleep(0.1)
        assert await status_of(stage, holding) == "RUNNING"
        assert await status_of(stage, waiting) == "THROTTLED"
        assert (await stage.driver.poll(task_of(second, waiting))).state == "running"
        await stage.driver.cancel(task_of(first, holding))
        assert (await stage.ended(second, waiting)).state == "succeeded"


# ---------------------------------------------------------------- stopping


@pytest.mark.parametrize("switches", ["hang", ""])
async def test_a_task_that_was_stopped_is_over_whether_it_had_ended_or_not(
    stage: Stage, switches: str
) -> None:
    work = stage.work("gen4.5", switches=switches)
    accepted = await stage.submit(work)
    ticket = task_of(work, accepted)
    if not switches:
        assert (await stage.ended(work, accepted)).state == "succeeded"
    assert await stage.driver.cancel(ticket) == Outcome(accepted.task_id, "cancelled")
    with pytest.raises(VendorGone):
        await stage.driver.poll(ticket)
    with pytest.raises(VendorGone):
        await stage.driver.cancel(ticket)


async def test_runway_cannot_look_up_and_does_not_call(stage: Stage) -> None:
    abilities = stage.driver.abilities("runway")
    assert (abilities.can_look_up, abilities.can_cancel, abilities.takes_bytes) == (
        False,
        True,
        True,
    )
    with pytest.raises(NotFound):
        await stage.driver.hint("runway", Inbound({}, b"{}"), 0)


# ---------------------------------------------------------------- results


# ---------------------------------------------------------------- the simulator is strict

URI = "data:image/png;base64,iVBORw0KGgo="
FROM_PICTURE: dict[str, Any] = {
    "model": "gen4_turbo",
    "promptImage": URI,
    "promptText": "Slow dolly in",
    "ratio": "1280:720",
    "duration": 5,
    "seed": 4294967295,
}
FRAMES = [{"uri": URI, "position": "first"}, {"uri": URI, "position": "last"}]
VEO: dict[str, Any] = {
    "model": "veo3.1_fast",
    "promptImage": FRAMES,
    "promptText": "A fox",
    "ratio": "1920:1080",
    "duration": 8,
    "audio": True,
}
FROM_WORDS: dict[str, Any] = {
    "model": "gen4.5",
    "promptText": "A fox",
    "ratio": "720:1280",
    "duration": 10,
}
IMAGE: dict[str, Any] = {
    "model": "gen4_image",
    "promptText": "@Fox in the snow",
    "ratio": "2112:912",
    "referenceImages": [{"uri": URI, "tag": "Fox"}],
}
PATHS = {
    "gen4_turbo": "/v1/image_to_video",
    "veo3.1_fast": "/v1/image_to_video",
    "gen4.5": "/v1/text_to_video",
    "gen4_image": "/v1/text_to_image",
    "gen4_image_turbo": "/v1/text_to_image",
}


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


async def test_the_documented_bodies_are_taken(stage: Stage) -> None:
    for body, price in ((FROM_PICTURE, 25), (VEO, 120), (FROM_WORDS, 120), (IMAGE, 8)):
        answer = await stage.post(PATHS[body["model"]], body, HEADERS)
        assert answer.status_code == 200, body
        assert set(answer.json()) == {"id", "estimatedCost"}
        assert answer.json()["estimatedCost"] == {"credits": price}


BAD_BODIES: list[tuple[str, dict[str, Any], str]] = [
    ("an unknown field", {**FROM_PICTURE, "style": "anime"}, "style"),
    ("a duration in words", {**FROM_PICTURE, "duration": "5"}, "duration"),
    ("too short", {**FROM_PICTURE, "duration": 1}, "duration"),
    ("too long", {**FROM_WORDS, "duration": 11}, "duration"),
    ("no duration", without(FROM_WORDS, "duration"), "duration"),
    ("no ratio", without(FROM_PICTURE, "ratio"), "ratio"),
    ("a ratio of ours", {**FROM_PICTURE, "ratio": "16:9"}, "ratio"),
    ("a ratio of films of pictures", {**FROM_WORDS, "ratio": "960:960"}, "ratio"),
    ("no picture", without(FROM_PICTURE, "promptImage"), "promptImage"),
    (
        "a picture over http",
        {**FROM_PICTURE, "promptImage": "http://a.example/a.png"},
        "promptImage",
    ),
    (
        "a picture of a number",
        {**FROM_PICTURE, "promptImage": "https://127.0.0.1/a.png"},
        "promptImage",
    ),
    (
        "a picture that is too large",
        {**FROM_PICTURE, "promptImage": URI + "A" * 5_242_880},
        "promptImage",
    ),
    (
        "a picture of no kind",
        {**FROM_PICTURE, "promptImage": "data:;base64,iVBORw0K"},
        "promptImage",
    ),
    ("a last frame with Gen-4", {**FROM_PICTURE, "promptImage": FRAMES}, "promptImage"),
    ("only a last frame", {**VEO, "promptImage": FRAMES[1:]}, "promptImage"),
    ("sound with Gen-4", {**FROM_PICTURE, "audio": True}, "audio"),
    ("sound in words", {**VEO, "audio": "true"}, "audio"),
    ("seven seconds of Veo", {**VEO, "duration": 7}, "duration"),
    ("too many words", {**FROM_WORDS, "promptText": "x" * 1001}, "promptText"),
    ("too many foxes, each two units", {**FROM_WORDS, "promptText": "🦊" * 501}, "promptText"),
    ("no words", {**IMAGE, "promptText": ""}, "promptText"),
    (
        "a tag that is too short",
        {**IMAGE, "referenceImages": [{"uri": URI, "tag": "A"}]},
        "referenceImages",
    ),
    (
        "four references",
        {**IMAGE, "referenceImages": IMAGE["referenceImages"] * 4},
        "referenceImages",
    ),
    (
        "no reference",
        {**without(IMAGE, "referenceImages"), "model": "gen4_image_turbo"},
        "referenceImages",
    ),
    ("a seed below zero", {**FROM_WORDS, "seed": -1}, "seed"),
    ("a model that needs a picture", {**FROM_WORDS, "model": "gen4_turbo"}, "model"),
]


async def test_what_is_not_documented_is_refused(stage: Stage) -> None:
    async with httpx.AsyncClient(base_url=stage.url, trust_env=False, headers=HEADERS) as client:
        for what, body, field in BAD_BODIES:
            path = "/v1/text_to_video" if field == "model" else PATHS[body["model"]]
            answer = await client.post(path, json=body)
            assert answer.status_code == 400, what
            [issue] = answer.json()["issues"]
            assert issue["path"][0] == field, what


async def test_without_the_key_the_version_or_json_nothing_is_taken(stage: Stage) -> None:
    path = "/v1/image_to_video"
    assert (await stage.post(path, FROM_PICTURE)).status_code == 401
    for version in ({}, {"x-runway-version": "2024-09-13"}):
        answer = await stage.post(path, FROM_PICTURE, {**KEY, **version})
        assert (answer.status_code, "issues" in answer.json()) == (400, False)
    plain = await stage.post(path, FROM_PICTURE, {**HEADERS, "content-type": "text/plain"})
    assert plain.status_code == 400
    assert (await stage.post("/v1/video_to_video", {}, HEADERS)).status_code == 404
    assert (await stage.stats())["accepted"] == 0
