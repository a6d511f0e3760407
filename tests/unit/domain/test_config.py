"""Settings come from the environment once: complete and sane, or refused with every problem."""

import dataclasses
import re
from dataclasses import fields
from pathlib import PurePath

import pytest

from shared.accounts import JOBS_PER_MINUTE_MAX
from shared.config import REQUIRED, BadSettings, Settings, read_settings
from tests.architecture.tree import modules

SECRETS = ("session_secret", "quote_secret", "hook_secret", "blob_secret", "task_secret")
GENERATED = {name: f"{name}-" + "x" * 32 for name in SECRETS}
INTEGERS = [field.name for field in fields(Settings) if field.type is int]
WORDS = {"profile", "late_result", "blobs", "sign_in"}  # a few words each, and nothing else
TEXTS = [field.name for field in fields(Settings) if field.type is str and field.name not in WORDS]

# What each function is trusted with. A function that is broken into gives away no more than this.
TRUSTED = {
    "account": {"session_secret"},
    "create_job": {"session_secret", "quote_secret"},
    "job_status": {"session_secret"},
    "provider_webhook": {"hook_secret"},
    "run_task": {"hook_secret"},
    "sweep": set[str](),
    "uploads": {"session_secret"},
}


def problems(environment: dict[str, str], generated: dict[str, str] | None = None) -> list[str]:
    """Every problem of this environment."""
    with pytest.raises(BadSettings) as refused:
        read_settings(environment, generated)
    return str(refused.value).split("; ")


def local(**environment: str) -> Settings:
    return read_settings(environment, GENERATED)


def cloud_names(function: str) -> dict[str, str]:
    """The environment of one deployed function: what it must have, and nothing else."""
    said = {"PUBLIC_URL": "https://reelmint.example", "SWEEP_URL": "https://sweep.example"}
    needed = {name.upper() for name in REQUIRED[function]}
    values = {name: said.get(name, f"{name.lower()}-" + "x" * 32) for name in needed}
    return {"PROFILE": "cloud", "FUNCTION_TARGET": function, **values}


CLOUD = cloud_names("create_job")


# ---------------------------------------------------------------- a laptop


def test_a_laptop_needs_nothing_in_its_environment() -> None:
    settings = local()
    assert (settings.profile, settings.public_url) == ("local", "http://127.0.0.1:8080")
    assert settings.hook_secret == GENERATED["hook_secret"]


def test_the_local_address_follows_the_port_until_it_is_said() -> None:
    assert local(PORT="9000").public_url == "http://127.0.0.1:9000"
    assert local(PORT="9000", PUBLIC_URL="http://box").public_url == "http://box"


def test_what_the_environment_says_wins_over_what_was_generated() -> None:
    assert local(HOOK_SECRET="h" * 32).hook_secret == "h" * 32


def test_a_laptop_sees_recovery_happen_sooner() -> None:
    cloud, here = read_settings(CLOUD), local()
    sooner = [name for name in INTEGERS if getattr(here, name) < getattr(cloud, name)]
    later = [name for name in INTEGERS if getattr(here, name) > getattr(cloud, name)]
    assert len(sooner) >= 10
    assert later == []
    assert all(name.endswith("_seconds") for name in sooner)


def test_local_timers_can_be_said_too() -> None:
    assert local(SWEEP_SECONDS="7").sweep_seconds == 7


@pytest.mark.parametrize("profile", ["local", "cloud"])
def test_the_timers_stand_in_the_order_that_the_algorithm_needs(profile: str) -> None:
    """`money.md` section 4: send window < one call < unknown < absence believed < deadline."""
    settings = read_settings(CLOUD) if profile == "cloud" else local()
    call_seconds = settings.vendor_connect_seconds + settings.vendor_total_seconds
    assert settings.send_window_seconds < call_seconds < settings.unknown_after_seconds
    assert settings.unknown_after_seconds < settings.absent_after_seconds
    assert settings.send_window_seconds + call_seconds < settings.absent_after_seconds
    assert settings.absent_after_seconds < settings.wait_limit_seconds
    assert settings.quarantine_margin_seconds > settings.absent_after_seconds
    assert settings.check_first_seconds <= settings.check_max_seconds
    assert settings.store_again_seconds < settings.store_limit_seconds
    assert settings.duplicate_window_seconds < settings.retry_window_seconds


# ---------------------------------------------------------------- the cloud


@pytest.mark.parametrize("function", TRUSTED)
def test_a_function_starts_with_what_it_must_have_and_nothing_else(function: str) -> None:
    environment = cloud_names(function)
    settings = read_settings(environment)
    assert settings.profile == "cloud"
    assert settings.public_url == "https://reelmint.example"
    assert {name for name in SECRETS if getattr(settings, name)} == TRUSTED[function]
    for name in REQUIRED[function]:
        assert getattr(settings, name) == environment[name.upper()]


def test_every_function_has_its_list() -> None:
    files = {PurePath(module.path).stem for module in modules("functions")} - {"__init__"}
    assert files == set(REQUIRED) == set(TRUSTED)


@pytest.mark.parametrize("function", TRUSTED)
@pytest.mark.parametrize("value", [None, ""], ids=["absent", "empty"])
def test_the_cloud_makes_nothing_up(function: str, value: str | None) -> None:
    for name in REQUIRED[function]:
        environment = {
            key: text for key, text in cloud_names(function).items() if key != name.upper()
        }
        if value is not None:
            environment[name.upper()] = value
        assert problems(environment) == [f"{name.upper()} is missing"]


@pytest.mark.parametrize("function", ["", "create-job", "CREATE_JOB", "health"])
def test_an_unknown_function_is_a_problem(function: str) -> None:
    told = "; ".join(problems({**CLOUD, "FUNCTION_TARGET": function}))
    assert told.startswith(f"FUNCTION_TARGET is {function!r}; it is one of account, create_job,")


def test_a_laptop_runs_all_functions_and_needs_no_target() -> None:
    assert dataclasses.replace(local(FUNCTION_TARGET="nothing"), function_target="") == local()


def test_the_cloud_has_the_designs_own_timers() -> None:
    settings = read_settings(CLOUD)
    assert settings.send_window_seconds == 10
    assert settings.vendor_connect_seconds + settings.vendor_total_seconds == 35
    assert settings.unknown_after_seconds == 130
    assert settings.absent_after_seconds == 190


# ---------------------------------------------------------------- every name


@pytest.mark.parametrize("name", INTEGERS)
def test_every_number_is_read_from_its_own_name_in_capitals(name: str) -> None:
    value = getattr(local(), name) + 1
    assert getattr(local(**{name.upper(): str(value)}), name) == value


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("text", ["", "many", "1.5", "1e3", "0x10", "10 s", "٣x"])
def test_what_is_not_a_whole_number_is_a_problem_by_its_name(name: str, text: str) -> None:
    (problem,) = problems({name.upper(): text}, GENERATED)
    assert problem.startswith(f"{name.upper()}: ")


@pytest.mark.parametrize("name", TEXTS)
def test_every_text_is_read_from_its_own_name_in_capitals(name: str) -> None:
    value = "https://example.com/" + "v" * 32
    assert getattr(local(**{name.upper(): value}), name) == value


def test_no_two_settings_share_a_name() -> None:
    names = [field.name.upper() for field in fields(Settings)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]*", name) for name in names)


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", ()),
        ("https://a.example", ("https://a.example",)),
        (" https://a.example , https://b.example,, ", ("https://a.example", "https://b.example")),
    ],
)
def test_allowed_origins_are_a_list_with_commas(text: str, origins: tuple[str, ...]) -> None:
    assert local(ALLOWED_ORIGINS=text).allowed_origins == origins


def test_names_that_are_not_ours_are_left_alone() -> None:
    assert local(PATH="/bin", port="9", SESSION_SECRET_OLD="x") == local()


# ---------------------------------------------------------------- problems


def test_all_problems_are_told_together() -> None:
    told = problems(
        {
            "PROFILE": "cloud",
            "FUNCTION_TARGET": "create_job",
            "PORT": "http",
            "SWEEP_BATCH": "lots",
            "QUOTE_SECRET": "short",
            "SESSION_SECRET": "",
            "BUCKET": "results",
            "JOBS_PER_MINUTE": str(JOBS_PER_MINUTE_MAX + 1),
        }
    )
    assert [re.split("[: ]", problem)[0] for problem in sorted(told)] == [
        "GOOGLE_PROJECT",
        "GOOGLE_REGION",
        "JOBS_PER_MINUTE",
        "PORT",
        "PUBLIC_URL",
        "QUOTE_SECRET",
        "SESSION_SECRET",
        "SWEEP_BATCH",
        "TASKS_SERVICE_ACCOUNT",
        "TASKS_URL",
    ]


@pytest.mark.parametrize("profile", ["", "Local", "LOCAL", "prod", "local "])
def test_an_unknown_profile_is_a_problem(profile: str) -> None:
    told = "; ".join(problems({"PROFILE": profile}, GENERATED))
    assert f"PROFILE is {profile!r}; it is local or cloud" in told


def test_a_laptop_without_generated_secrets_is_told_all_of_them() -> None:
    assert sorted(problems({})) == [f"{name.upper()} is missing" for name in sorted(SECRETS)]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_has_at_least_thirty_two_characters(name: str) -> None:
    assert getattr(local(**{name.upper(): "x" * 32}), name) == "x" * 32
    assert problems({name.upper(): "x" * 31}, GENERATED) == [
        f"{name.upper()} needs at least 32 characters"
    ]
    assert problems({}, {**GENERATED, name: "x" * 31}) == [
        f"{name.upper()} needs at least 32 characters"
    ]


def test_no_problem_tells_a_secret() -> None:
    short = {name.upper(): f"hush-{number}" for number, name in enumerate(SECRETS)}
    assert not any("hush" in problem for problem in problems({**short, "PORT": "x"}))


HUSHED = [name for name in TEXTS if name.endswith(("_secret", "_secret_key"))]


@pytest.mark.parametrize("name", HUSHED)
def test_settings_that_land_in_a_log_tell_no_secret(name: str) -> None:
    value = "hush-" + "x" * 32
    settings = local(**{name.upper(): value})
    assert getattr(settings, name) == value
    assert "hush" not in repr(settings)
    assert "hush" not in str(settings)


def test_the_rate_limit_has_a_limit() -> None:
    most = str(JOBS_PER_MINUTE_MAX)
    assert local(JOBS_PER_MINUTE=most).jobs_per_minute == JOBS_PER_MINUTE_MAX


SENSELESS = {
    "a number below zero": ("PORT", "-1"),
    "a port that does not exist": ("PORT", "65536"),
    "no time between sweeps": ("SWEEP_SECONDS", "0"),
    "no jobs at all": ("JOBS_PER_MINUTE", "0"),
    "no uploads at all": ("UPLOADS_PER_MINUTE", "0"),
    "sessions that are over at once": ("SESSION_SECONDS", "-5"),
    "quotes that are over at once": ("QUOTE_SECONDS", "0"),
    "an empty sweep": ("SWEEP_BATCH", "0"),
    "a word for late results that we do not know": ("LATE_RESULT", "Gift"),
    "a word for blobs that we do not know": ("BLOBS", "gs"),
    "an address that is none": ("PUBLIC_URL", "reelmint.example"),
    "every origin": ("ALLOWED_ORIGINS", "*"),
}


@pytest.mark.parametrize("case", SENSELESS)
def test_a_value_that_makes_no_sense_is_a_problem(case: str) -> None:
    name, text = SENSELESS[case]
    (problem,) = problems({name: text}, GENERATED)
    assert problem.startswith(name)


def test_what_is_remembered_of_a_user_fits_into_a_document() -> None:
    (problem,) = problems({"RETRY_WINDOW_SECONDS": "86400"}, GENERATED)
    assert problem.startswith("RETRY_WINDOW_SECONDS")


CONTRADICTIONS = {
    "a call that outlives the belief that it never happened": ("VENDOR_TOTAL_SECONDS", "300"),
    "an absence believed before the outcome is unknown": ("ABSENT_AFTER_SECONDS", "3"),
    "a job that is lost while it is sent": ("UNKNOWN_AFTER_SECONDS", "1"),
    "a wait that ends before it is known how the send went": ("WAIT_LIMIT_SECONDS", "1"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_timers_that_contradict_each_other_are_a_problem(case: str) -> None:
    name, text = CONTRADICTIONS[case]
    assert any(name in problem for problem in problems({name: text}, GENERATED))


def test_nobody_signs_in_by_an_address_alone_in_the_cloud() -> None:
    (problem,) = problems({**cloud_names("account"), "SIGN_IN": "local"})
    assert problem.startswith("SIGN_IN")


def test_the_cloud_on_this_machine_may_sign_in_by_an_address_alone() -> None:
    emulated = {"SIGN_IN": "local", "FIRESTORE_EMULATOR_HOST": "127.0.0.1:8081"}
    assert read_settings({**cloud_names("account"), **emulated}).sign_in == "local"


def test_signing_in_by_an_address_alone_is_for_a_laptop() -> None:
    assert local().sign_in == "local"
    assert read_settings(CLOUD).sign_in == "none"
