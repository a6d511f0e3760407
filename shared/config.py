"""Settings: read once from the environment into a frozen value, all problems reported together.

Every field's environment name is its own name in capitals. The local profile has its own defaults:
short timers, so that a person sees recovery happen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from shared.accounts import JOBS_PER_MINUTE_MAX

LOCAL = "local"
CLOUD = "cloud"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between one deployment and another."""

    profile: str
    public_url: str  # where vendors and browsers reach us
    session_secret: str
    quote_secret: str
    hook_secret: str
    blob_secret: str
    task_secret: str
    port: int = 8080
    data_dir: str = ".data"
    version: str = "dev"
    allowed_origins: tuple[str, ...] = ()

    sandbox_url: str = "http://127.0.0.1:8090"
    sandbox_api_key: str = "sandbox-key"
    sandbox_webhook_secret: str = "sandbox-webhook-secret"  # noqa: S105  # the sandbox's own published default

    trial_generations: int = 3
    session_seconds: int = 7 * 24 * 3600
    session_cache_seconds: int = 30
    quote_seconds: int = 600
    download_seconds: int = 900
    upload_seconds: int = 900

    jobs_per_minute: int = 10
    uploads_per_minute: int = 5
    waiting_jobs_max: int = 5
    duplicate_window_seconds: int = 5
    retry_window_seconds: int = 120

    late_result: str = "gift"  # or "discard"

    vendor_connect_seconds: int = 5
    vendor_total_seconds: int = 30
    send_window_seconds: int = 10
    ready_again_seconds: int = 45
    unknown_after_seconds: int = 130
    unknown_again_seconds: int = 30
    absent_after_seconds: int = 190
    wait_limit_seconds: int = 1800
    check_first_seconds: int = 5
    check_max_seconds: int = 120
    store_again_seconds: int = 120
    store_limit_seconds: int = 1200
    quarantine_margin_seconds: int = 1500
    busy_attempts_max: int = 6
    busy_again_seconds: int = 5
    sweep_seconds: int = 60
    sweep_batch: int = 100


_LOCAL_DEFAULTS: Mapping[str, Any] = {
    "profile": LOCAL,
    "vendor_connect_seconds": 2,
    "vendor_total_seconds": 5,
    "send_window_seconds": 2,
    "ready_again_seconds": 5,
    "unknown_after_seconds": 8,
    "unknown_again_seconds": 2,
    "absent_after_seconds": 12,
    "wait_limit_seconds": 600,
    "check_first_seconds": 1,
    "check_max_seconds": 5,
    "store_again_seconds": 10,
    "store_limit_seconds": 60,
    "quarantine_margin_seconds": 20,
    "busy_again_seconds": 1,
    "sweep_seconds": 3,
}


class BadSettings(Exception):
    """The environment is missing names or has wrong values; the message lists all of them."""


def read_settings(
    environment: Mapping[str, str], generated: Mapping[str, str] | None = None
) -> Settings:
    """Settings from environment names. `generated` fills in what the local profile makes for
    itself.

    Raises `BadSettings`.
    """
    profile = environment.get("PROFILE", LOCAL)
    values: dict[str, Any] = dict(_LOCAL_DEFAULTS) if profile == LOCAL else {}
    values |= generated or {}
    problems: list[str] = []
    if profile not in (LOCAL, CLOUD):
        problems.append(f"PROFILE is {profile!r}; it is local or cloud")
    for field in fields(Settings):
        text = environment.get(field.name.upper())
        if text is not None:
            try:
                values[field.name] = _parse(field.type, text)
            except ValueError as error:
                problems.append(f"{field.name.upper()}: {error}")
    if profile == LOCAL and "public_url" not in values:
        values["public_url"] = f"http://127.0.0.1:{values.get('port', 8080)}"
    required = {
        "profile",
        "public_url",
        "session_secret",
        "quote_secret",
        "hook_secret",
        "blob_secret",
        "task_secret",
    }
    problems += [f"{name.upper()} is missing" for name in sorted(required - values.keys())]
    if values.get("jobs_per_minute", 0) > JOBS_PER_MINUTE_MAX:
        problems.append(f"JOBS_PER_MINUTE is at most {JOBS_PER_MINUTE_MAX}")
    problems += [
        f"{name.upper()} needs at least 32 characters"
        for name in sorted(required & values.keys())
        if name.endswith("_secret") and len(values[name]) < 32
    ]
    if problems:
        raise BadSettings("; ".join(problems))
    return Settings(**values)


def _parse(kind: object, text: str) -> Any:
    if kind is int:
        return int(text)
    if kind is str:
        return text
    return tuple(part.strip() for part in text.split(",") if part.strip())
