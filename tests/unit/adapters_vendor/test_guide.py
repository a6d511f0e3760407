"""docs/adding-a-provider.md shows a whole vendor; here it is held to what it says."""

import hashlib
import hmac
import json
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from shared.adapters.providers.driver import Driver
from shared.adapters.providers.translator import Account, Provider
from shared.errors import (
    VendorBusy,
    VendorError,
    VendorGone,
    VendorRejected,
    VendorUnknown,
    WebhookRefused,
)
from shared.ports import Accepted, Hint, HttpReply, Inbound, Outcome, Parcel, Ticket
from tests.contract import provider_samples as samples
from tests.contract.test_provider import JUNK
from tests.unit.adapters_vendor.test_driver import WORK, HandClock, Socket

GUIDE = Path(__file__).parents[3] / "docs" / "adding-a-provider.md"
ACCOUNT = Account("lumen", "lumen", "https://api.lumen.example", "key", ("secret",))
TICKET = Ticket("lumen", "lumen", "job-1", "video", "lumen-3", task_id="t1")


@pytest.fixture(scope="module")
def lumen() -> Provider:
    found = re.search(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found
    module = ModuleType("lumen")
    exec(compile(found[1], str(GUIDE), "exec"), module.__dict__)
    provider: Provider = module.PROVIDER
    return provider


def reply(status: int, body: object, **headers: str) -> HttpReply:
    return HttpReply(status, headers, json.dumps(body).encode())


def told(lumen: Provider, reply: HttpReply) -> object:
    assert lumen.poll
    return lumen.poll.read(reply, TICKET, ACCOUNT)


def test_the_vendor_of_the_guide_speaks_as_it_says(lumen: Provider) -> None:
    request = lumen.submit(replace(WORK, ticket=TICKET), ACCOUNT)
    assert request.url == "https://api.lumen.example/v2/tasks"
    assert request.json
    assert request.json["text"] == WORK.prompt
    assert request.json["model"] == "lumen-3"
    assert lumen.accepted(reply(200, {"task": "t1"}), WORK) == Accepted("t1")
    assert lumen.poll
    asked = lumen.authorize(lumen.poll.request(TICKET, ACCOUNT), ACCOUNT, 0)
    assert asked.url.endswith("/v2/tasks/t1")
    assert asked.headers == {"authorization": "Bearer key"}


@pytest.mark.parametrize(
    "wish", [{"negative_prompt": "rain"}, {"resolution": "8k"}, {"audio": True}, {"count": 2}]
)
def test_the_vendor_of_the_guide_refuses_what_it_cannot_do(
    lumen: Provider, wish: dict[str, Any]
) -> None:
    with pytest.raises(VendorRejected):
        lumen.submit(replace(WORK, **wish), ACCOUNT)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "bad_input", VendorRejected),
        (200, "no_credit", VendorRejected),
        (429, "no_credit", VendorRejected),
        (429, "slow_down", VendorBusy),
        (500, "bad_input", VendorUnknown),
    ],
)
def test_the_vendor_of_the_guide_says_no_as_it_says(
    lumen: Provider, status: int, code: str, kind: type[VendorError]
) -> None:
    with pytest.raises(kind):
        lumen.accepted(reply(status, {"code": code}), WORK)


def test_the_vendor_of_the_guide_reads_outcomes(lumen: Provider) -> None:
    url = "https://eu.lumencdn.example/t1.mp4"
    done = reply(200, {"task": "t1", "state": "complete", "film": {"url": url}})
    assert told(lumen, done) == Outcome("t1", "succeeded", parcels=(Parcel(url),))
    new = reply(200, {"task": "t1", "state": "new word"})
    assert told(lumen, new) == Outcome("t1", "running")
    broken = reply(200, {"task": "t1", "state": "error"})
    assert told(lumen, broken) == Outcome("t1", "failed", failure_code="provider_failed")
    with pytest.raises(VendorGone):
        told(lumen, reply(404, {"code": "no_such_task"}))


@pytest.mark.parametrize("junk", JUNK)
def test_the_vendor_of_the_guide_reads_everything(lumen: Provider, junk: str) -> None:
    for status in (200, 400, 404, 429, 500):
        with pytest.raises(VendorUnknown):
            lumen.accepted(HttpReply(status, {}, JUNK[junk]), WORK)
        with pytest.raises(VendorUnknown):
            told(lumen, HttpReply(status, {}, JUNK[junk]))


async def test_the_vendor_of_the_guide_checks_signatures(lumen: Provider) -> None:
    body, stamp, now_ms = b'{"task": "t1"}', "1795251600", 1_795_251_600_000
    good = hmac.new(b"secret", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    driver = Driver(Socket(), {"lumen": ACCOUNT}, HandClock(), load=lambda _name: lumen)
    inbound = Inbound({"lumen-time": stamp, "lumen-signature": good}, body)
    assert await driver.hint("lumen", inbound, now_ms) == Hint("t1")
    with pytest.raises(WebhookRefused):
        await driver.hint("lumen", Inbound({"lumen-time": stamp}, body), now_ms)


def test_the_guide_names_every_sample_and_every_field_of_one() -> None:
    text = GUIDE.read_text()
    for file, fields in samples.FIELDS.items():
        assert f"`{file}.json`" in text
        for field in " ".join(fields).split():
            assert f"`{field}`" in text


def test_the_samples_in_the_guide_are_samples() -> None:
    done, at_once = (json.loads(text) for text in json_in(GUIDE.read_text()))
    for file, [case] in (("done", done), ("submit_reply", at_once)):
        assert samples.problems_in(file, [case]) == []
    [film], [picture] = done, at_once
    outcome = samples.outcome_of(film["outcome"])
    assert outcome.task_id == samples.ticket_of("lumen", film["ticket"]).task_id
    assert outcome.parcels[0].url in film["then"][0]["reply"]["json"].values()
    assert samples.request_of(film["then"][0]["request"]).method == "GET"
    assert samples.accepted_of(picture["accepted"]).parcels[0].content.startswith(b"\x89PNG")


def json_in(text: str) -> list[str]:
    return re.findall(r"```json\n(.*?)```", text, re.DOTALL)
