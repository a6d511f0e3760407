"""The small tools of the vendor files: accounts, signatures, and reading replies."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from shared.adapters.providers import _replies as replies
from shared.adapters.providers._keys import bearer
from shared.adapters.providers._signing import (
    check_age,
    check_hmac_sha256,
    check_standard,
    hint_of,
)
from shared.adapters.providers.translator import Account
from shared.errors import VendorUnknown, WebhookRefused
from shared.ports import Hint, HttpReply, HttpRequest, Inbound

NOW_MS = 1_795_251_600_000


def test_an_account_shows_neither_key_nor_secret() -> None:
    account = Account("v", "v", "https://api.vendor.test", "canary-key", ("canary-secret",))
    assert "canary" not in repr(account)


def test_only_what_calls_the_vendor_needs_the_key() -> None:
    assert Account("v", "v", "https://api.vendor.test").api_key == ""


@pytest.mark.parametrize("base_url", ["https://api.test/v1", "https://api.test/v1/"])
def test_an_address_is_built_with_one_slash(base_url: str) -> None:
    account = Account("v", "v", base_url, "k")
    assert account.url("/jobs") == "https://api.test/v1/jobs"
    assert account.host == "api.test"


@pytest.mark.parametrize(
    ("base_url", "key", "secrets"),
    [
        ("", "key", ()),
        ("api.vendor.test", "key", ()),
        ("ftp://api.vendor.test", "key", ()),
        ("https://", "key", ()),
        ("https://api.vendor.test/?key=1", "key", ()),
        ("https://api.vendor.test", "canary\n", ()),
        ("https://api.vendor.test", "canary key", ()),
        ("https://api.vendor.test", "canaryключ", ()),
        ("https://api.vendor.test", "key", ("good", "")),
    ],
)
def test_an_account_that_cannot_work_stops_at_the_start(
    base_url: str, key: str, secrets: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match="of vendor") as caught:
        Account("vendor", "v", base_url, key, secrets)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("age_ms", [-300_000, -1, 0, 1, 299_999, 300_000])
def test_a_timestamp_within_five_minutes_is_fresh(age_ms: int) -> None:
    check_age(str(NOW_MS // 1000), NOW_MS + age_ms)


@pytest.mark.parametrize(
    "timestamp", ["", "soon", "-1", "1e9", "1795251600.5", " 1795251600", "١٧٩٥٢٥١٦٠٠", "9" * 400]
)
def test_a_timestamp_that_is_no_number_is_refused(timestamp: str) -> None:
    with pytest.raises(WebhookRefused):
        check_age(timestamp, NOW_MS)


@pytest.mark.parametrize("age_ms", [-300_001, 300_001, 10**12])
def test_a_timestamp_beyond_five_minutes_is_refused(age_ms: int) -> None:
    with pytest.raises(WebhookRefused):
        check_age(str(NOW_MS // 1000), NOW_MS + age_ms)


@given(st.binary(), st.text(), st.lists(st.text(), max_size=3))
def test_a_signature_is_good_for_exactly_its_message_and_secret(
    message: bytes, signature: str, secrets: list[str]
) -> None:
    good = {hmac.new(s.encode(), message, hashlib.sha256).hexdigest() for s in secrets}
    for one in good:
        check_hmac_sha256(message, one, secrets)
        with pytest.raises(WebhookRefused):
            check_hmac_sha256(message + b".", one, secrets)
    if signature not in good:
        with pytest.raises(WebhookRefused):
            check_hmac_sha256(message, signature, secrets)


@pytest.mark.parametrize(
    ("secret", "headers", "body"),
    [
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            {
                "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
                "webhook-timestamp": "1614265330",
                "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            },
            '{"test": 2432232314}',
        ),
        (
            "whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI=",
            {
                "webhook-id": "9876543210",
                "webhook-timestamp": "1781080794",
                "webhook-signature": "v1,UsKlJP00XoQyOn410NM9xv34sP+Gl0jnOO9Lcpr7NJ4=",
            },
            (
                '{"id":"1234567890","status":"succeeded","message":"","create_time":1781080778802,'
                '"update_time":1781080794151}'
            ),
        ),
    ],
)
def test_standard_webhooks_are_checked_as_the_specification_says(
    secret: str, headers: Mapping[str, str], body: str
) -> None:
    inbound = Inbound(headers, body.encode())
    signature, now_ms = headers["webhook-signature"], int(headers["webhook-timestamp"]) * 1000
    other = "whsec_" + base64.b64encode(b"another secret").decode()
    check_standard(inbound, [secret], now_ms + 300_000)
    check_standard(inbound, [other, secret], now_ms)
    rotating = {**headers, "webhook-signature": f"v1,AAAA {signature} v1a,BBBB"}
    check_standard(replace(inbound, headers=rotating), [secret], now_ms)
    for changed, secrets, at_ms in (
        (inbound, [other], now_ms),
        (inbound, [], now_ms),
        (inbound, [secret], now_ms + 301_000),
        (replace(inbound, body=body.encode() + b" "), [secret], now_ms),
        *(
            (replace(inbound, headers={**headers, name: value}), [secret], now_ms)
            for name, value in (
                ("webhook-id", "another"),
                ("webhook-id", ""),
                ("webhook-timestamp", str(int(headers["webhook-timestamp"]) + 1)),
                ("webhook-signature", signature.removeprefix("v1,")),
                ("webhook-signature", signature.replace("v1,", "v2,")),
                ("webhook-signature", "ü"),
                ("webhook-signature", ""),
            )
        ),
    ):
        with pytest.raises(WebhookRefused):
            check_standard(changed, secrets, at_ms)


def test_a_verified_webhook_names_a_task_or_is_refused() -> None:
    assert hint_of(Inbound({}, b'{"id": 17}'), "id") == Hint("17")
    for body in (b"", b"[]", b"{}", b'{"id": "../x"}', b'{"id": null}'):
        with pytest.raises(WebhookRefused):
            hint_of(Inbound({}, body), "id")


def test_a_bearer_token_is_added_to_what_is_there() -> None:
    request = HttpRequest("GET", "https://api.vendor.test/x", {"accept": "text/plain"})
    account = Account("v", "v", "https://api.vendor.test", "key")
    signed = bearer(request, account, NOW_MS)
    added = {"accept": "text/plain", "authorization": "Bearer key"}
    assert signed == replace(request, headers=added)
    assert request.headers == {"accept": "text/plain"}


def test_a_body_is_read_up_to_its_limit() -> None:
    body = b'{"a": 1}'
    assert replies.json_object(body, len(body)) == {"a": 1}
    with pytest.raises(VendorUnknown):
        replies.json_object(body, len(body) - 1)


def test_32_levels_are_read_and_33_are_not() -> None:
    def nested(levels: int) -> bytes:
        return b'{"a":' * levels + b"1" + b"}" * levels

    assert replies.json_object(nested(replies.DEPTH_MAX))
    with pytest.raises(VendorUnknown):
        replies.json_object(nested(replies.DEPTH_MAX + 1))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("99999", 3600),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("9" * 50, None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_read_within_reason(value: str, seconds: float | None) -> None:
    assert replies.retry_after_seconds(HttpReply(429, {"retry-after": value}, b"")) == seconds


@pytest.mark.parametrize("good", ["gen_1", "a", "a.b:c~d-e", "0" * 128, 176843862716480])
def test_a_task_id_is_what_fits_into_an_address(good: Any) -> None:
    assert replies.task_id_in({"id": good}, "id") == str(good)


@pytest.mark.parametrize(
    "bad", ["", ".", "..", "../x", "a/b", "a b", "a\n", "ä", "\ud800", "0" * 129, None, True, 1.5]
)
def test_anything_else_is_no_task_id(bad: Any) -> None:
    with pytest.raises(VendorUnknown):
        replies.task_id_in({"id": bad}, "id")


@pytest.mark.parametrize("bad", ["", "ftp://x", "javascript:1", "https://a b", None, "https://é"])
def test_only_an_http_address_is_an_address(bad: Any) -> None:
    with pytest.raises(VendorUnknown):
        replies.url_in({"url": bad}, "url")


@given(st.binary(min_size=1))
def test_bytes_are_read_from_base64_with_and_without_a_prefix(content: bytes) -> None:
    text = base64.b64encode(content).decode()
    for written in (text, f"data:image/png;base64,{text}"):
        assert replies.content_in({"b": written}, "b") == content


@pytest.mark.parametrize(
    "bad",
    ["", "a", "a b c d", "ä", "data:image/png;base64,", "https://x.test/a.png", None, ["AAAA"]],
)
def test_anything_else_is_no_base64(bad: Any) -> None:
    with pytest.raises(VendorUnknown):
        replies.content_in({"b": bad}, "b")


@given(st.recursive(st.none() | st.text() | st.integers(), st.lists, max_leaves=5))
def test_a_word_for_the_logs_is_short_and_plain(value: Any) -> None:
    word = replies.word_in({"code": value}, "code")
    assert word == "?" or (word == value and len(word) <= 64 and word.isascii())
    assert json.dumps(word)
