"""The whole ledger over any history: a model of the books beside the books themselves.

Rows are kept as the store keeps them: create-only, all rows of a posting or none. A repeated step
therefore meets its own row.
"""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
)

from shared import books, ledger
from shared.errors import InsufficientTokens
from shared.ledger import Posting, Row, RowKind, Wallet
from tests.unit.domain.values import HISTORIES

USERS = ("usr_a", "usr_b", "usr_c")
SYSTEM = (
    ledger.PURCHASES,
    ledger.GRANTS,
    ledger.REVENUE,
    ledger.GIFTS,
    ledger.ADJUSTMENTS,
)
TOKENS = st.integers(min_value=1, max_value=300)


@dataclass(frozen=True, slots=True)
class Held:
    """A job with its hold."""

    job_id: str
    user_id: str
    tokens: int


@dataclass(slots=True)
class Expected:
    """What the model believes a user has."""

    available: int = 0
    held: int = 0
    received: int = 0
    spent: int = 0


class Books(RuleBasedStateMachine):
    """Any order of operations by several users; after every step the books are audited."""

    open_jobs: Bundle[Held] = Bundle("open_jobs")
    settled_jobs: Bundle[Held] = Bundle("settled_jobs")

    def __init__(self) -> None:
        super().__init__()
        self.wallets = {user_id: Wallet(user_id, 0, 0) for user_id in USERS}
        self.rows: dict[str, Row] = {}
        self.expected = {user_id: Expected() for user_id in USERS}
        self.now_ms = 0

    def save(self, posting: Posting) -> None:
        """Commit as the store does."""
        ids = [row.id for row in posting.rows]
        assert posting.rows, "every change of a wallet is explained"
        assert len(set(ids)) == len(ids)
        assert not set(ids) & self.rows.keys(), "a row is written once"
        self.rows |= {row.id: row for row in posting.rows}
        self.wallets[posting.wallet.user_id] = posting.wallet

    def next_ms(self) -> int:
        self.now_ms += 1
        return self.now_ms

    # ------------------------------------------------------------ tokens come and go

    @rule(user_id=st.sampled_from(USERS), tokens=TOKENS)
    def grant(self, user_id: str, tokens: int) -> None:
        now_ms = self.next_ms()
        self.save(ledger.grant(self.wallets[user_id], f"grant_{now_ms}", tokens, now_ms))
        self.expected[user_id].available += tokens
        self.expected[user_id].received += tokens

    @rule(user_id=st.sampled_from(USERS), tokens=TOKENS)
    def purchase(self, user_id: str, tokens: int) -> None:
        now_ms = self.next_ms()
        self.save(ledger.purchase(self.wallets[user_id], f"pay_{now_ms}", tokens, now_ms))
        self.expected[user_id].available += tokens
        self.expected[user_id].received += tokens

    @rule(user_id=st.sampled_from(USERS), tokens=st.integers(-300, 300).filter(bool))
    def adjust(self, user_id: str, tokens: int) -> None:
        now_ms, expected = self.next_ms(), self.expected[user_id]
        wallet = self.wallets[user_id]
        if expected.available + tokens < 0:
            with pytest.raises(InsufficientTokens):
                ledger.adjust(wallet, f"ticket_{now_ms}", tokens, now_ms, "why")
            return
        self.save(ledger.adjust(wallet, f"ticket_{now_ms}", tokens, now_ms, "why"))
        expected.available += tokens
        expected.received += tokens

    # ------------------------------------------------------------ a generation's two phases

    @rule(target=open_jobs, user_id=st.sampled_from(USERS), tokens=TOKENS)
    def hold(self, user_id: str, tokens: int) -> Held | MultipleResults[Held]:
        now_ms, expected = self.next_ms(), self.expected[user_id]
        job = Held(f"job_{now_ms}", user_id, tokens)
        if tokens > expected.available:
            with pytest.raises(InsufficientTokens) as refused:
                ledger.hold(self.wallets[user_id], job.job_id, tokens, now_ms)
            assert refused.value.details["available_tokens"] == expected.available
            return multiple()
        self.save(ledger.hold(self.wallets[user_id], job.job_id, tokens, now_ms))
        expected.available -= tokens
        expected.held += tokens
        return job

    @rule(target=settled_jobs, job=consumes(open_jobs), rest=st.integers(0, 3) | TOKENS)
    def capture(self, job: Held, rest: int) -> Held:
        spent = max(1, job.tokens - rest)
        wallet, expected = self.wallets[job.user_id], self.expected[job.user_id]
        self.save(ledger.capture(wallet, job.job_id, job.tokens, spent, self.next_ms()))
        expected.held -= job.tokens
        expected.available += job.tokens - spent
        expected.spent += spent
        return job

    @rule(target=settled_jobs, job=consumes(open_jobs))
    def release(self, job: Held) -> Held:
        wallet, expected = self.wallets[job.user_id], self.expected[job.user_id]
        self.save(ledger.release(wallet, job.job_id, job.tokens, self.next_ms(), "failed"))
        expected.held -= job.tokens
        expected.available += job.tokens
        return job

    @rule(job=settled_jobs)
    def repeat_the_settlement(self, job: Held) -> None:
        """The same settlement again meets its own row, or more is taken than is held."""
        wallet = self.wallets[job.user_id]
        now_ms = self.next_ms()
        try:
            if ledger.row_id(job.job_id, RowKind.CAPTURE) in self.rows:
                again = ledger.capture(wallet, job.job_id, job.tokens, job.tokens, now_ms)
            else:
                again = ledger.release(wallet, job.job_id, job.tokens, now_ms, "failed")
        except AssertionError as refused:
            assert "held is never below zero" in str(refused)  # noqa: PT017  # one of two ways to be refused
            return
        assert {row.id for row in again.rows} & self.rows.keys()

    @rule(job=open_jobs)
    def repeat_the_hold(self, job: Held) -> None:
        wallet = self.wallets[job.user_id]
        if wallet.available_tokens >= job.tokens:
            again = ledger.hold(wallet, job.job_id, job.tokens, self.next_ms())
            assert {row.id for row in again.rows} <= self.rows.keys()

    @rule(job=settled_jobs)
    def mark_a_gift(self, job: Held) -> None:
        row = ledger.gift_row(job.user_id, job.job_id, self.next_ms())
        assert row.tokens == 0
        self.rows.setdefault(row.id, row)

    # ------------------------------------------------------------ somebody touches the books

    @rule(
        user_id=st.sampled_from(USERS),
        available=st.integers(-50, 50),
        held=st.integers(-50, 50),
    )
    def a_wallet_that_was_tampered_with_is_named(
        self, user_id: str, available: int, held: int
    ) -> None:
        wallet = self.wallets[user_id]
        wrong = wallet.available_tokens + available, wallet.held_tokens + held
        if min(wrong) < 0:
            return
        wallets = {**self.wallets, user_id: Wallet(user_id, *wrong)}
        named = {
            (found.account, found.wallet_tokens - found.rows_tokens)
            for found in books.differences(wallets.values(), self.rows.values())
        }
        accounts = ((ledger.available(user_id), available), (ledger.held(user_id), held))
        assert named == {(account, change) for account, change in accounts if change}

    @precondition(lambda self: any(row.tokens for row in self.rows.values()))
    @rule(data=st.data(), damage=st.sampled_from(["dropped", "doubled", "altered", "rerouted"]))
    def a_row_that_was_tampered_with_is_named(self, data: st.DataObject, damage: str) -> None:
        row = data.draw(st.sampled_from([row for row in self.rows.values() if row.tokens]))
        others = [other for other in self.rows.values() if other is not row]
        match damage:
            case "dropped":
                rows = others
            case "doubled":
                rows = [*others, row, row]
            case "altered":
                tokens = data.draw(st.integers(0, 600).filter(lambda n: n != row.tokens))
                rows = [*others, replace(row, tokens=tokens)]
            case _:
                rows = [*others, _rerouted(data, row)]
        found = books.differences(self.wallets.values(), rows)
        assert row.user_id in {difference.user_id for difference in found}

    @precondition(lambda self: self.rows)
    @rule(data=st.data())
    def a_row_with_any_one_field_changed_is_named(self, data: st.DataObject) -> None:
        """But for its note, its date, and the name of the payment or grant that caused it."""
        row = data.draw(st.sampled_from(list(self.rows.values())))
        others = [other for other in self.rows.values() if other is not row]
        users = st.sampled_from(USERS)
        accounts = st.builds(ledger.available, users) | st.builds(ledger.held, users)
        ways: dict[str, st.SearchStrategy[Any]] = {
            "kind": st.sampled_from(RowKind),
            "user_id": users,
            "tokens": st.integers(0, 600),
            "debit": accounts | st.sampled_from(SYSTEM),
            "credit": accounts | st.sampled_from(SYSTEM),
            "job_id": st.sampled_from(["job_0", *(other.job_id for other in others)]),
        }
        name = data.draw(st.sampled_from(sorted(ways)))
        value = data.draw(ways[name])
        if value in (getattr(row, name), row.debit, row.credit):
            return
        changed: dict[str, Any] = {name: value}
        rows = [*others, replace(row, **changed)]
        assert books.differences(self.wallets.values(), rows) != ()

    # ------------------------------------------------------------ what always holds

    @invariant()
    def every_wallet_is_what_the_model_says(self) -> None:
        for user_id, expected in self.expected.items():
            wallet = self.wallets[user_id]
            assert (wallet.available_tokens, wallet.held_tokens) == (
                expected.available,
                expected.held,
            )

    @invariant()
    def nothing_is_ever_below_zero(self) -> None:
        for wallet in self.wallets.values():
            assert wallet.available_tokens >= 0
            assert wallet.held_tokens >= 0

    @invariant()
    def every_token_is_accounted_for(self) -> None:
        for user_id, expected in self.expected.items():
            wallet = self.wallets[user_id]
            has = wallet.available_tokens + wallet.held_tokens
            assert has + expected.spent == expected.received
        balances = ledger.balances(self.rows.values())
        assert sum(balances.values()) == 0
        spent = sum(expected.spent for expected in self.expected.values())
        assert balances.get(ledger.REVENUE, 0) == spent
        issued = sum(
            balances.get(source, 0)
            for source in (ledger.PURCHASES, ledger.GRANTS, ledger.ADJUSTMENTS)
        )
        assert -issued == sum(expected.received for expected in self.expected.values())

    @invariant()
    def the_audit_finds_nothing(self) -> None:
        assert books.differences(self.wallets.values(), self.rows.values()) == ()

    @invariant()
    def every_job_has_one_hold_and_settles_it_once_and_whole(self) -> None:
        by_job: dict[str, list[Row]] = {}
        for row in self.rows.values():
            if row.job_id is not None:
                by_job.setdefault(row.job_id, []).append(row)
        for rows in by_job.values():
            tokens = {row.kind: row.tokens for row in rows}
            assert len(tokens) == len(rows)
            settled = {RowKind.CAPTURE, RowKind.RELEASE} & tokens.keys()
            assert len(settled) <= 1
            if settled:
                rest = tokens.get(RowKind.REST, 0)
                assert sum(tokens[kind] for kind in settled) + rest == tokens[RowKind.HOLD]


def _rerouted(data: st.DataObject, row: Row) -> Row:
    """The row with the user's side of it moved to another account."""
    side = data.draw(
        st.sampled_from(
            [side for side in ("debit", "credit") if getattr(row, side).startswith("user:")]
        )
    )
    accounts = [
        *SYSTEM,
        *(name(user) for user in USERS for name in (ledger.available, ledger.held)),
    ]
    elsewhere = [name for name in accounts if name not in (row.debit, row.credit)]
    moved = data.draw(st.sampled_from(elsewhere))
    return replace(row, debit=moved) if side == "debit" else replace(row, credit=moved)


Books.TestCase.settings = settings(HISTORIES, max_examples=60, stateful_step_count=40)
TestBooksOverAnyHistory = Books.TestCase
