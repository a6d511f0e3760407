"""One real job, from the request to the charged tokens."""

import secrets

import av
import pytest

from tests.product import Caller, Product, Refusal


def test_a_video_is_made_charged_once_and_downloadable(user: Caller) -> None:
    available, held = user.balance()
    quote = user.call("POST", "/v1/quotes", json={"model": "sandbox-video", "prompt": "a red fox"})
    job = user.create("a red fox", quote_id=quote["quote_id"])
    assert job["status"] in ("queued", "running")
    assert user.balance() == (available - quote["total_tokens"], held + quote["total_tokens"])

    done = user.wait(job["id"])

    assert done["status"] == "succeeded"
    assert done["receipt"]["charged_tokens"] == quote["total_tokens"]
    assert done["receipt"]["reason"] == "charged"
    assert user.balance() == (available - quote["total_tokens"], 0)
    kinds = [row["kind"] for row in user.rows() if row["job_id"] == job["id"]]
    assert sorted(kinds) == ["capture", "hold"]
    content = user.http.get(done["result"]["content_url"])
    assert content.headers["content-type"] == "video/mp4"
    assert "reelmint-a-red-fox.mp4" in content.headers["content-disposition"]
    assert len(content.content) == done["result"]["size_bytes"]


def test_the_result_is_a_real_video_of_the_promised_size(
    user: Caller, tmp_path_factory: pytest.TempPathFactory
) -> None:
    done = user.wait(user.create("a lighthouse", duration_seconds=2, resolution="480p")["id"])
    path = tmp_path_factory.mktemp("video") / "video.mp4"
    path.write_bytes(user.http.get(done["result"]["content_url"]).content)
    with av.open(str(path)) as video:
        stream = video.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height) == (done["result"]["width"], done["result"]["height"])
    assert done["result"]["duration_seconds"] == pytest.approx(2, abs=0.2)


def test_a_picture_is_made_by_an_image_model(user: Caller) -> None:
    done = user.wait(user.create("a bowl of plums", model="sandbox-image")["id"])
    assert done["status"] == "succeeded"
    assert done["result"]["content_type"] == "image/png"


def test_content_redirects_to_a_short_lived_address(user: Caller) -> None:
    done = user.wait(user.create("a paper boat", model="sandbox-image")["id"])
    for variant in ("image", "thumbnail"):
        answer = user.http.get(f"/v1/jobs/{done['id']}/content?variant={variant}")
        assert answer.status_code == 302
        assert user.http.get(answer.headers["location"]).is_success


def test_the_same_key_is_the_same_job_and_another_body_is_a_conflict(user: Caller) -> None:
    key = secrets.token_hex(8)
    first = user.create("a red fox", key=key)
    assert user.create("a red fox", key=key)["id"] == first["id"]
    with pytest.raises(Refusal) as refused:
        user.create("a blue fox", key=key)
    assert (refused.value.status, refused.value.error["code"]) == (409, "idempotency_key_reused")
    assert len([row for row in user.rows() if row["kind"] == "hold"]) == 1


def test_without_a_key_an_identical_body_is_the_same_job_for_a_moment(user: Caller) -> None:
    body = {"model": "sandbox-image", "prompt": "twice by accident"}
    first = user.call("POST", "/v1/jobs", json=body)
    assert user.call("POST", "/v1/jobs", json=body)["id"] == first["id"]
    assert user.call("POST", "/v1/jobs", json={**body, "prompt": "not twice"})["id"] != first["id"]


def test_somebody_elses_job_does_not_exist(product: Product, user: Caller) -> None:
    job = user.create()
    other = product.sign_in()
    for method, path in [
        ("GET", f"/v1/jobs/{job['id']}"),
        ("GET", f"/v1/jobs/{job['id']}/content"),
        ("POST", f"/v1/jobs/{job['id']}/cancel"),
        ("DELETE", f"/v1/jobs/{job['id']}"),
        ("GET", f"/v1/jobs?after={job['id']}"),
    ]:
        with pytest.raises(Refusal) as refused:
            other.call(method, path)
        assert (refused.value.status, refused.value.error["code"]) == (404, "not_found"), path


def test_a_list_pages_through_every_job_once(user: Caller) -> None:
    made = [user.create(f"fox {number}", model="sandbox-image")["id"] for number in range(5)]
    seen: list[str] = []
    after = ""
    while True:
        page = user.call("GET", f"/v1/jobs?limit=2{after}")
        seen += [job["id"] for job in page["data"]]
        if not page["has_more"]:
            break
        after = f"&after={page['last_id']}"
    assert sorted(seen) == sorted(made)


def test_an_unchanged_job_is_not_sent_again(user: Caller) -> None:
    done = user.wait(user.create("a kite", model="sandbox-image")["id"])
    first = user.http.get(f"/v1/jobs/{done['id']}")
    again = user.http.get(
        f"/v1/jobs/{done['id']}", headers={"if-none-match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_a_deleted_job_is_gone_and_its_ledger_rows_are_not(user: Caller) -> None:
    done = user.wait(user.create("a kite", model="sandbox-image")["id"])
    assert user.call("DELETE", f"/v1/jobs/{done['id']}")["deleted"] is True
    with pytest.raises(Refusal) as refused:
        user.job(done["id"])
    assert refused.value.status == 404
    assert not user.http.get(done["result"]["content_url"]).is_success
    assert {row["kind"] for row in user.rows() if row["job_id"] == done["id"]} == {
        "hold",
        "capture",
    }
