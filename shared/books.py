"""Whether the books are right: wallets by rows, settlements by holds, rows by their kinds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.ledger import (
    ADJUSTMENTS,
    GIFTS,
    GRANTS,
    PURCHASES,
    REVENUE,
    Row,
    RowKind,
    Wallet,
    available,
    balances,
    held,
    row_id,
)

_SETTLEMENTS = frozenset({RowKind.CAPTURE, RowKind.REST, RowKind.RELEASE})
_OF_JOBS = _SETTLEMENTS | {RowKind.HOLD, RowKind.GIFT}


@dataclass(frozen=True, slots=True)
class Difference:
    """Books that contradict themselves: an account, a job's hold or a row, with the tokens that it
    should have by one side and has by the other.
    """

    user_id: str
    account: str
    wallet_tokens: int
    rows_tokens: int


def differences(wallets: Iterable[Wallet], rows: Iterable[Row]) -> tuple[Difference, ...]:
    """Everything that contradicts itself; empty when the money is right."""
    rows = tuple(rows)
    return (*_by_wallet(wallets, rows), *_by_job(rows), *_by_row(rows))


def _by_wallet(wallets: Iterable[Wallet], rows: Iterable[Row]) -> list[Difference]:
    """Rows of users without a wallet differ too."""
    left = {name: tokens for name, tokens in balances(rows).items() if name.startswith("user:")}
    found: list[Difference] = []
    for wallet in wallets:
        for account, tokens in (
            (available(wallet.user_id), wallet.available_tokens),
            (held(wallet.user_id), wallet.held_tokens),
        ):
            by_rows = left.pop(account, 0)
            if by_rows != tokens:
                found.append(Difference(wallet.user_id, account, tokens, by_rows))
    found += [
        Difference(name.split(":")[1], name, 0, tokens) for name, tokens in left.items() if tokens
    ]
    return found


def _by_job(rows: Iterable[Row]) -> list[Difference]:
    """A hold is settled once: by a capture with its rest, or by a release, and for all of it."""
    jobs: dict[str, dict[RowKind, Row]] = {}
    for row in rows:
        if row.job_id is not None:
            jobs.setdefault(row.job_id, {})[row.kind] = row
    found: list[Difference] = []
    for job_id, by_kind in jobs.items():
        held_tokens = by_kind[RowKind.HOLD].tokens if RowKind.HOLD in by_kind else 0
        settled = [row.tokens for kind, row in by_kind.items() if kind in _SETTLEMENTS]
        is_both = RowKind.CAPTURE in by_kind and RowKind.RELEASE in by_kind
        if is_both or (settled and sum(settled) != held_tokens):
            owner = next(iter(by_kind.values())).user_id
            found.append(Difference(owner, f"job:{job_id}", held_tokens, sum(settled)))
    return found


def _by_row(rows: Iterable[Row]) -> list[Difference]:
    """A row goes where rows of its kind go, and its id says what caused it."""
    return [
        Difference(row.user_id, f"row:{row.id}", 0, row.tokens)
        for row in rows
        if (row.debit, row.credit) not in _routes(row.kind, row.user_id)
        or not row.id.endswith(f":{row.kind}")
        or (row.job_id is None and row.kind in _OF_JOBS)
        or (row.job_id is not None and row.id != row_id(row.job_id, row.kind))
    ]


def _routes(kind: RowKind, user_id: str) -> tuple[tuple[str, str], ...]:
    spendable, set_aside = available(user_id), held(user_id)
    routes: Mapping[RowKind, tuple[tuple[str, str], ...]] = {
        RowKind.GRANT: ((GRANTS, spendable),),
        RowKind.PURCHASE: ((PURCHASES, spendable),),
        RowKind.HOLD: ((spendable, set_aside),),
        RowKind.CAPTURE: ((set_aside, REVENUE),),
        RowKind.REST: ((set_aside, spendable),),
        RowKind.RELEASE: ((set_aside, spendable),),
        RowKind.GIFT: ((GIFTS, spendable),),
        RowKind.ADJUST: ((ADJUSTMENTS, spendable), (spendable, ADJUSTMENTS)),
    }
    return routes[kind]
