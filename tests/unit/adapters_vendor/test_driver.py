"""The driver over a socket of our making: who is called, what is said of it, and what is not."""

import json
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace

import pytest

from shared.adapters import providers
from shared.adapters.providers.driver import QUESTIONS_MAX, Driver
from shared.adapters.providers.key_sets import AGAIN_AFTER_MS, KEPT_MS
from shared.adapters.providers.translator import (
    Account,
    Ask,
    Cancel,
    Keys,
    Lookup,
    Poll,
    Provider,
    Webhook,
)
from shared.errors import (
    NotFound,
    Unavailable,
    VendorBusy,
    VendorError,
    VendorGone,
    VendorUnknown,
    WebhookRefused,
)
from shared.ports import (
    Abilities,
    Accepted,
    Hint,
    HttpLimits,
    HttpReply,
    HttpRequest,
    Inbound,
    NoReply,
    NotSent,
    Outcome,
    Parcel,
    Ticket,
    Work,
)

KEY = "canary-key"
PROMPT = "canary-prompt"
SIGNATURE = "canary-signature"
RESULT = Parcel(f"https://films.cdn.test/film.mp4?sig={SIGNATURE}")
ACCOUNT = Account("sandbox", "sandbox", "https://api.vendor.test/base", KEY, ("secret",))
SECOND = Account("sandbox_2", "sandbox", "https://second.vendor.test", "key-2", ("secret-2",))
STRANGER = Account("stranger", "stranger", "https://api.stranger.test", "key-3", ("secret-3",))
SUBMIT_SECONDS = 42.0

TICKET = Ticket("sandbox", "sandbox", "job-1", "video", "m", task_id="gen_1")
WORK = Work(
    ticket=TICKET,
    prompt=PROMPT,
    negative_prompt=None,
    duration_seconds=None,
    resolution=None,
    aspect_ratio=None,
    audio=False,
    count=1,
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

    def headers(self, name: str) -> list[str | None]:
        """One header of everything that was asked."""
        return [request.headers.get(name) for request, _limits in self.asked]


@dataclass
class HandClock:
    """Time that passes when it is told to."""

    ms: int = 1_795_251_600_000

    def now_ms(self) -> int:
        return self.ms

    def monotonic_ms(self) -> int:
        return self.ms


def driver_over(
    socket: Socket,
    translator: Provider | None = None,
    *accounts: Account,
    clock: HandClock | None = None,
) -> Driver:
    load = (lambda _name: translator) if translator else providers.load
    named = {account.name: account for account in accounts or (ACCOUNT,)}
    return Driver(
        socket, named, clock or HandClock(), connect_seconds=2, total_seconds=7, load=load
    )


# ---------------------------------------------------------------- a vendor that can do the least


def stamped(request: HttpRequest, account: Account, now_ms: int) -> HttpRequest:
    return replace(request, headers={"x-signed": f"{account.api_key} at {now_ms}"})


def ask(ticket: Ticket, account: Account) -> HttpRequest:
    return HttpRequest("GET", account.url(f"/jobs/{ticket.task_id}"))


def running(reply: HttpReply, ticket: Ticket, account: Account) -> Outcome:
    return Outcome(ticket.task_id, "running")


PLAIN = Provider(
    name="sandbox",
    base_url="https://api.vendor.test",
    authorize=stamped,
    submit=lambda work, account: HttpRequest("POST", account.url("/jobs")),
    accepted=lambda reply, work: Accepted("task-1"),
    poll=Poll(ask, running),
    hosts=("*.cdn.test",),
)


def asking(questions: int) -> Poll:
    """A poll whose outcome takes so many questions."""

    def read_at(number: int) -> Callable[[HttpReply], Outcome | Ask]:
        def read(reply: HttpReply) -> Outcome | Ask:
            if number == questions:
                return Outcome("gen_1", "succeeded", parcels=(RESULT,))
            url = ACCOUNT.url(f"/files/{number}")
            return Ask(HttpRequest("GET", url), read_at(number + 1))

        return read

    return Poll(ask, lambda reply, ticket, account: read_at(1)(reply))


# ---------------------------------------------------------------- who is called


@pytest.mark.parametrize("unknown", ["nobody", "", "../sandbox", "_signing"])
async def test_a_provider_without_an_account_is_not_found(unknown: str) -> None:
    driver = driver_over(Socket())
    with pytest.raises(NotFound):
        driver.abilities(unknown)
    with pytest.raises(NotFound):
        await driver.hint(unknown, Inbound({}, b""), 0)


async def test_a_provider_without_a_file_is_not_found() -> None:
    ghost = replace(ACCOUNT, name="ghost", provider="ghost")
    with pytest.raises(NotFound):
        driver_over(Socket(), None, ghost).abilities("ghost")


@pytest.mark.parametrize(
    "ticket",
    [
        replace(TICKET, account="nobody"),
        replace(TICKET, account=""),
        replace(TICKET, account="stranger"),
        replace(TICKET, provider="stranger"),
        replace(TICKET, provider="", account=""),
    ],
)
async def test_a_ticket_of_another_account_or_provider_is_not_found(ticket: Ticket) -> None:
    socket = Socket()
    driver = driver_over(socket, None, ACCOUNT, STRANGER)
    for call in (
        driver.submit(replace(WORK, ticket=ticket), SUBMIT_SECONDS),
        driver.poll(ticket),
        driver.look_up(ticket),
        driver.cancel(ticket),
        anext(driver.fetch(ticket, RESULT, 10)),
    ):
        with pytest.raises(NotFound):
            await call
    assert socket.asked == []


async def test_a_call_with_the_key_goes_to_the_accounts_own_host_only() -> None:
    socket = Socket([ACCEPTED, RUNNING])
    driver = driver_over(socket)
    assert await driver.submit(WORK, SUBMIT_SECONDS) == Accepted("gen_1")
    assert (await driver.poll(TICKET)).state == "running"
    for request, limits in socket.asked:
        assert request.url.startswith("https://api.vendor.test/base/")
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert limits.hosts == ("api.vendor.test",)


async def test_each_job_is_spoken_of_with_its_own_account() -> None:
    socket = Socket([ACCEPTED, RUNNING])
    driver = driver_over(socket, None, ACCOUNT, SECOND)
    ticket = replace(TICKET, account="sandbox_2")
    await driver.submit(replace(WORK, ticket=ticket), SUBMIT_SECONDS)
    await driver.poll(ticket)
    for request, limits in socket.asked:
        assert request.url.startswith("https://second.vendor.test/")
        assert request.headers["authorization"] == "Bearer key-2"
        assert limits.hosts == ("second.vendor.test",)


async def test_a_submit_waits_as_long_as_it_is_told_and_others_as_long_as_set() -> None:
    socket = Socket([ACCEPTED, RUNNING])
    driver = driver_over(socket, replace(PLAIN, reply_bytes_max=123))
    await driver.submit(WORK, SUBMIT_SECONDS)
    await driver.poll(TICKET)
    assert [limits for _, limits in socket.asked] == [
        HttpLimits(("api.vendor.test",), 2, SUBMIT_SECONDS, 123),
        HttpLimits(("api.vendor.test",), 2, 7, 123),
    ]


async def test_every_request_is_authorized_at_the_time_it_is_sent() -> None:
    clock = HandClock(1000)

    @dataclass
    class Slow(Socket):
        async def send(self, request: HttpRequest, limits: HttpLimits) -> HttpReply:
            clock.ms += 1
            return await super().send(request, limits)

    socket = Slow([RUNNING] * 5)
    every = replace(
        PLAIN,
        poll=asking(2),
        lookup=Lookup(ask, lambda reply, ticket: None),
        cancel=Cancel(ask, lambda reply, ticket: Outcome(ticket.task_id, "cancelled")),
    )
    driver = driver_over(socket, every, clock=clock)
    await driver.submit(WORK, SUBMIT_SECONDS)
    await driver.poll(TICKET)
    await driver.look_up(TICKET)
    await driver.cancel(TICKET)
    assert socket.headers("x-signed") == [f"{KEY} at {1000 + number}" for number in range(5)]


def test_abilities_are_those_of_the_file() -> None:
    assert driver_over(Socket()).abilities("sandbox") == Abilities(
        can_poll=True, can_look_up=True, can_cancel=True, takes_bytes=False
    )
    at_once = replace(PLAIN, poll=None, takes_bytes=True)
    assert driver_over(Socket(), at_once).abilities("sandbox") == Abilities(
        can_poll=False, can_look_up=False, can_cancel=False, takes_bytes=True
    )


# ---------------------------------------------------------------- results


async def test_a_result_is_fetched_from_the_vendors_hosts_without_the_key() -> None:
    socket = Socket(chunks=[b"a", b"b"])
    fetched = driver_over(socket, PLAIN).fetch(TICKET, RESULT, 500)
    assert [chunk async for chunk in fetched] == [b"a", b"b"]
    request, limits = socket.asked[0]
    assert request == HttpRequest("GET", RESULT.url)
    assert limits.hosts == ("api.vendor.test", "*.cdn.test")
    assert limits.max_bytes == 500


async def test_an_account_may_have_results_in_places_of_its_own() -> None:
    socket = Socket(chunks=[b"a"])
    driver = driver_over(socket, PLAIN, replace(ACCOUNT, hosts=("films.bucket.test",)))
    assert [chunk async for chunk in driver.fetch(TICKET, RESULT, 500)] == [b"a"]
    assert socket.asked[0][1].hosts == ("api.vendor.test", "*.cdn.test", "films.bucket.test")


@pytest.mark.parametrize(
    ("url", "has_key"),
    [
        ("https://api.vendor.test/base/files/1", True),
        ("https://api.vendor.test.evil.test/base/files/1", False),
        ("https://api.vendor.test/baseless", False),
        ("https://api.vendor.test:444/base/files/1", False),
        ("http://api.vendor.test/base/files/1", False),
        ("https://api.vendor.test@evil.test/base/files/1", False),
        (RESULT.url, False),
    ],
)
async def test_a_result_for_our_key_alone_gets_it_on_the_accounts_own_host(
    url: str, has_key: bool
) -> None:
    socket = Socket(chunks=[b"a"])
    driver = driver_over(socket, replace(PLAIN, keyed_results=True), clock=HandClock(5))
    assert [chunk async for chunk in driver.fetch(TICKET, Parcel(url), 500)] == [b"a"]
    assert socket.headers("x-signed") == [f"{KEY} at 5" if has_key else None]


async def test_a_result_on_the_accounts_own_host_gets_no_key_unless_it_is_asked_for() -> None:
    socket = Socket(chunks=[b"a"])
    parcel = Parcel("https://api.vendor.test/base/files/1")
    assert [chunk async for chunk in driver_over(socket, PLAIN).fetch(TICKET, parcel, 500)]
    assert socket.headers("x-signed") == [None]


async def test_a_result_that_came_with_the_answer_is_not_asked_for() -> None:
    socket = Socket()
    fetched = driver_over(socket, PLAIN).fetch(TICKET, Parcel(content=b"pixels"), 500)
    assert [chunk async for chunk in fetched] == [b"pixels"]
    assert socket.asked == []


async def test_a_fetch_that_is_left_early_lets_go_of_the_connection() -> None:
    socket = Socket(chunks=[b"a", b"b"])
    fetched = driver_over(socket, PLAIN).fetch(TICKET, RESULT, 500)
    assert await anext(fetched) == b"a"
    await fetched.aclose()
    assert socket.is_closed


@pytest.mark.parametrize("error", [NotSent("host not allowed"), NoReply("reset")])
async def test_a_fetch_that_breaks_is_unavailable(error: Exception) -> None:
    fetched = driver_over(Socket(chunks=[b"a", error]), PLAIN).fetch(TICKET, RESULT, 500)
    assert await anext(fetched) == b"a"
    with pytest.raises(VendorUnknown) as caught:
        await anext(fetched)
    assert caught.value.code == "result_unavailable"


async def test_results_in_the_answer_to_the_submit_are_handed_on() -> None:
    accepted = Accepted("", (RESULT, Parcel(content=b"pixels")))
    translator = replace(PLAIN, poll=None, accepted=lambda reply, work: accepted)
    assert await driver_over(Socket([ACCEPTED]), translator).submit(WORK, 1) == accepted


# ---------------------------------------------------------------- one question and another


@pytest.mark.parametrize("questions", range(1, QUESTIONS_MAX + 1))
async def test_a_poll_asks_on_until_it_knows(questions: int) -> None:
    socket = Socket([RUNNING] * questions)
    outcome = await driver_over(socket, replace(PLAIN, poll=asking(questions))).poll(TICKET)
    assert outcome == Outcome("gen_1", "succeeded", parcels=(RESULT,))
    assert [request.url.removeprefix(ACCOUNT.base_url) for request, _ in socket.asked] == [
        "/jobs/gen_1",
        *(f"/files/{number}" for number in range(1, questions)),
    ]


async def test_a_poll_that_never_ends_asking_is_given_up() -> None:
    socket = Socket([RUNNING] * 50)
    driver = driver_over(socket, replace(PLAIN, poll=asking(50)))
    with pytest.raises(VendorUnknown):
        await driver.poll(TICKET)
    assert len(socket.asked) == QUESTIONS_MAX


async def test_a_later_question_that_fails_tells_not_sent_from_not_known() -> None:
    for error, kind in ((NotSent("refused"), VendorBusy), (NoReply("late"), VendorUnknown)):
        driver = driver_over(Socket([RUNNING, error]), replace(PLAIN, poll=asking(2)))
        with pytest.raises(kind):
            await driver.poll(TICKET)


async def test_a_vendor_that_answers_only_once_has_no_task_to_ask_about() -> None:
    socket = Socket()
    with pytest.raises(VendorGone) as caught:
        await driver_over(socket, replace(PLAIN, poll=None)).poll(TICKET)
    assert caught.value.code == "result_unavailable"
    assert socket.asked == []


async def test_a_cancel_that_is_refused_is_followed_by_a_look() -> None:
    refused = HttpReply(409, {}, b'{"error": {"code": "not_cancellable"}}')
    over = HttpReply(200, {}, b'{"id": "gen_1", "status": "cancelled"}')
    socket = Socket([refused, over])
    outcome = await driver_over(socket).cancel(TICKET)
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
        driver.submit(WORK, SUBMIT_SECONDS),
        driver.poll(TICKET),
        driver.look_up(TICKET),
        driver.cancel(TICKET),
    ):
        with pytest.raises(VendorError) as caught:
            await call
        assert type(caught.value) is kind
        assert caught.value.code == code


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
    def stumble(*_: object) -> Accepted:
        raise mistake

    def stumble_later(*_: object) -> Ask:
        return Ask(HttpRequest("GET", ACCOUNT.url("/files")), stumble)  # type: ignore[arg-type]

    translator = replace(
        PLAIN,
        accepted=stumble,
        poll=Poll(ask, stumble_later),
        lookup=Lookup(ask, stumble),  # type: ignore[arg-type]
        cancel=Cancel(ask, stumble),  # type: ignore[arg-type]
        webhook=Webhook(stumble),  # type: ignore[arg-type]
    )
    driver = driver_over(Socket([RUNNING] * 5), translator)
    for call in (
        driver.submit(WORK, SUBMIT_SECONDS),
        driver.poll(TICKET),
        driver.look_up(TICKET),
        driver.cancel(TICKET),
    ):
        with pytest.raises(VendorUnknown) as caught:
            await call
        assert "canary" not in str(caught.value)
        assert "stumble" in str(caught.value)
    with pytest.raises(WebhookRefused):
        await driver.hint("sandbox", Inbound({}, b""), 0)


async def test_translators_see_lower_case_headers() -> None:
    translator = replace(
        PLAIN,
        accepted=lambda reply, work: Accepted(",".join(reply.headers)),
        webhook=Webhook(lambda inbound, keys, now_ms: Hint(",".join(inbound.headers))),
    )
    driver = driver_over(Socket([HttpReply(200, {"Retry-After": "1"}, b"")]), translator)
    assert await driver.submit(WORK, SUBMIT_SECONDS) == Accepted("retry-after")
    assert await driver.hint("sandbox", Inbound({"X-Sig": "1"}, b""), 0) == Hint("x-sig")


# ---------------------------------------------------------------- webhooks


def check_secret(inbound: Inbound, keys: Keys, now_ms: int) -> Hint:
    if inbound.headers.get("x-secret") not in keys.secrets:
        raise WebhookRefused("none of ours")
    return Hint("task-1")


async def test_the_secrets_of_all_accounts_with_the_provider_are_good() -> None:
    rotating = replace(SECOND, webhook_secrets=("secret-2", "secret-2b"))
    translator = replace(PLAIN, webhook=Webhook(check_secret))
    driver = driver_over(Socket(), translator, ACCOUNT, rotating, STRANGER)
    for secret in ("secret", "secret-2", "secret-2b"):
        hint = await driver.hint("sandbox", Inbound({"x-secret": secret}, b""), 0)
        assert hint == Hint("task-1")
    for secret in ("secret-3", ""):
        with pytest.raises(WebhookRefused):
            await driver.hint("sandbox", Inbound({"x-secret": secret}, b""), 0)


async def test_a_vendor_that_does_not_call_us_is_not_heard() -> None:
    with pytest.raises(NotFound):
        await driver_over(Socket(), PLAIN).hint("sandbox", Inbound({}, b""), 0)


async def test_what_a_vendor_wants_to_hear_is_handed_on() -> None:
    hint = Hint(None, {"challenge": "abc"}, is_news=False)
    translator = replace(PLAIN, webhook=Webhook(lambda inbound, keys, now_ms: hint))
    assert await driver_over(Socket(), translator).hint("sandbox", Inbound({}, b""), 0) == hint


def check_key(inbound: Inbound, keys: Keys, now_ms: int) -> Hint:
    if inbound.headers.get("x-key") not in {key["kid"] for key in keys.public}:
        raise WebhookRefused("no key that we know")
    return Hint("task-1")


PUBLISHING = replace(
    PLAIN, webhook=Webhook(check_key, lambda account: "https://keys.vendor.test/jwks.json")
)


def key_set(*names: str) -> HttpReply:
    return HttpReply(200, {}, json.dumps({"keys": [{"kid": name} for name in names]}).encode())


def signed_with(key: str) -> Inbound:
    return Inbound({"X-Key": key}, b"")


async def test_the_vendors_keys_are_read_once_and_without_ours() -> None:
    socket = Socket([key_set("old")])
    driver = driver_over(socket, PUBLISHING)
    for _ in range(5):
        assert await driver.hint("sandbox", signed_with("old"), 0) == Hint("task-1")
    [(request, limits)] = socket.asked
    assert request == HttpRequest("GET", "https://keys.vendor.test/jwks.json")
    assert limits.hosts == ("keys.vendor.test",)


async def test_the_vendors_keys_are_kept_for_a_day() -> None:
    socket, clock = Socket([key_set("old"), key_set("new")]), HandClock()
    driver = driver_over(socket, PUBLISHING, clock=clock)
    await driver.hint("sandbox", signed_with("old"), 0)
    clock.ms += KEPT_MS - 1
    await driver.hint("sandbox", signed_with("old"), 0)
    assert len(socket.asked) == 1
    clock.ms += 1
    with pytest.raises(WebhookRefused):
        await driver.hint("sandbox", signed_with("old"), 0)
    assert len(socket.asked) == 2


async def test_a_key_that_is_not_known_yet_is_looked_for() -> None:
    socket, clock = Socket([key_set("old"), key_set("old", "new")]), HandClock()
    driver = driver_over(socket, PUBLISHING, clock=clock)
    await driver.hint("sandbox", signed_with("old"), 0)
    clock.ms += AGAIN_AFTER_MS
    assert await driver.hint("sandbox", signed_with("new"), 0) == Hint("task-1")
    assert await driver.hint("sandbox", signed_with("old"), 0) == Hint("task-1")


async def test_forgeries_make_us_look_for_keys_at_most_once_a_minute() -> None:
    socket, clock = Socket([key_set("old") for _ in range(9)]), HandClock()
    driver = driver_over(socket, PUBLISHING, clock=clock)
    for _ in range(4):
        for _ in range(10):
            with pytest.raises(WebhookRefused):
                await driver.hint("sandbox", signed_with("forged"), 0)
        clock.ms += AGAIN_AFTER_MS
    assert len(socket.asked) == 4


@pytest.mark.parametrize(
    "answer",
    [
        NotSent("refused"),
        NoReply("too late"),
        HttpReply(500, {}, b'{"keys": []}'),
        HttpReply(200, {}, b"<html>"),
        HttpReply(200, {}, b'{"keys": 5}'),
        HttpReply(200, {}, b"{}"),
    ],
)
async def test_keys_that_cannot_be_read_are_no_verdict(answer: HttpReply | Exception) -> None:
    clock, socket = HandClock(), Socket([answer, key_set("old")])
    driver = driver_over(socket, PUBLISHING, clock=clock)
    for _ in range(5):
        with pytest.raises(Unavailable):
            await driver.hint("sandbox", signed_with("old"), 0)
    assert len(socket.asked) == 1, "whoever calls cannot make us ask again and again"
    clock.ms += AGAIN_AFTER_MS
    assert await driver.hint("sandbox", signed_with("old"), 0) == Hint("task-1")


# ---------------------------------------------------------------- what is not said


LOUD = HttpReply(
    422,
    {"set-cookie": SIGNATURE},
    f'{{"error": {{"code": "bad {PROMPT}", "message": "{PROMPT} {KEY} {RESULT.url}"}}}}'.encode(),
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
        driver.submit(WORK, SUBMIT_SECONDS),
        driver.poll(TICKET),
        driver.look_up(TICKET),
        driver.cancel(TICKET),
    ]
    said = [await what_it_says(call) for call in calls]
    fetched = driver.fetch(TICKET, RESULT, 500)
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
