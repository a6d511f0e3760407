"""Who uses the product, and how much of it one user may use at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.errors import RateLimited, TooManyWaiting

PLAN_WEIGHTS: Mapping[str, int] = {"free": 1, "plus": 2, "pro": 4}
LANGUAGES = ("en", "ru", "id")

JOBS_PER_MINUTE_MAX = 200


@dataclass(frozen=True, slots=True)
class Account:
    """A person. Sessions of an older `sessions_epoch` are over."""

    id: str
    email: str
    plan: str
    language: str
    sessions_epoch: int
    created_at_ms: int

    @property
    def weight(self) -> int:
        """The plan's share when places are scarce."""
        return PLAN_WEIGHTS[self.plan]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one user may do."""

    jobs_per_minute: int
    uploads_per_minute: int
    waiting_jobs: int
    duplicate_window_ms: int
    retry_window_ms: int


@dataclass(frozen=True, slots=True)
class Recent:
    """A job that was asked for a moment ago."""

    at_ms: int
    body_hash: str
    job_id: str


@dataclass(frozen=True, slots=True)
class Activity:
    """What a user has been doing: kept with the wallet, so that one commit decides it all."""

    recent: tuple[Recent, ...] = ()
    waiting_jobs: int = 0
    finish_tags: Mapping[str, int] | None = None  # pool -> last finish tag

    def finish_tag(self, pool: str) -> int:
        """The user's last finish tag in a pool."""
        return (self.finish_tags or {}).get(pool, 0)


def find_repeat(
    activity: Activity, body_hash: str, is_retry: bool, limits: Limits, now_ms: int
) -> str | None:
    """The job that an identical request without a key started a moment ago.

    A client that marks its request as a retry is matched over a longer time.
    """
    window_ms = limits.retry_window_ms if is_retry else limits.duplicate_window_ms
    for recent in activity.recent:
        if recent.body_hash == body_hash and now_ms - recent.at_ms < window_ms:
            return recent.job_id
    return None


def started(
    activity: Activity, entry: Recent, pool: str, finish_tag: int, is_waiting: bool, limits: Limits
) -> Activity:
    """The activity after one more job. Raises `RateLimited`, `TooManyWaiting`."""
    assert limits.jobs_per_minute <= JOBS_PER_MINUTE_MAX, "recent jobs are remembered one by one"
    minute_ago_ms = entry.at_ms - 60_000
    last_minute = [recent.at_ms for recent in activity.recent if recent.at_ms > minute_ago_ms]
    check_rate(last_minute, limits.jobs_per_minute, entry.at_ms, "generations")
    if is_waiting and activity.waiting_jobs >= limits.waiting_jobs:
        raise TooManyWaiting(
            f"You already have {activity.waiting_jobs} jobs waiting. Let one start, or cancel one.",
            retry_after_seconds=10,
        )
    keep_after_ms = entry.at_ms - max(60_000, limits.retry_window_ms, limits.duplicate_window_ms)
    kept = tuple(recent for recent in activity.recent if recent.at_ms > keep_after_ms)
    return replace(
        activity,
        recent=(entry, *kept),
        waiting_jobs=activity.waiting_jobs + is_waiting,
        finish_tags={**(activity.finish_tags or {}), pool: finish_tag},
    )


def stopped_waiting(activity: Activity) -> Activity:
    """The activity after a waiting job got its place or ended."""
    assert activity.waiting_jobs > 0, "a job that waited was counted"
    return replace(activity, waiting_jobs=activity.waiting_jobs - 1)


def waits_again(activity: Activity) -> Activity:
    """The activity after a job that had its place went back into the line, by no fault of the
    user's: it counts, and no limit refuses it.
    """
    return replace(activity, waiting_jobs=activity.waiting_jobs + 1)


def check_rate(times_ms: list[int], per_minute: int, now_ms: int, noun: str) -> None:
    """Refuse one more within a minute. Raises `RateLimited` with `retry_after_seconds`."""
    if len(times_ms) < per_minute:
        return
    oldest_that_counts_ms = sorted(times_ms, reverse=True)[per_minute - 1] if per_minute else now_ms
    wait_seconds = max(1, -(-(oldest_that_counts_ms + 60_000 - now_ms) // 1000))
    raise RateLimited(
        f"At most {per_minute} {noun} a minute. Try again in {wait_seconds} s.",
        retry_after_seconds=wait_seconds,
    )
