"""The driver over a socket of our making: who is called, what is said of it, and what is not."""

import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

import pytest

from shared.adapters import providers
from shared.adapters.providers.driver import Driver
from shared.adapters.providers.translator import Account, Cancel, Lookup, Provider
from shared.errors import NotFound, VendorBusy, VendorError, VendorUnknown, WebhookRefused
from shared.ports import (
    Hint,
    HttpLimits,
    HttpReply,
    HttpRequest,
    Inbound,
    NoReply,
    NotSent,
    Outcome,
    Work,
)

KEY = "canary-key"
PROMPT = "canary-prompt"
SIGNATURE = "canary-signature"
RESULT_URL = f"https://films.cdn.test/film.mp4?sig={SIGNATURE}"
ACCOUNT = Account("sandbox", "https://api.vendor.test/base", KEY, ("secret",))

WORK = Work(
    job_id="job-1",
    kind="video",
    vendor_model="m",
    prompt=PROMPT,
    negative_prompt=None,
    duration_seconds=None,
    resolution=None,
    aspect_ratio=None,
    audio=False,
    images={},
    callback_url=f"https://reelmint.test/hooks/{SIGNATURE}",
)

ACCEPTED = HttpReply(201, {}, b'{"id": "gen_1"}')
RUNNING = HttpReply(200, {}, b'{"id": "gen_1", "status": "running"}')


@dataclass
class Socket:
    """The Http port: gives the answers it was given, in turn, and notes what was asked."""

    answers: list[HttpReply | Exception] = field(default_factory=list)
    chunks: list[bytes | Exception] = field(default_factory=list)
    asked: list[tuple[HttpRequest, HttpLimits]] = field(default_factory=list)
    is_closed: bool = False

    async def send(self, request: HttpRequest, limits: HttpLimits) -> HttpReply:
        self.asked.append((request, limits))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def stream(self, request: HttpRequest, limits: HttpLimits) -> AsyncGenerator[bytes, None]:
        self.asked.append((request, limits))
        try:
            for chunk in self.chunks:
                if isinstance(chunk, Exception):
                    raise chunk
                yield chunk
        finally:
            self.is_closed = True


def driver_over(socket: Socket, translator: Provider | None = None) -> Driver:
    load = (lambda _name: translator) if translator else providers.load
    return Driver(socket, {"sandbox": ACCOUNT}, load=load)


class Plain:
    """A vendor that can do only what every vendor can."""

    name = "sandbox"
    hosts = ("*.cdn.test",)
    lookup: Lookup | None = None
    cancel: Cancel | None = None
    read: Callable[[HttpReply], str] = staticmethod(lambda _reply: "task-1")

    def submit(self, work: Work, account: Account) -> HttpRequest:
        return HttpRequest("POST", account.url("/jobs"))

    def accepted(self, reply: HttpReply) -> str:
        return self.read(reply)

    def poll(self, task_id: str, account: Account) -> HttpRequest:
        return HttpRequest("GET", account.url("/jobs/1"))

    def outcome(self, reply: HttpReply, task_id: str) -> Outcome:
        return Outcome(task_id, "running", detail=self.read(reply))

    def webhook(self, inbound: Inbound, account: Account, now_ms: int) -> Hint:
        return Hint(self.read(HttpReply(200, inbound.headers, inbound.body)))


# ---------------------------------------------------------------- who is called


async def test_a_provider_without_an_account_or_a_file_is_not_found() -> None:
    driver = driver_over(Socket())
    inbound = Inbound({}, b"")
    for unknown in ("nobody", "", "../sandbox", "_signing"):
        with pytest.raises(NotFound):
            await driver.submit(unknown, WORK)
        with pytest.raises(NotFound):
            await driver.poll(unknown, "gen_1")
        with pytest.raises(NotFound):
            driver.hint(unknown, inbound, 0)
        with pytest.raises(NotFound):
            driver.can_look_up(unknown)
        with pytest.raises(NotFound):
            driver.can_cancel(unknown)
        with pytest.raises(NotFound):
            await anext(driver.fetch(unknown, RESULT_URL, 10))
    without_file = Driver(Socket(), {"ghost": ACCOUNT})
    with pytest.raises(NotFound):
        without_file.can_cancel("ghost")


async def test_a_call_with_the_key_goes_to_the_accounts_own_host_only() -> None:
    socket = Socket([ACCEPTED, RUNNING])
    driver = Driver(socket, {"sandbox": ACCOUNT}, connect_seconds=2, total_seconds=7)
    assert await driver.submit("sandbox", WORK) == "gen_1"
    assert (await driver.poll("sandbox", "gen_1")).state == "running"
    for request, limits in socket.asked:
        assert request.url.startswith("https://api.vendor.test/base/")
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert limits == HttpLimits(("api.vendor.test",), 2, 7, 1_000_000)


async def test_a_result_is_fetched_from_the_vendors_hosts_without_the_key() -> None:
    socket = Socket(chunks=[b"a", b"b"])
    fetched = driver_over(socket, Plain()).fetch("sandbox", RESULT_URL, 500)
    assert [chunk async for chunk in fetched] == [b"a", b"b"]
    request, limits = socket.asked[0]
    assert request == HttpRequest("GET", RESULT_URL)
    assert limits.hosts == ("api.vendor.test", "*.cdn.test")
    assert limits.max_bytes == 500


async def test_a_fetch_that_is_left_early_lets_go_of_the_connection() -> None:
    socket = Socket(chunks=[b"a", b"b"])
    fetched = driver_over(socket, Plain()).fetch("sandbox", RESULT_URL, 500)
    assert await anext(fetched) == b"a"
    await fetched.aclose()
    assert socket.is_closed


def test_abilities_are_those_of_the_file() -> None:
    assert driver_over(Socket()).can_look_up("sandbox")
    assert driver_over(Socket()).can_cancel("sandbox")
    assert not driver_over(Socket(), Plain()).can_look_up("sandbox")
    assert not driver_over(Socket(), Plain()).can_cancel("sandbox")


async def test_a_cancel_that_is_refused_is_followed_by_a_look() -> None:
    refused = HttpReply(409, {}, b'{"error": {"code": "not_cancellable"}}')
    over = HttpReply(200, {}, b'{"id": "gen_1", "status": "cancelled"}')
    socket = Socket([refused, over])
    outcome = await driver_over(socket).cancel("sandbox", "gen_1")
    assert outcome.state == "cancelled"
    assert [request.method for request, _ in socket.asked] == ["POST", "GET"]


# ---------------------------------------------------------------- what is said of it


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (NotSent("refused"), VendorBusy, "provider_busy"),
        (NoReply("too late"), VendorUnknown, "timed_out"),
        (HttpReply(200, {}, b"<html>"), VendorUnknown, "provider_failed"),
        (HttpReply(200, {}, b"{" + b" " * 2_000_000 + b"}"), VendorUnknown, "provider_failed"),
    ],
)
async def test_every_call_tells_not_sent_from_not_known(
    answer: HttpReply | Exception, kind: type[VendorError], code: str
) -> None:
    driver = driver_over(Socket([answer] * 4))
    for call in (
        driver.submit("sandbox", WORK),
        driver.poll("sandbox", "gen_1"),
        driver.look_up("sandbox", "job-1"),
        driver.cancel("sandbox", "gen_1"),
    ):
        with pytest.raises(VendorError) as caught:
            await call
        assert type(caught.value) is kind
        assert caught.value.code == code


@pytest.mark.parametrize("error", [NotSent("host not allowed"), NoReply("reset")])
async def test_a_fetch_that_breaks_is_unavailable(error: Exception) -> None:
    fetched = driver_over(Socket(chunks=[b"a", error]), Plain()).fetch("sandbox", RESULT_URL, 500)
    assert await anext(fetched) == b"a"
    with pytest.raises(VendorUnknown) as caught:
        await anext(fetched)
    assert caught.value.code == "result_unavailable"


MISTAKES = [
    KeyError("id"),
    TypeError("None"),
    ValueError("canary"),
    AttributeError("get"),
    ZeroDivisionError(),
    RecursionError(),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: type(mistake).__name__)
async def test_a_mistake_of_a_translator_never_looks_like_a_no(mistake: Exception) -> None:
    def stumble(_reply: HttpReply) -> str:
        raise mistake

    translator = Plain()
    translator.read = stumble
    driver = driver_over(Socket([ACCEPTED, RUNNING]), translator)
    with pytest.raises(VendorUnknown) as caught:
        await driver.submit("sandbox", WORK)
    assert "canary" not in str(caught.value)
    assert "stumble" in str(caught.value)
    with pytest.raises(VendorUnknown):
        await driver.poll("sandbox", "gen_1")
    with pytest.raises(WebhookRefused):
        driver.hint("sandbox", Inbound({}, b""), 0)


async def test_translators_see_lower_case_headers() -> None:
    translator = Plain()
    translator.read = lambda reply: ",".join(reply.headers)
    driver = driver_over(Socket([HttpReply(200, {"Retry-After": "1"}, b"")]), translator)
    assert await driver.submit("sandbox", WORK) == "retry-after"
    assert driver.hint("sandbox", Inbound({"X-Sig": "1"}, b""), 0) == Hint("x-sig")


# ---------------------------------------------------------------- what is not said


LOUD = HttpReply(
    422,
    {"set-cookie": SIGNATURE},
    f'{{"error": {{"code": "bad {PROMPT}", "message": "{PROMPT} {KEY} {RESULT_URL}"}}}}'.encode(),
)


@pytest.mark.parametrize(
    "answer", [ACCEPTED, LOUD, NoReply("reset"), NotSent("refused"), HttpReply(200, {}, b"<p>")]
)
async def test_no_log_has_a_key_a_prompt_or_a_signed_address(
    caplog: pytest.LogCaptureFixture, answer: HttpReply | Exception
) -> None:
    caplog.set_level(logging.DEBUG)
    socket = Socket([answer] * 4, chunks=[b"a", NoReply("reset")])
    driver = driver_over(socket)
    calls = [
        driver.submit("sandbox", WORK),
        driver.poll("sandbox", "gen_1"),
        driver.look_up("sandbox", "job-1"),
        driver.cancel("sandbox", "gen_1"),
    ]
    said = [await what_it_says(call) for call in calls]
    fetched = driver.fetch("sandbox", RESULT_URL, 500)
    await anext(fetched)
    said.append(await what_it_says(anext(fetched)))
    logged = "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "submit of job-1" in logged
    assert "canary" not in logged
    assert "canary" not in "".join(said)


async def what_it_says(call: object) -> str:
    try:
        return str(await call)  # type: ignore[misc]
    except VendorError as error:
        return f"{error} {error.detail}"
