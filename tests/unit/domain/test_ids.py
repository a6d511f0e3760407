"""Derived ids: the same cause has the same name everywhere, and no other cause has it."""

import re

import pytest
from hypothesis import given, strategies as st

from shared import ids

PARTS = st.lists(st.text(max_size=5), max_size=5)


@given(PARTS, PARTS)
def test_two_lists_of_parts_share_a_name_only_when_they_are_the_same(
    first: list[str], second: list[str]
) -> None:
    assert (ids.derived(*first) == ids.derived(*second)) == (first == second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("ab", "c"), ("a", "bc")),
        (("a", ""), ("a",)),
        ((), ("",)),
        (("a\x1f1:b",), ("a", "b")),
        (("1:a",), ("a",)),
        (("a", "b"), ("b", "a")),
        ((12,), (1, 2)),
    ],
    ids=range(7),
)
def test_parts_never_run_into_each_other(
    first: tuple[str | int, ...], second: tuple[str | int, ...]
) -> None:
    assert ids.derived(*first) != ids.derived(*second)


@given(PARTS)
def test_a_derived_id_is_thirty_two_hex_digits(parts: list[str]) -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", ids.derived(*parts))


def test_an_id_means_the_same_in_every_version() -> None:
    """Accounts, jobs and tasks are found by these: another way of deriving loses them all."""
    assert ids.derived("user", "ann@example.com") == "1efa3fcfd5b6bf80142747b83e25ab4e"
    assert ids.user_id("ann@example.com") == "usr_1efa3fcfd5b6bf80142747b83e25ab4e"


def test_one_address_is_one_account_in_any_letter_case() -> None:
    spellings = ["ann@example.com", "Ann@Example.COM", "  ann@example.com\n"]
    assert len({ids.user_id(email) for email in spellings}) == 1
    assert ids.user_id("ann@example.com") != ids.user_id("anne@example.com")
    assert ids.user_id("ann@example.com").startswith("usr_")


def test_a_key_names_one_job_of_one_user() -> None:
    names = [
        ids.job_id("usr_1", "key"),
        ids.job_id("usr_1", "Key"),
        ids.job_id("usr_1", "key "),
        ids.job_id("usr_2", "key"),
        ids.job_id("usr_1key", ""),
    ]
    assert len(set(names)) == len(names)
    assert ids.job_id("usr_1", "key") == names[0]
    assert all(name.startswith("job_") for name in names)


def test_purposes_do_not_share_names() -> None:
    assert len({ids.derived("a"), ids.task_key("a"), ids.user_id("a"), ids.job_id("a", "")}) == 4


def test_a_task_of_another_epoch_or_attempt_has_another_name() -> None:
    names = {ids.task_key("dispatch", "job_1", epoch, n) for epoch in (1, 11) for n in (1, 11)}
    assert len(names) == 4
