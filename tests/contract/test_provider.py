"""What every file in shared/adapters/providers owes, checked with the samples of the same name.

A new vendor's file is found by itself, and fails here until its samples stand in
tests/fixtures/providers/<name>/. docs/adding-a-provider.md says what they look like.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import assume, given, strategies as st

from shared import errors
from shared.adapters import providers
from shared.adapters.addresses import target_of
from shared.adapters.providers.driver import QUESTIONS_MAX
from shared.adapters.providers.translator import Account, Ask, Keys
from shared.errors import (
    VendorBusy,
    VendorError,
    VendorGone,
    VendorRejected,
    VendorUnknown,
    WebhookRefused,
)
from shared.failures import FailureCode
from shared.models import IMAGE_ROLES
from shared.ports import (
    Accepted,
    Hint,
    HttpReply,
    HttpRequest,
    Inbound,
    Outcome,
    Parcel,
    Picture,
    Work,
)
from tests.contract.provider_samples import (
    Case,
    Vendor,
    accepted_of,
    bytes_of,
    meet,
    outcome_of,
    parcels_of,
    problems_of,
    reply_of,
    request_of,
    work_of,
)

# Without its samples a vendor fails one test, which names them, and is left out of the others.
COMPLETE = [name for name in providers.NAMES if not problems_of(name)]

POLLED = [name for name in COMPLETE if meet(name).provider.poll]
CALLING = [name for name in COMPLETE if meet(name).provider.webhook]


@pytest.fixture(params=COMPLETE)
def vendor(request: pytest.FixtureRequest) -> Vendor:
    return meet(request.param)


def cases(*files: str) -> list[Any]:
    """Every entry in these sample files of every vendor, each a test of its own."""
    return [
        pytest.param(name, case, id=f"{name}-{file}-{case.get('call', '')}-{case.get('name')}")
        for name in COMPLETE
        for file in files
        for case in meet(name).cases(file)
    ]


# ---------------------------------------------------------------- the file and its samples


@pytest.mark.parametrize("name", providers.NAMES)
def test_every_provider_has_its_samples(name: str) -> None:
    problems = problems_of(name)
    assert not problems, "\n".join(problems)


def test_the_samples_show_how_the_vendor_says_no(vendor: Vendor) -> None:
    calls = {error["call"] for error in vendor.cases("errors")}
    assert {"submit", *(["poll"] if vendor.provider.poll else [])} <= calls


def test_every_sample_that_was_accepted_is_over_or_can_be_asked_about(vendor: Vendor) -> None:
    replies = [accepted_of(case["accepted"]) for case in vendor.cases("submit_reply")]
    assert replies
    for accepted in replies:
        assert accepted.parcels or (vendor.provider.poll and accepted.task_id)


def test_pictures_have_bytes_where_the_vendor_wants_them(vendor: Vendor) -> None:
    for work in vendor.works():
        for picture in work.images.values():
            assert bool(picture.content) is vendor.provider.takes_bytes


def test_there_is_a_provider_and_no_tool_is_taken_for_one() -> None:
    assert providers.NAMES
    assert not {"driver", "key_sets", "translator"} & set(providers.NAMES)
    assert not [name for name in providers.NAMES if name.startswith("_")]


def test_an_unknown_provider_is_not_found() -> None:
    for name in ("nobody", "driver", "translator", "_signing", "", "../sandbox", "os"):
        with pytest.raises(errors.NotFound):
            providers.load(name)


def test_the_name_is_fit_for_an_address_and_a_variable(vendor: Vendor) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*", vendor.name)


def test_its_own_address_is_one_that_can_be_called(vendor: Vendor) -> None:
    own = Account(vendor.name, vendor.name, vendor.provider.base_url)
    assert own.base_url.startswith("https://") or own.host == "127.0.0.1"
    assert not own.base_url.endswith("/")


def test_result_hosts_are_names_and_no_whole_zone(vendor: Vendor) -> None:
    for host in vendor.provider.hosts:
        assert re.fullmatch(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+", host)


def test_every_recorded_result_lies_where_it_may_be_fetched(vendor: Vendor) -> None:
    for url in recorded_results(vendor):
        target_of(url, hosts=(vendor.account.host, *vendor.provider.hosts))


def test_a_result_that_needs_our_key_is_shown(vendor: Vendor) -> None:
    own = [url for url in recorded_results(vendor) if url.startswith(vendor.account.url("/"))]
    assert own or not vendor.provider.keyed_results


def recorded_results(vendor: Vendor) -> list[str]:
    told = [case["outcome"] for case in vendor.cases("done")]
    told += [case["accepted"] for case in vendor.cases("submit_reply")]
    return [parcel.url for sample in told for parcel in parcels_of(sample) if parcel.url]


# ---------------------------------------------------------------- what is sent


@pytest.mark.parametrize(("name", "case"), cases("submit"))
def test_a_submit_is_built_as_documented(name: str, case: Case) -> None:
    vendor, work = meet(name), work_of(name, case["work"])
    if "raises" in case:
        with pytest.raises(VendorRejected) as caught:
            vendor.provider.submit(work, vendor.account)
        assert (type(caught.value).__name__, caught.value.code) == (case["raises"], case["code"])
    else:
        assert vendor.provider.submit(work, vendor.account) == request_of(case["request"])


@pytest.mark.parametrize(("name", "case"), cases("working", "done", "failed"))
def test_a_poll_is_built_as_documented(name: str, case: Case) -> None:
    vendor = meet(name)
    assert vendor.provider.poll
    request = vendor.provider.poll.request(vendor.ticket(case), vendor.account)
    if "request" in case or case in vendor.cases("working"):
        assert request == request_of(case["request"])


@pytest.mark.parametrize(("name", "case"), cases("lookup"))
def test_a_lookup_is_built_as_documented(name: str, case: Case) -> None:
    vendor = meet(name)
    assert vendor.provider.lookup
    request = vendor.provider.lookup.request(vendor.ticket(case), vendor.account)
    assert request == request_of(case["request"])


@pytest.mark.parametrize(("name", "case"), cases("cancel"))
def test_a_cancel_is_built_as_documented(name: str, case: Case) -> None:
    vendor = meet(name)
    assert vendor.provider.cancel
    request = vendor.provider.cancel.request(vendor.ticket(case), vendor.account)
    assert request == request_of(case["request"])


@pytest.mark.parametrize(("name", "case"), cases("authorize"))
def test_a_request_is_authorized_as_documented(name: str, case: Case) -> None:
    vendor, request = meet(name), request_of(case["request"])
    signed = vendor.provider.authorize(request, vendor.account, case["now_ms"])
    assert signed == request_of(case["signed"])


STRANGE_TASK_IDS = ["../../admin", "a/b", "a?b=c", "a&b=c", "a#b", "a b", "ä", "%2e%2e"]


@pytest.mark.parametrize("task_id", STRANGE_TASK_IDS)
def test_a_strange_task_id_stays_in_its_place(vendor: Vendor, task_id: str) -> None:
    poll, cancel = vendor.provider.poll, vendor.provider.cancel
    for ability, files in ((poll, ("working", "done")), (cancel, ("cancel",))):
        for ticket in map(vendor.ticket, vendor.cases(*files)):
            assert ability
            plain = ability.request(replace(ticket, task_id="plain"), vendor.account).url
            strange = ability.request(replace(ticket, task_id=task_id), vendor.account).url
            assert is_plain(strange)
            assert marks_in(strange) == marks_in(plain)


@pytest.mark.parametrize("name_in_it", STRANGE_TASK_IDS)
def test_what_a_reply_names_stays_in_its_place_in_the_next_question(
    vendor: Vendor, name_in_it: str
) -> None:
    for case in vendor.cases("working", "done", "failed"):
        for step, (read, reply) in zip(case.get("then", []), vendor.exchanges(case), strict=False):
            recorded = step["request"]["url"]
            for strange in rewritten(reply, lambda _text: name_in_it):
                match what_comes_of(read, strange):
                    case Ask(request=HttpRequest(url=url)):
                        assert is_plain(url)
                        assert marks_in(url) == marks_in(recorded)


def marks_in(url: str) -> list[str]:
    """What holds the parts of an address apart."""
    return [letter for letter in url if letter in "/?&=#"]


def is_plain(url: str) -> bool:
    return bool(re.fullmatch(r"https?://[!-~]+", url)) and "#" not in url


def test_every_request_goes_to_the_accounts_address(vendor: Vendor) -> None:
    elsewhere = replace(vendor.account, base_url="https://elsewhere.example/of/ours")
    for request in vendor.requests(elsewhere):
        assert request.url.startswith("https://elsewhere.example/of/ours/")
    for request in vendor.later_requests():
        assert request.url.startswith(vendor.account.url("/"))


def test_no_request_has_the_key_before_it_is_authorized(vendor: Vendor) -> None:
    parts = re.findall(r"[A-Za-z0-9_-]{8,}", vendor.account.api_key)
    assert parts, "the sample's key has at least 8 letters"
    for request in every_request(vendor):
        assert not [part for part in parts if part in said_in(request)]
    assert not [part for part in parts if part in repr(vendor.account)]


def test_authorizing_adds_the_key_and_leaves_the_rest(vendor: Vendor) -> None:
    authorize, now_ms = vendor.provider.authorize, vendor.cases("authorize")[0]["now_ms"]
    another = replace(vendor.account, api_key=vendor.account.api_key.swapcase())
    for request in every_request(vendor):
        signed = authorize(request, vendor.account, now_ms)
        assert signed == replace(request, headers=signed.headers, json=signed.json)
        assert signed.headers.items() >= request.headers.items()
        assert (signed.json or {}).items() >= (request.json or {}).items()
        assert authorize(request, another, now_ms) != signed


def every_request(vendor: Vendor) -> list[HttpRequest]:
    return vendor.requests(vendor.account) + vendor.later_requests()


CANARY, CANARY_NUMBER = "canary4f1d", "86753"


def test_nothing_that_was_asked_for_is_dropped_in_silence(vendor: Vendor) -> None:
    for work in vendor.works():
        for wish in more_wishes(vendor, work):
            request = what_is_sent(vendor, wish)
            assert request is None or has_canary(request)
        several = what_is_sent(vendor, replace(work, count=work.count + 1))
        assert several != vendor.provider.submit(work, vendor.account)


def more_wishes(vendor: Vendor, work: Work) -> Iterator[Work]:
    """The same work with one more wish."""
    yield replace(work, prompt=CANARY)
    yield replace(work, negative_prompt=CANARY)
    if work.duration_seconds is None:
        yield replace(work, duration_seconds=int(CANARY_NUMBER))
    if work.resolution is None:
        yield replace(work, resolution=CANARY)
    if work.aspect_ratio is None and not work.images:  # a picture may have been cut to it
        yield replace(work, aspect_ratio=CANARY)
    content = CANARY.encode() if vendor.provider.takes_bytes else b""
    picture = Picture(f"https://files.example/{CANARY}.png", "image/png", content)
    for role in set(IMAGE_ROLES) - set(work.images):
        images = {**work.images, role: picture}
        yield replace(work, images=images, ticket=replace(work.ticket, roles=frozenset(images)))


def test_a_setting_that_the_vendor_does_not_know_is_sent_or_refused(vendor: Vendor) -> None:
    for work in vendor.works():
        for strange in (
            replace(work, duration_seconds=int(CANARY_NUMBER)),
            replace(work, resolution=CANARY),
            replace(work, aspect_ratio=CANARY),
            replace(work, audio=not work.audio),
            replace(work, ticket=replace(work.ticket, vendor_model=CANARY)),
        ):
            request = what_is_sent(vendor, strange)
            assert request is None or request.url.startswith(vendor.account.url("/"))


def what_is_sent(vendor: Vendor, work: Work) -> HttpRequest | None:
    try:
        return vendor.provider.submit(work, vendor.account)
    except VendorRejected:
        return None


def has_canary(request: HttpRequest) -> bool:
    in_base64 = base64.b64encode(CANARY.encode()).decode()
    return any(canary in said_in(request) for canary in (CANARY, CANARY_NUMBER, in_base64))


def said_in(request: HttpRequest) -> str:
    """Everything that the vendor can read."""
    body = (request.body or b"").decode("latin-1")
    return f"{request.url} {request.headers} {json.dumps(request.json)} {body}"


# ---------------------------------------------------------------- what is read


@pytest.mark.parametrize(("name", "case"), cases("submit_reply"))
def test_an_accepted_submit_is_read_as_recorded(name: str, case: Case) -> None:
    vendor, reply = meet(name), reply_of(case["reply"])
    accepted = vendor.provider.accepted(reply, vendor.work(case["work"]))
    assert accepted == accepted_of(case["accepted"])
    assert is_usable(accepted)
    assert len(reply.body) <= vendor.provider.reply_bytes_max


@pytest.mark.parametrize(("name", "case"), cases("working", "done", "failed"))
def test_an_outcome_is_read_as_recorded(name: str, case: Case) -> None:
    vendor, expected = meet(name), outcome_of(case["outcome"])
    read, reply = vendor.exchanges(case)[-1]
    assert read(reply_of(reply)) == expected
    assert expected.task_id == vendor.ticket(case).task_id
    assert is_usable(expected)
    assert 1 + len(case.get("then", [])) <= QUESTIONS_MAX


@pytest.mark.parametrize("name", POLLED)
@pytest.mark.parametrize(
    ("file", "state"), [("working", "running"), ("done", "succeeded"), ("failed", "failed")]
)
def test_the_samples_show_every_state(name: str, file: str, state: str) -> None:
    shown = {case["outcome"]["state"] for case in meet(name).cases(file)}
    assert state in shown
    assert shown <= {state, *(["cancelled"] if file == "failed" else [])}


WITH_A_STATUS_WORD = [
    param
    for param in cases("working", "done")
    if param.values[1].get("status_field", "not said") is not None
]


@pytest.mark.parametrize(("name", "case"), WITH_A_STATUS_WORD)
@pytest.mark.parametrize("word", ["brand_new", "SUCCEEDED?", "завершено", "x" * 5000])
def test_a_status_word_that_is_new_means_running(name: str, case: Case, word: str) -> None:
    vendor, path = meet(name), case["status_field"]
    assert vendor.provider.poll
    told = json.loads(json.dumps(case["reply"]))
    place = told["json"]
    for step in path[:-1]:
        place = place[step]
    assert path[-1] in place
    place[path[-1]] = word
    outcome = vendor.provider.poll.read(reply_of(told), vendor.ticket(case), vendor.account)
    assert isinstance(outcome, Outcome)
    assert (outcome.state, outcome.task_id) == ("running", vendor.ticket(case).task_id)


@pytest.mark.parametrize(("name", "case"), cases("errors"))
def test_an_error_is_told_as_recorded(name: str, case: Case) -> None:
    read, reply = meet(name).exchanges(case)[-1]
    if "accepted" in case:
        assert read(reply_of(reply)) == accepted_of(case["accepted"])
        return
    with pytest.raises(VendorError) as caught:
        read(reply_of(reply))
    assert type(caught.value).__name__ == case["raises"]
    assert isinstance(caught.value, MAY_RAISE[case["call"]])
    assert caught.value.code == FailureCode(case["code"])
    assert caught.value.retry_after_seconds == case.get("retry_after_seconds")


MAY_RAISE: Mapping[str, tuple[type[VendorError], ...]] = {
    "submit": (VendorRejected, VendorBusy, VendorUnknown),
    "poll": (VendorGone, VendorBusy, VendorUnknown),
    "look_up": (VendorBusy, VendorUnknown),
    "cancel": (VendorGone, VendorBusy, VendorUnknown),
}


@pytest.mark.parametrize(("name", "case"), cases("lookup"))
def test_a_lookup_finds_our_task_and_no_other(name: str, case: Case) -> None:
    [(read, found)] = meet(name).exchanges({**case, "call": "look_up", "reply": case["found"]})
    assert read(reply_of(found)) == case["task_id"]
    assert read(reply_of(case["absent"])) is None
    foreign = what_comes_of(read, reply_of(case["foreign"]))
    assert foreign is None or isinstance(foreign, VendorUnknown)


@pytest.mark.parametrize(("name", "case"), cases("cancel"))
def test_a_cancel_says_what_became_of_the_task(name: str, case: Case) -> None:
    [(read, reply)] = meet(name).exchanges({**case, "call": "cancel"})
    expected = outcome_of(case["outcome"]) if case["outcome"] else None
    assert read(reply_of(reply)) == expected


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
}
STATUSES = [200, 201, 302, 400, 404, 429, 500, 503]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("junk", JUNK)
def test_a_reply_that_cannot_be_read_leaves_it_open(vendor: Vendor, junk: str, status: int) -> None:
    for _call, read in vendor.readers():
        with pytest.raises(VendorUnknown) as caught:
            read(HttpReply(status, {"content-type": "text/html"}, JUNK[junk]))
        assert FailureCode(caught.value.code)


@pytest.mark.parametrize("status", STATUSES)
def test_a_reply_that_is_too_large_leaves_it_open(vendor: Vendor, status: int) -> None:
    huge = b'{"a": "' + b"x" * vendor.provider.reply_bytes_max + b'"}'
    for _call, read in vendor.readers():
        with pytest.raises(VendorUnknown):
            read(HttpReply(status, {"content-type": "application/json"}, huge))


@pytest.mark.parametrize(("name", "case"), cases("errors", "failed"))
def test_no_error_repeats_what_the_vendor_wrote(name: str, case: Case) -> None:
    for read, reply in meet(name).exchanges(case):
        for loud in rewritten(reply, lambda text: f"Look, {CANARY} {text}"):
            match what_comes_of(read, loud):
                case VendorError() as error:
                    assert CANARY not in str(error)
                case Outcome(failure_code=code, detail=detail):
                    assert CANARY not in f"{code} {detail}"


def rewritten(sample: Case, rewrite: Callable[[str], str]) -> Iterator[HttpReply]:
    """The reply with each of its texts and numbers rewritten, and with all its sentences."""
    said = sample.get("json")
    found = {str(place[key]) for place, key in places(said) if isinstance(place[key], str | int)}
    for meant in ({text for text in found if " " in text}, *({text} for text in found)):
        told = json.loads(json.dumps(said))
        for place, key in places(told):
            if isinstance(place[key], str | int) and str(place[key]) in meant:
                place[key] = rewrite(str(place[key]))
        yield reply_of({**sample, "json": told})


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["../../admin", "a#b", "javascript:1", "https://169.254.169.254/ x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@cache
def recorded_replies(name: str) -> Sequence[HttpReply]:
    found = []
    stack: list[Any] = meet(name).cases(
        "submit_reply", "working", "done", "failed", "errors", "lookup", "cancel"
    )
    while stack:
        value = stack.pop()
        if isinstance(value, dict) and "status" in value and {"json", "body"} & set(value):
            found.append(reply_of(value))
        elif isinstance(value, dict | list):
            stack += value.values() if isinstance(value, dict) else value
    return found


@st.composite
def mutated_replies(draw: st.DrawFn, name: str) -> HttpReply:
    """A recorded reply with one place changed, or with its bytes or status changed."""
    reply = draw(st.sampled_from(recorded_replies(name)))
    match draw(st.sampled_from(["value", "value", "value", "bytes", "status"])):
        case "value":
            reply = replace(reply, body=draw(mutated_json(reply.body)))
        case "bytes":
            at = draw(st.integers(0, len(reply.body)))
            body = reply.body[:at] + draw(st.binary(max_size=8)) + reply.body[at + 1 :]
            reply = replace(reply, body=body)
        case _:
            reply = replace(reply, status=draw(st.integers(100, 599)))
    headers = draw(st.dictionaries(st.just("retry-after"), st.text(max_size=30)))
    return replace(reply, headers={**reply.headers, **headers})


@st.composite
def mutated_json(draw: st.DrawFn, body: bytes) -> bytes:
    try:
        data = json.loads(body)
    except ValueError:
        return body
    if found := list(places(data)):
        place, key = draw(st.sampled_from(found))
        if draw(st.booleans()):
            place[key] = draw(json_values)
        else:
            del place[key]
    return json.dumps(data).encode()


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value that can be written to or emptied."""
    if isinstance(data, dict):
        for key, inner in data.items():
            yield data, key
            yield from places(inner)
    elif isinstance(data, list):
        for index, inner in enumerate(data):
            yield data, index
            yield from places(inner)


def test_whichever_of_its_replies_it_ends_in_a_value_or_an_error_of_the_call(
    vendor: Vendor,
) -> None:
    for call, read in vendor.readers():
        for reply in recorded_replies(vendor.name):
            said = what_comes_of(read, reply)
            assert ends_well(vendor, call, said), f"{reply} comes to {said!r}"


def test_whatever_stands_in_one_place_it_ends_in_a_value_or_an_error_of_the_call(
    vendor: Vendor,
) -> None:
    calls = {"submit_reply": "submit", "cancel": "cancel"}
    for file in ("submit_reply", "working", "done", "failed", "errors", "cancel"):
        for case in vendor.cases(file):
            call = case.get("call", calls.get(file, "poll"))
            for read, reply in vendor.exchanges({**case, "call": call}):
                for changed in with_one_place_changed(reply):
                    said = what_comes_of(read, changed)
                    assert ends_well(vendor, call, said), f"{changed} comes to {said!r}"


MISPLACED: Sequence[Any] = (
    *(None, True, 5, -1.5, "", "a b"),
    *([], [[]], [{}], {}, {"a": [None]}),
)


def with_one_place_changed(sample: Case) -> Iterator[HttpReply]:
    """The reply with something else in each place of its JSON, or with nothing there."""
    for number in range(sum(1 for _ in places(sample.get("json")))):
        for value in MISPLACED:
            told = json.loads(json.dumps(sample["json"]))
            place, key = list(places(told))[number]
            place[key] = value
            yield reply_of({**sample, "json": told})
        told = json.loads(json.dumps(sample["json"]))
        place, key = list(places(told))[number]
        del place[key]
        yield reply_of({**sample, "json": told})


@pytest.mark.parametrize("name", COMPLETE)
@given(st.data())
def test_whatever_the_replies_it_ends_in_a_value_or_an_error_of_the_call(
    name: str, data: st.DataObject
) -> None:
    vendor = meet(name)
    call, read = data.draw(st.sampled_from(vendor.readers()))
    said = what_comes_of(read, data.draw(mutated_replies(name)))
    for _ in range(QUESTIONS_MAX):
        assert ends_well(vendor, call, said)
        if isinstance(said, Ask):
            said = what_comes_of(said.read, data.draw(mutated_replies(name)))


def ends_well(vendor: Vendor, call: str, said: object) -> bool:
    """Whether a call may come to this."""
    match said:
        case Ask(request=HttpRequest(url=url)):
            return call == "poll" and is_plain(url) and url.startswith(vendor.account.url("/"))
        case VendorError():
            return isinstance(said, MAY_RAISE[call]) and is_usable(said)
        case _:
            return is_usable(said)


def what_comes_of(read: Callable[[HttpReply], object], reply: HttpReply) -> object:
    try:
        return read(reply)
    except VendorError as error:
        return error


def is_usable(value: object) -> bool:
    match value:
        case VendorError():
            return value.code in set(FailureCode)
        case Accepted():
            is_named = is_task_id(value.task_id) or (value.parcels and not value.task_id)
            return bool(is_named) and all(map(is_one_result, value.parcels))
        case Outcome():
            is_whole = bool(value.parcels) is (value.state == "succeeded")
            is_told = (value.failure_code in set(FailureCode)) is (value.state == "failed")
            return is_whole and is_told and all(map(is_one_result, value.parcels))
        case str():
            return is_task_id(value)
        case _:
            return value is None


def is_task_id(value: str) -> bool:
    return bool(re.fullmatch(r"[!-~]{1,128}", value))


def is_one_result(parcel: Parcel) -> bool:
    return bool(parcel.url) is not bool(parcel.content) and (not parcel.url or is_plain(parcel.url))


# ---------------------------------------------------------------- webhooks


@dataclass(frozen=True)
class Call:
    """A webhook, what it is checked with, and when."""

    inbound: Inbound
    keys: Keys
    now_ms: int


def call_of(vendor: Vendor, case: Case) -> Call:
    secrets = tuple(case.get("secrets", vendor.account.webhook_secrets))
    keys = Keys(secrets, tuple(case.get("public_keys", ())))
    return Call(Inbound(case["headers"], bytes_of(case["body"])), keys, case["now_ms"])


def heard(vendor: Vendor, call: Call) -> Hint:
    assert vendor.provider.webhook
    return vendor.provider.webhook.read(call.inbound, call.keys, call.now_ms)


def is_signed(case: Case) -> bool:
    """A vendor that signs nothing has only the code in our callback address to show."""
    return bool(case["signed_headers"])


def covers(case: Case) -> str:
    """What of the body its signature covers."""
    return str(case.get("covers", "bytes"))


def fresh_seconds(case: Case) -> int | None:
    """How old it may be; None where the vendor signs no time."""
    seconds: int | None = case.get("stale_after_seconds", 300)
    return seconds


@pytest.mark.parametrize(("name", "case"), cases("webhook"))
def test_a_genuine_webhook_gives_its_hint(name: str, case: Case) -> None:
    vendor = meet(name)
    assert heard(vendor, call_of(vendor, case)) == Hint(**case["hint"])
    assert all(header == header.lower() for header in (*case["headers"], *case["signed_headers"]))
    assert covers(case) in {"bytes", "meaning", "nothing"}


@pytest.mark.parametrize("name", CALLING)
def test_the_samples_show_a_webhook_with_news(name: str) -> None:
    hints = [Hint(**case["hint"]) for case in meet(name).cases("webhook")]
    assert [hint for hint in hints if hint.is_news]


@pytest.mark.parametrize(("name", "case"), cases("webhook"))
def test_public_keys_come_from_where_the_vendor_publishes_them(name: str, case: Case) -> None:
    vendor = meet(name)
    assert vendor.provider.webhook
    address = vendor.provider.webhook.key_set_url
    assert bool(address) is ("public_keys" in case) is ("key_set_url" in case)
    if address:
        assert address(vendor.account) == case["key_set_url"]
        assert urlsplit(case["key_set_url"]).scheme == "https"
        assert vendor.account.api_key not in case["key_set_url"]


def another(secret: str) -> str:
    """A secret of the same make that is not the same."""
    prefix = "whsec_" if secret.startswith("whsec_") else ""
    return prefix + secret.removeprefix(prefix).swapcase()


def another_key(key: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same entry of a key set with another key in it."""
    material = key.keys() & {"n", "x", "y"}
    assert material
    return {**key, **{name: key[name].swapcase() for name in material}}


# What a key set may hold besides the keys that sign.
STRANGE_KEYS: tuple[Mapping[str, Any], ...] = (
    {},
    {"kty": "OKP", "crv": "Ed25519", "x": 5},
    {"kty": "OKP", "crv": "Ed25519", "x": "é"},
    {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "1"},
    {"kty": "EC", "kid": None, "x5c": [{}]},
)


def with_inbound(call: Call, **changes: Any) -> Call:
    return replace(call, inbound=replace(call.inbound, **changes))


def with_keys(call: Call, **changes: Any) -> Call:
    return replace(call, keys=replace(call.keys, **changes))


def later(call: Call, seconds: int) -> Call:
    return replace(call, now_ms=call.now_ms + seconds * 1000)


def always(vendor: Vendor, case: Case) -> bool:
    return True


def has_secrets(vendor: Vendor, case: Case) -> bool:
    return bool(call_of(vendor, case).keys.secrets)


def cannot_do_without_secrets(vendor: Vendor, case: Case) -> bool:
    """Some vendors sign for those alone who have a secret with them."""
    return has_secrets(vendor, case) and all(map(is_signed, vendor.cases("webhook")))


def has_public_keys(vendor: Vendor, case: Case) -> bool:
    """A vendor may also sign with a secret; such a webhook needs none of its public keys."""
    return bool(case.get("public_keys"))


def covers_the_body(vendor: Vendor, case: Case) -> bool:
    return covers(case) != "nothing"


def covers_every_byte(vendor: Vendor, case: Case) -> bool:
    return covers(case) == "bytes"


def grows_stale(vendor: Vendor, case: Case) -> bool:
    return fresh_seconds(case) is not None


# What makes a webhook one that is not genuine, and of which samples that can be said.
ATTACKS: Mapping[str, tuple[Callable[[Call, Case], Call], Callable[[Vendor, Case], bool]]] = {
    "no headers": (lambda call, case: with_inbound(call, headers={}), always),
    "another secret": (
        lambda call, case: with_keys(call, secrets=tuple(map(another, call.keys.secrets))),
        has_secrets,
    ),
    "no secret of ours": (
        lambda call, case: with_keys(call, secrets=()),
        cannot_do_without_secrets,
    ),
    "other public keys": (
        lambda call, case: with_keys(call, public=tuple(map(another_key, call.keys.public))),
        has_public_keys,
    ),
    "no public keys": (lambda call, case: with_keys(call, public=()), has_public_keys),
    "strange public keys": (
        lambda call, case: with_keys(call, public=STRANGE_KEYS),
        has_public_keys,
    ),
    "changed body": (
        lambda call, case: with_inbound(call, body=call.inbound.body.swapcase()),
        covers_the_body,
    ),
    "longer body": (
        lambda call, case: with_inbound(call, body=call.inbound.body + b" "),
        covers_every_byte,
    ),
    "empty body": (lambda call, case: with_inbound(call, body=b""), always),
    "a minute too late": (
        lambda call, case: later(call, (fresh_seconds(case) or 0) + 60),
        grows_stale,
    ),
    "six minutes early": (lambda call, case: later(call, -360), grows_stale),
    "a year late": (lambda call, case: later(call, 365 * 86_400), grows_stale),
}


SIGNED = [param for param in cases("webhook") if is_signed(param.values[1])]


def attacks() -> list[Any]:
    """Every attack on every signed webhook of which it can be said."""
    return [
        pytest.param(*param.values, attack, id=f"{param.id}-{attack}")
        for param in SIGNED
        for attack, (_change, concerns) in ATTACKS.items()
        if concerns(meet(param.values[0]), param.values[1])
    ]


@pytest.mark.parametrize(("name", "case", "attack"), attacks())
def test_a_forged_or_stale_webhook_is_refused(name: str, case: Case, attack: str) -> None:
    genuine = call_of(meet(name), case)
    forged = ATTACKS[attack][0](genuine, case)
    assert forged != genuine
    with pytest.raises(WebhookRefused):
        heard(meet(name), forged)


@pytest.mark.parametrize(("name", "case"), cases("webhook"))
def test_a_webhook_without_any_one_of_its_signed_headers_is_refused(name: str, case: Case) -> None:
    call = call_of(meet(name), case)
    for header in case["signed_headers"]:
        fewer = {key: value for key, value in call.inbound.headers.items() if key != header}
        assert len(fewer) < len(call.inbound.headers)
        with pytest.raises(WebhookRefused):
            heard(meet(name), with_inbound(call, headers=fewer))


@pytest.mark.parametrize(("name", "case"), SIGNED)
@pytest.mark.parametrize("order", ["old first", "new first"])
def test_while_keys_are_replaced_both_are_good(name: str, case: Case, order: str) -> None:
    call, step = call_of(meet(name), case), 1 if order == "old first" else -1
    secrets = (*call.keys.secrets, *map(another, call.keys.secrets))[::step]
    others = (*map(another_key, call.keys.public), *STRANGE_KEYS) if call.keys.public else ()
    public = (*call.keys.public, *others)[::step]
    assert heard(meet(name), with_keys(call, secrets=secrets, public=public)) == Hint(
        **case["hint"]
    )


@pytest.mark.parametrize(("name", "case"), SIGNED)
@given(st.data())
def test_no_changed_bit_of_a_webhook_goes_unnoticed(
    name: str, case: Case, data: st.DataObject
) -> None:
    call = call_of(meet(name), case)
    body, headers = call.inbound.body, call.inbound.headers
    part = data.draw(st.sampled_from(["body", *case["signed_headers"]]))
    raw = bytearray(body if part == "body" else headers[part].encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    if part == "body":
        assume(covers(case) != "nothing")
        assume(covers(case) == "bytes" or not is_the_same_json(raw, body))
        changed = with_inbound(call, body=bytes(raw))
    else:
        text = raw.decode("latin-1")
        assume(not is_the_same_signature(text, headers[part]))
        changed = with_inbound(call, headers={**headers, part: text})
    with pytest.raises(WebhookRefused):
        heard(meet(name), changed)


def is_the_same_json(changed: bytearray, body: bytes) -> bool:
    try:
        return bool(json.loads(changed) == json.loads(body))
    except ValueError:
        return False


def is_the_same_signature(changed: str, header: str) -> bool:
    """Hex may be written in capitals, and the last letter of a token has bits that say nothing."""
    if re.fullmatch(r"[0-9a-f]+", header):
        return changed.lower() == header
    return header.count(".") == 2 and changed[:-1] == header[:-1]


@pytest.mark.parametrize(("name", "case"), SIGNED)
@given(
    headers=st.dictionaries(st.text(max_size=20), st.text(max_size=80), max_size=4),
    body=st.binary(max_size=200),
    now_ms=st.integers(0, 2**50),
)
def test_whatever_calls_without_a_signature_is_refused(
    name: str, case: Case, headers: dict[str, str], body: bytes, now_ms: int
) -> None:
    named = {header: headers.get("", "") for header in case["signed_headers"]}
    call = replace(call_of(meet(name), case), inbound=Inbound(headers | named, body), now_ms=now_ms)
    with pytest.raises(WebhookRefused):
        heard(meet(name), call)


@pytest.mark.parametrize(("name", "case"), cases("webhook"))
@given(st.data())
def test_whatever_calls_it_ends_in_a_hint_or_a_refusal(
    name: str, case: Case, data: st.DataObject
) -> None:
    call = call_of(meet(name), case)
    body = data.draw(mutated_json(call.inbound.body) | st.binary(max_size=50))
    header = data.draw(st.sampled_from(sorted(case["headers"]) or ["x"]))
    headers = {**case["headers"], header: data.draw(st.text(max_size=80))}
    try:
        hint = heard(meet(name), with_inbound(call, headers=headers, body=body))
    except WebhookRefused:
        return
    assert hint.task_id is None or is_task_id(hint.task_id)
    assert hint.answer is None or json.dumps(hint.answer)
