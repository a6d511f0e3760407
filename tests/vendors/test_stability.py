"""Stability's translator against its simulator: every call, from the order to the picture."""

import io
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.vendors.stability import WIRE
from shared.errors import (
    NotFound,
    VendorBusy,
    VendorGone,
    VendorRejected,
    VendorUnknown,
)
from shared.ports import Accepted, Inbound, Picture, Ticket, Work
from tests.vendors.stage import Stage, staged

HEADERS = {"authorization": f"Bearer {WIRE.settings.api_key}", "accept": "application/json"}
TASKS = ["stability-upscale-creative", "stability-replace-background-and-relight"]
NO_WORDS = ["stability-remove-background", "stability-upscale-fast"]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged("stability") as made:
        yield made


def picture(width: int = 300, height: int = 400, kind: str = "PNG") -> bytes:
    from PIL import Image

    drawn = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(drawn, kind)
    return drawn.getvalue()


def small(work: Work) -> Work:
    """With pictures that are small enough to be made larger."""
    fitted = Picture("https://files.example/a.png", "image/png", picture())
    return replace(work, images=dict.fromkeys(work.images, fitted))


def task_of(work: Work, accepted: Accepted) -> Ticket:
    return replace(work.ticket, task_id=accepted.task_id)


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("stable-image-core", {"negative_prompt": "rain", "aspect_ratio": "9:21"}),
        ("stable-image-ultra", {}),
        ("stable-image-ultra", {"images": ["source"], "aspect_ratio": "16:9"}),
        ("sd3.5-large", {"aspect_ratio": "21:9", "negative_prompt": "rain"}),
        ("sd3.5-large", {"images": ["source"]}),
        ("sd3.5-large-turbo", {"images": ["source"], "aspect_ratio": "4:5"}),
        ("sd3.5-medium", {}),
        ("stability-remove-background", {}),
        ("stability-upscale-fast", {}),
    ],
)
async def test_a_picture_comes_with_the_answer(
    stage: Stage, tmp_path: Path, model: str, settings: dict[str, Any]
) -> None:
    work = small(stage.work(model, **settings))
    accepted = await stage.submit(work)
    assert (accepted.task_id, len(accepted.parcels)) == ("", 1)
    [info] = await stage.seen(work, await stage.ended(work, accepted), tmp_path)
    assert info.content_type == "image/png"


@pytest.mark.parametrize("model", TASKS)
async def test_a_task_is_asked_about_until_it_answers_with_the_picture(
    stage: Stage, tmp_path: Path, model: str
) -> None:
    work = small(stage.work(model, switches="latency=0.3"))
    accepted = await stage.submit(work)
    assert len(accepted.task_id) == 64
    assert not accepted.parcels
    assert (await stage.driver.poll(task_of(work, accepted))).state == "running"
    outcome = await stage.ended(work, accepted)
    assert outcome.state == "succeeded"
    assert await stage.seen(work, outcome, tmp_path)


async def test_what_is_made_is_the_picture_that_was_given_with_the_words(
    stage: Stage, tmp_path: Path
) -> None:
    work = small(stage.work("stability-replace-background-and-relight", switches="render=real"))
    [info] = await stage.seen(work, await stage.made(work), tmp_path)
    assert (info.width, info.height) == (720, 960)


async def test_a_task_s_answer_is_read_in_either_form(stage: Stage) -> None:
    work = small(stage.work(TASKS[0]))
    accepted = await stage.submit(work)
    outcome = await stage.ended(work, accepted)
    async with httpx.AsyncClient(trust_env=False, headers=HEADERS) as client:
        answer = await client.get(f"{stage.url}/v2beta/results/{accepted.task_id}")
    assert set(answer.json()) == {"image", "seed", "finish_reason"}
    assert outcome.parcels[0].content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("switches", "code"),
    [
        ({"moderation": "late"}, "moderation_blocked"),
        ({"fail": "render"}, "provider_failed"),
        ({"create": "http_500"}, "provider_failed"),
    ],
)
@pytest.mark.parametrize("model", ["sd3.5-large", *NO_WORDS])
async def test_where_the_answer_is_the_picture_an_error_is_the_end(
    stage: Stage, model: str, switches: Mapping[str, str], code: str
) -> None:
    await stage.behave(**switches)
    with pytest.raises(VendorRejected) as caught:
        await stage.submit(small(stage.work(model)))
    assert caught.value.code == code


async def test_where_a_task_may_have_begun_an_error_leaves_it_open(stage: Stage) -> None:
    with pytest.raises(VendorUnknown):
        await stage.submit(small(stage.work(TASKS[0], switches="create=http_500")))


@pytest.mark.parametrize("model", TASKS)
@pytest.mark.parametrize(
    ("switches", "code"),
    [("moderation=late", "moderation_blocked"), ("fail=render", "provider_failed")],
)
async def test_a_task_that_failed_says_why(
    stage: Stage, model: str, switches: str, code: str
) -> None:
    outcome = await stage.made(small(stage.work(model, switches=switches)))
    assert (outcome.state, outcome.failure_code, outcome.parcels) == ("failed", code, ())


async def test_a_poll_that_breaks_ends_nothing(stage: Stage) -> None:
    work = small(stage.work(TASKS[0], switches="fail=internal"))
    accepted = await stage.submit(work)
    with pytest.raises(VendorUnknown):
        await stage.ended(work, accepted)


async def test_a_result_that_is_not_kept_any_more_is_gone(stage: Stage) -> None:
    work = small(stage.work(TASKS[0]))
    accepted = await stage.submit(work)
    assert (await stage.ended(work, accepted)).state == "succeeded"
    await stage.behave(result="expired")
    with pytest.raises(VendorGone):
        await stage.driver.poll(task_of(work, accepted))
    with pytest.raises(VendorGone):
        await stage.driver.poll(task_of(work, Accepted("a" * 64)))


async def test_a_language_that_is_not_english_is_refused(stage: Stage) -> None:
    for model in ("stable-image-core", TASKS[1]):
        with pytest.raises(VendorRejected) as caught:
            await stage.submit(small(stage.work(model, prompt="рыжая лиса")))
        assert caught.value.code == "provider_rejected"


async def test_who_comes_too_often_is_not_heard_for_a_minute() -> None:
    async with staged("stability", submits_per_minute=60) as stage:
        work = small(stage.work(TASKS[0], switches="hang"))
        accepted = await stage.submit(work)
        for _ in range(9):
            await stage.driver.poll(task_of(work, accepted))
        for call in (stage.driver.poll(task_of(work, accepted)), stage.submit(work)):
            with pytest.raises(VendorBusy) as caught:
                await call
            assert caught.value.retry_after_seconds == 60


async def test_stability_cannot_look_up_or_stop_and_does_not_call(stage: Stage) -> None:
    abilities = stage.driver.abilities("stability")
    assert not abilities.can_look_up
    assert not abilities.can_cancel
    with pytest.raises(NotFound):
        await stage.driver.hint("stability", Inbound({}, b"{}"), 0)


# ---------------------------------------------------------------- the simulator is strict

Form = dict[str, Any]
IMAGE = ("a.png", picture(), "image/png")
CORE: Form = {"prompt": (None, "a fox")}
FROM_PICTURE: Form = {**CORE, "image": IMAGE, "strength": (None, "0.6")}
SD3: Form = {**FROM_PICTURE, "mode": (None, "image-to-image"), "model": (None, "sd3.5-large")}
GENERATE = "/v2beta/stable-image/generate"
EDIT, UPSCALE = "/v2beta/stable-image/edit", "/v2beta/stable-image/upscale"


async def sent(stage: Stage, path: str, form: Form, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=stage.url, trust_env=False) as client:
        return await client.post(path, files=form, headers={**HEADERS, **headers})


GOOD_FORMS: list[tuple[str, Form]] = [
    (f"{GENERATE}/core", {**CORE, "style_preset": (None, "anime"), "seed": (None, "0")}),
    (f"{GENERATE}/ultra", {**FROM_PICTURE, "aspect_ratio": (None, "1:1")}),
    (f"{GENERATE}/sd3", {**SD3, "cfg_scale": (None, "4.5")}),
    (f"{EDIT}/remove-background", {"image": IMAGE}),
    (f"{UPSCALE}/creative", {**CORE, "image": IMAGE, "creativity": (None, "0.3")}),
]


async def test_the_documented_forms_are_taken(stage: Stage) -> None:
    for path, form in GOOD_FORMS:
        answer = await sent(stage, path, form)
        assert answer.status_code == 200, answer.text


BAD_FORMS: list[tuple[str, str, Form, str]] = [
    ("no words", f"{GENERATE}/core", {"aspect_ratio": (None, "1:1")}, "prompt"),
    ("empty words", f"{GENERATE}/core", {"prompt": (None, "")}, "prompt"),
    ("too many words", f"{GENERATE}/core", {"prompt": (None, "x" * 10_001)}, "prompt"),
    ("words as a file", f"{GENERATE}/core", {"prompt": IMAGE}, "prompt"),
    ("an unknown field", f"{GENERATE}/core", {**CORE, "resolution": (None, "2k")}, "resolution"),
    ("a picture for core", f"{GENERATE}/core", FROM_PICTURE, "image"),
    ("a shape of others", f"{GENERATE}/core", {**CORE, "aspect_ratio": (None, "4:3")}, "aspect"),
    ("a seed too large", f"{GENERATE}/core", {**CORE, "seed": (None, "4294967295")}, "seed"),
    ("a seed in words", f"{GENERATE}/core", {**CORE, "seed": (None, "one")}, "seed"),
    ("a style of others", f"{GENERATE}/core", {**CORE, "style_preset": (None, "oil")}, "style"),
    ("no strength", f"{GENERATE}/ultra", {**CORE, "image": IMAGE}, "strength"),
    ("too strong", f"{GENERATE}/ultra", {**FROM_PICTURE, "strength": (None, "1.1")}, "strength"),
    ("a model of others", f"{GENERATE}/sd3", {**SD3, "model": (None, "sd3-large")}, "model"),
    ("no mode", f"{GENERATE}/sd3", {**FROM_PICTURE}, "mode"),
    ("a shape with a picture", f"{GENERATE}/sd3", {**SD3, "aspect_ratio": (None, "1:1")}, "aspect"),
    ("no picture", f"{UPSCALE}/fast", CORE, "image"),
    ("a picture as text", f"{UPSCALE}/fast", {"image": (None, "AAAA")}, "image"),
    ("no picture at all", f"{UPSCALE}/fast", {"image": ("a.png", b"AAAA", "image/png")}, "image"),
    ("a GIF", f"{UPSCALE}/fast", {"image": ("a.gif", picture(kind="GIF"), "image/gif")}, "image"),
    ("a tiny picture", f"{EDIT}/remove-background", {"image": ("a.png", picture(63, 63))}, "image"),
    ("a large picture", f"{UPSCALE}/fast", {"image": ("a.png", picture(1025, 1025))}, "image"),
    ("words for an upscale", f"{UPSCALE}/fast", {**CORE, "image": IMAGE}, "prompt"),
    ("another name", f"{EDIT}/replace-background-and-relight", {"image": IMAGE}, "subject_image"),
    ("a JPEG without a back", f"{EDIT}/remove-background",
     {"image": IMAGE, "output_format": (None, "jpeg")}, "output_format"),
]  # fmt: skip


async def test_what_is_not_documented_is_refused(stage: Stage) -> None:
    async with httpx.AsyncClient(base_url=stage.url, trust_env=False, headers=HEADERS) as client:
        for what, path, form, field in BAD_FORMS:
            answer = await client.post(path, files=form)
            error = answer.json()
            assert (answer.status_code, error["name"]) == (400, "bad_request"), what
            assert set(error) == {"id", "name", "errors"}
            assert error["errors"][0].startswith(field), what


async def test_what_is_too_large_or_no_form_is_refused(stage: Stage) -> None:
    path = f"{UPSCALE}/fast"
    huge = {"image": ("a.png", picture() + bytes(10 * 1024 * 1024), "image/png")}
    answer = await sent(stage, path, huge)
    assert (answer.status_code, answer.json()["name"]) == (413, "payload_too_large")
    assert (await stage.post(path, {"prompt": "a fox"}, HEADERS)).status_code == 400
    twice = [("prompt", (None, "a fox")), ("prompt", (None, "a cat"))]
    async with httpx.AsyncClient(base_url=stage.url, trust_env=False) as client:
        for content in (b"", b"--x\r\n", b"--x\r\n\r\n--x--\r\n", b"--x\r\nno header\r\n--x--\r\n"):
            mark = {"content-type": "multipart/form-data; boundary=x"}
            broken = await client.post(path, content=content, headers={**HEADERS, **mark})
            assert broken.status_code == 400
        doubled: Any = twice
        answer = await client.post(f"{GENERATE}/core", files=doubled, headers=HEADERS)
        assert answer.json()["errors"] == ["prompt: is there twice"]


async def test_without_the_key_or_a_known_wish_nothing_is_made(stage: Stage) -> None:
    path = f"{GENERATE}/core"
    assert (await sent(stage, path, CORE, authorization="Bearer sk-no")).status_code == 401
    assert (await sent(stage, path, CORE, accept="video/*")).status_code == 400
    assert (await sent(stage, "/v2beta/image-to-video", {"image": IMAGE})).status_code == 404
    assert (await stage.stats())["accepted"] == 0
