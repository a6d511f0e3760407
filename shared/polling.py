"""How a client should watch a job: when to ask again, and whether anything changed."""

from shared import views
from shared.app import App
from shared.jobs import Job

_QUEUED_SECONDS = 2
_RUNNING_SECONDS_MAX = 10


def headers(app: App, job: Job, queue_position: int | None) -> dict[str, str]:
    """`ETag` of what is shown, and for an open job when to come back."""
    progress = views.progress(app, job)
    # A finished job's addresses expire, so its tag changes twice in their life.
    period_ms = app.settings.download_seconds * 500
    fresh = app.clock.now_ms() // period_ms if job.results else 0
    tag = f'W/"{job.epoch}.{job.attempt}.{job.state}.{progress}.{queue_position}.{fresh}"'
    if job.completed_at_ms is not None:
        return {"etag": tag}
    wait_seconds = _wait_seconds(app, job)
    return {
        "etag": tag,
        "retry-after": str(wait_seconds),
        "openai-poll-after-ms": str(wait_seconds * 1000),
    }


def _wait_seconds(app: App, job: Job) -> int:
    if job.started_at_ms is None:
        return min(_QUEUED_SECONDS, max(1, job.expected_ms // 4000))
    remaining_ms = job.started_at_ms + job.expected_ms - app.clock.now_ms()
    return max(1, min(_RUNNING_SECONDS_MAX, remaining_ms // 4000))
