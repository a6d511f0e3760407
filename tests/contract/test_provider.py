"""What every file in shared/adapters/providers owes, checked with the samples of the same name.

A new vendor's file is found by itself, and fails here until its samples stand in
tests/fixtures/providers/<name>/. docs/adding-a-provider.md says what they look like.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import errors
from shared.adapters import providers
from shared.adapters.providers.translator import Account, Provider
from shared.errors import VendorError, VendorUnknown, WebhookRefused
from shared.failures import FailureCode
from shared.ports import Hint, HttpReply, HttpRequest, Inbound, Outcome, Work

SAMPLES = Path(__file__).parent.parent / "fixtures" / "providers"
ALWAYS = (
    "account",
    "submit",
    "submit_reply",
    "working",
    "done",
    "failed",
    "errors",
    "webhook",
)


@dataclass(frozen=True)
class Vendor:
    """A translator with its samples."""

    provider: Provider
    account: Account

    def sample(self, name: str) -> Any:
        return json.loads((SAMPLES / self.provider.name / f"{name}.json").read_text())

    @cache  # noqa: B019 - there are as many as there are vendors
    def readers(self) -> Mapping[str, Callable[[HttpReply], object]]:
        """Everything that reads replies, by the name of the call."""
        task_id = self.sample("submit_reply")["task_id"]
        readers: dict[str, Callable[[HttpReply], object]] = {
            "submit": self.provider.accepted,
            "poll": lambda reply: self.provider.outcome(reply, task_id),
        }
        if lookup := self.provider.lookup:
            job_id = self.sample("lookup")["job_id"]
            readers["look_up"] = lambda reply: lookup.read(reply, job_id)
        if cancel := self.provider.cancel:
            readers["cancel"] = lambda reply: cancel.read(reply, task_id)
        return readers


@cache
def meet(name: str) -> Vendor:
    account = json.loads((SAMPLES / name / "account.json").read_text())
    account["webhook_secrets"] = tuple(account["webhook_secrets"])
    return Vendor(providers.load(name), Account(name=name, **account))


def missing_samples(name: str) -> list[str]:
    provider = providers.load(name)
    optional = {"lookup": provider.lookup, "cancel": provider.cancel}
    needed = [*ALWAYS, *(sample for sample, ability in optional.items() if ability)]
    return [sample for sample in needed if not (SAMPLES / name / f"{sample}.json").exists()]


# Without its samples a vendor fails one test, which names them, and is left out of the others.
COMPLETE = [name for name in providers.NAMES if not missing_samples(name)]


@pytest.fixture(params=COMPLETE)
def vendor(request: pytest.FixtureRequest) -> Vendor:
    return meet(request.param)


def reply_of(sample: Mapping[str, Any]) -> HttpReply:
    body = json.dumps(sample["json"]).encode()
    return HttpReply(sample["status"], sample.get("headers", {}), body)


def request_of(sample: Mapping[str, Any]) -> HttpRequest:
    return HttpRequest(**sample)


def cases(*names: str) -> list[Any]:
    """Every reply in these sample files of every vendor, each a test of its own."""
    found = []
    for provider in COMPLETE:
        for name in names:
            listed = meet(provider).sample(name)
            replies = listed["replies"] if isinstance(listed, dict) else listed
            found += [
                pytest.param(
                    provider,
                    sample,
                    id=f"{provider}-{name}-{sample.get('call', '')}-{sample['name']}",
                )
                for sample in replies
            ]
    return found


# ---------------------------------------------------------------- the file and its samples


@pytest.mark.parametrize("name", providers.NAMES)
def test_every_provider_has_its_samples(name: str) -> None:
    assert missing_samples(name) == []


@pytest.mark.parametrize("call", ["submit", "poll"])
def test_the_samples_show_how_the_vendor_says_no(vendor: Vendor, call: str) -> None:
    assert [error for error in vendor.sample("errors") if error["call"] == call]


def test_there_is_a_provider_and_no_tool_is_taken_for_one() -> None:
    assert providers.NAMES
    assert not {"driver", "translator"} & set(providers.NAMES)
    assert not [name for name in providers.NAMES if name.startswith("_")]


def test_an_unknown_provider_is_not_found() -> None:
    for name in ("nobody", "driver", "translator", "_signing", "", "../sandbox", "os"):
        with pytest.raises(errors.NotFound):
            providers.load(name)


def test_the_name_is_fit_for_an_address_and_a_variable(vendor: Vendor) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", vendor.provider.name)


def test_result_hosts_are_names_and_no_whole_zone(vendor: Vendor) -> None:
    for host in vendor.provider.hosts:
        assert re.fullmatch(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+", host)


# ---------------------------------------------------------------- what is sent


@pytest.mark.parametrize(("name", "sample"), cases("submit"))
def test_a_submit_is_built_as_documented(name: str, sample: dict[str, Any]) -> None:
    vendor, work = meet(name), Work(**sample["work"])
    if "raises" in sample:
        with pytest.raises(getattr(errors, sample["raises"])) as caught:
            vendor.provider.submit(work, vendor.account)
        assert caught.value.code == sample["code"]
    else:
        assert vendor.provider.submit(work, vendor.account) == request_of(sample["request"])


def test_a_poll_is_built_as_documented(vendor: Vendor) -> None:
    sample = vendor.sample("working")
    request = vendor.provider.poll(sample["task_id"], vendor.account)
    assert request == request_of(sample["request"])


def test_a_lookup_is_built_as_documented(vendor: Vendor) -> None:
    if lookup := vendor.provider.lookup:
        sample = vendor.sample("lookup")
        request = lookup.request(sample["job_id"], vendor.account)
        assert request == request_of(sample["request"])


def test_a_cancel_is_built_as_documented(vendor: Vendor) -> None:
    if cancel := vendor.provider.cancel:
        sample = vendor.sample("cancel")
        request = cancel.request(sample["task_id"], vendor.account)
        assert request == request_of(sample["request"])


@pytest.mark.parametrize("task_id", ["../../admin", "a/b", "a?b=c", "a#b", "a b", "ä", "%2e%2e"])
def test_a_strange_task_id_stays_in_its_place(vendor: Vendor, task_id: str) -> None:
    plain = vendor.provider.poll("plain", vendor.account)
    strange = vendor.provider.poll(task_id, vendor.account)
    assert strange.url.count("/") == plain.url.count("/")
    assert strange.url.count("?") == plain.url.count("?")
    assert "#" not in strange.url
    assert strange.url.isascii()
    assert " " not in strange.url


def test_the_key_travels_in_no_address(vendor: Vendor) -> None:
    work = Work(**vendor.sample("submit")[0]["work"])
    for request in (
        vendor.provider.submit(work, vendor.account),
        vendor.provider.poll("task", vendor.account),
    ):
        assert request.url.startswith(vendor.account.base_url.rstrip("/") + "/")
        assert vendor.account.api_key not in request.url
        assert vendor.account.api_key not in repr(vendor.account)


# ---------------------------------------------------------------- what is read


def test_an_accepted_submit_gives_the_task_id(vendor: Vendor) -> None:
    sample = vendor.sample("submit_reply")
    assert vendor.provider.accepted(reply_of(sample)) == sample["task_id"]


@pytest.mark.parametrize(("name", "sample"), cases("working", "done", "failed"))
def test_an_outcome_is_read_as_recorded(name: str, sample: dict[str, Any]) -> None:
    vendor, expected = meet(name), Outcome(**sample["outcome"])
    assert vendor.provider.outcome(reply_of(sample), expected.task_id) == expected


@pytest.mark.parametrize(
    ("name", "state"), [("working", "running"), ("done", "succeeded"), ("failed", "failed")]
)
def test_the_samples_show_every_state(vendor: Vendor, name: str, state: str) -> None:
    outcomes = [Outcome(**sample["outcome"]) for sample in vendor.sample(name)["replies"]]
    assert state in {outcome.state for outcome in outcomes}
    for outcome in outcomes:
        assert bool(outcome.result_url) is (outcome.state == "succeeded")
        assert bool(outcome.failure_code) is (outcome.state == "failed")
        assert outcome.failure_code is None or FailureCode(outcome.failure_code)


@pytest.mark.parametrize("word", ["brand_new", "SUCCEEDED?", "завершено", "x" * 5000])
def test_a_status_word_that_is_new_means_running(vendor: Vendor, word: str) -> None:
    working = vendor.sample("working")
    for sample in (*working["replies"], *vendor.sample("done")["replies"]):
        place = sample["json"]
        for step in working["status_field"][:-1]:
            place = place[step]
        place[working["status_field"][-1]] = word
        outcome = vendor.provider.outcome(reply_of(sample), working["task_id"])
        assert outcome.state == "running"


@pytest.mark.parametrize(("name", "sample"), cases("errors"))
def test_an_error_is_told_as_recorded(name: str, sample: dict[str, Any]) -> None:
    read = meet(name).readers()[sample["call"]]
    if "raises" not in sample:
        assert read(reply_of(sample)) == sample["task_id"]
        return
    with pytest.raises(VendorError) as caught:
        read(reply_of(sample))
    assert type(caught.value).__name__ == sample["raises"]
    assert caught.value.code == FailureCode(sample["code"])
    assert caught.value.retry_after_seconds == sample.get("retry_after_seconds")


def test_a_lookup_finds_our_task_and_no_other(vendor: Vendor) -> None:
    if vendor.provider.lookup:
        sample, read = vendor.sample("lookup"), vendor.readers()["look_up"]
        assert read(reply_of(sample["found"])) == sample["task_id"]
        assert read(reply_of(sample["absent"])) is None
        assert read(reply_of(sample["foreign"])) is None


def test_a_cancel_says_what_became_of_the_task(vendor: Vendor) -> None:
    if vendor.provider.cancel:
        sample, read = vendor.sample("cancel"), vendor.readers()["cancel"]
        assert read(reply_of(sample["stopped"])) == Outcome(**sample["stopped"]["outcome"])
        assert read(reply_of(sample["refused"])) is None


# ---------------------------------------------------------------- what cannot be read

JUNK: Mapping[str, bytes] = {
    "nothing": b"",
    "a page": b"<!doctype html><html><body>502 Bad Gateway</body></html>",
    "no object": b"[]",
    "null": b"null",
    "a text": b'"ok"',
    "not UTF-8": b'{"id": "\xff\xfe"}',
    "not a number": b'{"id": NaN}',
    "a number of 9,000 digits": b'{"id": ' + b"9" * 9000 + b"}",
    "half of it": b'{"id": "gen_1", "status": "succ',
    "two of them": b"{}{}",
    "a hundred thousand brackets": b"[" * 100_000,
    "deep objects": b'{"a":' * 200 + b"1" + b"}" * 200,
    "three megabytes": b'{"a": "' + b"x" * 3_000_000 + b'"}',
}


@pytest.mark.parametrize("status", [200, 201, 302, 400, 404, 429, 500, 503])
@pytest.mark.parametrize("junk", JUNK)
def test_a_reply_that_cannot_be_read_leaves_it_open(vendor: Vendor, junk: str, status: int) -> None:
    for read in vendor.readers().values():
        with pytest.raises(VendorUnknown) as caught:
            read(HttpReply(status, {"content-type": "text/html"}, JUNK[junk]))
        assert FailureCode(caught.value.code)


CANARY = "canary-4f1d"


def test_no_error_repeats_what_the_vendor_wrote(vendor: Vendor) -> None:
    for sample in vendor.sample("errors"):
        if "raises" in sample:
            reply = reply_of(sample)
            loud = reply.body.replace(b'"message": "', f'"message": "{CANARY} '.encode())
            with pytest.raises(VendorError) as caught:
                vendor.readers()[sample["call"]](replace(reply, body=loud))
            assert CANARY not in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def recorded_replies() -> Iterator[tuple[str, HttpReply]]:
    for name in COMPLETE:
        for file in (SAMPLES / name).glob("*.json"):
            stack = [json.loads(file.read_text())]
            while stack:
                value = stack.pop()
                if isinstance(value, dict) and "status" in value and "json" in value:
                    yield name, reply_of(value)
                elif isinstance(value, dict | list):
                    stack += value.values() if isinstance(value, dict) else value


RECORDED = list(recorded_replies())


@st.composite
def mutated_replies(draw: st.DrawFn) -> tuple[str, HttpReply]:
    """A recorded reply with one place changed, or with its bytes or status changed."""
    name, reply = draw(st.sampled_from(RECORDED))
    match draw(st.sampled_from(["value", "value", "value", "bytes", "status"])):
        case "value":
            data = json.loads(reply.body)
            place, key = draw(st.sampled_from(list(places(data)) or [({}, "")]))
            if draw(st.booleans()):
                place[key] = draw(json_values)
            else:
                place.pop(key, None)
            reply = replace(reply, body=json.dumps(data).encode())
        case "bytes":
            at = draw(st.integers(0, len(reply.body)))
            body = reply.body[:at] + draw(st.binary(max_size=8)) + reply.body[at + 1 :]
            reply = replace(reply, body=body)
        case _:
            reply = replace(reply, status=draw(st.integers(100, 599)))
    headers = draw(st.dictionaries(st.just("retry-after"), st.text(max_size=30)))
    return name, replace(reply, headers={**reply.headers, **headers})


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value that can be written to or emptied."""
    if isinstance(data, dict):
        for key, inner in data.items():
            yield data, key
            yield from places(inner)
    elif isinstance(data, list):
        for inner in data:
            yield from places(inner)


@given(mutated_replies())
def test_whatever_the_reply_it_ends_in_a_value_or_a_vendor_error(
    case: tuple[str, HttpReply],
) -> None:
    name, reply = case
    for read in meet(name).readers().values():
        assert is_usable(what_comes_of(read, reply))


def what_comes_of(read: Callable[[HttpReply], object], reply: HttpReply) -> object:
    try:
        return read(reply)
    except VendorError as error:
        return error


def is_usable(value: object) -> bool:
    match value:
        case VendorError():
            return value.code in set(FailureCode)
        case Outcome():
            return bool(value.result_url) is (value.state == "succeeded")
        case str():
            return bool(re.fullmatch(r"[!-~]{1,128}", value))
        case _:
            return value is None


# ---------------------------------------------------------------- webhooks


def recorded_webhook(vendor: Vendor) -> tuple[Inbound, int, dict[str, Any]]:
    sample = vendor.sample("webhook")
    return Inbound(sample["headers"], sample["body"].encode()), sample["now_ms"], sample


def test_a_genuine_webhook_names_its_task(vendor: Vendor) -> None:
    inbound, now_ms, sample = recorded_webhook(vendor)
    assert vendor.provider.webhook(inbound, vendor.account, now_ms) == Hint(sample["task_id"])


def is_signed(sample: Mapping[str, Any]) -> bool:
    """A vendor that signs nothing has only the code in our callback address to show."""
    return bool(sample["signed_headers"])


Attack = Callable[[Inbound, Account, int], tuple[Inbound, Account, int]]

ATTACKS: Mapping[str, Attack] = {
    "no headers": lambda i, a, t: (replace(i, headers={}), a, t),
    "other secret": lambda i, a, t: (i, replace(a, webhook_secrets=("another",)), t),
    "no secret of ours": lambda i, a, t: (i, replace(a, webhook_secrets=()), t),
    "changed body": lambda i, a, t: (replace(i, body=i.body.swapcase()), a, t),
    "longer body": lambda i, a, t: (replace(i, body=i.body + b" "), a, t),
    "empty body": lambda i, a, t: (replace(i, body=b""), a, t),
    "six minutes late": lambda i, a, t: (i, a, t + 360_000),
    "six minutes early": lambda i, a, t: (i, a, t - 360_000),
    "a year late": lambda i, a, t: (i, a, t + 365 * 86_400_000),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_forged_or_stale_webhook_is_refused(vendor: Vendor, attack: str) -> None:
    inbound, now_ms, sample = recorded_webhook(vendor)
    if is_signed(sample):
        inbound, account, now_ms = ATTACKS[attack](inbound, vendor.account, now_ms)
        with pytest.raises(WebhookRefused):
            vendor.provider.webhook(inbound, account, now_ms)


def test_a_webhook_without_any_one_of_its_signed_headers_is_refused(vendor: Vendor) -> None:
    inbound, now_ms, sample = recorded_webhook(vendor)
    for name in sample["signed_headers"]:
        fewer = {key: value for key, value in inbound.headers.items() if key != name}
        with pytest.raises(WebhookRefused):
            vendor.provider.webhook(replace(inbound, headers=fewer), vendor.account, now_ms)


@pytest.mark.parametrize("order", ["old first", "new first"])
def test_while_secrets_are_rotated_both_are_good(vendor: Vendor, order: str) -> None:
    inbound, now_ms, sample = recorded_webhook(vendor)
    secrets = (*vendor.account.webhook_secrets, "the next one")
    account = replace(
        vendor.account,
        webhook_secrets=secrets if order == "old first" else tuple(reversed(secrets)),
    )
    assert vendor.provider.webhook(inbound, account, now_ms) == Hint(sample["task_id"])


@given(st.data())
def test_no_changed_bit_of_a_webhook_goes_unnoticed(data: st.DataObject) -> None:
    vendor = meet(data.draw(st.sampled_from(COMPLETE)))
    inbound, now_ms, sample = recorded_webhook(vendor)
    if not is_signed(sample):
        return
    part = data.draw(st.sampled_from(["body", *sample["signed_headers"]]))
    raw = bytearray(inbound.body if part == "body" else inbound.headers[part].encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    changed = (
        replace(inbound, body=bytes(raw))
        if part == "body"
        else replace(inbound, headers={**inbound.headers, part: raw.decode("latin-1")})
    )
    with pytest.raises(WebhookRefused):
        vendor.provider.webhook(changed, vendor.account, now_ms)


@given(
    headers=st.dictionaries(st.text(max_size=20), st.text(max_size=80), max_size=4),
    body=st.binary(max_size=200),
    now_ms=st.integers(0, 2**50),
)
def test_whatever_calls_without_a_signature_is_refused(
    headers: dict[str, str], body: bytes, now_ms: int
) -> None:
    for vendor in map(meet, COMPLETE):
        sample = vendor.sample("webhook")
        named = {name: headers.get("", "") for name in sample["signed_headers"]}
        if is_signed(sample):
            with pytest.raises(WebhookRefused):
                vendor.provider.webhook(Inbound(headers | named, body), vendor.account, now_ms)
