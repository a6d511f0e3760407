"""Our accounts with vendors, from the environment: who they are, what they have, and who never sees
their keys.
"""

from dataclasses import replace

import pytest

from shared.config import REQUIRED, BadSettings, Settings, read_settings
from shared.vendor_accounts import VendorAccount, read_accounts
from tests.unit.domain.test_config import GENERATED, cloud_names, local, problems

SANDBOX = VendorAccount("sandbox", key="sandbox-key", webhook_secrets=("sandbox-webhook-secret",))
FULL = {
    "VENDOR_LUMEN_URL": "https://api.lumen.example",
    "VENDOR_LUMEN_KEY": "hush-key",
    "VENDOR_LUMEN_WEBHOOK_SECRETS": "hush-new,hush-old",
    "VENDOR_LUMEN_PLACES": "lumen-video:5,lumen-picture:9",
    "VENDOR_LUMEN_RATES": "lumen-video:60",
    "VENDOR_LUMEN_HOSTS": "cdn.lumen.example,files.lumen.example",
}
LUMEN = VendorAccount(
    "lumen",
    url="https://api.lumen.example",
    key="hush-key",
    webhook_secrets=("hush-new", "hush-old"),
    places={"lumen-video": 5, "lumen-picture": 9},
    rates={"lumen-video": 60},
    hosts=("cdn.lumen.example", "files.lumen.example"),
)


def ours(**environment: str) -> dict[str, VendorAccount]:
    """The accounts of a laptop by their names, with keys or without."""
    accounts, unread = read_accounts(environment, with_sandbox=True)
    assert not unread
    by_name = {account.name: account for account in accounts}
    assert len(by_name) == len(accounts), "no account twice"
    return by_name


# ---------------------------------------------------------------- which there are


def test_a_laptop_has_the_sandbox_and_nothing_else() -> None:
    assert local().accounts == (SANDBOX,)


@pytest.mark.parametrize("function", REQUIRED)
def test_the_cloud_has_the_accounts_that_it_is_told_of(function: str) -> None:
    assert read_settings(cloud_names(function)).accounts == ()
    assert read_settings({**cloud_names(function), **FULL}).accounts == (LUMEN,)


def test_an_account_has_all_that_is_said_of_it() -> None:
    assert ours(**FULL) == {"sandbox": SANDBOX, "lumen": LUMEN}


@pytest.mark.parametrize("name", FULL)
def test_one_name_is_enough_for_an_account(name: str) -> None:
    account = ours(**{name: FULL[name]})["lumen"]
    part = name.removeprefix("VENDOR_LUMEN_").lower()
    only = VendorAccount("lumen")
    assert account == replace(only, **{part: getattr(LUMEN, part)})
    assert account != only


@pytest.mark.parametrize("function", ["", *REQUIRED])
def test_who_calls_vendors_does_not_start_without_a_key(function: str) -> None:
    keyless = {"VENDOR_LUMEN_PLACES": "lumen-video:5"}
    names = {**cloud_names(function), **keyless} if function else keyless
    if function in ("", "create_job", "run_task"):
        assert problems(names, GENERATED) == ["VENDOR_LUMEN_KEY is missing"]
    else:
        assert read_settings(names).accounts[0].key == ""


def test_a_second_account_with_a_vendor_has_a_number() -> None:
    accounts = ours(VENDOR_LUMEN_KEY="a" * 9, VENDOR_LUMEN_2_KEY="b" * 9, VENDOR_LUMEN_17_KEY="c")
    assert {account.name: account.provider for account in accounts.values()} == {
        "sandbox": "sandbox",
        "lumen": "lumen",
        "lumen_2": "lumen",
        "lumen_17": "lumen",
    }
    assert accounts["lumen_2"].key == "b" * 9


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("lumen", "lumen"),
        ("lumen_2", "lumen"),
        ("lumen2", "lumen2"),
        ("lumen_eu", "lumen_eu"),
        ("lumen_eu_2", "lumen_eu"),
        ("l_2_x", "l_2_x"),
    ],
)
def test_an_accounts_name_says_whose_it_is(name: str, provider: str) -> None:
    account = ours(**{f"VENDOR_{name.upper()}_KEY": "k"})[name]
    assert account.provider == VendorAccount(name).provider == provider


def test_what_is_said_of_the_sandbox_replaces_that_part_alone() -> None:
    account = ours(VENDOR_SANDBOX_URL="http://127.0.0.1:9000")["sandbox"]
    assert account == VendorAccount(
        "sandbox", "http://127.0.0.1:9000", SANDBOX.key, SANDBOX.webhook_secrets
    )
    assert ours(VENDOR_SANDBOX_KEY="other")["sandbox"].key == "other"


@pytest.mark.parametrize("name", FULL)
def test_an_empty_value_is_as_good_as_none(name: str) -> None:
    assert ours(**{name: ""}) == {"sandbox": SANDBOX}


@pytest.mark.parametrize(
    "name",
    [
        "VENDOR_KEY",
        "VENDOR__KEY",
        "VENDOR_LUMEN",
        "VENDOR_LUMEN_SECRET",
        "VENDOR_LUMEN_KEY_OLD",
        "MY_VENDOR_LUMEN_KEY",
        "vendor_lumen_key",
        "Vendor_Lumen_Key",
        "SANDBOX_API_KEY",
        "ACCOUNTS",
    ],
)
def test_other_names_make_no_account(name: str) -> None:
    assert local(**{name: "something"}) == local()


def test_the_timers_of_vendors_are_no_accounts() -> None:
    settings = local(VENDOR_CONNECT_SECONDS="1", VENDOR_TOTAL_SECONDS="4")
    assert (settings.vendor_connect_seconds, settings.vendor_total_seconds) == (1, 4)
    assert settings.accounts == (SANDBOX,)


def test_the_order_of_the_environment_does_not_matter() -> None:
    said = {**FULL, "VENDOR_AURORA_KEY": "k", "VENDOR_LUMEN_2_KEY": "k"}
    turned = dict(reversed(said.items()))
    assert list(turned) != list(said)
    assert local(**turned) == local(**said)


# ---------------------------------------------------------------- what they have


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("one", ("one",)),
        ("new,old", ("new", "old")),
        (" new , old ,, ", ("new", "old")),
        (",", ()),
    ],
)
def test_webhook_secrets_are_a_list_so_that_they_can_be_changed_one_by_one(
    text: str, secrets: tuple[str, ...]
) -> None:
    assert ours(VENDOR_LUMEN_WEBHOOK_SECRETS=text)["lumen"].webhook_secrets == secrets


def test_space_around_a_key_is_not_part_of_it() -> None:
    assert ours(VENDOR_LUMEN_KEY=" k-1\n")["lumen"].key == "k-1"


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("video:5", {"video": 5}),
        ("video:5,picture:1", {"video": 5, "picture": 1}),
        (" video:5 , picture: 1 ,", {"video": 5, "picture": 1}),
    ],
)
def test_places_and_rates_are_said_by_pool(text: str, places: dict[str, int]) -> None:
    assert ours(VENDOR_LUMEN_PLACES=text)["lumen"].places == places
    assert ours(VENDOR_LUMEN_RATES=text)["lumen"].rates == places


def test_more_hosts_of_results_are_a_list() -> None:
    hosts = ours(VENDOR_LUMEN_HOSTS=" cdn.lumen.example , b.example ,, ")["lumen"].hosts
    assert hosts == ("cdn.lumen.example", "b.example")


WRONG = {
    "an address without a scheme": ("VENDOR_LUMEN_URL", "api.lumen.example"),
    "an address of another scheme": ("VENDOR_LUMEN_URL", "ftp://api.lumen.example"),
    "a pool without a number": ("VENDOR_LUMEN_PLACES", "video"),
    "a pool with a word": ("VENDOR_LUMEN_PLACES", "video:many"),
    "half a place": ("VENDOR_LUMEN_PLACES", "video:1.5"),
    "no place": ("VENDOR_LUMEN_PLACES", "video:0"),
    "a rate without a pool's number": ("VENDOR_LUMEN_RATES", "video"),
    "no submits at all": ("VENDOR_LUMEN_RATES", "video:0"),
    "less than no place": ("VENDOR_LUMEN_PLACES", "picture:2,video:-1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_read_is_a_problem_by_its_name(case: str) -> None:
    name, text = WRONG[case]
    (problem,) = problems({name: text}, GENERATED)
    assert problem.startswith(f"{name}: ")


def test_the_problems_of_accounts_are_told_with_all_others() -> None:
    told = problems(
        {
            **cloud_names("run_task"),
            "BUCKET": "",
            "PORT": "http",
            "VENDOR_LUMEN_URL": "lumen",
            "VENDOR_LUMEN_2_PLACES": "video:0",
            "VENDOR_AURORA_PLACES": "video",
        }
    )
    assert sorted(problem.replace(":", " ").split()[0] for problem in told) == [
        "BUCKET",
        "PORT",
        "VENDOR_AURORA_PLACES",
        "VENDOR_LUMEN_2_PLACES",
        "VENDOR_LUMEN_URL",
    ]


# ---------------------------------------------------------------- who sees the keys


def test_accounts_that_land_in_a_log_tell_neither_key_nor_secret() -> None:
    settings: Settings = local(**FULL)
    assert "lumen" in repr(settings)
    for told in (repr(settings), str(settings), repr(settings.accounts), f"{LUMEN}"):
        assert "hush" not in told
        assert "sandbox-key" not in told
        assert "sandbox-webhook-secret" not in told


def test_no_problem_tells_a_key() -> None:
    hushed = {**FULL, "VENDOR_LUMEN_URL": "hush-key", "PORT": "x"}
    with pytest.raises(BadSettings) as refused:
        read_settings(hushed, GENERATED)
    assert "VENDOR_LUMEN_URL" in str(refused.value)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("VENDOR_LUMEN_KEY", "hush key"),
        ("VENDOR_LUMEN_KEY", "hush\nkey"),
        ("VENDOR_LUMEN_KEY", "hush-ключ"),
        ("VENDOR_LUMEN_WEBHOOK_SECRETS", "whsec_hush!"),
        ("VENDOR_LUMEN_WEBHOOK_SECRETS", "whsec_aHVzaA==,whsec_hush-"),
    ],
)
def test_what_cannot_be_a_key_or_a_secret_is_told_at_the_start_and_not_repeated(
    name: str, text: str
) -> None:
    with pytest.raises(BadSettings) as refused:
        local(**{name: text})
    assert name in str(refused.value)
    assert "hush" not in str(refused.value)
