"""Results that a caller should not trust: too big, broken, cut off, slow, dead, elsewhere."""

import io
import time

import av
import httpx
import pytest

from tests.sandbox.calls import Sandbox, read_error


def test_a_huge_result_goes_on_past_what_was_announced(sandbox: Sandbox) -> None:
    generation = sandbox.finish(behaviour={"result": "huge:30"})
    started = time.monotonic()
    reply = sandbox.download(generation)
    assert time.monotonic() - started < 5
    assert reply.headers["Content-Type"] == "video/mp4"
    assert "Content-Length" not in reply.headers
    assert len(reply.content) == 30_000_000 > generation["result"]["size_bytes"]
    assert _open(reply.content) == "h264"


def test_a_gigantic_result_can_be_left_early(sandbox: Sandbox) -> None:
    generation = sandbox.finish(behaviour={"result": "huge:100000"})
    received_bytes = 0
    with sandbox.stranger.stream("GET", generation["result"]["url"]) as reply:
        for chunk in reply.iter_bytes():
            received_bytes += len(chunk)
            if received_bytes > 5_000_000:
                break
    started = time.monotonic()
    assert sandbox.http.get("/healthz").status_code == 200
    assert time.monotonic() - started < 0.5, "the reader who left was not noticed"


def test_a_huge_picture_is_padded_too(sandbox: Sandbox) -> None:
    generation = sandbox.finish(kind="image", behaviour={"result": "huge:2"})
    reply = sandbox.download(generation)
    assert reply.headers["Content-Type"] == "image/png"
    assert len(reply.content) == 2_000_000


def test_a_corrupt_result_is_no_video(sandbox: Sandbox) -> None:
    generation = sandbox.finish(behaviour={"result": "corrupt"})
    reply = sandbox.download(generation)
    assert reply.headers["Content-Type"] == "video/mp4"
    assert len(reply.content) == generation["result"]["size_bytes"]
    with pytest.raises(av.error.InvalidDataError):
        _open(reply.content)


def test_a_page_comes_instead_of_the_result(sandbox: Sandbox) -> None:
    reply = sandbox.download(sandbox.finish(behaviour={"result": "html"}))
    assert reply.status_code == 200
    assert reply.headers["Content-Type"].startswith("text/html")


def test_a_truncated_result_breaks_off_in_the_middle(sandbox: Sandbox) -> None:
    generation = sandbox.finish(behaviour={"result": "truncated"})
    size_bytes = generation["result"]["size_bytes"]
    received = bytearray()
    with sandbox.stranger.stream("GET", generation["result"]["url"]) as reply:
        assert int(reply.headers["Content-Length"]) == size_bytes
        with pytest.raises(httpx.RemoteProtocolError):
            _drain(reply, received)
    assert len(received) == size_bytes // 2


def test_an_empty_result_has_no_bytes(sandbox: Sandbox) -> None:
    reply = sandbox.download(sandbox.finish(behaviour={"result": "empty"}))
    assert (reply.status_code, reply.content) == (200, b"")


def test_an_address_can_be_dead_on_arrival_and_alive_again_later(sandbox: Sandbox) -> None:
    sandbox.switch(result="expired")
    generation = sandbox.finish()
    assert generation["result"]["expires_at"] < time.time()
    assert read_error(sandbox.download(generation)) == (410, "expired")
    sandbox.switch()
    assert sandbox.download(sandbox.show(generation["id"])).status_code == 200


@pytest.mark.parametrize(
    ("result", "error"), [("http_403", (403, "bad_token")), ("http_404", (404, "not_found"))]
)
def test_a_good_address_can_be_refused(
    sandbox: Sandbox, result: str, error: tuple[int, str]
) -> None:
    generation = sandbox.finish(behaviour={"result": result})
    assert read_error(sandbox.download(generation)) == error


def test_a_slow_result_keeps_its_pace(sandbox: Sandbox) -> None:
    generation = sandbox.finish()
    size_bytes = generation["result"]["size_bytes"]
    sandbox.switch(result=f"slow:{size_bytes * 2}")
    started = time.monotonic()
    assert len(sandbox.download(generation).content) == size_bytes
    assert 0.4 < time.monotonic() - started < 1.5


def test_a_hesitant_result_begins_with_a_single_byte(sandbox: Sandbox) -> None:
    generation = sandbox.finish(behaviour={"result": "hesitant"})
    with sandbox.stranger.stream("GET", generation["result"]["url"]) as reply:
        pieces = list(reply.iter_raw())
    assert len(pieces[0]) == 1
    assert _open(b"".join(pieces)) == "h264"


def test_a_result_redirects_into_the_private_network(sandbox: Sandbox) -> None:
    reply = sandbox.download(sandbox.finish(behaviour={"result": "redirect_private"}))
    assert reply.status_code == 302
    assert reply.headers["Location"].startswith("http://169.254.169.254/")


def test_a_result_is_redirected_so_often_and_then_served(sandbox: Sandbox) -> None:
    generation = sandbox.finish(behaviour={"result": "redirects:3"})
    url = generation["result"]["url"]
    for _ in range(3):
        reply = sandbox.stranger.get(url)
        assert reply.status_code == 302
        url = reply.headers["Location"]
    assert _open(sandbox.stranger.get(url).content) == "h264"


def test_a_redirected_address_is_as_secret_as_the_first(sandbox: Sandbox) -> None:
    generation = sandbox.finish(behaviour={"result": "redirects:1"})
    moved = sandbox.download(generation).headers["Location"]
    assert read_error(sandbox.stranger.get(moved.replace("token=", "token=0"))) == (
        403,
        "bad_token",
    )


def _open(content: bytes) -> str:
    with av.open(io.BytesIO(content)) as container:
        return container.streams.video[0].codec_context.name


def _drain(reply: httpx.Response, received: bytearray) -> None:
    for chunk in reply.iter_bytes():
        received += chunk
