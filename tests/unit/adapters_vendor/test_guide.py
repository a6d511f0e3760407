"""docs/adding-a-provider.md shows a whole vendor; here it is held to what it says."""

import hashlib
import hmac
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from shared.adapters.providers.driver import Driver
from shared.adapters.providers.translator import Account, Provider
from shared.errors import VendorBusy, VendorError, VendorGone, VendorRejected, WebhookRefused
from shared.ports import Hint, HttpReply, Inbound, Outcome
from tests.contract.test_provider import JUNK, SAMPLES
from tests.unit.adapters_vendor.test_driver import WORK, Socket

GUIDE = Path(__file__).parents[3] / "docs" / "adding-a-provider.md"
ACCOUNT = Account("lumen", "https://api.lumen.example", "key", ("secret",))


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


def test_the_vendor_of_the_guide_speaks_as_it_says(lumen: Provider) -> None:
    request = lumen.submit(WORK, ACCOUNT)
    assert request.url == "https://api.lumen.example/v2/tasks"
    assert request.json
    assert request.json["text"] == WORK.prompt
    assert lumen.accepted(reply(200, {"task": "t1"})) == "t1"
    assert lumen.poll("t1", ACCOUNT).url.endswith("/v2/tasks/t1")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "bad_input", VendorRejected),
        (200, "no_credit", VendorRejected),
        (429, "slow_down", VendorBusy),
        (500, "bad_input", VendorError),
    ],
)
def test_the_vendor_of_the_guide_says_no_as_it_says(
    lumen: Provider, status: int, code: str, kind: type[VendorError]
) -> None:
    with pytest.raises(kind):
        lumen.accepted(reply(status, {"code": code}))


def test_the_vendor_of_the_guide_reads_outcomes(lumen: Provider) -> None:
    url = "https://eu.lumencdn.example/t1.mp4"
    done = reply(200, {"task": "t1", "state": "complete", "film": {"url": url}})
    assert lumen.outcome(done, "t1") == Outcome("t1", "succeeded", result_url=url)
    assert lumen.outcome(reply(200, {"task": "t1", "state": "new word"}), "t1").state == "running"
    with pytest.raises(VendorGone):
        lumen.outcome(reply(404, {"code": "no_such_task"}), "t1")


@pytest.mark.parametrize("junk", JUNK)
def test_the_vendor_of_the_guide_reads_everything(lumen: Provider, junk: str) -> None:
    for status in (200, 400, 404, 429, 500):
        with pytest.raises(VendorError):
            lumen.accepted(HttpReply(status, {}, JUNK[junk]))
        with pytest.raises(VendorError):
            lumen.outcome(HttpReply(status, {}, JUNK[junk]), "t1")


def test_the_vendor_of_the_guide_checks_signatures(lumen: Provider) -> None:
    body, stamp, now_ms = b'{"task": "t1"}', "1795251600", 1_795_251_600_000
    good = hmac.new(b"secret", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    driver = Driver(Socket(), {"lumen": ACCOUNT}, load=lambda _name: lumen)
    inbound = Inbound({"lumen-time": stamp, "lumen-signature": good}, body)
    assert driver.hint("lumen", inbound, now_ms) == Hint("t1")
    with pytest.raises(WebhookRefused):
        driver.hint("lumen", Inbound({"lumen-time": stamp}, body), now_ms)


def test_the_guide_names_every_sample() -> None:
    text = GUIDE.read_text()
    for file in (SAMPLES / "sandbox").glob("*.json"):
        assert f"`{file.name}`" in text
