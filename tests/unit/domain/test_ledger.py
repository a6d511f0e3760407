"""Each ledger operation alone: what moves, which rows say so, and what is refused."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared import books, ledger
from shared.books import Difference
from shared.errors import InsufficientTokens
from shared.ledger import Posting, Row, RowKind, Wallet

NOW_MS = 1_760_000_000_000
WALLET = Wallet("usr_1", available_tokens=100, held_tokens=40)
AVAILABLE = "user:usr_1:available"
HELD = "user:usr_1:held"


def test_a_grant_gives_tokens_that_nobody_paid_for() -> None:
    posting = ledger.grant(WALLET, "usr_1:trial", 30, NOW_MS, "trial")
    assert posting.wallet == Wallet("usr_1", 130, 40)
    assert posting.rows == (
        Row(
            "usr_1:trial:grant",
            RowKind.GRANT,
            "usr_1",
            30,
            "system:grants",
            AVAILABLE,
            None,
            "trial",
            NOW_MS,
        ),
    )


def test_a_purchase_gives_tokens_that_were_paid_for() -> None:
    posting = ledger.purchase(WALLET, "pay_9", 500, NOW_MS)
    assert posting.wallet == Wallet("usr_1", 600, 40)
    assert posting.rows == (
        Row(
            "pay_9:purchase",
            RowKind.PURCHASE,
            "usr_1",
            500,
            "system:purchases",
            AVAILABLE,
            None,
            "",
            NOW_MS,
        ),
    )


def test_a_hold_sets_tokens_aside_for_its_job() -> None:
    posting = ledger.hold(WALLET, "job_1", 60, NOW_MS)
    assert posting.wallet == Wallet("usr_1", 40, 100)
    assert posting.rows == (
        Row("job_1:hold", RowKind.HOLD, "usr_1", 60, AVAILABLE, HELD, "job_1", "", NOW_MS),
    )


def test_a_hold_may_take_the_last_token() -> None:
    assert ledger.hold(WALLET, "job_1", 100, NOW_MS).wallet == Wallet("usr_1", 0, 140)


def test_a_hold_of_one_token_too_many_is_refused_with_the_numbers() -> None:
    with pytest.raises(InsufficientTokens) as refused:
        ledger.hold(WALLET, "job_1", 101, NOW_MS)
    assert refused.value.details == {"required_tokens": 101, "available_tokens": 100}
    assert "101" in refused.value.message
    assert "100" in refused.value.message


def test_held_tokens_cannot_be_held_again() -> None:
    with pytest.raises(InsufficientTokens):
        ledger.hold(Wallet("usr_1", 0, 1000), "job_1", 1, NOW_MS)


def test_a_capture_spends_the_whole_hold() -> None:
    posting = ledger.capture(WALLET, "job_1", 40, 40, NOW_MS)
    assert posting.wallet == Wallet("usr_1", 100, 0)
    assert posting.rows == (
        Row(
            "job_1:capture",
            RowKind.CAPTURE,
            "usr_1",
            40,
            HELD,
            "system:revenue",
            "job_1",
            "",
            NOW_MS,
        ),
    )


@pytest.mark.parametrize("rest", [1, 2, 15, 39])
def test_what_a_part_capture_leaves_goes_back_in_the_same_posting(rest: int) -> None:
    posting = ledger.capture(WALLET, "job_1", 40, 40 - rest, NOW_MS)
    assert posting.wallet == Wallet("usr_1", 100 + rest, 0)
    assert [(row.id, row.kind, row.tokens, row.debit, row.credit) for row in posting.rows] == [
        ("job_1:capture", RowKind.CAPTURE, 40 - rest, HELD, "system:revenue"),
        ("job_1:rest", RowKind.REST, rest, HELD, AVAILABLE),
    ]
    assert {row.job_id for row in posting.rows} == {"job_1"}


def test_a_release_gives_the_whole_hold_back() -> None:
    posting = ledger.release(WALLET, "job_1", 40, NOW_MS, "cancelled")
    assert posting.wallet == Wallet("usr_1", 140, 0)
    assert posting.rows == (
        Row(
            "job_1:release",
            RowKind.RELEASE,
            "usr_1",
            40,
            HELD,
            AVAILABLE,
            "job_1",
            "cancelled",
            NOW_MS,
        ),
    )


def test_a_settlement_of_more_than_is_held_is_never_written() -> None:
    with pytest.raises(AssertionError, match="held is never below zero"):
        ledger.capture(WALLET, "job_1", 41, 41, NOW_MS)
    with pytest.raises(AssertionError, match="held is never below zero"):
        ledger.release(WALLET, "job_1", 41, NOW_MS, "")


@pytest.mark.parametrize("tokens", [0, -1, 41])
def test_a_capture_takes_part_or_all_of_its_hold_and_nothing_else(tokens: int) -> None:
    with pytest.raises(AssertionError, match="part or all"):
        ledger.capture(WALLET, "job_1", 40, tokens, NOW_MS)


def test_a_release_of_nothing_is_never_written() -> None:
    with pytest.raises(AssertionError):
        ledger.release(WALLET, "job_1", 0, NOW_MS, "")


def test_an_adjustment_may_give() -> None:
    posting = ledger.adjust(WALLET, "ticket_7", 5, NOW_MS, "sorry, says Ann")
    assert posting.wallet == Wallet("usr_1", 105, 40)
    (row,) = posting.rows
    assert (row.id, row.tokens, row.debit, row.credit, row.note) == (
        "ticket_7:adjust",
        5,
        "system:adjustments",
        AVAILABLE,
        "sorry, says Ann",
    )


def test_an_adjustment_may_take() -> None:
    posting = ledger.adjust(WALLET, "ticket_8", -5, NOW_MS, "chargeback, says Ann")
    assert posting.wallet == Wallet("usr_1", 95, 40)
    (row,) = posting.rows
    assert (row.id, row.kind, row.tokens, row.debit, row.credit, row.note) == (
        "ticket_8:adjust",
        RowKind.ADJUST,
        5,
        AVAILABLE,
        "system:adjustments",
        "chargeback, says Ann",
    )


def test_an_adjustment_takes_the_last_token_and_never_more() -> None:
    assert ledger.adjust(WALLET, "t", -100, NOW_MS, "why").wallet == Wallet("usr_1", 0, 40)
    with pytest.raises(InsufficientTokens):
        ledger.adjust(WALLET, "t", -101, NOW_MS, "why")


def test_an_adjustment_has_a_reason() -> None:
    with pytest.raises(AssertionError, match="reason"):
        ledger.adjust(WALLET, "t", 5, NOW_MS, "")


def test_a_gift_marks_a_late_result_and_moves_nothing() -> None:
    row = ledger.gift_row("usr_1", "job_1", NOW_MS)
    assert (row.id, row.kind, row.tokens, row.user_id, row.job_id, row.created_at_ms) == (
        "job_1:gift",
        RowKind.GIFT,
        0,
        "usr_1",
        "job_1",
        NOW_MS,
    )
    assert set(ledger.balances([row]).values()) == {0}


NOTHING: list[tuple[str, Callable[[], Posting]]] = [
    ("grant", lambda: ledger.grant(WALLET, "g", 0, NOW_MS)),
    ("negative grant", lambda: ledger.grant(WALLET, "g", -1, NOW_MS)),
    ("purchase", lambda: ledger.purchase(WALLET, "p", 0, NOW_MS)),
    ("negative purchase", lambda: ledger.purchase(WALLET, "p", -1, NOW_MS)),
    ("adjustment", lambda: ledger.adjust(WALLET, "a", 0, NOW_MS, "why")),
    ("hold", lambda: ledger.hold(WALLET, "job_1", 0, NOW_MS)),
    ("negative hold", lambda: ledger.hold(WALLET, "job_1", -1, NOW_MS)),
    ("negative release", lambda: ledger.release(WALLET, "job_1", -1, NOW_MS, "")),
]


@pytest.mark.parametrize(("_name", "operation"), NOTHING, ids=[name for name, _ in NOTHING])
def test_no_operation_moves_nothing_or_moves_backwards(
    _name: str, operation: Callable[[], Posting]
) -> None:
    with pytest.raises(AssertionError):
        operation()


@pytest.mark.parametrize("tokens", [-1, 1.0, True, "1", None])
def test_only_whole_tokens_from_zero_up_exist(tokens: int) -> None:
    with pytest.raises(AssertionError):
        Wallet("usr_1", tokens, 0)
    with pytest.raises(AssertionError):
        Wallet("usr_1", 0, tokens)
    with pytest.raises(AssertionError):
        Row("r", RowKind.HOLD, "usr_1", tokens, AVAILABLE, HELD, None, "", NOW_MS)


def test_a_row_joins_two_different_accounts() -> None:
    with pytest.raises(AssertionError, match="two accounts"):
        Row("r", RowKind.HOLD, "usr_1", 1, HELD, HELD, None, "", NOW_MS)


def test_one_cause_names_one_row_of_each_kind() -> None:
    causes = ["job_1", "job_2", "pay_1", "usr_1:trial"]
    named = {ledger.row_id(cause, kind) for cause in causes for kind in RowKind}
    assert len(named) == len(causes) * len(RowKind)


def test_two_users_never_share_an_account() -> None:
    names = [ledger.available("a"), ledger.held("a"), ledger.available("b"), ledger.held("b")]
    assert len(set(names)) == 4


def test_books_that_agree_have_no_differences() -> None:
    bought = ledger.purchase(Wallet("usr_1", 0, 0), "p", 100, NOW_MS)
    held = ledger.hold(bought.wallet, "job_1", 40, NOW_MS)
    assert books.differences([held.wallet], [*bought.rows, *held.rows]) == ()


def test_a_difference_says_whose_which_and_how_much() -> None:
    bought = ledger.purchase(Wallet("usr_1", 0, 0), "p", 100, NOW_MS)
    wrong = Wallet("usr_1", 90, 10)
    assert books.differences([wrong], bought.rows) == (
        Difference("usr_1", AVAILABLE, wallet_tokens=90, rows_tokens=100),
        Difference("usr_1", HELD, wallet_tokens=10, rows_tokens=0),
    )


def test_rows_of_a_user_without_a_wallet_are_a_difference() -> None:
    bought = ledger.purchase(Wallet("usr_1", 0, 0), "p", 100, NOW_MS)
    assert books.differences([], bought.rows) == (Difference("usr_1", AVAILABLE, 0, 100),)


def test_a_wallet_without_rows_is_a_difference_unless_it_is_empty() -> None:
    assert books.differences([Wallet("usr_1", 0, 0)], []) == ()
    assert books.differences([Wallet("usr_1", 1, 0)], []) == (Difference("usr_1", AVAILABLE, 1, 0),)


def test_a_hold_that_was_both_captured_and_released_is_named() -> None:
    """The second settlement takes another job's held tokens, so every balance still agrees."""
    bought = ledger.purchase(Wallet("usr_1", 0, 0), "p", 100, NOW_MS)
    first = ledger.hold(bought.wallet, "job_1", 40, NOW_MS)
    second = ledger.hold(first.wallet, "job_2", 40, NOW_MS)
    captured = ledger.capture(second.wallet, "job_1", 40, 40, NOW_MS)
    released = ledger.release(captured.wallet, "job_1", 40, NOW_MS, "")
    rows = [row for posting in (bought, first, second, captured, released) for row in posting.rows]
    assert books.differences([released.wallet], rows) != ()


@pytest.mark.parametrize(
    "change",
    [
        {"credit": "system:gifts"},
        {"kind": RowKind.RELEASE},
        {"user_id": "usr_2"},
        {"job_id": "job_2"},
    ],
    ids=["another system account", "another kind", "another user", "another job"],
)
def test_a_row_that_says_something_else_than_its_kind_is_named(change: dict[str, str]) -> None:
    bought = ledger.purchase(Wallet("usr_1", 0, 0), "p", 100, NOW_MS)
    held = ledger.hold(bought.wallet, "job_1", 40, NOW_MS)
    captured = ledger.capture(held.wallet, "job_1", 40, 40, NOW_MS)
    fields: dict[str, Any] = dict(change)
    wrong = replace(captured.rows[0], **fields)
    rows = [*bought.rows, *held.rows, wrong]
    assert books.differences([captured.wallet], rows) != ()


def test_a_hold_that_was_partly_captured_and_partly_released_is_named() -> None:
    """I3: at most one of the two, even when the sum is right."""
    bought = ledger.purchase(Wallet("usr_1", 0, 0), "p", 100, NOW_MS)
    held = ledger.hold(bought.wallet, "job_1", 40, NOW_MS)
    captured = ledger.capture(held.wallet, "job_1", 25, 25, NOW_MS)
    released = ledger.release(captured.wallet, "job_1", 15, NOW_MS, "")
    rows = [row for posting in (bought, held, captured, released) for row in posting.rows]
    assert books.differences([released.wallet], rows) != ()


def test_a_hold_of_no_job_is_named() -> None:
    bought = ledger.purchase(Wallet("usr_1", 0, 0), "p", 100, NOW_MS)
    held = ledger.hold(bought.wallet, "job_1", 40, NOW_MS)
    orphan = replace(held.rows[0], job_id=None)
    assert books.differences([held.wallet], [*bought.rows, orphan]) != ()


def test_rows_of_honest_books_are_never_named() -> None:
    """Every operation once, a gift after a refund among them."""
    opened = ledger.grant(Wallet("usr_1", 0, 0), "usr_1:trial", 100, NOW_MS, "trial")
    postings = [opened, ledger.purchase(opened.wallet, "pay_1", 50, NOW_MS)]
    postings.append(ledger.adjust(postings[-1].wallet, "t_1", -10, NOW_MS, "why"))
    postings.append(ledger.adjust(postings[-1].wallet, "t_2", 10, NOW_MS, "why"))
    for job_id in ("job_1", "job_2", "job_3"):
        postings.append(ledger.hold(postings[-1].wallet, job_id, 40, NOW_MS))
    postings.append(ledger.capture(postings[-1].wallet, "job_1", 40, 40, NOW_MS))
    postings.append(ledger.capture(postings[-1].wallet, "job_2", 40, 1, NOW_MS))
    postings.append(ledger.release(postings[-1].wallet, "job_3", 40, NOW_MS, "failed"))
    rows = [row for posting in postings for row in posting.rows]
    rows.append(ledger.gift_row("usr_1", "job_3", NOW_MS))
    assert {row.kind for row in rows} == set(RowKind)
    assert books.differences([postings[-1].wallet], rows) == ()


def test_a_hold_that_was_settled_in_part_is_named() -> None:
    """The rest is forgotten on both sides, so wallet and rows agree and the tokens stay held."""
    bought = ledger.purchase(Wallet("usr_1", 0, 0), "p", 100, NOW_MS)
    held = ledger.hold(bought.wallet, "job_1", 40, NOW_MS)
    captured = ledger.capture(held.wallet, "job_1", 25, 25, NOW_MS)
    assert captured.wallet == Wallet("usr_1", 60, 15)
    rows = [row for posting in (bought, held, captured) for row in posting.rows]
    assert books.differences([captured.wallet], rows) != ()
