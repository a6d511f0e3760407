"""The driver, the socket and the sandbox's file against the sandbox vendor itself, over a wire."""

import asyncio
import json
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

import pytest

from infra.sandbox.behaviour import Behaviour, read_switches
from infra.sandbox.server import serve_in_thread
from infra.sandbox.settings import Settings
from shared.adapters.http_client import KEEPALIVE_SECONDS, HttpxClient
from shared.adapters.media import PyavMedia
from shared.adapters.providers.driver import Driver
from shared.adapters.providers.translator import Account
from shared.adapters.system import SystemClock
from shared.errors import (
    VendorBusy,
    VendorGone,
    VendorRejected,
    VendorUnknown,
    VendorUnusable,
    WebhookRefused,
)
from shared.ports import Hint, Inbound, Outcome, Parcel, Ticket, Work
from tests.contract.test_media import Drawer
from tests.sandbox.calls import open_inbox

KEY, SECRET = "sandbox-key", "sandbox-webhook-secret"
WAIT_SECONDS = 20
ANSWER_SECONDS = 2.0
FETCH_MAX_BYTES = 5_000_000


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    instant = Behaviour().with_overrides(read_switches({"render": "instant"}))
    settings = Settings(
        port=0, api_key=KEY, webhook_secret=SECRET, concurrency=50, seed=7, behaviour=instant
    )
    with serve_in_thread(settings) as served:
        yield served


@pytest.fixture
async def driver(url: str) -> AsyncIterator[Driver]:
    async with opened(url) as made:
        yield made


class opened:  # noqa: N801 - reads as a verb where it stands
    """A driver for one account, whose connections are closed at the end."""

    def __init__(self, url: str, *, key: str = KEY) -> None:
        self._http = HttpxClient(
            plain_hosts={"127.0.0.1"}, allowed_private={url.removeprefix("http://")}
        )
        accounts = {"sandbox": Account("sandbox", "sandbox", url, key, (SECRET,))}
        self._driver = Driver(self._http, accounts, SystemClock(), total_seconds=ANSWER_SECONDS)

    async def __aenter__(self) -> Driver:
        return self._driver

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()


WORK = Work(
    ticket=Ticket("sandbox", "sandbox", "", "video", "sandbox-video-1"),
    prompt="A red fox",
    negative_prompt="rain",
    duration_seconds=2,
    resolution="480p",
    aspect_ratio="16:9",
    audio=False,
    count=1,
    images={},
    callback_url="",
)


def work(request: pytest.FixtureRequest, switches: str = "", **changes: object) -> Work:
    """Work of a name of its own; the switches stand in the prompt."""
    ticket = replace(WORK.ticket, job_id=f"job-{zlib.crc32(request.node.name.encode())}")
    prompt = f"A red fox [sandbox {switches or 'latency=0'}]"
    return replace(WORK, ticket=ticket, prompt=prompt, **changes)  # type: ignore[arg-type]


async def submitted(driver: Driver, asked: Work) -> Ticket:
    """The ticket of work that was accepted."""
    accepted = await driver.submit(asked, ANSWER_SECONDS)
    assert accepted.parcels == ()
    return replace(asked.ticket, task_id=accepted.task_id)


async def ended(driver: Driver, ticket: Ticket) -> Outcome:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        outcome = await driver.poll(ticket)
        if outcome.state != "running":
            return outcome
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def fetched(driver: Driver, outcome: Outcome) -> bytes:
    [parcel] = outcome.parcels
    chunks = driver.fetch(WORK.ticket, parcel, FETCH_MAX_BYTES)
    return b"".join([chunk async for chunk in chunks])


@pytest.mark.parametrize("kind", ["video", "image"])
async def test_what_is_asked_for_is_made_fetched_and_decodes(
    driver: Driver, request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    asked = work(request, "render=real")
    if kind == "image":
        ticket = replace(asked.ticket, kind="image", vendor_model="sandbox-image-1")
        asked = replace(asked, ticket=ticket, duration_seconds=None, negative_prompt=None)
    ticket = await submitted(driver, asked)
    assert await driver.look_up(asked.ticket) == ticket.task_id
    outcome = await ended(driver, ticket)
    assert (outcome.state, outcome.job_id) == ("succeeded", asked.ticket.job_id)
    drawer = Drawer(tmp_path)
    info = await PyavMedia(drawer).inspect(
        drawer.lay("result", await fetched(driver, outcome)), kind
    )
    assert info.height == 480
    assert (info.duration_seconds == pytest.approx(2, abs=0.2)) is (kind == "video")


async def test_the_same_job_twice_is_one_task(
    driver: Driver, request: pytest.FixtureRequest
) -> None:
    asked = work(request)
    first = await submitted(driver, asked)
    assert await submitted(driver, asked) == first


async def test_a_job_that_was_never_sent_is_not_found(driver: Driver) -> None:
    never = replace(WORK.ticket, job_id="job-never", task_id="gen_never")
    assert await driver.look_up(never) is None
    with pytest.raises(VendorGone):
        await driver.poll(never)


async def test_a_running_task_is_stopped_and_an_ended_one_says_how(
    driver: Driver, request: pytest.FixtureRequest
) -> None:
    assert driver.abilities("sandbox").can_cancel
    ticket = await submitted(driver, work(request, "hang"))
    assert (await driver.poll(ticket)).state == "running"
    assert (await driver.cancel(ticket)).state == "cancelled"
    assert (await driver.cancel(ticket)).state == "cancelled"


REFUSALS = {
    "moderation=refuse": (VendorRejected, "moderation_blocked"),
    "create=http_429": (VendorBusy, "provider_busy"),
    "create=http_500": (VendorUnknown, "provider_failed"),
    "create=html_502": (VendorUnknown, "provider_failed"),
    "create=garbage_json": (VendorUnknown, "provider_failed"),
    "create=drop_after_accept": (VendorUnknown, "timed_out"),
    "create=drop_before_accept": (VendorUnknown, "timed_out"),
    "create=hang:30": (VendorUnknown, "timed_out"),
}


@pytest.mark.parametrize("switches", REFUSALS)
async def test_a_submit_that_goes_wrong_says_how_wrong(
    driver: Driver, request: pytest.FixtureRequest, switches: str
) -> None:
    kind, code = REFUSALS[switches]
    with pytest.raises(kind) as caught:
        await submitted(driver, work(request, switches))
    assert caught.value.code == code
    assert "fox" not in str(caught.value)


@pytest.mark.parametrize(
    "switches", ["create=html_502", "create=garbage_json", "create=drop_after_accept"]
)
async def test_a_task_whose_answer_was_lost_is_found_by_our_id(
    driver: Driver, request: pytest.FixtureRequest, switches: str
) -> None:
    asked = work(request, switches)
    with pytest.raises(VendorUnknown):
        await submitted(driver, asked)
    task_id = await driver.look_up(asked.ticket)
    assert task_id
    outcome = await ended(driver, replace(asked.ticket, task_id=task_id))
    assert outcome.job_id == asked.ticket.job_id


async def test_a_retired_model_is_gone(driver: Driver, request: pytest.FixtureRequest) -> None:
    asked = work(request)
    retired = replace(asked.ticket, vendor_model="sandbox-video-0")
    with pytest.raises(VendorRejected) as caught:
        await submitted(driver, replace(asked, ticket=retired))
    assert caught.value.code == "model_gone"


async def test_a_bad_setting_is_rejected(driver: Driver, request: pytest.FixtureRequest) -> None:
    with pytest.raises(VendorRejected) as caught:
        await submitted(driver, work(request, resolution="8k"))
    assert caught.value.code == "provider_rejected"


async def test_a_wrong_key_is_the_operators_to_mend(
    url: str, request: pytest.FixtureRequest
) -> None:
    async with opened(url, key="wrong") as stranger:
        with pytest.raises(VendorRejected) as caught:
            await submitted(stranger, work(request))
        assert caught.value.code == "provider_misconfigured"
        with pytest.raises(VendorUnknown):
            await stranger.poll(replace(WORK.ticket, task_id="gen_1"))


async def test_a_vendor_that_is_not_there_was_not_reached(request: pytest.FixtureRequest) -> None:
    async with opened("http://127.0.0.1:9") as nobody:
        with pytest.raises(VendorBusy):
            await submitted(nobody, work(request))


@pytest.mark.parametrize(
    ("switches", "code"),
    [
        ("fail=render", "provider_failed"),
        ("fail=capacity", "provider_busy"),
        ("fail=internal", "provider_failed"),
        ("moderation=late", "moderation_blocked"),
    ],
)
async def test_a_failure_has_a_word_of_ours(
    driver: Driver, request: pytest.FixtureRequest, switches: str, code: str
) -> None:
    ticket = await submitted(driver, work(request, f"latency=0 {switches}"))
    outcome = await ended(driver, ticket)
    assert (outcome.state, outcome.failure_code) == ("failed", code)


@pytest.mark.parametrize("switches", ["status=http_500", "status=html"])
async def test_a_status_that_cannot_be_read_leaves_the_task_running(
    driver: Driver, request: pytest.FixtureRequest, switches: str
) -> None:
    ticket = await submitted(driver, work(request, switches))
    with pytest.raises(VendorUnknown):
        await driver.poll(ticket)


@pytest.mark.parametrize(
    "switches", ["result=truncated", "result=expired", "result=redirect_private"]
)
async def test_a_result_that_cannot_be_had_is_unavailable(
    driver: Driver, request: pytest.FixtureRequest, switches: str
) -> None:
    ticket = await submitted(driver, work(request, f"latency=0 {switches}"))
    outcome = await ended(driver, ticket)
    with pytest.raises(VendorUnknown) as caught:
        await fetched(driver, outcome)
    assert caught.value.code == "result_unavailable"
    assert "token" not in str(caught.value)


async def test_a_result_over_its_size_is_none(
    driver: Driver, request: pytest.FixtureRequest
) -> None:
    ticket = await submitted(driver, work(request, "latency=0 result=huge:6"))
    outcome = await ended(driver, ticket)
    with pytest.raises(VendorUnusable):
        await fetched(driver, outcome)


async def test_a_result_elsewhere_is_not_fetched(driver: Driver) -> None:
    for elsewhere in ("http://localhost:9/x", "https://evil.test/x", "http://169.254.169.254/"):
        with pytest.raises(VendorUnknown):
            await anext(driver.fetch(WORK.ticket, Parcel(elsewhere), FETCH_MAX_BYTES))


async def test_a_webhook_of_the_vendor_is_believed_and_a_forged_one_is_not(
    driver: Driver, request: pytest.FixtureRequest
) -> None:
    with open_inbox() as inbox:
        asked = work(request, callback_url=inbox.url)
        ticket = await submitted(driver, asked)
        event = (await asyncio.to_thread(inbox.wait_for, 1))[0]
        forged = work(request, "latency=0 webhook=forged", callback_url=inbox.url)
        await submitted(driver, replace(forged, ticket=replace(forged.ticket, job_id="job-forged")))
        lie = (await asyncio.to_thread(inbox.wait_for, 2))[1]
    now_ms = int(time.time() * 1000)
    headers = {"Sandbox-Timestamp": event.timestamp, "Sandbox-Signature": event.signature}
    genuine = Inbound(headers, event.raw_body)
    assert await driver.hint("sandbox", genuine, now_ms) == Hint(ticket.task_id)
    assert json.loads(event.raw_body)["client_id"] == asked.ticket.job_id
    headers = {"Sandbox-Timestamp": lie.timestamp, "Sandbox-Signature": lie.signature}
    with pytest.raises(WebhookRefused):
        await driver.hint("sandbox", Inbound(headers, lie.raw_body), now_ms)


def test_the_vendor_keeps_an_idle_connection_for_longer_than_we_do(url: str) -> None:
    connection = HTTPConnection(url.removeprefix("http://"))
    for idle_seconds in (KEEPALIVE_SECONDS + 1, 0):
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (200, True)
        time.sleep(idle_seconds)
    connection.close()
