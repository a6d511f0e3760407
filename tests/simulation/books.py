"""The books as they must be: kept again from the rows alone, and compared with the wallets."""

from collections.abc import Iterable

from shared.ports import Data
from tests.simulation.kernel import fail
from tests.simulation.store import Change


class Books:
    """Every account's balance by the rows, and the rows of every job by kind."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Data]] = {}
        self._balances: dict[str, int] = {}

    def add(self, change: Change) -> str | None:
        """Enter one row. Returns the job that it charges, if it does."""
        row, row_id = change.after, change.key.id
        if change.before is not None or row is None:
            fail("I4", f"row {row_id} was changed")
        tokens = row["tokens"]
        if type(tokens) is not int or tokens < 0:
            fail("I1", f"row {row_id} moves {tokens}")
        self._balances[row["debit"]] = self._balances.get(row["debit"], 0) - tokens
        self._balances[row["credit"]] = self._balances.get(row["credit"], 0) + tokens
        if row["job_id"] is None:
            return None
        self._enter(row["job_id"], row)
        return row["job_id"] if row["kind"] == "capture" else None

    def compare(self, change: Change) -> None:
        """A wallet is what its rows say."""
        wallet, user = change.after, change.key.id
        assert wallet is not None
        for name in ("available", "held"):
            tokens = wallet[f"{name}_tokens"]
            if type(tokens) is not int or tokens < 0:
                fail("I1", f"{user} has {tokens} {name}")
            by_rows = self._balances.get(f"user:{user}:{name}", 0)
            if tokens != by_rows:
                fail("I2", f"{user} has {tokens} {name}, and {by_rows} by the rows")

    def audit(self, wallets: Iterable[Data], job_ids: Iterable[str]) -> None:
        """Nothing is held, every hold is settled once, and all rows sum to zero."""
        if sum(self._balances.values()) != 0:
            fail("I2", "the rows do not sum to zero")
        for wallet in wallets:
            user = wallet["user_id"]
            available = self._balances.get(f"user:{user}:available", 0)
            if (wallet["available_tokens"], wallet["held_tokens"]) != (available, 0):
                fail("I2", f"{user} should have {available} available and nothing held")
            if wallet["waiting_jobs"]:
                fail("I11", f"{user} still has {wallet['waiting_jobs']} waiting")
        if {*job_ids} != self.rows.keys():
            fail("I3", "there are holds without jobs")
        for job_id, rows in self.rows.items():
            if ("capture" in rows) == ("release" in rows):
                fail("I3", f"{job_id} is not settled once: {sorted(rows)}")
            if "capture" in rows and _settled(rows) != rows["hold"]["tokens"]:
                fail("I3", f"{job_id} held {rows['hold']['tokens']}, settled {_settled(rows)}")

    def _enter(self, job_id: str, row: Data) -> None:
        kind, tokens = row["kind"], row["tokens"]
        rows = self.rows.setdefault(job_id, {})
        if kind in rows:
            fail("I3", f"{job_id} has a second {kind}")
        rows[kind] = row
        if "hold" not in rows:
            fail("I3", f"{job_id} has a {kind} without a hold")
        if "capture" in rows and "release" in rows:
            fail("I3", f"{job_id} is charged and refunded")
        if kind == "release" and tokens != rows["hold"]["tokens"]:
            fail("I3", f"{job_id} held {rows['hold']['tokens']} and its {kind} is {tokens}")
        if kind in ("capture", "rest") and _settled(rows) > rows["hold"]["tokens"]:
            fail("I3", f"{job_id} held {rows['hold']['tokens']} and settles {_settled(rows)}")
        if kind == "gift" and (tokens or "release" not in rows):
            fail("I3", f"{job_id} was given away and was not free")


def _settled(rows: dict[str, Data]) -> int:
    """What was charged and what of it came back."""
    return sum(rows[kind]["tokens"] for kind in ("capture", "rest") if kind in rows)
