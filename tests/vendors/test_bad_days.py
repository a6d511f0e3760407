"""What each bad day of a vendor comes to, end to end: the product as a process, simulators on
sockets, and a journal of every request that they were sent.

Everything is played at once, because most of the time is waiting: a scenario acts and tells what it
saw, and a test says what that must have been.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from infra import vendors
from infra.sandbox.webhooks import sign
from infra.vendors.signers import StandardWebhooks
from shared import catalogue
from tests.product import Json, Product
from tests.vendors.houses import (
    SANDBOX,
    WAIT_SECONDS,
    Asked,
    Ended,
    Heard,
    House,
    Simulator,
    ask,
    gaps,
    housed,
    simulated,
    until,
)
from tests.vendors.installation import cheapest

FILM, PICTURE = "sandbox-video", "sandbox-image"
SECRET = "sandbox-webhook-secret"
ANSWER_SECONDS = 3.0  # the total limit of an answer, as the tests' settings have it
PLAYERS = 60
HUGE_MEGABYTES = 2000
GROWTH_MAX_BYTES = 64 * 1024 * 1024

# Two installations: in one each job has trouble of its own, in the other its vendor has.
ALONE, PAUSING = 0, 1
SETTINGS_ALONE = {
    "PAUSE_AFTER_FAILURES": "10000",
    "BUSY_ATTEMPTS_MAX": "3",
    # Dozens of jobs are played at once: a fetch that is slow is not a lost one.
    "STORE_LIMIT_SECONDS": "30",
    "STORE_AGAIN_SECONDS": "15",
}
PAUSE_SECONDS = 10
SETTINGS_PAUSING = {
    "PAUSE_AFTER_FAILURES": "3",
    "PAUSE_SECONDS": str(PAUSE_SECONDS),
    "PAUSE_MAX_SECONDS": str(PAUSE_SECONDS),
}

FILMS = [name for name in vendors.NAMES if cheapest(name, "video")]
# They ask for a longer wait than a test has.
SLOW_TO_FORGIVE = {"modelslab"}
# Whose wire says how many were made.
COUNTING = {"kling": "kling-image-v3", "fal": "fal-flux-dev"}
RESULTS = (
    *("http_403", "http_404", "expired", "html", "slow:200", "hesitant"),
    *("redirects:3", "redirects:4", "redirect_private"),
)
NO_CREDIT = sorted(set(vendors.NAMES) - {"kling", "minimax", "replicate", "runway", "stability"})
REGIONS = ("MiniMax-Hailuo-02", "MiniMax-H3", "minimax-anime-life-sim", "image-01")

F = TypeVar("F", bound=Callable[..., Any])


# ---------------------------------------------------------------- everything at once


_scenarios: list[tuple[int, Callable[..., Any], tuple[object, ...]]] = []


def plays(house: int, *each: object) -> Callable[[F], F]:
    """This is played in that house, once or with each of these."""

    def add(scenario: F) -> F:
        _scenarios.extend((house, scenario, (given,)) for given in each)
        if not each:
            _scenarios.append((house, scenario, ()))
        return scenario

    return add


class Played:
    """The scenarios under way, each by its name and what it was given."""

    def __init__(self, players: ThreadPoolExecutor) -> None:
        self.houses: list[House] = []
        self._players = players
        self._begun: dict[tuple[object, ...], Future[Any]] = {}

    def begin_all(self, house: House) -> None:
        """Play everything that is for this house, from now on."""
        number = len(self.houses)
        self.houses.append(house)
        for where, scenario, given in _scenarios:
            if where == number:
                self._begun[scenario, *given] = self._players.submit(scenario, house, *given)

    def of(self, scenario: Callable[..., Any], *given: object) -> Any:
        """What it saw, when it is over."""
        return self._begun[scenario, *given].result()

    def wait(self) -> None:
        """Return when nothing is under way, however it went."""
        for future in self._begun.values():
            future.exception()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with ExitStack() as houses, ThreadPoolExecutor(PLAYERS) as players:
        played = Played(players)
        for build in (house_of_troubled_jobs, house_of_troubled_vendors):
            house = houses.enter_context(build(tmp_path_factory.mktemp("data")))
            played.begin_all(house)
        yield played
        played.wait()


@contextmanager
def house_of_troubled_jobs(folder: Path) -> Iterator[House]:
    with ExitStack() as stack:
        behind = {name: stack.enter_context(simulated(name)) for name in (SANDBOX, *FILMS)}
        behind["minimax_2"] = stack.enter_context(simulated("minimax"))
        one_place = "minimax-template:1"
        places = {"VENDOR_MINIMAX_PLACES": one_place, "VENDOR_MINIMAX_2_PLACES": one_place}
        with housed(folder, behind, stack, **SETTINGS_ALONE, **places) as house:
            yield house


@contextmanager
def house_of_troubled_vendors(folder: Path) -> Iterator[House]:
    with ExitStack() as stack:
        names = [SANDBOX, *(name for name in vendors.NAMES if name != "minimax")]
        behind = {name: stack.enter_context(simulated(name)) for name in names}
        for account, key in (("minimax", "key-of-the-world"), ("minimax_2", "key-of-china")):
            behind[account] = stack.enter_context(simulated("minimax", api_key=key))
        changes = {
            "VENDOR_MINIMAX_KEY": "key-of-china",
            "VENDOR_MINIMAX_2_KEY": "key-of-the-world",
            "VENDOR_KLING_PLACES": "kling-video:6",
            "VENDOR_STABILITY_PLACES": "stability-answers:3",
        }
        with housed(folder, behind, stack, **SETTINGS_PAUSING, **changes) as house:
            yield house


# ---------------------------------------------------------------- too busy


@plays(ALONE, 3, 0)
def refused_as_busy(house: House, retry_after: int) -> tuple[Ended, list[Heard]]:
    """A vendor that never has room, and says when to come again or does not."""
    asked = ask(house.product.sign_in(), FILM, f"create=http_429:{retry_after}")
    return asked.ended(), house.vendors[SANDBOX].orders(asked.words)


@pytest.mark.parametrize("retry_after", [3, 0])
def test_a_busy_vendor_is_asked_again_later_and_later_and_then_given_up(
    played: Played, retry_after: int
) -> None:
    ended, orders = played.of(refused_as_busy, retry_after)
    assert ended.is_refunded()
    assert ended.job["error"]["code"] == "provider_busy"
    assert [order.status for order in orders] == [429] * int(SETTINGS_ALONE["BUSY_ATTEMPTS_MAX"])
    first, second = gaps(orders)
    assert first >= max(1, retry_after)
    assert second >= max(2, retry_after)
    assert first + second < 12, "it is not forgotten either"


# ---------------------------------------------------------------- one bad thing after another


@dataclass(frozen=True, slots=True)
class Story:
    """What a vendor did to one job, and how far the job was meanwhile."""

    ended: Ended
    refusals: int
    orders: list[Heard]
    accepted: int
    foreign_stages: set[str]
    foreign_fetches: int
    dead_stage: str
    dead: list[Heard]
    after_dead: list[Heard]


@plays(ALONE, *FILMS)
def one_thing_after_another(house: House, name: str) -> Story:
    """Busy, then speaking of another task, then with a dead address; and well again."""
    all_of_it, model = house.behind(name), cheapest(name, "video")
    assert model
    is_busy = name not in SLOW_TO_FORGIVE
    for each in all_of_it:
        each.switch(**{"create": "http_429:1"} if is_busy else {"status": "foreign"})
    asked = ask(house.customer(), model)
    until(lambda: [each for each in all_of_it if each.orders(asked.words)])
    [vendor] = [each for each in all_of_it if each.orders(asked.words)]
    refusals = 0
    if is_busy:
        until(lambda: vendor.stats()["refused_busy"])
        vendor.switch(status="foreign")
        refusals = vendor.stats()["refused_busy"]
    asked.wait_for("generating")
    stages, polls = {"generating"}, len(vendor.heard)
    while len(vendor.heard) < polls + 3:
        stages.add(asked.now()["stage"])
        time.sleep(0.1)
    time.sleep(0.5)
    stages.add(asked.now()["stage"])
    foreign_fetches = len(vendor.files())
    vendor.switch(result="http_404")
    until(lambda: [each for each in vendor.files() if each.status == 404])
    stage = asked.now()["stage"]
    for each in all_of_it:
        each.switch()
    ended = asked.ended()
    dead = [each for each in vendor.files() if each.status == 404]
    for each in all_of_it:
        each.is_left_alone.set()
    return Story(
        ended=ended,
        refusals=refusals,
        orders=vendor.orders(asked.words),
        accepted=len(vendor.generations(asked.words)),
        foreign_stages=stages,
        foreign_fetches=foreign_fetches,
        dead_stage=stage,
        dead=dead,
        after_dead=[each for each in vendor.heard if each.at > dead[0].at],
    )


@pytest.mark.parametrize("name", sorted(set(FILMS) - SLOW_TO_FORGIVE))
def test_a_vendor_that_has_room_again_makes_the_job_once(played: Played, name: str) -> None:
    story = played.of(one_thing_after_another, name)
    assert len(story.orders) == story.refusals + 1 >= 2
    assert min(gaps(story.orders)) >= 1
    assert story.accepted == 1
    assert story.ended.is_charged_once()


@pytest.mark.parametrize("name", FILMS)
def test_an_answer_about_another_task_is_not_believed(played: Played, name: str) -> None:
    story = played.of(one_thing_after_another, name)
    assert story.foreign_stages == {"generating"}
    assert story.foreign_fetches == 0
    assert story.ended.is_charged_once()


@pytest.mark.parametrize("name", FILMS)
def test_a_dead_address_is_asked_for_anew(played: Played, name: str) -> None:
    story = played.of(one_thing_after_another, name)
    assert story.dead_stage == "storing"
    kinds = ["file" if each.is_for_a_file else "poll" for each in story.after_dead]
    assert "poll" in kinds, "the vendor was asked where it lies now"
    assert kinds.index("poll") < len(kinds) - 1 - kinds[::-1].index("file")
    assert [each.status for each in story.after_dead if each.is_for_a_file][-1] == 200
    assert story.ended.is_charged_once()


# ---------------------------------------------------------------- results


@plays(ALONE, *RESULTS)
def spoilt(house: House, result: str) -> tuple[Ended, list[Heard], list[Heard]]:
    """A result that cannot be had, or not at once: the fetches, and the questions about it."""
    asked = ask(house.product.sign_in(), FILM, f"result={result} webhook=lost")
    ended, vendor = asked.ended(), house.vendors[SANDBOX]
    task_id = vendor.generation(asked.words)["id"]
    heard = vendor.asked(task_id)
    files = [each for each in heard if each.is_for_a_file]
    return ended, files, [each for each in heard if not each.is_for_a_file]


@pytest.mark.parametrize(
    ("result", "status"), [("http_403", 403), ("http_404", 404), ("expired", 410)]
)
def test_a_dead_address_is_asked_for_anew_until_the_time_is_up_and_then_given_up(
    played: Played, result: str, status: int
) -> None:
    ended, files, polls = played.of(spoilt, result)
    assert ended.is_refunded()
    assert ended.job["error"]["code"] == "result_unavailable"
    assert {each.status for each in files} == {status}
    assert 2 <= len(files) <= 20
    for earlier, later in pairwise(files):
        assert [poll for poll in polls if earlier.at < poll.at < later.at], "a fresh address"


def test_three_redirects_are_followed(played: Played) -> None:
    ended, files, _ = played.of(spoilt, "redirects:3")
    assert ended.is_charged_once()
    assert [each.status for each in files] == [302, 302, 302, 200]


def test_a_fourth_redirect_is_not_followed(played: Played) -> None:
    ended, files, _ = played.of(spoilt, "redirects:4")
    assert ended.is_refunded()
    assert ended.job["error"]["code"] == "result_unavailable"
    assert {each.status for each in files} == {302}
    assert not [each for each in files if "hops=4" in each.path]


def test_a_redirect_into_the_private_network_is_not_followed(played: Played) -> None:
    ended, files, _ = played.of(spoilt, "redirect_private")
    assert ended.is_refunded()
    assert ended.job["error"]["code"] == "result_unavailable"
    assert {each.status for each in files} == {302}
    assert played.houses[ALONE].logged(
        "fetch of a result: VendorUnknown result_unavailable", "do not go"
    )


def test_a_page_is_no_result_and_is_fetched_once(played: Played) -> None:
    ended, files, _ = played.of(spoilt, "html")
    assert ended.is_refunded()
    assert ended.job["error"]["code"] == "result_invalid"
    assert len(files) == 1


def test_a_result_that_comes_byte_by_byte_is_given_up_when_the_time_is_up(played: Played) -> None:
    ended, files, _ = played.of(spoilt, "slow:200")
    assert ended.is_refunded()
    assert ended.job["error"]["code"] == "result_unavailable"
    assert files[0].status == 200, "it had begun"


def test_a_result_whose_first_piece_is_too_small_to_tell_is_a_result(played: Played) -> None:
    ended, _, _ = played.of(spoilt, "hesitant")
    assert ended.is_charged_once()


@plays(ALONE)
def over_the_cap(house: House) -> tuple[Ended, list[Heard]]:
    """A picture of 2 GB."""
    vendor = house.vendors[SANDBOX]
    asked = ask(house.product.sign_in(), PICTURE, f"result=huge:{HUGE_MEGABYTES}")
    ended = asked.ended()
    task_id = vendor.generation(asked.words)["id"]
    return ended, [each for each in vendor.asked(task_id) if each.is_for_a_file]


def test_a_result_over_the_cap_is_refused_and_not_fetched_again(played: Played) -> None:
    """It will not be smaller the next time, and every time costs us as much as the cap."""
    ended, files = played.of(over_the_cap)
    assert ended.is_refunded()
    assert (ended.job["error"]["code"], len(files)) == ("result_invalid", 1)


@plays(ALONE, *COUNTING)
def made_fewer(house: House, name: str) -> tuple[Ended, int, int, int]:
    """A vendor that makes one of four pictures and calls it a success."""
    assert house.vendors[name].is_left_alone.wait(WAIT_SECONDS)
    caller, model = house.product.sign_in(), COUNTING[name]
    ended = ask(caller, model, "results=1", count=4).ended()
    one, four = (
        caller.call("POST", "/v1/quotes", json={"model": model, "prompt": "a fox", "count": count})
        for count in (1, 4)
    )
    made = len(ended.job["results"])
    return ended, one["total_tokens"], four["total_tokens"], made


@pytest.mark.parametrize("name", COUNTING)
def test_who_gets_fewer_results_than_asked_for_pays_for_those_alone(
    played: Played, name: str
) -> None:
    ended, one_tokens, four_tokens, made = played.of(made_fewer, name)
    receipt = ended.job["receipt"]
    assert (ended.job["status"], made) == ("succeeded", 1)
    assert receipt["held_tokens"] == four_tokens
    assert receipt["charged_tokens"] == four_tokens // 4 == one_tokens
    assert receipt["returned_tokens"] == four_tokens - receipt["charged_tokens"]
    assert ended.after == (ended.before[0] - receipt["charged_tokens"], 0)
    rows = [row["kind"] for row in ended.caller.rows() if row["job_id"] == ended.job["id"]]
    assert sorted(rows) == ["capture", "hold", "rest"]


# ---------------------------------------------------------------- answers byte by byte


@plays(ALONE)
def answered_byte_by_byte(house: House) -> tuple[Ended, list[Heard]]:
    """The answer to the submit drips, and no webhook tells."""
    asked = ask(house.product.sign_in(), FILM, "create=drip webhook=lost")
    return asked.ended(), house.vendors[SANDBOX].orders(asked.words)


def test_an_answer_that_comes_byte_by_byte_is_cut_and_the_task_is_found(played: Played) -> None:
    ended, orders = played.of(answered_byte_by_byte)
    assert ended.is_charged_once()
    [order] = orders
    assert is_cut_by_the_total_limit(order)


def is_cut_by_the_total_limit(request: Heard) -> bool:
    """Whether the caller left when the time was up; at a byte each second it had minutes to go."""
    assert request.left_at is not None
    return ANSWER_SECONDS - 1 < request.left_at - request.at < ANSWER_SECONDS + 10


@plays(ALONE)
def told_byte_by_byte(house: House) -> tuple[Ended, list[Heard]]:
    """Every word about a task drips."""
    asked = ask(house.product.sign_in(), FILM, "status=drip hang")
    asked.wait_for("generating")
    vendor = house.vendors[SANDBOX]
    task_id = vendor.generation(asked.words)["id"]
    until(lambda: len(vendor.asked(task_id)) >= 3)
    polls = vendor.asked(task_id)
    assert asked.now()["stage"] == "generating"
    asked.caller.call("POST", f"/v1/jobs/{asked.job_id}/cancel")
    return asked.ended(), polls


def test_a_status_that_comes_byte_by_byte_is_cut_and_asked_for_again(played: Played) -> None:
    ended, polls = played.of(told_byte_by_byte)
    assert all(map(is_cut_by_the_total_limit, polls[:2]))
    assert ended.job["status"] == "cancelled"
    assert ended.is_refunded()


# ---------------------------------------------------------------- calls that lie


@dataclass(frozen=True, slots=True)
class Lie:
    """A call at one job's address that names another job's task."""

    answer: int
    ours: Ended
    theirs: Ended
    theirs_later: Json
    fetches: int  # of their result
    logged: list[Json]


def signed_by_sandbox(body: bytes, *, age_seconds: int = 0) -> dict[str, str]:
    stamp = int(time.time()) - age_seconds
    return {"Sandbox-Timestamp": str(stamp), "Sandbox-Signature": sign(SECRET, stamp, body)}


def call(address: str, body: bytes, headers: Mapping[str, str]) -> int:
    """What we answer to a call."""
    headers = {"content-type": "application/json", **headers}
    return httpx.post(address, content=body, headers=headers, trust_env=False).status_code


@plays(ALONE)
def lied_to_a_running_job(house: House) -> Lie:
    """A genuine call about somebody else's finished task, at the address of a job that runs."""
    vendor = house.vendors[SANDBOX]
    theirs = ask(house.product.sign_in(), FILM)
    their_end = theirs.ended()
    task = vendor.generation(theirs.words)
    ours = ask(house.product.sign_in(), FILM, "latency=4")
    ours.wait_for("generating")
    body = json.dumps({"event": "generation.succeeded", **task}).encode()
    answer = call(vendor.callback(ours.words), body, signed_by_sandbox(body))
    polls = len(vendor.asked(vendor.generation(ours.words)["id"]))
    until(lambda: len(vendor.asked(vendor.generation(ours.words)["id"])) > polls)
    assert ours.now()["stage"] == "generating"
    our_end = ours.ended()
    fetches = [each for each in vendor.asked(task["id"]) if each.is_for_a_file]
    return Lie(answer, our_end, their_end, theirs.now(), len(fetches), [])


def test_a_running_job_is_not_told_how_another_ended(played: Played) -> None:
    lie = played.of(lied_to_a_running_job)
    assert lie.answer == 200
    assert lie.ours.is_charged_once()
    assert lie.theirs.is_charged_once()
    assert lie.theirs_later["receipt"] == lie.theirs.job["receipt"]
    assert lie.fetches == 1


@plays(ALONE)
def lied_to_a_lost_job(house: House) -> Lie:
    """The same, at the address of a job that the vendor never took: it would have the film of
    somebody else. This vendor says whose job a task is.
    """
    vendor = house.vendors[SANDBOX]
    theirs = ask(house.product.sign_in(), FILM)
    their_end = theirs.ended()
    task = vendor.generation(theirs.words)
    body = json.dumps({"event": "generation.succeeded", **task}).encode()
    return _lied(house, vendor, theirs, their_end, task["id"], body, signed_by_sandbox)


@plays(ALONE)
def lied_by_a_vendor_that_names_no_job(house: House) -> Lie:
    """The same at a vendor that does not say whose job a task is: a task is of one job only."""
    vendor, model = house.vendors["replicate"], "replicate-flux-schnell"
    assert vendor.is_left_alone.wait(WAIT_SECONDS)
    theirs = ask(house.product.sign_in(), model)
    their_end = theirs.ended()
    task_id = vendor.generation(theirs.words)["id"]
    body = json.dumps({"id": task_id, "status": "succeeded"}).encode()
    signer = StandardWebhooks(vendor.settings.webhook_secret)
    return _lied(
        house,
        vendor,
        theirs,
        their_end,
        task_id,
        body,
        lambda raw: signer.headers(raw, is_genuine=True),
        model,
    )


def _lied(
    house: House,
    vendor: Simulator,
    theirs: Asked,
    their_end: Ended,
    task_id: str,
    body: bytes,
    sign: Callable[[bytes], Mapping[str, str]],
    model: str = FILM,
) -> Lie:
    ours = ask(house.product.sign_in(), model, "create=drop_before_accept")
    until(lambda: vendor.orders(ours.words))
    answer = call(vendor.callback(ours.words), body, sign(body))
    our_end = ours.ended()
    fetches = [each for each in vendor.asked(task_id) if each.is_for_a_file]
    logged = [
        entry
        for message in ("webhook named a foreign task", "vendor task not bound")
        for entry in house.logged(message, ours.job_id)
    ]
    return Lie(answer, our_end, their_end, theirs.now(), len(fetches), logged)


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        (lied_to_a_lost_job, "webhook named a foreign task"),
        (lied_by_a_vendor_that_names_no_job, "vendor task not bound"),
    ],
)
def test_a_lost_job_does_not_get_somebody_else_s_result(
    played: Played, scenario: Callable[..., Any], message: str
) -> None:
    lie = played.of(scenario)
    assert lie.answer == 200
    assert lie.ours.is_refunded()
    assert lie.ours.job["error"]["code"] == "timed_out"
    assert lie.theirs.is_charged_once()
    assert lie.theirs_later["receipt"] == lie.theirs.job["receipt"]
    assert lie.fetches == 1
    assert {(entry["severity"], entry["message"]) for entry in lie.logged} == {("ERROR", message)}


@plays(ALONE)
def lied_about_the_other_account(house: House) -> tuple[Lie, list[Heard]]:
    """A call at the address of a lost job names a task of our other account with that vendor."""
    both = house.behind("minimax")
    assert all(each.is_left_alone.wait(WAIT_SECONDS) for each in both)
    model, user = "minimax-anime-life-sim", house.product.sign_in()
    ours = ask(user, model, "create=drop_before_accept")
    until(lambda: any(each.orders(ours.words) for each in both))
    here, there = both if both[0].orders(ours.words) else both[::-1]
    theirs = ask(house.product.sign_in(), model)
    their_end = theirs.ended()
    number = str(int(there.generation(theirs.words)["id"].removeprefix("gen_")[:12], 16))
    body = json.dumps({"task_id": number, "status": "success", "file_id": "1"}).encode()
    answer = call(here.callback(ours.words), body, {})
    until(lambda: here.asked(number))
    our_end = ours.ended()
    fetches = len(there.asked(there.generation(theirs.words)["id"]))
    return Lie(answer, our_end, their_end, theirs.now(), fetches, []), here.asked(number)


def test_a_task_of_our_other_account_is_asked_for_with_the_job_s_own_account(
    played: Played,
) -> None:
    lie, asked = played.of(lied_about_the_other_account)
    assert lie.answer == 200
    assert lie.ours.is_refunded()
    assert lie.ours.job["error"]["code"] == "timed_out"
    assert lie.theirs.is_charged_once()
    assert lie.theirs_later["receipt"] == lie.theirs.job["receipt"]
    assert lie.fetches == 1
    assert asked, "the account that the job was sent with knows nothing of it"


@plays(ALONE)
def called_again_and_again(
    house: House,
) -> tuple[Ended, Json, tuple[int, int], dict[str, int], int]:
    """The same genuine call many times after the end, a stale one, and one for another address."""
    vendor = house.vendors[SANDBOX]
    asked = ask(house.product.sign_in(), FILM)
    ended = asked.ended()
    task = vendor.generation(asked.words)
    body = json.dumps({"event": "generation.succeeded", **task}).encode()
    address, heard = vendor.callback(asked.words), len(vendor.asked(task["id"]))
    fresh, stale = signed_by_sandbox(body), signed_by_sandbox(body, age_seconds=600)
    answers = {
        "again": max(call(address, body, fresh) for _ in range(5)),
        "stale": call(address, body, stale),
        "unsigned": call(address, body, {}),
        "of another body": call(address, body.replace(b"succeeded", b"failed"), fresh),
        "at another job": call(address.replace(asked.job_id, "job_0"), body, fresh),
        "of another vendor": call(address.replace("/sandbox/", "/kling/"), body, fresh),
    }
    time.sleep(2)
    polls = len(vendor.asked(task["id"])) - heard
    return ended, asked.now(), asked.caller.balance(), answers, polls


def test_a_call_that_is_repeated_stale_or_forged_changes_nothing(played: Played) -> None:
    ended, later, balance, answers, polls = played.of(called_again_and_again)
    assert ended.is_charged_once()
    assert (later["receipt"], balance) == (ended.job["receipt"], ended.after)
    assert answers.pop("again") == 200
    assert set(answers.values()) == {403}
    assert polls == 0, "the vendor is not asked about what is over"


# ---------------------------------------------------------------- our account


@dataclass(frozen=True, slots=True)
class Pausing:
    """What an account's trouble did to the jobs that wait for it, and what came after."""

    stages: list[str]
    held: tuple[int, int]
    held_tokens: int
    accepted: int
    alerts: list[tuple[str, str, str]]
    elsewhere: list[Ended]
    ended: list[Ended]
    alerts_later: list[tuple[str, str, str]]
    resumed: list[str]


@plays(PAUSING, *NO_CREDIT)
def out_of_credit(house: House, name: str) -> Pausing:
    """The balance at the vendor is empty, until somebody pays."""
    vendor, models = house.vendors[name], [cheapest(name, kind) for kind in ("video", "image")]
    sold = [model for model in models if model and model.equal is None]
    vendor.switch(create="no_credit")
    customer = house.customer()
    before = customer.caller.balance()
    asked = [ask(customer, model) for model in sold for _ in range(2)]
    others = ask(house.customer(), sold[-1], fallback_models=[PICTURE])
    elsewhere = [others.ended()]
    pools = {model.pool for model in sold}
    until(lambda: {pool for _, pool, _ in house.pauses(name)} >= pools)
    for each in asked:
        each.wait_for("waiting")
    stages = [each.now()["stage"] for each in asked]
    held = [each.now()["receipt"]["held_tokens"] for each in asked]
    balance, accepted = customer.caller.balance(), vendor.stats()["accepted"]
    alerts = house.pauses(name)
    vendor.switch()
    ended = [replace(each.ended(), before=before) for each in asked]
    until(lambda: len(house.logged("vendor resumed", f'"{name}"')) >= len(pools))
    return Pausing(
        stages=stages,
        held=(balance[0] - before[0], balance[1]),
        held_tokens=sum(held),
        accepted=accepted,
        alerts=alerts,
        elsewhere=elsewhere,
        ended=ended,
        alerts_later=house.pauses(name),
        resumed=sorted(each["pool"] for each in house.logged("vendor resumed", f'"{name}"')),
    )


def pools_of(account: str) -> list[str]:
    provider = account.partition("_")[0]
    return sorted(p.name for p in catalogue.load().pools.values() if p.provider == provider)


def alerts_of(account: str) -> list[tuple[str, str, str]]:
    """One for each pool of the account."""
    why = f"{account}: provider_misconfigured"
    return [("ERROR", pool, why) for pool in pools_of(account)]


@pytest.mark.parametrize("name", NO_CREDIT)
def test_an_empty_balance_pauses_the_account_once_and_its_jobs_wait_until_somebody_pays(
    played: Played, name: str
) -> None:
    seen = played.of(out_of_credit, name)
    assert set(seen.stages) == {"waiting"}
    assert seen.held == (-seen.held_tokens, seen.held_tokens)
    assert seen.accepted == 0
    assert seen.alerts == seen.alerts_later == alerts_of(name)
    assert {ended.job["status"] for ended in seen.ended} == {"succeeded"}
    assert seen.ended[-1].caller.balance() == (seen.ended[0].before[0] - seen.held_tokens, 0)
    assert set(seen.resumed) <= set(pools_of(name))
    assert len(seen.resumed) == len(set(seen.resumed)) > 0


@pytest.mark.parametrize("name", NO_CREDIT)
def test_with_an_empty_balance_jobs_are_made_by_the_model_that_their_creator_named(
    played: Played, name: str
) -> None:
    [ended] = played.of(out_of_credit, name).elsewhere
    assert (ended.job["status"], ended.job["model"]) == ("succeeded", PICTURE)
    charged = ended.job["receipt"]["charged_tokens"]
    assert 0 < charged <= ended.job["receipt"]["held_tokens"]
    assert ended.after == (ended.before[0] - charged, 0)


@plays(PAUSING)
def keys_of_the_other_region(house: House) -> tuple[list[Ended], list[Any], list[int]]:
    """Two accounts, each with a key that is good at the other's host."""
    customer = house.customer()
    asked = [ask(customer, model) for model in REGIONS]
    until(lambda: all(len(house.pauses(name)) == 3 for name in ("minimax", "minimax_2")))
    for each in asked:
        each.wait_for("waiting")
    time.sleep(2)  # a second alert would come with the next sweeps
    alerts = [house.pauses(name) for name in ("minimax", "minimax_2")]
    accepted = [house.vendors[name].stats()["accepted"] for name in ("minimax", "minimax_2")]
    for each in asked:
        each.caller.call("POST", f"/v1/jobs/{each.job_id}/cancel")
    return [replace(each.ended(), before=asked[0].before) for each in asked], alerts, accepted


def test_keys_of_the_other_region_are_ours_to_mend_and_pause_each_account_once(
    played: Played,
) -> None:
    ended, alerts, accepted = played.of(keys_of_the_other_region)
    assert alerts == [alerts_of("minimax"), alerts_of("minimax_2")]
    assert accepted == [0, 0]
    assert {each.job["status"] for each in ended} == {"cancelled"}
    assert ended[-1].caller.balance() == ended[0].before


@plays(PAUSING)
def revoked_while_it_works(house: House) -> tuple[Ended, Ended, Any, list[str], list[Heard]]:
    """The key is revoked while a job runs with it, and given back."""
    vendor, model = house.vendors["replicate"], "replicate-flux-schnell"
    running_job = ask(house.product.sign_in(), model, "latency=3")
    running_job.wait_for("generating")
    task_id = vendor.generation(running_job.words)["id"]
    vendor.switch(create="unauthorized", status="unauthorized")
    next_job = ask(house.product.sign_in(), model)
    next_job.wait_for("waiting")
    until(lambda: len([each for each in vendor.asked(task_id) if each.status == 401]) >= 3)
    until(lambda: vendor.generation(running_job.words)["status"] == "succeeded")
    stage = running_job.now()["stage"]
    vendor.switch()
    first, second = running_job.ended(), next_job.ended()
    until(lambda: house.logged("vendor resumed", '"replicate"'))
    orders = [*vendor.orders(running_job.words), *vendor.orders(next_job.words)]
    resumed = [each["pool"] for each in house.logged("vendor resumed", '"replicate"')]
    return first, second, (stage, house.pauses("replicate")), resumed, orders


def test_a_key_that_is_revoked_while_a_job_runs_costs_the_job_nothing(played: Played) -> None:
    first, second, (stage, alerts), resumed, orders = played.of(revoked_while_it_works)
    assert stage == "generating", "who cannot ask knows nothing"
    assert first.is_charged_once()
    assert second.is_charged_once()
    assert alerts == alerts_of("replicate")
    assert resumed == ["replicate"]
    assert sorted(order.status for order in orders) == [201, 201, 401]


# ---------------------------------------------------------------- the vendor is down


@dataclass(frozen=True, slots=True)
class Outage:
    """What a vendor's outage came to, by the job's fate before it."""

    ended: Mapping[str, list[Ended]]
    orders: Mapping[str, int]
    accepted: int
    failed_answers: list[Heard]
    alerts: list[tuple[str, str, str]]
    resumed: list[str]


@plays(PAUSING)
def down(house: House) -> Outage:
    """500 to everything for a while, at a vendor that works on tasks."""
    vendor, model = house.vendors["kling"], cheapest("kling", "video")
    assert model
    users = [house.product.sign_in() for _ in range(2)]
    fates = {"running": [ask(user, model, "latency=2") for user in users]}
    until(lambda: vendor.stats()["accepted"] == 2)
    vendor.switch(create="http_500", status="http_500")
    fates["lost"] = [ask(user, model) for user in users for _ in range(2)]
    fates["waiting"] = [ask(user, model) for user in users]
    until(lambda: len([each for each in vendor.heard if each.status == 500]) >= 10)
    vendor.switch()
    return Outage(
        ended={fate: [each.ended() for each in asked] for fate, asked in fates.items()},
        orders={a.words: len(vendor.orders(a.words)) for asked in fates.values() for a in asked},
        accepted=vendor.stats()["accepted"],
        failed_answers=[each for each in vendor.heard if each.status == 500],
        alerts=house.pauses("kling"),
        resumed=[],
    )


def test_an_outage_of_a_vendor_makes_nothing_twice_and_every_job_ends(played: Played) -> None:
    outage = played.of(down)
    assert {ended.job["status"] for ended in outage.ended["running"]} == {"succeeded"}
    assert {ended.job["status"] for ended in outage.ended["waiting"]} == {"succeeded"}
    lost = [ended.job for ended in outage.ended["lost"]]
    assert {(job["status"], job["error"]["code"]) for job in lost} == {("failed", "timed_out")}
    assert {job["receipt"]["charged_tokens"] for job in lost} == {0}
    assert set(outage.orders.values()) == {1}, "an order whose answer is a 500 may have been taken"
    assert outage.accepted == 4
    assert {each.method for each in outage.failed_answers} == {"POST", "GET"}
    assert outage.alerts == [], "running jobs did well, and nobody knows of the others"


@plays(PAUSING)
def down_where_answers_are_results(house: House) -> Outage:
    """500 to everything for a while, at a vendor that answers with the picture or not at all."""
    vendor, model = house.vendors["stability"], cheapest("stability", "image")
    assert model
    vendor.switch(create="http_500")
    users = [house.product.sign_in() for _ in range(2)]
    asked = [ask(user, model) for _ in range(4) for user in users]
    until(lambda: house.pauses("stability"))
    time.sleep(2)
    vendor.switch()
    ended = [each.ended() for each in asked]
    return Outage(
        ended={
            word: [e for e in ended if e.job["status"] == word] for word in ("failed", "succeeded")
        },
        orders={each.words: len(vendor.orders(each.words)) for each in asked},
        accepted=vendor.stats()["accepted"],
        failed_answers=[each for each in vendor.heard if each.status == 500],
        alerts=house.pauses("stability"),
        resumed=[each["pool"] for each in house.logged("vendor resumed", '"stability"')],
    )


def test_an_outage_is_paused_once_tried_with_one_job_and_resumed_once(played: Played) -> None:
    outage = played.of(down_where_answers_are_results)
    failed, succeeded = outage.ended["failed"], outage.ended["succeeded"]
    assert (len(failed) + len(succeeded), bool(succeeded)) == (8, True)
    assert {ended.job["error"]["code"] for ended in failed} == {"provider_failed"}
    assert {ended.job["receipt"]["charged_tokens"] for ended in failed} == {0}
    assert {ended.caller.balance()[1] for ended in failed} == {0}
    assert set(outage.orders.values()) == {1}
    assert outage.accepted == len(succeeded)
    assert len(failed) == len(outage.failed_answers)
    assert outage.alerts == [("ERROR", "stability-answers", "stability: provider_failed")]
    assert outage.resumed == ["stability-answers"]


# ---------------------------------------------------------------- a model that is gone


@plays(PAUSING)
def gone(house: House) -> tuple[Ended, Ended, list[Any], int]:
    """The vendor has retired a model that we still sell."""
    vendor, model = house.vendors["runway"], cheapest("runway", "video")
    assert model
    vendor.switch(create="model_gone")
    alone = ask(house.customer(), model)
    named = ask(house.customer(), model, fallback_models=[FILM], duration_seconds=4)
    ended = alone.ended(), named.ended()
    return *ended, house.pauses("runway"), len(vendor.orders(alone.words))


def test_a_model_that_is_gone_is_told_and_costs_nothing(played: Played) -> None:
    alone, _, alerts, orders = played.of(gone)
    assert alone.is_refunded()
    assert alone.job["error"]["code"] == "model_gone"
    assert "retired this model" in alone.job["error"]["message"]
    assert orders == 1, "it is not asked for again"
    assert alerts == [], "the vendor works"


def test_a_job_whose_model_is_gone_is_made_by_the_model_that_its_creator_named(
    played: Played,
) -> None:
    _, named, _, _ = played.of(gone)
    assert (named.job["status"], named.job["model"]) == ("succeeded", FILM)
    assert named.after == (named.before[0] - named.job["receipt"]["charged_tokens"], 0)


# ---------------------------------------------------------------- the last ones, in peace


def test_a_result_of_two_gigabytes_is_refused_at_the_cap_in_little_memory(played: Played) -> None:
    played.wait()
    house = played.houses[ALONE]
    before = memory_peak_bytes(house.product, anew=True)
    ended = ask(house.product.sign_in(), FILM, f"result=huge:{HUGE_MEGABYTES}").ended()
    assert ended.is_refunded()
    assert ended.job["error"]["code"] in {"result_invalid", "result_unavailable"}
    assert memory_peak_bytes(house.product) - before < GROWTH_MAX_BYTES
    until(lambda: largest_file_bytes(house.product.folder) < 100_000_000)  # nothing of it is kept


def largest_file_bytes(folder: Path) -> int:
    """The size of the largest file there is now."""
    sizes = []
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # it was removed meanwhile
            sizes.append(path.stat().st_size)
    return max(sizes)


def memory_peak_bytes(product: Product, *, anew: bool = False) -> int:
    """The most memory that the product had, since the last time it was measured `anew`."""
    process = Path("/proc", str(product.process.pid))
    if anew:
        (process / "clear_refs").write_text("5")
    [line] = [x for x in (process / "status").read_text().splitlines() if x.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def test_the_books_balance_after_all_of_it(played: Played) -> None:
    played.wait()
    for house in played.houses:
        audit = house.product.audit()
        assert audit.returncode == 0, audit.stdout + audit.stderr
