"""How much of the product one user may use at a time, to the millisecond and to the job."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from shared import accounts
from shared.accounts import (
    JOBS_PER_MINUTE_MAX,
    LANGUAGES,
    PLAN_WEIGHTS,
    Account,
    Activity,
    Limits,
    Recent,
)
from shared.errors import RateLimited, TooManyWaiting

NOW_MS = 1_760_000_000_000
MINUTE_MS = 60_000
LIMITS = Limits(
    jobs_per_minute=3,
    uploads_per_minute=2,
    waiting_jobs=2,
    duplicate_window_ms=5000,
    retry_window_ms=120_000,
)


def start(
    activity: Activity,
    at_ms: int,
    *,
    body_hash: str = "body",
    is_waiting: bool = False,
    limits: Limits = LIMITS,
) -> Activity:
    """One more job of this user."""
    entry = Recent(at_ms, body_hash, f"job_{at_ms}")
    return accounts.started(activity, entry, "lumen", at_ms, is_waiting, limits)


def started_at(*times_ms: int) -> Activity:
    activity = Activity()
    for at_ms in times_ms:
        activity = start(activity, at_ms)
    return activity


# ---------------------------------------------------------------- how often


def test_as_many_jobs_as_allowed_start_within_one_minute() -> None:
    assert len(started_at(NOW_MS, NOW_MS, NOW_MS).recent) == 3


def test_one_more_within_the_minute_is_refused() -> None:
    with pytest.raises(RateLimited) as refused:
        start(started_at(NOW_MS, NOW_MS + 1, NOW_MS + 2), NOW_MS + 3)
    assert refused.value.status == 429
    assert refused.value.details == {"retry_after_seconds": 60}
    assert refused.value.message == "At most 3 generations a minute. Try again in 60 s."


@pytest.mark.parametrize(
    ("after_ms", "wait_seconds"),
    [(0, 60), (1, 60), (1000, 59), (1001, 59), (58_999, 2), (59_000, 1), (59_999, 1)],
)
def test_the_refusal_says_how_long_to_wait(after_ms: int, wait_seconds: int) -> None:
    with pytest.raises(RateLimited) as refused:
        start(started_at(NOW_MS, NOW_MS, NOW_MS), NOW_MS + after_ms)
    assert refused.value.details["retry_after_seconds"] == wait_seconds


def test_a_minute_after_the_oldest_of_them_there_is_room_again() -> None:
    assert start(started_at(NOW_MS, NOW_MS, NOW_MS), NOW_MS + MINUTE_MS).recent[0].at_ms == (
        NOW_MS + MINUTE_MS
    )


def test_the_oldest_that_counts_decides_when_there_is_room() -> None:
    activity = started_at(NOW_MS, NOW_MS + 20_000, NOW_MS + 40_000)
    with pytest.raises(RateLimited) as refused:
        start(activity, NOW_MS + 50_000)
    assert refused.value.details["retry_after_seconds"] == 10


@given(st.lists(st.integers(0, 59_999), min_size=1, max_size=40), st.integers(1, 10))
def test_whoever_waits_as_long_as_told_is_let_in(ages_ms: list[int], per_minute: int) -> None:
    times_ms = [NOW_MS - age for age in ages_ms]
    try:
        accounts.check_rate(times_ms, per_minute, NOW_MS, "uploads")
    except RateLimited as refused:
        assert len(times_ms) >= per_minute
        wait_seconds = refused.details["retry_after_seconds"]
        assert isinstance(wait_seconds, int)
        assert 1 <= wait_seconds <= 60
        then_ms = NOW_MS + wait_seconds * 1000
        still_count = [at_ms for at_ms in times_ms if at_ms > then_ms - MINUTE_MS]
        accounts.check_rate(still_count, per_minute, then_ms, "uploads")
        just_before_ms = then_ms - 1000
        if wait_seconds > 1:
            too_early = [at_ms for at_ms in times_ms if at_ms > just_before_ms - MINUTE_MS]
            with pytest.raises(RateLimited):
                accounts.check_rate(too_early, per_minute, just_before_ms, "uploads")
    else:
        assert len(times_ms) < per_minute


@given(st.lists(st.integers(0, 30_000), min_size=1, max_size=60), st.integers(1, 12))
def test_no_minute_ever_has_more_jobs_than_allowed(gaps_ms: list[int], per_minute: int) -> None:
    limits = replace(LIMITS, jobs_per_minute=per_minute)
    activity, now_ms, begun = Activity(), NOW_MS, list[int]()
    for gap_ms in gaps_ms:
        now_ms += gap_ms
        in_this_minute = sum(at_ms > now_ms - MINUTE_MS for at_ms in begun)
        try:
            activity = start(activity, now_ms, limits=limits)
        except RateLimited:
            assert in_this_minute == per_minute
        else:
            assert in_this_minute < per_minute
            begun.append(now_ms)


@pytest.mark.parametrize("per_minute", [1, 32, 33, 100, JOBS_PER_MINUTE_MAX])
def test_every_limit_that_can_be_set_really_limits(per_minute: int) -> None:
    """What is remembered must be at least what is counted."""
    limits = replace(LIMITS, jobs_per_minute=per_minute)
    activity = Activity()
    for number in range(per_minute):
        activity = start(activity, NOW_MS + number, limits=limits)
    with pytest.raises(RateLimited):
        start(activity, NOW_MS + per_minute, limits=limits)


def test_a_limit_beyond_what_is_remembered_is_never_run_with() -> None:
    with pytest.raises(AssertionError, match="remembered one by one"):
        start(Activity(), NOW_MS, limits=replace(LIMITS, jobs_per_minute=JOBS_PER_MINUTE_MAX + 1))


def test_a_limit_of_none_at_all_refuses_politely() -> None:
    with pytest.raises(RateLimited):
        accounts.check_rate([], 0, NOW_MS, "uploads")


# ---------------------------------------------------------------- the same request again


@pytest.mark.parametrize(
    ("age_ms", "is_retry", "is_found"),
    [
        (0, False, True),
        (4999, False, True),
        (5000, False, False),
        (5000, True, True),
        (119_999, True, True),
        (120_000, True, False),
        (-20_000, False, True),  # another instance's clock is ahead
    ],
)
def test_an_identical_request_is_the_same_job_for_a_while(
    age_ms: int, is_retry: bool, is_found: bool
) -> None:
    activity = start(Activity(), NOW_MS)
    found = accounts.find_repeat(activity, "body", is_retry, LIMITS, NOW_MS + age_ms)
    assert found == (f"job_{NOW_MS}" if is_found else None)


def test_another_body_is_another_job() -> None:
    activity = start(Activity(), NOW_MS)
    assert accounts.find_repeat(activity, "other", True, LIMITS, NOW_MS) is None
    assert accounts.find_repeat(Activity(), "body", True, LIMITS, NOW_MS) is None


def test_the_newest_of_identical_jobs_is_the_one_that_is_repeated() -> None:
    activity = started_at(NOW_MS, NOW_MS + 6000)
    assert accounts.find_repeat(activity, "body", False, LIMITS, NOW_MS + 7000) == (
        f"job_{NOW_MS + 6000}"
    )


def test_other_jobs_in_between_do_not_hide_a_repeat() -> None:
    activity = start(Activity(), NOW_MS)
    activity = start(activity, NOW_MS + 1, body_hash="other")
    assert accounts.find_repeat(activity, "body", False, LIMITS, NOW_MS + 2) == f"job_{NOW_MS}"


@pytest.mark.parametrize("per_minute", [10, 16, 30, JOBS_PER_MINUTE_MAX])
def test_a_marked_retry_is_found_as_long_as_its_window_says(per_minute: int) -> None:
    """Otherwise a retry that the client marked as one is charged a second time."""
    limits = replace(LIMITS, jobs_per_minute=per_minute)
    activity = start(Activity(), NOW_MS, body_hash="first", limits=limits)
    gap_ms = MINUTE_MS // per_minute + 1
    now_ms = NOW_MS
    while now_ms + gap_ms < NOW_MS + LIMITS.retry_window_ms:
        now_ms += gap_ms
        activity = start(activity, now_ms, limits=limits)
    assert accounts.find_repeat(activity, "first", True, limits, now_ms) == f"job_{NOW_MS}"


# ---------------------------------------------------------------- what is remembered


@given(st.lists(st.integers(0, 5000), max_size=300), st.sampled_from([1, 10, 60, 200]))
def test_what_is_remembered_has_a_bound(gaps_ms: list[int], per_minute: int) -> None:
    limits = replace(LIMITS, jobs_per_minute=per_minute)
    activity, now_ms = Activity(), NOW_MS
    for gap_ms in gaps_ms:
        now_ms += gap_ms
        try:
            activity = start(activity, now_ms, limits=limits)
        except RateLimited:
            continue
        assert len(activity.recent) <= 2 * JOBS_PER_MINUTE_MAX
        assert activity.recent[0].at_ms == now_ms
        times_ms = [recent.at_ms for recent in activity.recent]
        assert times_ms == sorted(times_ms, reverse=True)
        assert times_ms[-1] > now_ms - LIMITS.retry_window_ms


def test_what_is_older_than_every_window_is_forgotten() -> None:
    activity = start(started_at(NOW_MS), NOW_MS + 120_000)
    assert [recent.at_ms for recent in activity.recent] == [NOW_MS + 120_000]
    activity = start(started_at(NOW_MS), NOW_MS + 119_999)
    assert len(activity.recent) == 2


def test_a_short_retry_window_does_not_shorten_the_minute() -> None:
    limits = replace(LIMITS, retry_window_ms=1000, jobs_per_minute=1)
    activity = start(Activity(), NOW_MS, limits=limits)
    with pytest.raises(RateLimited):
        start(activity, NOW_MS + 59_999, limits=limits)


def test_a_duplicate_window_that_is_longer_than_the_others_is_kept_too() -> None:
    limits = replace(LIMITS, duplicate_window_ms=300_000)
    activity = start(Activity(), NOW_MS, body_hash="first", limits=limits)
    activity = start(activity, NOW_MS + 200_000, limits=limits)
    found = accounts.find_repeat(activity, "first", False, limits, NOW_MS + 200_000)
    assert found == f"job_{NOW_MS}"


def test_a_refused_job_leaves_no_trace() -> None:
    activity = started_at(NOW_MS, NOW_MS, NOW_MS)
    before = replace(activity)
    with pytest.raises(RateLimited):
        start(activity, NOW_MS)
    assert activity == before


# ---------------------------------------------------------------- how many wait


def test_as_many_jobs_as_allowed_wait() -> None:
    activity = start(start(Activity(), NOW_MS, is_waiting=True), NOW_MS, is_waiting=True)
    assert activity.waiting_jobs == 2


def test_one_more_waiting_job_is_refused_and_one_that_starts_at_once_is_not() -> None:
    activity = replace(Activity(), waiting_jobs=2)
    with pytest.raises(TooManyWaiting) as refused:
        start(activity, NOW_MS, is_waiting=True)
    assert refused.value.code == "too_many_waiting_jobs"
    assert refused.value.status == 429
    assert refused.value.details["retry_after_seconds"] == 10
    assert start(activity, NOW_MS, is_waiting=False).waiting_jobs == 2


def test_a_job_that_got_its_place_makes_room_for_another_to_wait() -> None:
    activity = accounts.stopped_waiting(replace(Activity(), waiting_jobs=2))
    assert activity.waiting_jobs == 1
    assert start(activity, NOW_MS, is_waiting=True).waiting_jobs == 2


def test_nobody_stops_waiting_who_did_not_wait() -> None:
    with pytest.raises(AssertionError, match="was counted"):
        accounts.stopped_waiting(Activity())


@pytest.mark.parametrize("waiting_jobs", [0, 1, 2, 9])
def test_a_job_that_goes_back_into_the_line_counts_and_no_limit_refuses_it(
    waiting_jobs: int,
) -> None:
    activity = replace(started_at(NOW_MS), waiting_jobs=waiting_jobs)
    back = accounts.waits_again(activity)
    assert back == replace(activity, waiting_jobs=waiting_jobs + 1)
    assert accounts.stopped_waiting(back) == activity


def test_a_job_that_went_back_takes_the_room_of_one_that_would_come() -> None:
    activity = accounts.waits_again(start(Activity(), NOW_MS, is_waiting=True))
    with pytest.raises(TooManyWaiting):
        start(activity, NOW_MS, is_waiting=True)


# ---------------------------------------------------------------- the fair line


def test_every_pool_has_its_own_line() -> None:
    activity = started_at(NOW_MS)
    other = accounts.started(
        activity, Recent(NOW_MS, "b", "job_2"), "other", 77, is_waiting=False, limits=LIMITS
    )
    assert (other.finish_tag("lumen"), other.finish_tag("other")) == (NOW_MS, 77)
    assert activity.finish_tag("other") == 0
    assert Activity().finish_tag("lumen") == 0


def test_plans_weigh_what_they_are_sold_as() -> None:
    assert dict(PLAN_WEIGHTS) == {"free": 1, "plus": 2, "pro": 4}
    for plan, weight in PLAN_WEIGHTS.items():
        assert Account("usr_1", "a@b.c", plan, LANGUAGES[0], 1, NOW_MS).weight == weight


def test_the_languages_are_those_of_the_studio() -> None:
    assert LANGUAGES == ("en", "ru", "id")
