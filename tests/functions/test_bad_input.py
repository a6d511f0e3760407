"""Bad input gets a clear error with a stable code, and nothing changes."""

import io
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
from PIL import Image

from tests.product import Caller, Json, Product, Refusal, free_port, running

PICTURE_TYPE = "image/png"


def refused(user: Caller, method: str, path: str, **kwargs: Any) -> tuple[int, str, str | None]:
    with pytest.raises(Refusal) as caught:
        user.call(method, path, **kwargs)
    assert set(caught.value.error) >= {"code", "message", "type", "param"}
    return caught.value.status, caught.value.error["code"], caught.value.error["param"]


@pytest.mark.parametrize(
    ("change", "status", "code", "param"),
    [
        ({"prompt": ""}, 422, "prompt_length", "prompt"),
        ({"prompt": "ab"}, 422, "prompt_length", "prompt"),
        ({"prompt": "a" * 2001}, 422, "prompt_length", "prompt"),
        ({"prompt": 7}, 422, "invalid_request", "prompt"),
        ({"prompt": None}, 422, "invalid_request", "prompt"),
        ({"prompt": "a child, nsfw"}, 422, "prompt_blocked", "prompt"),
        ({"model": "sora-9"}, 422, "unknown_model", "model"),
        ({"duration_seconds": 5}, 422, "unsupported_setting", "duration_seconds"),
        ({"duration_seconds": -5}, 422, "invalid_request", "duration_seconds"),
        ({"duration_seconds": "2"}, 422, "invalid_request", "duration_seconds"),
        ({"resolution": "8k"}, 422, "unsupported_setting", "resolution"),
        ({"aspect_ratio": "2:1"}, 422, "unsupported_setting", "aspect_ratio"),
        ({"audio": True}, 422, "unsupported_setting", "audio"),
        ({"count": 2}, 422, "unsupported_setting", "count"),
        ({"count": 0}, 422, "invalid_request", "count"),
        ({"count": 11}, 422, "invalid_request", "count"),
        ({"fallback_models": ["sora-9"]}, 422, "unsupported_setting", "fallback_models"),
        ({"fallback_models": ["sandbox-image"]}, 422, "unsupported_setting", "fallback_models"),
        ({"fallback_models": ["a", "b", "c", "d"]}, 422, "invalid_request", "fallback_models"),
        ({"fallback_models": "sandbox-video"}, 422, "invalid_request", "fallback_models"),
        ({"images": {"end": "img_1"}}, 422, "unsupported_setting", "images.end"),
        ({"images": {"start": "img_1"}}, 422, "invalid_request", "images.start"),
        ({"cost": 1}, 422, "invalid_request", "cost"),
        ({"max_cost_tokens": 1}, 409, "cost_above_maximum", "max_cost_tokens"),
        ({"quote_id": "quote_x.y"}, 409, "quote_mismatch", "quote_id"),
    ],
)
def test_a_job_that_does_not_fit_is_refused_and_costs_nothing(
    user: Caller, change: Json, status: int, code: str, param: str
) -> None:
    before = user.balance()
    body = {"model": "sandbox-video", "prompt": "a red fox", **change}
    assert refused(user, "POST", "/v1/jobs", json=body) == (status, code, param)
    assert user.balance() == before
    assert user.call("GET", "/v1/jobs")["data"] == []


def test_what_a_negative_prompt_wants_to_avoid_is_not_what_was_asked_for(user: Caller) -> None:
    body = {"model": "sandbox-video", "prompt": "a child flies a kite", "negative_prompt": "nsfw"}
    assert user.call("POST", "/v1/quotes", json=body)["total_tokens"] > 0


def test_a_fallback_model_that_costs_more_is_refused_and_one_that_costs_less_is_not(
    tmp_path: Path,
) -> None:
    dear, cheap = "MiniMax-Hailuo-02", "sandbox-video"
    nobody = {
        "VENDOR_MINIMAX_KEY": "a-key",
        "VENDOR_MINIMAX_URL": f"http://127.0.0.1:{free_port()}",
    }
    body: Json = {"prompt": "a red fox", "duration_seconds": 6}
    with running(tmp_path, nobody) as product:
        user = product.sign_in()
        order = {**body, "model": cheap, "fallback_models": [dear]}
        for path in ("/v1/quotes", "/v1/jobs"):
            with pytest.raises(Refusal) as caught:
                user.call("POST", path, json=order)
            error = caught.value.error
            assert (error["code"], error["param"]) == ("unsupported_setting", "fallback_models")
            assert "costs more" in error["message"]
        assert user.rows()[0]["kind"] == "grant", "nothing was held"
        order = {**body, "model": dear, "fallback_models": [cheap]}
        assert user.call("POST", "/v1/quotes", json=order)["total_tokens"] > 0


@pytest.mark.parametrize("length", [3, 2000])
def test_a_prompt_at_either_limit_is_taken(user: Caller, length: int) -> None:
    assert user.create("a" * length, model="sandbox-image")["status"] in ("queued", "running")


def test_a_body_that_is_not_json_is_named_as_such(user: Caller) -> None:
    headers = {"content-type": "application/json"}
    for body in (b"{", b"\xff\xfe", b""):
        answer = user.http.post("/v1/jobs", content=body, headers=headers)
        assert answer.status_code in (400, 422)
        assert answer.json()["error"]["code"] in ("invalid_json", "invalid_request")


def test_a_body_that_does_not_say_that_it_is_json_is_refused(user: Caller) -> None:
    body = b'{"model": "sandbox-video", "prompt": "a red fox"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = user.http.post("/v1/jobs", content=body, headers={"content-type": kind})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_request")
    assert user.call("GET", "/v1/jobs")["data"] == []


@pytest.mark.parametrize(
    ("path", "param"),
    [
        ("/v1/jobs?limit=0", "limit"),
        ("/v1/jobs?limit=many", "limit"),
        ("/v1/jobs?status=asleep", "status"),
        ("/v1/account/ledger?limit=101", "limit"),
        ("/v1/jobs/job_none/content?index=10", "index"),
        ("/v1/jobs/job_none/content?variant=sound", "variant"),
    ],
)
def test_a_query_that_does_not_fit_is_refused(user: Caller, path: str, param: str) -> None:
    assert refused(user, "GET", path) == (422, "invalid_request", param)


def test_a_body_over_the_limit_is_refused_before_it_is_read(user: Caller) -> None:
    answer = user.http.post("/v1/jobs", content=b"x" * 70_000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")


def test_too_few_tokens_says_how_many_are_missing(user: Caller) -> None:
    dear: Json = {"duration_seconds": 6, "resolution": "720p"}
    available, _ = user.balance()
    cost = 90
    for number in range(available // cost):
        user.create(f"fox {number}", **dear)
    with pytest.raises(Refusal) as caught:
        user.create("one fox too many", **dear)
    error = caught.value.error
    assert (caught.value.status, error["code"]) == (402, "insufficient_tokens")
    assert (error["required_tokens"], error["available_tokens"]) == (cost, available % cost)


def test_two_hundred_parallel_creates_with_tokens_for_one_make_exactly_one_job(
    product: Product,
) -> None:
    user = product.sign_in()
    available, _ = user.balance()
    spent = 0
    while available - spent >= 20 + 5:  # leave tokens for one picture, not for two
        user.create(
            f"spend {spent}",
            model="sandbox-video" if available - spent >= 25 + 20 else "sandbox-image",
        )
        spent = available - user.balance()[0]
    while user.balance()[0] >= 10:
        user.create(f"spend {user.balance()[0]}", model="sandbox-image")

    def attempt(number: int) -> str:
        try:
            return str(user.create(f"race {number}", model="sandbox-image")["id"])
        except Refusal as refusal:
            return str(refusal.error["code"])

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(attempt, range(200)))
    made = [answer for answer in answers if answer.startswith("job_")]
    assert len(made) == 1
    assert set(answers) - set(made) == {"insufficient_tokens"}
    assert user.balance()[0] == 0


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer x.y.z", "Basic abc"])
def test_a_request_without_a_session_of_ours_is_refused(
    product: Product, authorization: str
) -> None:
    stranger = Caller(product.base_url)
    headers = {"authorization": authorization} if authorization else {}
    for method, path in [("GET", "/v1/jobs"), ("GET", "/v1/account"), ("POST", "/v1/uploads")]:
        body = {"filename": "a", "content_type": PICTURE_TYPE, "size_bytes": 1}
        kwargs = {"json": body} if method == "POST" else {}
        status, code, _ = refused(stranger, method, path, headers=headers, **kwargs)
        assert (status, code) == (401, "unauthorized")


def test_a_forged_or_expired_session_is_refused(product: Product, user: Caller) -> None:
    token = user.http.headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    now = int(time.time())
    forged = [
        jwt.encode(claims, "another secret of sufficient length", algorithm="HS256"),
        jwt.encode(claims, "", algorithm="none"),
        token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB"),
    ]
    for other in forged:
        assert refused(Caller(product.base_url, other), "GET", "/v1/account")[:2] == (
            401,
            "unauthorized",
        )
    assert claims["exp"] - now <= 7 * 24 * 3600


def test_ended_sessions_stop_working_where_money_moves(product: Product) -> None:
    user = product.sign_in()
    assert user.http.post("/v1/auth/end").status_code == 204
    with pytest.raises(Refusal) as caught:
        user.create()
    assert (caught.value.status, caught.value.error["code"]) == (401, "session_revoked")


def test_an_unknown_address_and_method_are_told_apart(user: Caller) -> None:
    assert refused(user, "GET", "/v1/nothing")[:2] == (404, "not_found")
    assert refused(user, "PUT", "/v1/jobs", json={})[:2] == (405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/tasks/dispatch_job", "/cron/sweep", "/cron/audit"])
def test_internal_addresses_take_no_user(user: Caller, path: str) -> None:
    """On one machine they refuse; behind the load balancer they are not even there."""
    for caller in (user, Caller(str(user.http.base_url))):
        assert caller.http.post(path, json={}).status_code in (403, 404, 405)


# ---------------------------------------------------------------- pictures


def upload(user: Caller, data: bytes, content_type: str = PICTURE_TYPE) -> Json:
    """Announce, send and check one picture."""
    body = {"filename": "picture", "content_type": content_type, "size_bytes": len(data)}
    made = user.call("POST", "/v1/uploads", json=body)
    address = made["upload"]
    sent = user.http.request(
        address["method"], address["url"], content=data, headers=address["headers"]
    )
    assert sent.is_success, sent.text
    return user.call("GET", f"/v1/uploads/{made['image_id']}")


def picture(form: str = "PNG", size: tuple[int, int] = (64, 48)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "teal").save(buffer, form)
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG of a few hundred bytes that claims 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("form", "content_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")]
)
def test_a_picture_is_checked_and_used(user: Caller, form: str, content_type: str) -> None:
    checked = upload(user, picture(form), content_type)
    assert (checked["state"], checked["width"], checked["height"]) == ("ready", 64, 48)
    job = user.create("the same, moving", images={"start": checked["image_id"]})
    assert user.wait(job["id"])["status"] == "succeeded"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"this is not a picture, whatever it is called", "not_an_image"),
        (picture("GIF"), "unsupported_image_type"),
        (picture("PNG")[:60], "not_an_image"),
        (bomb(), "image_too_many_pixels"),
    ],
    ids=["text", "renamed GIF", "truncated", "bomb"],
)
def test_a_bad_picture_is_rejected_with_its_reason(user: Caller, data: bytes, code: str) -> None:
    checked = upload(user, data)
    assert (checked["state"], checked["error"]["code"]) == ("rejected", code)
    with pytest.raises(Refusal) as caught:
        user.create(images={"start": checked["image_id"]})
    assert (caught.value.status, caught.value.error["param"]) == (422, "images.start")


def test_eleven_megabytes_are_refused_before_and_during_the_upload(user: Caller) -> None:
    body = {"filename": "a.png", "content_type": PICTURE_TYPE, "size_bytes": 11_000_000}
    assert refused(user, "POST", "/v1/uploads", json=body)[:2] == (413, "image_too_large")
    address = user.call("POST", "/v1/uploads", json={**body, "size_bytes": 1000})["upload"]
    sent = user.http.put(address["url"], content=b"x" * 11_000_000, headers=address["headers"])
    assert sent.status_code in (400, 413)  # Cloud Storage says 400 to what is too large


def test_another_kind_of_file_is_refused_at_once(user: Caller) -> None:
    body = {"filename": "a.svg", "content_type": "image/svg+xml", "size_bytes": 100}
    assert refused(user, "POST", "/v1/uploads", json=body)[:2] == (415, "unsupported_image_type")


def test_a_picture_that_has_not_arrived_cannot_be_used(user: Caller) -> None:
    body = {"filename": "a.png", "content_type": PICTURE_TYPE, "size_bytes": 100}
    image_id = user.call("POST", "/v1/uploads", json=body)["image_id"]
    with pytest.raises(Refusal) as caught:
        user.create(images={"start": image_id})
    assert (caught.value.status, caught.value.error["code"]) == (409, "image_not_ready")


def test_somebody_elses_picture_does_not_exist(product: Product, user: Caller) -> None:
    image_id = upload(user, picture())["image_id"]
    other = product.sign_in()
    assert refused(other, "GET", f"/v1/uploads/{image_id}")[:2] == (404, "not_found")
    with pytest.raises(Refusal) as caught:
        other.create(images={"start": image_id})
    assert caught.value.status == 422
