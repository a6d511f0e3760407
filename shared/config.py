"""Settings: read once from the environment into a frozen value, all problems reported together.

Every field's environment name is its own name in capitals. The local profile has its own defaults:
short timers, so that a person sees recovery happen.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from shared.accounts import JOBS_PER_MINUTE_MAX
from shared.vendor_accounts import VendorAccount, read_accounts

LOCAL = "local"
CLOUD = "cloud"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between one deployment and another."""

    profile: str
    public_url: str  # where vendors and browsers reach us
    session_secret: str = field(default="", repr=False)
    quote_secret: str = field(default="", repr=False)
    hook_secret: str = field(default="", repr=False)
    blob_secret: str = field(default="", repr=False)  # signs the addresses of the folder
    task_secret: str = field(default="", repr=False)  # the local queue's and scheduler's password
    port: int = 8080
    data_dir: str = ".data"
    version: str = "dev"
    function_target: str = ""  # which function this process is
    sign_in: str = "none"  # or "local": by an e-mail address alone
    allowed_origins: tuple[str, ...] = ()

    google_project: str = ""
    google_region: str = ""
    firestore_database: str = "(default)"
    firestore_emulator_host: str = ""
    tasks_url: str = ""  # where run_task answers, and the audience of its callers' tokens
    tasks_service_account: str = ""  # who Cloud Tasks is when it calls
    tasks_emulator: str = ""  # host:port; empty for the real one
    sweep_url: str = ""  # the audience of the scheduler's tokens
    scheduler_service_account: str = ""
    identity_issuer: str = "https://accounts.google.com"
    identity_keys_url: str = "https://www.googleapis.com/oauth2/v3/certs"

    blobs: str = "folder"  # or "gcs" or "s3"
    bucket: str = ""
    blobs_endpoint_url: str = (
        ""  # of an emulator or of S3-compatible storage; empty for the real one
    )
    blobs_region: str = ""
    blobs_access_key: str = ""
    blobs_secret_key: str = field(default="", repr=False)
    signing_service_account: str = ""  # who signs addresses by IAM when there is no key file
    signing_key_file: str = ""

    accounts: tuple[VendorAccount, ...] = ()

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

    pause_after_failures: int = 5
    pause_seconds: int = 60
    pause_max_seconds: int = 900

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


# So short that a person sees recovery happen.
SHORT_TIMERS: Mapping[str, int] = {
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
    "pause_seconds": 10,
    "pause_max_seconds": 60,
}
_LOCAL_DEFAULTS: Mapping[str, Any] = {
    "profile": LOCAL,
    "sign_in": "local",
    **SHORT_TIMERS,
}


# What each function must have, and nothing more: it is given no other secret.
_CLOUD_NAMES = ("google_project", "google_region", "public_url")
_PUSHES = ("tasks_service_account", "tasks_url")
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "account": (*_CLOUD_NAMES, "session_secret"),
    "create_job": (*_CLOUD_NAMES, *_PUSHES, "bucket", "quote_secret", "session_secret"),
    "job_status": (*_CLOUD_NAMES, "bucket", "session_secret"),
    "provider_webhook": (*_CLOUD_NAMES, *_PUSHES, "hook_secret"),
    "run_task": (*_CLOUD_NAMES, *_PUSHES, "bucket", "hook_secret"),
    "sweep": (*_CLOUD_NAMES, *_PUSHES, "scheduler_service_account", "sweep_url"),
    "uploads": (*_CLOUD_NAMES, "bucket", "session_secret"),
}
VENDOR_CALLERS = ("create_job", "run_task")  # they need our keys
_LOCAL_NAMES = (
    "public_url",
    "session_secret",
    "quote_secret",
    "hook_secret",
    "blob_secret",
    "task_secret",
)
_SECRET_CHARS_MIN = 32
_AT_MOST: Mapping[str, int] = {
    "duplicate_window_seconds": 600,  # what is remembered has to fit into the wallet's document
    "jobs_per_minute": JOBS_PER_MINUTE_MAX,
    "port": 65_535,
    "retry_window_seconds": 600,
}
_NOT_ABOVE = (("pause_seconds", "pause_max_seconds"),)
# The algorithm needs each of these to be shorter than the next.
_GROWING = (
    "send_window_seconds",
    "vendor_total_seconds",
    "unknown_after_seconds",
    "absent_after_seconds",
    "wait_limit_seconds",
)
_WORDS: Mapping[str, tuple[str, ...]] = {
    "late_result": ("gift", "discard"),
    "sign_in": ("none", "local"),
    "blobs": ("folder", "gcs", "s3"),
}


class BadSettings(Exception):
    """The environment is missing names or has wrong values; the message lists all of them."""


def read_settings(
    environment: Mapping[str, str], generated: Mapping[str, str] | None = None
) -> Settings:
    """Settings from environment names. `generated` fills in what the local profile makes for
    itself. In the cloud, FUNCTION_TARGET says what must be there. Raises `BadSettings`.
    """
    profile = environment.get("PROFILE", LOCAL)
    values: dict[str, Any] = dict(_LOCAL_DEFAULTS) if profile == LOCAL else {}
    values |= generated or {}
    problems: list[str] = []
    if profile not in (LOCAL, CLOUD):
        problems.append(f"PROFILE is {profile!r}; it is local or cloud")
    for name, kind in _kinds().items():
        text = environment.get(name.upper())
        if text is not None:
            try:
                values[name] = _parse(kind, text)
            except ValueError as error:
                problems.append(f"{name.upper()}: {error}")
    values["accounts"], unread = read_accounts(environment, with_sandbox=profile == LOCAL)
    problems += unread
    if profile == LOCAL and "public_url" not in values:
        values["public_url"] = f"http://127.0.0.1:{values.get('port', 8080)}"
    problems += _missing(profile, environment.get("FUNCTION_TARGET", ""), values)
    problems += _senseless(values)
    if problems:
        raise BadSettings("; ".join(problems))
    return Settings(**values)


def _missing(profile: str, function: str, values: Mapping[str, Any]) -> list[str]:
    if profile == CLOUD and function not in REQUIRED:
        return [f"FUNCTION_TARGET is {function!r}; it is one of {', '.join(REQUIRED)}"]
    names = REQUIRED[function] if profile == CLOUD else _LOCAL_NAMES
    problems = [f"{name.upper()} is missing" for name in names if not values.get(name)]
    signs = "bucket" in names and values.get("blobs") == "gcs"
    if signs and not (values.get("signing_service_account") or values.get("signing_key_file")):
        problems.append("SIGNING_SERVICE_ACCOUNT is missing")
    if profile == LOCAL or function in VENDOR_CALLERS:
        problems += [
            f"VENDOR_{account.name.upper()}_KEY is missing"
            for account in values["accounts"]
            if not account.key
        ]
    return problems + [
        f"{name.upper()} needs at least {_SECRET_CHARS_MIN} characters"
        for name in names
        if name.endswith("_secret") and 0 < len(values.get(name, "")) < _SECRET_CHARS_MIN
    ]


def _senseless(values: Mapping[str, Any]) -> list[str]:
    """Numbers are above zero, addresses have a scheme, words are ones that we know."""
    problems = [
        f"{name.upper()} must be at least 1"
        for name, kind in _kinds().items()
        if kind is int and values.get(name, 1) < 1
    ]
    problems += [
        f"{name.upper()} is at most {most}"
        for name, most in _AT_MOST.items()
        if values.get(name, 1) > most
    ]
    problems += [
        f"{name.upper()} is one of {', '.join(words)}"
        for name, words in _WORDS.items()
        if values.get(name, words[0]) not in words
    ]
    defaults = {entry.name: entry.default for entry in fields(Settings)}
    for shorter, longer in itertools.pairwise(_GROWING):
        if values.get(shorter, defaults[shorter]) >= values.get(longer, defaults[longer]):
            problems.append(f"{shorter.upper()} must be below {longer.upper()}")
    for smaller, larger in _NOT_ABOVE:
        if values.get(smaller, defaults[smaller]) > values.get(larger, defaults[larger]):
            problems.append(f"{smaller.upper()} must not be above {larger.upper()}")
    if (
        values.get("profile") == CLOUD
        and values.get("sign_in") == "local"
        and not values.get("firestore_emulator_host")
    ):
        problems.append("SIGN_IN=local would let anybody sign in as anybody and is for emulators")
    if not (values.get("public_url") or "http://").startswith(("http://", "https://")):
        problems.append("PUBLIC_URL is an address that begins with http:// or https://")
    if "*" in values.get("allowed_origins", ()):
        problems.append("ALLOWED_ORIGINS names each origin and takes no *")
    return problems


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _kinds() -> Mapping[str, object]:
    return {entry.name: entry.type for entry in fields(Settings) if entry.name != "accounts"}


def _parse(kind: object, text: str) -> Any:
    if kind is int:
        return int(text)
    return text if kind is str else _list(text)
