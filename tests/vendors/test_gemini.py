"""Gemini: its translator against its simulator, from the order to a result that decodes."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from infra.vendors.gemini import WIRE
from shared.adapters.http_client import HttpxClient
from shared.adapters.providers.driver import Driver
from shared.adapters.providers.translator import Account
from shared.adapters.system import SystemClock
from shared.errors import (
    VendorBusy,
    VendorError,
    VendorGone,
    VendorRejected,
    VendorUnknown,
    VendorUnusable,
    WebhookRefused,
)
from shared.ports import Hint, Inbound, Parcel, Work
from tests.vendors.stage import FETCH_MAX_BYTES, PICTURE, Stage, json_of, staged

KEY = {"x-goog-api-key": WIRE.settings.api_key}
FLASH, PRO, LITE = "gemini-3.1-flash-image", "gemini-3-pro-image", "gemini-3.1-flash-lite-image"
OMNI, VEO = "gemini-omni-1.1-flash", "veo-3.1-generate-001"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WAIT_SECONDS = 20.0


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged("gemini") as made:
        yield made


# ---------------------------------------------------------------- from the order to the result


async def test_an_edit_is_of_the_picture_that_was_sent(stage: Stage, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"images": ["source"], "aspect_ratio": "3:4"}
    work = stage.work(FLASH, "add a hat", **settings, switches="render=real")
    accepted = await stage.submit(work)
    assert accepted.task_id == ""
    [info] = await stage.seen(work, await stage.ended(work, accepted), tmp_path)
    assert (info.width, info.height) == (1080, 1440)


async def test_a_video_has_the_length_and_the_shape_that_were_asked_for(
    stage: Stage, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"images": ["start"], "aspect_ratio": "9:16", "resolution": "360p"}
    work = stage.work(OMNI, **settings, duration_seconds=3, switches="render=real")
    [info] = await stage.seen(work, await stage.made(work), tmp_path)
    assert info.width < info.height
    assert info.duration_seconds == pytest.approx(3, abs=0.2)


# ---------------------------------------------------------------- how it fails


async def test_a_refused_video_is_completed_with_words_and_costs_nothing(stage: Stage) -> None:
    work = stage.work(OMNI, switches="moderation=late")
    outcome = await stage.made(work)
    told = await get(stage, f"/v1beta/interactions/{outcome.task_id}")
    assert told.json()["status"] == "completed"
    assert told.json()["usage"]["output_tokens_by_modality"][0]["tokens"] == 0
    assert outcome.detail == "words alone"


@pytest.mark.parametrize(
    ("switches", "error", "code"),
    [
        ("fail=render", VendorRejected, "provider_failed"),
        ("fail=capacity", VendorBusy, "provider_busy"),
        ("fail=internal", VendorRejected, "provider_failed"),
        ("moderation=late", VendorRejected, "moderation_blocked"),
        ("create=http_500", VendorRejected, "provider_failed"),
    ],
)
async def test_a_picture_that_is_not_in_the_answer_is_over(
    stage: Stage, switches: str, error: type[VendorError], code: str
) -> None:
    with pytest.raises(error) as caught:
        await stage.submit(stage.work(FLASH, switches=switches))
    assert caught.value.code == code


@pytest.mark.parametrize("model", [OMNI, VEO])
async def test_an_error_of_theirs_leaves_open_whether_a_video_is_made(
    stage: Stage, model: str
) -> None:
    with pytest.raises(VendorUnknown):
        await stage.submit(stage.work(model, switches="create=http_500"))


@pytest.mark.parametrize(
    ("model", "vendor_model"),
    [(FLASH, "gemini-2.5-flash-image"), (OMNI, "gemini-omni-flash-preview"), (VEO, "veo-2.0")],
)
async def test_a_model_that_the_vendor_has_retired_is_gone(
    stage: Stage, model: str, vendor_model: str
) -> None:
    work = stage.work(model)
    work = replace(work, ticket=replace(work.ticket, vendor_model=vendor_model))
    with pytest.raises(VendorRejected) as caught:
        await stage.submit(work)
    assert caught.value.code == "model_gone"


async def test_a_setting_that_the_vendor_does_not_know_is_rejected(stage: Stage) -> None:
    for work in (
        replace(stage.work(FLASH), resolution="8K"),
        replace(stage.work(OMNI), duration_seconds=11),
        replace(stage.work(VEO), duration_seconds=5),
    ):
        with pytest.raises(VendorRejected) as caught:
            await stage.submit(work)
        assert caught.value.code == "provider_rejected"


async def test_more_than_there_are_places_or_a_minute_has_is_busy() -> None:
    async with staged("gemini", concurrency=1, submits_per_minute=2) as stage:
        await stage.submit(stage.work(OMNI, switches="hang"))
        for model in (VEO, FLASH):
            with pytest.raises(VendorBusy) as caught:
                await stage.submit(stage.work(model))
            assert caught.value.retry_after_seconds == 2
        assert (await stage.stats())["max_running"] == 1


# ---------------------------------------------------------------- asking and stopping


async def test_an_unknown_interaction_is_a_400_which_leaves_it_open(stage: Stage) -> None:
    ticket = replace(stage.work(OMNI).ticket, task_id="v1_gen_never")
    for ask in (stage.driver.poll, stage.driver.cancel):
        with pytest.raises(VendorUnknown):
            await ask(ticket)


async def test_an_unknown_operation_and_a_picture_are_gone(stage: Stage) -> None:
    for model in (VEO, FLASH):
        with pytest.raises(VendorGone):
            await stage.driver.poll(replace(stage.work(model).ticket, task_id="gen_never"))


async def test_an_interaction_that_is_stopped_is_cancelled_and_one_that_is_over_says_how(
    stage: Stage,
) -> None:
    work = stage.work(OMNI, switches="hang")
    ticket = replace(work.ticket, task_id=(await stage.submit(work)).task_id)
    assert (await stage.driver.poll(ticket)).state == "running"
    assert (await stage.driver.cancel(ticket)).state == "cancelled"
    assert (await stage.driver.cancel(ticket)).state == "cancelled"
    done = stage.work(OMNI)
    outcome = await stage.made(done)
    again = await stage.driver.cancel(replace(done.ticket, task_id=outcome.task_id))
    assert again.state == "succeeded"


async def test_neither_an_operation_nor_a_picture_can_be_stopped(stage: Stage) -> None:
    for model in (VEO, FLASH):
        with pytest.raises(VendorUnknown):
            await stage.driver.cancel(replace(stage.work(model).ticket, task_id="gen_1"))


# ---------------------------------------------------------------- files


async def test_a_completed_video_is_running_until_its_file_is_ready(stage: Stage) -> None:
    work = stage.work(OMNI)
    accepted = await stage.submit(work)
    path = f"/v1beta/interactions/{accepted.task_id}"
    await until(lambda: is_completed(stage, path))
    ticket = replace(work.ticket, task_id=accepted.task_id)
    assert (await stage.driver.poll(ticket)).state == "running"
    assert (await stage.driver.poll(ticket)).state == "succeeded"


async def test_a_file_is_for_whoever_has_the_key(stage: Stage) -> None:
    parcel = (await stage.made(stage.work(OMNI))).parcels[0]
    async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as client:
        bare = await client.get(parcel.url)
        wrong = await client.get(parcel.url, headers={"x-goog-api-key": "of-somebody"})
        ours = await client.get(parcel.url, headers=KEY)
    assert (bare.status_code, wrong.status_code, ours.status_code) == (400, 400, 200)
    assert bare.json()[0]["error"]["details"][0]["reason"] == "API_KEY_INVALID"


async def test_the_key_goes_to_the_api_s_host_and_not_on_to_another(stage: Stage) -> None:
    async with at_another_name(stage) as (driver, elsewhere):
        work = stage.work(OMNI)
        accepted = await driver.submit(work, WAIT_SECONDS)
        ticket = replace(work.ticket, task_id=accepted.task_id)
        outcome = await until_over(driver, work, accepted.task_id)
        [parcel] = outcome.parcels
        assert parcel.url.startswith(f"{elsewhere}/v1beta/files/")
        chunks = [chunk async for chunk in driver.fetch(ticket, parcel, FETCH_MAX_BYTES)]
        assert b"ftyp" in chunks[0]
        async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as careless:
            told = await careless.get(parcel.url, headers=KEY)
        assert told.status_code == 400
        assert "another host" in told.json()["error"]["message"]


async def test_a_result_on_another_host_is_not_fetched(stage: Stage) -> None:
    work = stage.work(OMNI)
    for url in ("http://localhost:9/x", "https://evil.example/x", "http://169.254.169.254/"):
        with pytest.raises(VendorUnknown):
            await stage.fetched(work, Parcel(url))


@pytest.mark.parametrize("switches", ["result=expired", "result=truncated"])
async def test_a_file_that_cannot_be_had_is_unavailable(stage: Stage, switches: str) -> None:
    work = stage.work(OMNI, switches=switches)
    outcome = await stage.made(work)
    with pytest.raises(VendorUnknown) as caught:
        await stage.fetched(work, outcome.parcels[0])
    assert caught.value.code == "result_unavailable"
    assert "token" not in str(caught.value)


async def test_a_file_over_its_size_is_no_result(stage: Stage) -> None:
    work = stage.work(OMNI, switches="result=huge:40")
    outcome = await stage.made(work)
    with pytest.raises(VendorUnusable):
        await stage.fetched(work, outcome.parcels[0])


# ---------------------------------------------------------------- webhooks


@pytest.mark.parametrize(
    ("switches", "told"),
    [
        ("", "interaction.completed"),
        ("fail=internal", "interaction.failed"),
        ("moderation=late", "interaction.completed"),
    ],
)
async def test_the_vendor_calls_once_it_is_over_with_a_token_of_its_own(
    stage: Stage, switches: str, told: str
) -> None:
    work = stage.work(OMNI, callback_url=stage.inbox.url, switches=switches)
    accepted = await stage.submit(work)
    assert await stage.called() == [Hint(accepted.task_id)]
    [call] = stage.inbox.came
    assert json_of(call)["type"] == told
    assert json_of(call)["data"]["id"] == accepted.task_id
    assert jwt.get_unverified_header(call.headers["webhook-signature"])["alg"] == "RS256"


async def test_a_call_without_our_asking_does_not_come(stage: Stage) -> None:
    await stage.made(stage.work(OMNI))
    await stage.made(stage.work(VEO))
    assert stage.inbox.came == []


async def test_a_forged_call_is_refused(stage: Stage) -> None:
    forged = stage.work(OMNI, callback_url=stage.inbox.url, switches="webhook=forged")
    await stage.submit(forged)
    await until(lambda: has_refused(stage))
    genuine = await stage.submit(stage.work(OMNI, callback_url=stage.inbox.url))
    assert await stage.called() == [Hint(genuine.task_id)]


async def test_a_call_is_good_for_five_minutes_and_not_without_its_token(stage: Stage) -> None:
    await stage.submit(stage.work(OMNI, callback_url=stage.inbox.url))
    await stage.called()
    call, now_ms = stage.inbox.came[0], int(time.time() * 1000)
    unsigned = {name: value for name, value in call.headers.items() if "signature" not in name}
    for inbound, later_ms in (
        (call, 6 * 60_000),
        (call, -6 * 60_000),
        (replace(call, headers=unsigned), 0),
        (Inbound({**call.headers, "webhook-signature": "a.b.c"}, call.body), 0),
    ):
        with pytest.raises(WebhookRefused):
            await stage.driver.hint("gemini", inbound, now_ms + later_ms)
    hint = await stage.driver.hint("gemini", call, now_ms + 60_000)
    assert hint == Hint(json_of(call)["data"]["id"])


async def test_a_token_that_somebody_made_of_a_public_key_is_refused(stage: Stage) -> None:
    """The public key as the secret of an HMAC is an old trick."""
    key = (await get(stage, "/.well-known/jwks.json")).json()["keys"][0]
    now = int(time.time())
    claims = {"aud": "x", "iat": now, "exp": now + 60}
    body = b'{"data": {"id": "v1_x"}}'
    for algorithm, secret in (("HS256", key["n"]), ("none", "")):
        token = jwt.encode(claims, secret, algorithm, headers={"kid": key["kid"]})
        inbound = Inbound({"webhook-signature": token}, body)
        with pytest.raises(WebhookRefused):
            await stage.driver.hint("gemini", inbound, now * 1000)


async def test_a_project_s_webhook_is_checked_with_its_secret() -> None:
    async with staged("gemini", webhook_secret=SECRET) as stage:
        accepted = await stage.submit(stage.work(OMNI, callback_url=stage.inbox.url))
        assert await stage.called() == [Hint(accepted.task_id)]
        [call] = stage.inbox.came
        assert call.headers["webhook-signature"].startswith("v1,")
        forged = stage.work(OMNI, callback_url=stage.inbox.url, switches="webhook=forged")
        await stage.submit(forged)
        await until(lambda: has_refused(stage))


# ---------------------------------------------------------------- how strict the simulator is

DATA = base64.b64encode(PICTURE).decode()
SHOWN = {"inline_data": {"mime_type": "image/jpeg", "data": DATA}}
TEXT = {"text": "a fox"}


def picture(parts: list[Any], **config: Any) -> dict[str, Any]:
    """A body of generateContent."""
    settings = {"responseModalities": ["TEXT", "IMAGE"], **config}
    return {"contents": [{"role": "user", "parts": parts}], "generationConfig": settings}


BAD_PICTURES: dict[str, dict[str, Any]] = {
    "no parts": picture([]),
    "a part that is both": picture([{**TEXT, **SHOWN}]),
    "bytes that are not base64": picture(
        [{"inline_data": {"mime_type": "image/png", "data": "?"}}]
    ),
    "a type that is no picture": picture(
        [TEXT, {"inline_data": {"mime_type": "text/plain", "data": DATA}}]
    ),
    "words alone": picture([TEXT], responseModalities=["TEXT"]),
    "a size in small letters": picture([TEXT], imageConfig={"imageSize": "2k"}),
    "a shape that there is not": picture([TEXT], imageConfig={"aspectRatio": "7:5"}),
    "several": {**picture([TEXT]), "n": 2},
    "several candidates": picture([TEXT], candidateCount=2),
    "nothing": {},
}

FORMAT = {"type": "video", "resolution": "720p", "duration": "8s", "delivery": "uri"}
IMAGE = {"type": "image", "mime_type": "image/jpeg", "data": DATA}


def interaction(**changes: Any) -> dict[str, Any]:
    """A body of the Interactions API."""
    return {
        "model": OMNI,
        "input": "a fox",
        "background": True,
        "response_format": FORMAT,
        **changes,
    }


def told(*tags: str) -> dict[str, str]:
    return {"type": "text", "text": " ".join([*tags, "a fox"])}


BAD_INTERACTIONS: dict[str, dict[str, Any]] = {
    "a duration that is a number": interaction(response_format={**FORMAT, "duration": 8}),
    "a duration without its unit": interaction(response_format={**FORMAT, "duration": "8"}),
    "a duration that is too long": interaction(response_format={**FORMAT, "duration": "11s"}),
    "a size that there is not": interaction(response_format={**FORMAT, "resolution": "4K"}),
    "a shape that there is not": interaction(response_format={**FORMAT, "aspect_ratio": "1:1"}),
    "a negative prompt": interaction(negative_prompt="rain"),
    "a temperature": interaction(generation_config={"temperature": 1}),
    "a webhook of what is waited for": interaction(
        background=False, webhook_config={"uris": ["http://127.0.0.1:9/hook"]}
    ),
    "a webhook without addresses": interaction(webhook_config={"uris": []}),
    "an end without a start": interaction(input=[IMAGE, told("<LAST_FRAME>")]),
    "a tag without a picture": interaction(input=[told("<FIRST_FRAME>")]),
    "a task without its picture": interaction(
        generation_config={"video_config": {"task": "image_to_video"}}
    ),
    "a picture that is not base64": interaction(
        input=[{**IMAGE, "data": "?"}, told("<FIRST_FRAME>")]
    ),
    "a picture by its address": interaction(
        input=[{"type": "image", "uri": "https://a.example/a.png"}, told("<FIRST_FRAME>")]
    ),
    "no format": {"model": OMNI, "input": "a fox", "background": True},
}

FRAME = {"bytesBase64Encoded": DATA, "mimeType": "image/jpeg"}


def operation(instance: dict[str, Any] | None = None, **parameters: Any) -> dict[str, Any]:
    """A body of predictLongRunning."""
    return {"instances": [{"prompt": "a fox", **(instance or {})}], "parameters": parameters}


BAD_OPERATIONS: dict[str, dict[str, Any]] = {
    "a duration in words": operation(durationSeconds="8"),
    "a duration that there is not": operation(durationSeconds=5),
    "a large video that is short": operation(resolution="1080p", durationSeconds=4),
    "an end without a start": operation({"lastFrame": FRAME}),
    "persons as only words may have them": operation(
        {"image": FRAME}, personGeneration="allow_all"
    ),
    "persons as only pictures may have them": operation(personGeneration="allow_adult"),
    "a picture by its address": operation({"image": {"uri": "https://a.example/a.png"}}),
    "several": {"instances": [{"prompt": "a fox"}] * 2, "parameters": {}},
    "no instance": {"instances": [], "parameters": {}},
}

BAD: dict[str, tuple[str, dict[str, Any]]] = {
    **{
        f"picture: {name}": (f"/v1beta/models/{PRO}:generateContent", body)
        for name, body in BAD_PICTURES.items()
    },
    "picture: a shape of another model": (
        f"/v1beta/models/{PRO}:generateContent",
        picture([TEXT], imageConfig={"aspectRatio": "8:1"}),
    ),
    **{f"video: {name}": ("/v1beta/interactions", b) for name, b in BAD_INTERACTIONS.items()},
    **{
        f"operation: {name}": (f"/v1beta/models/{VEO}:predictLongRunning", body)
        for name, body in BAD_OPERATIONS.items()
    },
}


@pytest.mark.parametrize("bad", BAD)
async def test_the_simulator_refuses(stage: Stage, bad: str) -> None:
    path, body = BAD[bad]
    reply = await stage.post(path, body, KEY)
    assert reply.status_code == 400, reply.text
    error = reply.json()["error"]
    assert error.get("status", error["code"]) in ("INVALID_ARGUMENT", "invalid_request")
    assert (await stage.stats())["accepted"] == 0


async def test_the_simulator_takes_what_is_documented_and_what_the_translator_need_not_say(
    stage: Stage,
) -> None:
    spelled = {"inlineData": {"mimeType": "image/jpeg", "data": DATA}}
    bare: dict[str, Any] = {"contents": [{"parts": [TEXT, spelled]}]}
    bare["generationConfig"] = {
        "responseModalities": ["IMAGE"],
        "imageConfig": {"imageSize": "512"},
    }
    for path, body in (
        (f"/v1beta/models/{FLASH}:generateContent", bare),
        ("/v1beta/interactions", interaction(input=[IMAGE, told("<FIRST_FRAME>")])),
        (f"/v1beta/models/{VEO}:predictLongRunning", operation(personGeneration="allow_all")),
    ):
        assert (await stage.post(path, body, KEY)).status_code == 200


async def test_without_background_the_answer_waits_for_the_video(stage: Stage) -> None:
    reply = await stage.post("/v1beta/interactions", interaction(background=False), KEY)
    assert reply.json()["status"] == "completed"
    output = reply.json()["steps"][-1]
    assert (output["type"], output["content"][0]["type"]) == ("model_output", "video")


async def test_the_front_end_wants_the_key_and_says_so_in_a_list(stage: Stage) -> None:
    bearer = {"authorization": f"Bearer {WIRE.settings.api_key}"}
    for headers in ({}, bearer, {"x-goog-api-key": "of-somebody"}):
        reply = await stage.post("/v1beta/interactions", interaction(), headers)
        assert reply.status_code == 400
        assert reply.json()[0]["error"]["details"][0]["reason"] == "API_KEY_INVALID"
    reply = await stage.post(f"/v1beta/interactions?key={KEY['x-goog-api-key']}", interaction())
    assert reply.status_code == 200


# ---------------------------------------------------------------- how these tests look and wait


async def get(stage: Stage, path: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=stage.url, headers=KEY, trust_env=False) as client:
        return await client.get(path)


async def is_completed(stage: Stage, path: str) -> bool:
    return bool((await get(stage, path)).json()["status"] == "completed")


async def has_refused(stage: Stage) -> bool:
    return stage.inbox.refused > 0


async def until(holds: Any) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not await holds():
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.02)


async def until_over(driver: Driver, work: Work, task_id: str) -> Any:
    ticket, deadline = replace(work.ticket, task_id=task_id), time.monotonic() + WAIT_SECONDS
    while (outcome := await driver.poll(ticket)).state == "running":
        assert time.monotonic() < deadline, "the vendor took too long"
        await asyncio.sleep(0.02)
    return outcome


@asynccontextmanager
async def at_another_name(stage: Stage) -> AsyncIterator[tuple[Driver, str]]:
    """The same vendor under another name than that of its storage, which our account allows."""
    url = stage.url.replace("127.0.0.1", "localhost")
    ends = {each.removeprefix("http://") for each in (url, stage.url)}
    http = HttpxClient(plain_hosts={"127.0.0.1", "localhost"}, allowed_private=ends)
    key = WIRE.settings.api_key
    account = Account("gemini", "gemini", url, key, hosts=("127.0.0.1",))
    yield Driver(http, {"gemini": account}, SystemClock(), total_seconds=WAIT_SECONDS), url
    await http.close()
