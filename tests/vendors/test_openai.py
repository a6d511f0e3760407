"""OpenAI's translator against its simulator, and both against the vendor's own client."""

import base64
import io
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from infra.vendors._multipart import read_parts
from infra.vendors.openai import WIRE
from shared import catalogue
from shared.adapters.providers.openai import PROVIDER
from shared.adapters.providers.translator import Account
from shared.errors import NotFound, VendorBusy
from shared.ports import HttpRequest, Inbound, Picture, Work
from tests.vendors.stage import Stage, staged

HEADERS = {"authorization": f"Bearer {WIRE.settings.api_key}"}
GENERATIONS, EDITS = "/v1/images/generations", "/v1/images/edits"
LIVE = [
    model.id
    for model in catalogue.load().models.values()
    if model.provider == "openai" and model.state != "retired"
]


def picture(kind: str = "PNG") -> bytes:
    from PIL import Image

    drawn = io.BytesIO()
    Image.new("RGB", (300, 400), "teal").save(drawn, kind)
    return drawn.getvalue()


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged("openai") as made:
        yield made


@pytest.mark.parametrize("images", [[], ["source"], ["subject"], ["source", "subject"]])
@pytest.mark.parametrize("model", LIVE)
async def test_every_picture_comes_with_the_answer(
    stage: Stage, tmp_path: Path, model: str, images: list[str]
) -> None:
    work = stage.work(model, images=images, count=3)
    accepted = await stage.submit(work)
    assert (accepted.task_id, len(accepted.parcels)) == ("", 3)
    for info in await stage.seen(work, await stage.ended(work, accepted), tmp_path):
        assert info.content_type == "image/png"


@pytest.mark.parametrize("model", LIVE)
async def test_every_shape_that_is_sold_is_one_that_the_vendor_makes(
    stage: Stage, model: str
) -> None:
    for ratio in catalogue.load().models[model].capabilities.aspect_ratios:
        images = ["source"] if ratio == "adaptive" else []
        accepted = await stage.submit(stage.work(model, aspect_ratio=ratio, images=images))
        assert len(accepted.parcels) == 1


async def test_who_is_refused_for_the_pace_is_told_when_to_come_again() -> None:
    async with staged("openai", submits_per_minute=1) as stage:
        await stage.submit(stage.work("gpt-image-2"))
        with pytest.raises(VendorBusy) as caught:
            await stage.submit(stage.work("gpt-image-2"))
        assert caught.value.retry_after_seconds == 2


async def test_openai_cannot_look_up_or_stop_and_does_not_call(stage: Stage) -> None:
    abilities = stage.driver.abilities("openai")
    assert not abilities.can_look_up
    assert not abilities.can_cancel
    with pytest.raises(NotFound):
        await stage.driver.hint("openai", Inbound({}, b"{}"), 0)


# ---------------------------------------------------------------- the vendor's own client


class Captured(httpx.BaseTransport):
    """What the client would have sent."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        return httpx.Response(200, json={"created": 1, "data": [{"b64_json": "AAAA"}]})


@pytest.fixture
def captured() -> Captured:
    return Captured()


@pytest.fixture
def client(captured: Captured) -> Iterator[openai.OpenAI]:
    with httpx.Client(transport=captured) as http:
        yield openai.OpenAI(api_key="sk-proj-test", http_client=http)


def ours(work: Work) -> HttpRequest:
    account = Account("openai", "openai", PROVIDER.base_url, "sk-proj-test", ())
    return PROVIDER.authorize(PROVIDER.submit(work, account), account, 0)


def work_of(stage: Stage, images: dict[str, Picture]) -> Work:
    asked = stage.work("gpt-image-2.5-flare", prompt="A watercolor fox", count=2)
    return replace(asked, images=images)


def test_words_are_sent_as_the_vendor_s_client_sends_them(
    stage: Stage, client: openai.OpenAI, captured: Captured
) -> None:
    client.images.generate(
        model="gpt-image-2.5-flare",
        prompt="A watercolor fox",
        size="1024x1024",
        quality="medium",
        n=2,
        output_format="png",
    )
    [theirs] = captured.requests
    request = ours(work_of(stage, {}))
    assert (request.method, request.url) == (theirs.method, str(theirs.url))
    assert request.json == json.loads(theirs.content)
    assert request.headers["authorization"] == theirs.headers["authorization"]


def test_pictures_are_sent_as_the_vendor_s_client_sends_them(
    stage: Stage, client: openai.OpenAI, captured: Captured
) -> None:
    first, second = picture(), picture("WEBP")
    client.images.edit(
        model="gpt-image-2.5-flare",
        prompt="A watercolor fox",
        image=[("picture.png", first, "image/png"), ("picture1.webp", second, "image/webp")],
        size="1024x1024",
        quality="medium",
        n=2,
        output_format="png",
    )
    [theirs] = captured.requests
    images = {
        "source": Picture("https://files.example/a", "image/png", first),
        "subject": Picture("https://files.example/b", "image/webp", second),
    }
    request = ours(work_of(stage, images))
    assert (request.method, request.url) == (theirs.method, str(theirs.url))
    mine = read_parts(request.headers["content-type"], request.body or b"")
    assert sorted(mine, key=str) == sorted(
        read_parts(theirs.headers["content-type"], theirs.content), key=str
    )


def test_the_vendor_s_client_reads_what_the_simulator_says(stage: Stage) -> None:
    client = openai.OpenAI(api_key=WIRE.settings.api_key, base_url=f"{stage.url}/v1", max_retries=0)
    made = client.images.generate(model="gpt-image-2", prompt="a fox", n=2, size="1536x864")
    assert made.data is not None
    for each in made.data:
        assert base64.b64decode(each.b64_json or "").startswith(b"\x89PNG")
    edited = client.images.edit(
        model="gpt-image-2", prompt="a fox", image=("a.png", picture(), "image/png")
    )
    assert edited.data is not None and len(edited.data) == 1
    assert edited.usage is not None and edited.usage.total_tokens > 0
    for switches, error, code in (
        ("moderation=refuse", openai.BadRequestError, "moderation_blocked"),
        ("create=http_429", openai.RateLimitError, "rate_limit_exceeded"),
        ("create=no_credit", openai.RateLimitError, "insufficient_quota"),
        ("create=model_gone", openai.NotFoundError, "model_not_found"),
        ("create=unauthorized", openai.AuthenticationError, "invalid_api_key"),
    ):
        with pytest.raises(error) as caught:
            client.images.generate(model="gpt-image-2", prompt=f"a fox [sandbox {switches}]")
        assert caught.value.code == code


# ---------------------------------------------------------------- the simulator is strict

WORDS: dict[str, Any] = {"model": "gpt-image-2.5-flare", "prompt": "a fox"}
GOOD: list[dict[str, Any]] = [
    {"prompt": "a fox"},
    {**WORDS, "size": "1536x1024", "quality": "medium", "n": 1, "output_format": "webp",
     "output_compression": 85, "background": "opaque", "moderation": "auto", "user": "u_123"},
    {**WORDS, "quality": "max", "size": "3840x1280", "background": "transparent"},
    {**WORDS, "model": "gpt-image-1-mini", "size": "auto"},
]  # fmt: skip
BAD: dict[str, dict[str, Any]] = {
    "no words": {"model": "gpt-image-2"},
    "empty words": {**WORDS, "prompt": ""},
    "too many words": {**WORDS, "prompt": "x" * 32_001},
    "a response format": {**WORDS, "response_format": "b64_json"},
    "no picture": {**WORDS, "n": 0},
    "eleven pictures": {**WORDS, "n": 11},
    "a number as text": {**WORDS, "n": "1"},
    "a size that is not even": {**WORDS, "size": "1000x1000"},
    "a size that is too long": {**WORDS, "size": "3856x1296"},
    "a size that is too narrow": {**WORDS, "size": "1600x512"},
    "a size in words": {**WORDS, "size": "large"},
    "a size of later models": {**WORDS, "model": "gpt-image-1.5", "size": "1536x864"},
    "a quality of later models": {**WORDS, "model": "gpt-image-2", "quality": "max"},
    "a quality of none": {**WORDS, "quality": "hd"},
    "a stream": {**WORDS, "stream": True},
    "a JPEG to see through": {**WORDS, "output_format": "jpeg", "background": "transparent"},
    "a compressed PNG": {**WORDS, "output_compression": 50},
    "too much compression": {**WORDS, "output_format": "webp", "output_compression": 101},
}  # fmt: skip


async def test_what_is_documented_is_taken(stage: Stage) -> None:
    for body in GOOD:
        answer = await stage.post(GENERATIONS, body, HEADERS)
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("what", BAD)
async def test_what_is_not_documented_is_refused(stage: Stage, what: str) -> None:
    answer = await stage.post(GENERATIONS, BAD[what], HEADERS)
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"


PNG = ("a.png", picture(), "image/png")
BAD_FORMS: dict[str, list[tuple[str, Any]]] = {
    "no picture": [("prompt", (None, "a fox"))],
    "no words": [("image", PNG)],
    "words twice": [("image", PNG), ("prompt", (None, "a")), ("prompt", (None, "b"))],
    "words as a file": [("image", PNG), ("prompt", PNG)],
    "a picture as text": [("image", (None, "AAAA")), ("prompt", (None, "a fox"))],
    "no picture at all": [("image", ("a.png", b"AAAA", "image/png")), ("prompt", (None, "a"))],
    "a GIF": [("image", ("a.gif", picture("GIF"), "image/gif")), ("prompt", (None, "a fox"))],
    "another type than it says": [
        ("image", ("a", picture(), "image/webp")), ("prompt", (None, "a"))
    ],
    "seventeen pictures": [*[("image[]", PNG)] * 17, ("prompt", (None, "a fox"))],
    "a number in words": [("image", PNG), ("prompt", (None, "a fox")), ("n", (None, "two"))],
    "an unknown field": [("image", PNG), ("prompt", (None, "a fox")), ("style", (None, "oil"))],
    "moderation of the other call": [
        ("image", PNG), ("prompt", (None, "a fox")), ("moderation", (None, "low"))
    ],
}  # fmt: skip


@pytest.mark.parametrize("what", BAD_FORMS)
async def test_a_form_that_is_not_documented_is_refused(stage: Stage, what: str) -> None:
    async with httpx.AsyncClient(base_url=stage.url, trust_env=False, headers=HEADERS) as http:
        answer = await http.post(EDITS, files=BAD_FORMS[what])
    assert answer.status_code == 400, answer.text


async def test_without_the_key_or_a_known_model_nothing_is_made(stage: Stage) -> None:
    refused = await stage.post(GENERATIONS, WORDS, {"authorization": "Bearer sk-no"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
    gone = await stage.post(GENERATIONS, {**WORDS, "model": "gpt-image-1"}, HEADERS)
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "model_not_found")
    assert (await stage.post("/v1/videos", WORDS, HEADERS)).status_code == 404
    assert (await stage.stats())["accepted"] == 0
