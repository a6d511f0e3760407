"""Kling: its translator against its simulator, from the order to a result that decodes."""

import itertools
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from infra.vendors.kling import FILM_PLACES, PICTURE_PLACES, WIRE
from infra.vendors.server import simulated
from shared import catalogue
from shared.adapters.providers.kling import PROVIDER
from shared.adapters.providers.translator import Account
from shared.errors import (
    UnsupportedSetting,
    VendorBusy,
    VendorError,
    VendorGone,
    VendorRejected,
    VendorUnknown,
    WebhookRefused,
)
from shared.models import Model
from shared.ports import Hint, HttpReply, HttpRequest, Inbound
from tests.vendors.stage import USUAL, Stage, json_of, staged

PAIR = "ak_test:sk_test_0123456789abcdef01234567"
TEXT, PICTURE = "/v1/videos/text2video", "/v1/videos/image2video"
IMAGES = "/v1/images/generations"
NEW_TEXT, NEW_PICTURE = "/text-to-video/kling-2.6", "/image-to-video/kling-2.6"
NOW_MS = 1_700_000_000_000


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged("kling") as made:
        yield made


# ---------------------------------------------------------------- from the order to the result


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("kling-v2-6", {}),
        ("kling-v2-6", {"audio": True, "aspect_ratio": "9:16", "negative_prompt": "rain"}),
        ("kling-v2-6", {"images": ["start"], "aspect_ratio": "3:4"}),
        ("kling-v2-6", {"images": ["start", "end"], "duration_seconds": 10}),
        ("kling-v2-5-turbo", {"images": ["start"]}),
        ("kling-v3", {"resolution": "4k", "duration_seconds": 3}),
        ("kling-v3", {"images": ["start"], "audio": True}),
        ("kling-3.0-turbo", {"duration_seconds": 15}),
        ("kling-3.0-turbo", {"images": ["start", "end"]}),
        ("kling-3.0", {"images": ["start"], "audio": True}),
    ],
)
async def test_a_film_is_ordered_found_made_fetched_and_decodes(
    stage: Stage, tmp_path: Path, model: str, settings: dict[str, Any]
) -> None:
    work = stage.work(model, **settings)
    accepted = await stage.submit(work)
    assert await stage.driver.look_up(work.ticket) == accepted.task_id
    outcome = await stage.ended(work, accepted)
    assert (outcome.state, outcome.job_id) == ("succeeded", work.ticket.job_id)
    [info] = await stage.seen(work, outcome, tmp_path)
    assert info.duration_seconds


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("kling-image-v3", {"count": 3, "resolution": "2k"}),
        ("kling-image-v3", {"images": ["source"], "aspect_ratio": "21:9"}),
        ("kling-image-v2-1", {"count": 9, "negative_prompt": "rain"}),
        ("kling-image-v2-1-edit", {"count": 2}),
    ],
)
async def test_pictures_are_ordered_together(
    stage: Stage, tmp_path: Path, model: str, settings: dict[str, Any]
) -> None:
    work = stage.work(model, **settings)
    accepted = await stage.submit(work)
    assert await stage.driver.look_up(work.ticket) == accepted.task_id
    outcome = await stage.ended(work, accepted)
    assert len(outcome.parcels) == len(set(outcome.parcels)) == work.count
    assert len(await stage.seen(work, outcome, tmp_path)) == work.count


async def test_a_film_from_a_picture_has_its_shape(stage: Stage, tmp_path: Path) -> None:
    work = stage.work("kling-v2-6", images=["start"], switches="render=real")
    assert (work.aspect_ratio, work.resolution, work.duration_seconds) == ("3:4", "720p", 5)
    [info] = await stage.seen(work, await stage.made(work), tmp_path)
    assert (info.width, info.height) == (720, 960)
    assert info.duration_seconds == pytest.approx(5, abs=0.2)


LIVE = [each for each in catalogue.load().models.values() if each.provider == "kling"]
LIVE = [each for each in LIVE if each.state == "live"]


@pytest.mark.parametrize("model", LIVE, ids=lambda model: model.id)
async def test_the_vendor_takes_whatever_the_catalogue_sells(model: Model) -> None:
    async with staged("kling", concurrency=1000) as stage:
        taken = 0
        for wish in wishes(model):
            try:
                work = stage.work(model.id, **wish)
            except UnsupportedSetting:
                continue
            # Pictures have few places, so each waits for the one before it.
            await (stage.made(work) if model.kind == "image" else stage.submit(work))
            taken += 1
        assert taken >= len(model.capabilities.resolutions) * len(model.capabilities.aspect_ratios)


def wishes(model: Model) -> Iterator[dict[str, Any]]:
    """Every combination of settings and pictures, with the shortest and the longest film."""
    can = model.capabilities
    lengths: set[int | None] = {*sorted(can.durations_seconds)[:1], *can.durations_seconds[-1:]}
    roles: list[list[str]] = [[], ["start"], ["end"], ["start", "end"], ["source"]]
    for seconds, resolution, shape, audio, images in itertools.product(
        lengths or {None}, can.resolutions, can.aspect_ratios, (False, True), roles
    ):
        yield {
            "duration_seconds": seconds,
            "resolution": resolution,
            "aspect_ratio": shape,
            "audio": audio,
            "images": images,
            "negative_prompt": "rain" if can.negative_prompt else None,
        }


# ---------------------------------------------------------------- what goes wrong

MODELS = ("kling-v2-6", "kling-3.0-turbo", "kling-image-v3")


async def test_a_picture_that_is_none_is_a_failure_of_the_request(stage: Stage) -> None:
    work = stage.work("kling-v2-6", images=["start"], switches="render=real")
    picture = replace(work.images["start"], url=f"{stage.url}/healthz")
    outcome = await stage.made(replace(work, images={"start": picture}))
    assert (outcome.state, outcome.failure_code) == ("failed", "provider_rejected")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("switches", "error", "code"),
    [
        ("moderation=refuse", VendorRejected, "moderation_blocked"),
        ("create=unauthorized", VendorRejected, "provider_misconfigured"),
        ("create=no_credit", VendorRejected, "provider_misconfigured"),
        ("create=model_gone", VendorRejected, "model_gone"),
        ("create=http_429", VendorBusy, "provider_busy"),
        ("create=http_500", VendorUnknown, "provider_failed"),
        ("create=drop_before_accept", VendorUnknown, "timed_out"),
    ],
)
async def test_a_refused_order_says_why(
    stage: Stage, model: str, switches: str, error: type[VendorError], code: str
) -> None:
    work = stage.work(model, switches=switches)
    with pytest.raises(error) as caught:
        await stage.submit(work)
    assert caught.value.code == code
    assert await stage.driver.look_up(work.ticket) is None


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "switches", ["create=html_502", "create=garbage_json", "create=drop_after_accept"]
)
async def test_a_task_whose_answer_was_lost_is_found_by_our_id(
    stage: Stage, model: str, switches: str
) -> None:
    work = stage.work(model, switches=switches)
    with pytest.raises(VendorUnknown):
        await stage.submit(work)
    task_id = await stage.driver.look_up(work.ticket)
    assert task_id
    outcome = await stage.driver.poll(replace(work.ticket, task_id=task_id))
    assert outcome.job_id == work.ticket.job_id


@pytest.mark.parametrize("model", MODELS)
async def test_a_second_order_under_one_id_is_found_and_not_refused(
    stage: Stage, model: str
) -> None:
    work = stage.work(model)
    first = await stage.submit(work)
    with pytest.raises(VendorUnknown):
        await stage.submit(work)
    assert await stage.driver.look_up(work.ticket) == first.task_id
    assert (await stage.stats())["accepted"] == 1


@pytest.mark.parametrize("model", MODELS)
async def test_a_task_that_is_not_there_is_gone(stage: Stage, model: str) -> None:
    with pytest.raises(VendorGone):
        await stage.driver.poll(replace(stage.work(model).ticket, task_id="822953089408827433"))


async def test_a_film_from_words_is_not_asked_for_among_those_from_pictures(stage: Stage) -> None:
    accepted = await stage.submit(stage.work("kling-v2-6"))
    stranger = stage.work("kling-v2-6", images=["start"]).ticket
    with pytest.raises(VendorGone):
        await stage.driver.poll(replace(stranger, task_id=accepted.task_id))


@pytest.mark.parametrize("name", ["kling-v1", "kling-v1-6", "kling-v2-1-master", "kling-4.0"])
async def test_a_withdrawn_model_is_gone(stage: Stage, name: str) -> None:
    work = stage.work("kling-v2-6")
    with pytest.raises(VendorRejected) as caught:
        await stage.submit(replace(work, ticket=replace(work.ticket, vendor_model=name)))
    assert caught.value.code == "model_gone"


async def test_films_and_pictures_have_places_of_their_own() -> None:
    async with staged("kling", concurrency=1) as stage:
        await stage.submit(stage.work("kling-v2-6", switches="hang"))
        await stage.submit(stage.work("kling-image-v3", count=8, switches="hang"))
        for full in (
            stage.work("kling-v2-6"),
            stage.work("kling-3.0-turbo"),
            stage.work("kling-image-v3", count=2),
        ):
            with pytest.raises(VendorBusy) as caught:
                await stage.submit(full)
            assert caught.value.code == "provider_busy"
        await stage.submit(stage.work("kling-image-v3", switches="hang"))
        assert (await stage.stats())["max_running"] == 1 + PICTURE_PLACES
    pools = catalogue.load().pools
    assert (pools["kling-video"].slots, pools["kling-image"].slots) == (FILM_PLACES, PICTURE_PLACES)


async def test_too_many_orders_in_a_minute_are_busy() -> None:
    async with staged("kling", submits_per_minute=1) as stage:
        await stage.submit(stage.work("kling-v2-6"))
        with pytest.raises(VendorBusy):
            await stage.submit(stage.work("kling-3.0-turbo"))


# ---------------------------------------------------------------- keys


def test_a_pair_of_keys_signs_as_documented() -> None:
    account = Account("kling", "kling", PROVIDER.base_url, PAIR)
    signed = PROVIDER.authorize(HttpRequest("GET", account.url(TEXT)), account, NOW_MS)
    assert signed.headers["authorization"] == (
        "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
        ".eyJpc3MiOiJha190ZXN0IiwiZXhwIjoxNzAwMDAxODAwLCJuYmYiOjE2OTk5OTk5OTV9"
        ".LIk-IHrtWvJwJkD0drsv57nF9MbmomhpDe3Mei35HkA"
    )


def test_half_a_pair_of_keys_is_sent_for_the_vendor_to_refuse() -> None:
    account = Account("kling", "kling", PROVIDER.base_url, "ak_test:")
    signed = PROVIDER.authorize(HttpRequest("GET", account.url(TEXT)), account, NOW_MS)
    assert signed.headers["authorization"] == "Bearer ak_test:"


async def test_a_pair_of_keys_opens_the_older_endpoints_alone() -> None:
    async with staged("kling", key=PAIR, api_key=PAIR) as stage:
        for model in ("kling-v2-6", "kling-v3", "kling-image-v3"):
            assert (await stage.made(stage.work(model))).state == "succeeded"
        with pytest.raises(VendorRejected) as caught:
            await stage.submit(stage.work("kling-3.0-turbo"))
        assert caught.value.code == "model_gone", "the account itself is in order"
        account = Account("kling", "kling", stage.url, PAIR)
        request = PROVIDER.authorize(HttpRequest("GET", account.url(TEXT)), account, _now_ms())
        told = await stage.post(NEW_TEXT, {"prompt": "a fox"}, request.headers)
        assert (told.status_code, told.json()["code"]) == (401, 1002)


@pytest.mark.parametrize("late_seconds", [-3600, 3600])
async def test_a_clock_that_is_wrong_is_busy_and_tried_again(late_seconds: int) -> None:
    async with staged("kling", key=PAIR, api_key=PAIR) as stage:
        account = Account("kling", "kling", stage.url, PAIR)
        work = stage.work("kling-v2-6")
        at_ms = _now_ms() + late_seconds * 1000
        request = PROVIDER.authorize(PROVIDER.submit(work, account), account, at_ms)
        told = await stage.post(TEXT, request.json, request.headers)
        assert told.json()["code"] == (1004 if late_seconds < 0 else 1003)
        with pytest.raises(VendorBusy) as caught:
            PROVIDER.accepted(HttpReply(told.status_code, {}, told.content), work)
        assert caught.value.code == "provider_misconfigured"
        assert (await stage.submit(work)).task_id


@pytest.mark.parametrize(
    "key", ["a-key-of-beijing", "ak_other:" + PAIR.partition(":")[2], PAIR[:-1] + "0", "ak_test:"]
)
@pytest.mark.parametrize("ours", [WIRE.settings.api_key, PAIR])
async def test_a_wrong_key_is_the_operators_to_mend(key: str, ours: str) -> None:
    async with staged("kling", key=key, api_key=ours) as stage:
        for model in ("kling-v2-6", "kling-image-v3"):
            with pytest.raises(VendorRejected) as caught:
                await stage.submit(stage.work(model))
            assert caught.value.code == "provider_misconfigured"
        with pytest.raises(VendorUnknown) as unread:
            await stage.driver.poll(replace(stage.work("kling-v2-6").ticket, task_id="1"))
        assert unread.value.code == "provider_misconfigured"


CLAIMS = {"iss": "ak_test", "exp": 4_000_000_000, "nbf": 1}


@pytest.mark.parametrize(
    ("claims", "headers"),
    [
        ({**CLAIMS, "iss": "ak_other"}, {}),
        ({name: value for name, value in CLAIMS.items() if name != "nbf"}, {}),
        ({name: value for name, value in CLAIMS.items() if name != "exp"}, {}),
        (CLAIMS, {"typ": None}),
    ],
)
async def test_a_token_that_lacks_something_is_refused(
    claims: dict[str, object], headers: dict[str, Any]
) -> None:
    secret_key = PAIR.partition(":")[2]
    body = {"model_name": "kling-v2-6", "prompt": "a fox"}
    async with staged("kling", key=PAIR, api_key=PAIR) as stage:
        for given, code in ((CLAIMS, 0), (claims, 1002)):
            token = jwt.encode(given, secret_key, headers=headers if code else None)
            told = await stage.post(TEXT, body, {"authorization": f"Bearer {token}"})
            assert told.json()["code"] == code


# ---------------------------------------------------------------- callbacks


@pytest.mark.parametrize("model", MODELS)
async def test_every_change_is_told_and_believed(stage: Stage, model: str) -> None:
    work = stage.work(model, switches="latency=0.5", callback_url=stage.inbox.url)
    accepted = await stage.submit(work)
    assert await stage.called(2) == [Hint(accepted.task_id)] * 2
    word = "status" if model == "kling-3.0-turbo" else "task_status"
    told = {json_of(each)[word] for each in stage.inbox.came}
    assert told == {"processing", "succeeded" if word == "status" else "succeed"}


@pytest.mark.parametrize("switches", ["webhook=forged", "webhook=forged_foreign"])
async def test_a_forged_callback_is_refused(stage: Stage, switches: str) -> None:
    await stage.submit(stage.work("kling-v2-6", switches=switches, callback_url=stage.inbox.url))
    await stage.submit(stage.work("kling-v2-6", callback_url=stage.inbox.url))
    await stage.called(2)
    assert stage.inbox.refused
    assert len(stage.inbox.hints) == 2


async def test_what_is_not_signed_is_refused_where_we_have_a_secret(stage: Stage) -> None:
    await stage.submit(stage.work("kling-v2-6", callback_url=stage.inbox.url))
    await stage.called()
    bare = Inbound({}, stage.inbox.came[0].body)
    with pytest.raises(WebhookRefused):
        await stage.driver.hint("kling", bare, _now_ms())


async def test_without_a_secret_nothing_is_signed_and_the_task_is_read() -> None:
    async with staged("kling", webhook_secret="") as stage:
        accepted = await stage.submit(stage.work("kling-v2-6", callback_url=stage.inbox.url))
        assert set(await stage.called(2)) == {Hint(accepted.task_id)}
        assert not [each for each in stage.inbox.came if "webhook-signature" in each.headers]


# ---------------------------------------------------------------- the simulator is strict

FILM: dict[str, Any] = {"model_name": "kling-v2-6", "prompt": "a fox"}
FROM_PICTURE: dict[str, Any] = {**FILM, "image": "https://a.example/a.png"}
TAIL: dict[str, Any] = {**FROM_PICTURE, "image_tail": "https://a.example/b.png"}
IMAGE: dict[str, Any] = {"model_name": "kling-v2-1", "prompt": "a fox"}
NEW: dict[str, Any] = {"prompt": "a fox", "settings": {"resolution": "720p", "duration": 5}}
FRAME = {"type": "first_frame", "url": "https://a.example/a.png"}
LAST = {"type": "last_frame", "url": "https://a.example/b.png"}
NEW_FRAMES: dict[str, Any] = {"contents": [{"type": "prompt", "text": "a fox"}, FRAME]}
CAMERA = {"type": "simple", "config": {"zoom": 5}}
STILL = {"horizontal": 0, "vertical": 0, "pan": 0, "tilt": 0, "roll": 0}


@pytest.fixture(scope="module")
def caller() -> Iterator[httpx.Client]:
    """Somebody with the key, who writes requests by hand."""
    with simulated("kling", **USUAL) as url, calling(url) as made:
        yield made


def calling(url: str) -> httpx.Client:
    key = {"authorization": f"Bearer {WIRE.settings.api_key}"}
    return httpx.Client(base_url=url, headers=key, trust_env=False)


def accepted_by(caller: httpx.Client) -> int:
    return int(caller.get("/control/stats").json()["accepted"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (TEXT, FILM),
        (TEXT, {**FILM, "mode": "pro", "duration": "5", "sound": "on"}),
        (TEXT, {**FILM, "camera_control": {"type": "simple", "config": {**STILL, "zoom": 5}}}),
        (TEXT, {**FILM, "camera_control": {"type": "down_back"}}),
        (TEXT, {"model_name": "kling-v3", "prompt": "a fox", "duration": "15", "cfg_scale": 0.5}),
        (PICTURE, {**FROM_PICTURE, "prompt": "", "external_task_id": "", "callback_url": ""}),
        (PICTURE, {**FROM_PICTURE, "image": "iVBORw0KGgoAAAANSUhEUgAAAAUA"}),
        (PICTURE, {**TAIL, "mode": "pro", "sound": "off", "negative_prompt": ""}),
        (IMAGES, {**IMAGE, "negative_prompt": "", "image": "https://a.example/a.png", "n": 2}),
        (NEW_TEXT, {**NEW, "options": {"watermark_info": {"enabled": True}}}),
        (NEW_TEXT, {"prompt": "a fox"}),
        (NEW_PICTURE, NEW_FRAMES),
        (NEW_PICTURE, {"contents": [{**FRAME, "url": "data:image/png;base64,iVBORw0KGgoA"}]}),
        (NEW_PICTURE, {"contents": [FRAME, LAST], "settings": {"resolution": "1080p"}}),
    ],
)
def test_what_is_documented_is_taken(caller: httpx.Client, path: str, body: dict[str, Any]) -> None:
    told = caller.post(path, json=body)
    assert (told.status_code, told.json()["code"]) == (200, 0), told.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (TEXT, {"model_name": "kling-v2-6"}),
        (TEXT, {**FILM, "prompt": ""}),
        (TEXT, {**FILM, "prompt": "x" * 2501}),
        (TEXT, {**FILM, "duration": 5}),
        (TEXT, {**FILM, "duration": "6"}),
        (TEXT, {**FILM, "duration": "05"}),
        (TEXT, {**FILM, "mode": "4k"}),
        (TEXT, {**FILM, "mode": "1080p"}),
        (TEXT, {**FILM, "sound": True}),
        (TEXT, {**FILM, "sound": "on"}),
        (TEXT, {**FILM, "cfg_scale": 0.5}),
        (TEXT, {**FILM, "aspect_ratio": "3:4"}),
        (TEXT, {**FILM, "image": "https://a.example/a.png"}),
        (TEXT, {**FILM, "seed": 1}),
        (TEXT, {**FILM, "model": "kling-v2-6"}),
        (TEXT, {**FILM, "callback_url": "ftp://a.example"}),
        (TEXT, {**FILM, "watermark_info": True}),
        (TEXT, {**FILM, "camera_control": {"type": "simple"}}),
        (TEXT, {**FILM, "camera_control": {"type": "simple", "config": {"zoom": 5, "pan": 1}}}),
        (TEXT, {**FILM, "camera_control": {"type": "simple", "config": {"zoom": 11}}}),
        (TEXT, {**FILM, "camera_control": {"type": "down_back", "config": {"zoom": 5}}}),
        (TEXT, {"model_name": "kling-v2-5-turbo", "prompt": "a fox", "sound": "on", "mode": "pro"}),
        (TEXT, {"model_name": "kling-v3", "prompt": "a fox", "duration": "16"}),
        (PICTURE, FILM),
        (PICTURE, {**FROM_PICTURE, "aspect_ratio": "16:9"}),
        (PICTURE, {**FROM_PICTURE, "image": "data:image/png;base64,iVBORw0KGgoA"}),
        (PICTURE, {**FROM_PICTURE, "image": "not base64!"}),
        (PICTURE, {**FROM_PICTURE, "image": "AAAA" * 3_400_000}),
        (PICTURE, TAIL),
        (PICTURE, {**TAIL, "mode": "pro", "sound": "on"}),
        (PICTURE, {**TAIL, "mode": "pro", "camera_control": CAMERA}),
        (PICTURE, {**TAIL, "image": "", "mode": "pro"}),
        (PICTURE, {**TAIL, "model_name": "kling-v3", "mode": "pro"}),
        (IMAGES, {**IMAGE, "n": 10}),
        (IMAGES, {**IMAGE, "n": "2"}),
        (IMAGES, {**IMAGE, "resolution": "4k"}),
        (IMAGES, {**IMAGE, "negative_prompt": "rain", "image": "https://a.example/a.png"}),
        (IMAGES, {"prompt": "a fox", "image_fidelity": 0.5}),
        (IMAGES, {**IMAGE, "duration": "5"}),
        (NEW_TEXT, {**NEW, "negative_prompt": "rain"}),
        (NEW_TEXT, {**NEW, "settings": {"duration": "5"}}),
        (NEW_TEXT, {**NEW, "settings": {"duration": 7}}),
        (NEW_TEXT, {**NEW, "settings": {"resolution": "4k"}}),
        (NEW_TEXT, {**NEW, "settings": {"resolution": "720p", "audio": "native"}}),
        (NEW_TEXT, {**NEW, "settings": {"mode": "pro"}}),
        (NEW_TEXT, {**NEW, "external_task_id": "x"}),
        (NEW_PICTURE, NEW),
        (NEW_PICTURE, {"contents": []}),
        (NEW_PICTURE, {"contents": [{"type": "prompt", "text": "a fox"}]}),
        (NEW_PICTURE, {"contents": [FRAME, FRAME]}),
        (NEW_PICTURE, {"contents": [LAST], "settings": {"resolution": "1080p"}}),
        (NEW_PICTURE, {"contents": [FRAME, LAST], "settings": {"resolution": "720p"}}),
        (NEW_PICTURE, {**NEW_FRAMES, "settings": {"aspect_ratio": "16:9"}}),
        (NEW_PICTURE, {"contents": [{**FRAME, "text": "a fox"}]}),
        (NEW_PICTURE, {"contents": [{"type": "first_frame"}]}),
    ],
)
def test_what_is_not_documented_is_refused(
    caller: httpx.Client, path: str, body: dict[str, Any]
) -> None:
    before = accepted_by(caller)
    told = caller.post(path, json=body)
    assert (told.status_code, told.json()["code"]) == (400, 1201)
    assert set(told.json()) == {"code", "message", "request_id"}
    assert accepted_by(caller) == before


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (TEXT, {**FILM, "model_name": "kling-v2-5"}, 404, 1203),
        (TEXT, {"prompt": "a fox"}, 404, 1203),
        (IMAGES, {**IMAGE, "model_name": "kling-v1"}, 404, 1203),
        ("/text-to-video/kling-v2-6", NEW, 404, 1203),
        ("/tasks", {}, 404, 1202),
        (f"{TEXT}/1", {}, 404, 1202),
    ],
)
def test_what_is_not_there_has_a_code_of_its_own(
    caller: httpx.Client, path: str, body: dict[str, Any], status: int, code: int
) -> None:
    told = caller.post(path, json=body)
    assert (told.status_code, told.json()["code"]) == (status, code)


@pytest.mark.parametrize("path", [TEXT, PICTURE, IMAGES, NEW_TEXT, NEW_PICTURE])
def test_without_a_key_or_json_nothing_is_taken(caller: httpx.Client, path: str) -> None:
    told = httpx.post(f"{caller.base_url}{path}", json={}, trust_env=False)
    assert (told.status_code, told.json()["code"]) == (401, 1001)
    told = caller.post(path, json={}, headers={"authorization": WIRE.settings.api_key})
    assert (told.status_code, told.json()["code"]) == (401, 1002)
    told = caller.post(path, json={}, headers={"content-type": "text/plain"})
    assert (told.status_code, told.json()["code"]) == (400, 1201)


async def test_tasks_are_asked_for_by_one_kind_of_id(stage: Stage) -> None:
    task_id = (await stage.submit(stage.work("kling-3.0-turbo"))).task_id
    older_id = (await stage.submit(stage.work("kling-v2-6"))).task_id
    with calling(stage.url) as caller:
        for query in ("", "?task_ids=a&external_task_ids=b"):
            told = caller.get(f"/tasks{query}")
            assert (told.status_code, told.json()["code"]) == (400, 1201)
        several = caller.get(f"/tasks?task_ids={task_id},unknown,{older_id},{task_id}")
        assert [each["id"] for each in several.json()["data"]] == [task_id] * 2


def _now_ms() -> int:
    return int(time.time() * 1000)
