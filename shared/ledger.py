"""Tokens in double entry: every row moves a whole number of tokens from one account to another.

A generation is a two-phase transfer: `hold`, then exactly one of `capture` or `release`. Rows are
never changed; their ids are derived from what caused them, so a repeated step meets its own row and
stops.

    purchases, grants, adjustments ──▶ user:available ──hold──▶ user:held ──capture──▶ revenue
                                              ▲───────────release────────┘
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.errors import InsufficientTokens

PURCHASES = "system:purchases"
GRANTS = "system:grants"
REVENUE = "system:revenue"
GIFTS = "system:gifts"
ADJUSTMENTS = "system:adjustments"


class RowKind(StrEnum):
    """Why tokens moved."""

    GRANT = "grant"
    PURCHASE = "purchase"
    HOLD = "hold"
    CAPTURE = "capture"
    REST = "rest"  # what a part capture gives back
    RELEASE = "release"
    GIFT = "gift"  # a late result, zero tokens
    ADJUST = "adjust"


@dataclass(frozen=True, slots=True)
class Row:
    """One movement: `tokens` leave account `debit` and enter account `credit`."""

    id: str
    kind: RowKind
    user_id: str
    tokens: int
    debit: str
    credit: str
    job_id: str | None
    note: str
    created_at_ms: int

    def __post_init__(self) -> None:
        assert type(self.tokens) is int and self.tokens >= 0, "rows move whole, non-negative tokens"
        assert self.debit != self.credit, "a row joins two accounts"


@dataclass(frozen=True, slots=True)
class Wallet:
    """What a user has: tokens to spend, and tokens held for open jobs."""

    user_id: str
    available_tokens: int
    held_tokens: int

    def __post_init__(self) -> None:
        assert type(self.available_tokens) is int and self.available_tokens >= 0, (
            "available is never below zero"
        )
        assert type(self.held_tokens) is int and self.held_tokens >= 0, "held is never below zero"


@dataclass(frozen=True, slots=True)
class Posting:
    """The wallet after a step, and the rows that explain it: saved together or not at all."""

    wallet: Wallet
    rows: tuple[Row, ...]


def available(user_id: str) -> str:
    """The account of a user's spendable tokens."""
    return f"user:{user_id}:available"


def held(user_id: str) -> str:
    """The account of a user's held tokens."""
    return f"user:{user_id}:held"


def row_id(cause: str, kind: RowKind) -> str:
    """The id of the row that `cause` (a job, a payment, a grant) makes of this kind."""
    return f"{cause}:{kind}"


def grant(wallet: Wallet, cause: str, tokens: int, now_ms: int, note: str = "") -> Posting:
    """Give tokens that nobody paid for."""
    return _credit(wallet, cause, RowKind.GRANT, GRANTS, tokens, now_ms, note)


def purchase(wallet: Wallet, payment_id: str, tokens: int, now_ms: int, note: str = "") -> Posting:
    """Give tokens that were paid for."""
    return _credit(wallet, payment_id, RowKind.PURCHASE, PURCHASES, tokens, now_ms, note)


def adjust(wallet: Wallet, cause: str, tokens: int, now_ms: int, note: str) -> Posting:
    """Correct a balance by an operator's decision: `tokens` may be negative. `note` says who and
    why.
    """
    assert tokens != 0, "an adjustment changes something"
    assert note, "an adjustment has a reason"
    if tokens > 0:
        return _credit(wallet, cause, RowKind.ADJUST, ADJUSTMENTS, tokens, now_ms, note)
    _require(wallet, -tokens)
    after = replace(wallet, available_tokens=wallet.available_tokens + tokens)
    mine = available(wallet.user_id)
    row = _row(wallet, cause, RowKind.ADJUST, -tokens, (mine, ADJUSTMENTS), now_ms, note=note)
    return Posting(after, (row,))


def hold(wallet: Wallet, job_id: str, tokens: int, now_ms: int) -> Posting:
    """Set tokens aside for a job. Raises `InsufficientTokens`."""
    assert tokens > 0, "a free job needs no hold"
    _require(wallet, tokens)
    after = replace(
        wallet,
        available_tokens=wallet.available_tokens - tokens,
        held_tokens=wallet.held_tokens + tokens,
    )
    mine = available(wallet.user_id), held(wallet.user_id)
    return Posting(
        after, (_row(wallet, job_id, RowKind.HOLD, tokens, mine, now_ms, job_id=job_id),)
    )


def capture(wallet: Wallet, job_id: str, held_tokens: int, tokens: int, now_ms: int) -> Posting:
    """Spend `tokens` of a job's hold; what is left of it goes back in the same commit."""
    assert 0 < tokens <= held_tokens, "a capture takes part or all of its hold"
    rest_tokens = held_tokens - tokens
    after = replace(
        wallet,
        available_tokens=wallet.available_tokens + rest_tokens,
        held_tokens=wallet.held_tokens - held_tokens,
    )
    from_held = held(wallet.user_id)
    rows = [
        _row(wallet, job_id, RowKind.CAPTURE, tokens, (from_held, REVENUE), now_ms, job_id=job_id)
    ]
    if rest_tokens:
        back = from_held, available(wallet.user_id)
        rows.append(_row(wallet, job_id, RowKind.REST, rest_tokens, back, now_ms, job_id=job_id))
    return Posting(after, tuple(rows))


def release(wallet: Wallet, job_id: str, held_tokens: int, now_ms: int, note: str) -> Posting:
    """Give a job's whole hold back."""
    assert held_tokens > 0, "a release gives something back"
    after = replace(
        wallet,
        available_tokens=wallet.available_tokens + held_tokens,
        held_tokens=wallet.held_tokens - held_tokens,
    )
    back = held(wallet.user_id), available(wallet.user_id)
    row = _row(wallet, job_id, RowKind.RELEASE, held_tokens, back, now_ms, job_id=job_id, note=note)
    return Posting(after, (row,))


def gift_row(user_id: str, job_id: str, now_ms: int) -> Row:
    """The zero-token mark of a result that came after its refund and was given away."""
    mine = available(user_id)
    return Row(
        row_id(job_id, RowKind.GIFT),
        RowKind.GIFT,
        user_id,
        0,
        GIFTS,
        mine,
        job_id,
        "late result",
        now_ms,
    )


def balances(rows: Iterable[Row]) -> Mapping[str, int]:
    """Every account's balance, from rows alone. All of them sum to zero."""
    total: dict[str, int] = {}
    for row in rows:
        total[row.debit] = total.get(row.debit, 0) - row.tokens
        total[row.credit] = total.get(row.credit, 0) + row.tokens
    assert sum(total.values()) == 0, "double entry sums to zero"
    return total


def _require(wallet: Wallet, tokens: int) -> None:
    if wallet.available_tokens < tokens:
        raise InsufficientTokens(
            f"This costs {tokens} tokens and you have {wallet.available_tokens}.",
            required_tokens=tokens,
            available_tokens=wallet.available_tokens,
        )


def _credit(
    wallet: Wallet, cause: str, kind: RowKind, source: str, tokens: int, now_ms: int, note: str
) -> Posting:
    assert tokens > 0, "a credit gives something"
    after = replace(wallet, available_tokens=wallet.available_tokens + tokens)
    mine = available(wallet.user_id)
    return Posting(after, (_row(wallet, cause, kind, tokens, (source, mine), now_ms, note=note),))


def _row(
    wallet: Wallet,
    cause: str,
    kind: RowKind,
    tokens: int,
    route: tuple[str, str],
    now_ms: int,
    *,
    job_id: str | None = None,
    note: str = "",
) -> Row:
    debit, credit = route
    owner = wallet.user_id
    return Row(row_id(cause, kind), kind, owner, tokens, debit, credit, job_id, note, now_ms)
