"""What must hold, checked at every commit on what it touched: the judge of every run.

The rules are written anew here, from the specification, and not read from the product's own tables.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared import records
from shared.ports import Data, Key
from tests.simulation.blobs import SimulatedBlobs
from tests.simulation.fairness import Fairness
from tests.simulation.kernel import Kernel, Violation
from tests.simulation.store import Change, SimulatedStore
from tests.simulation.vendor import Generation, Vendor

# From money.md section 4, with `storing` and the gift as states of their own.
STEPS: Mapping[str | None, frozenset[str]] = {
    None: frozenset({"parked", "ready"}),
    "parked": frozenset({"ready", "failed", "cancelled"}),
    "ready": frozenset({"submitting", "failed", "cancelled"}),
    "submitting": frozenset({"running", "ready", "failed", "unknown"}),
    "unknown": frozenset({"running", "ready", "failed", "quarantined"}),
    "running": frozenset({"storing", "failed", "cancelled", "quarantined"}),
    "storing": frozenset({"done", "failed"}),
    "quarantined": frozenset({"gifting", "failed"}),
    "gifting": frozenset({"gifted", "failed"}),
    "done": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
    "gifted": frozenset(),
}
REFUNDED = frozenset({"failed", "cancelled", "quarantined", "gifting", "gifted"})
WITH_SLOT = frozenset({"ready", "submitting", "unknown", "running", "quarantined"})
_MAYBE_AT_VENDOR = frozenset({"submitting", "unknown", "quarantined"})
OVER = frozenset(state for state, following in STEPS.items() if state and not following)


def require(holds: bool, code: str, text: str) -> None:
    """An invariant, by its number in the specification."""
    if not holds:
        raise Violation(f"{code}: {text}")


class Invariants:
    """All of them, over the store, the bucket and the vendors of one run."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.fairness = Fairness(lambda text: require(False, "I15", text))
        self.store: SimulatedStore
        self.blobs: SimulatedBlobs
        self.vendors: Mapping[str, Vendor] = {}
        self.checks = 0
        self.commits = 0
        self.orphans = 0
        self._told: dict[str, str] = {}
        self._balances: dict[str, int] = {}
        self._rows: dict[str, dict[str, Data]] = {}  # job -> kind -> row
        self._sent: dict[tuple[str, int], int] = {}
        self._accepted: set[str] = set()
        self._by_collection = {
            records.WALLETS: self._wallet,
            records.LEDGER: self._row,
            records.JOBS: self._job,
            records.SLOTS: self._slot,
            records.VENDOR_TASKS: self._task,
        }

    # ------------------------------------------------------------ at every commit

    def see(self, changes: Sequence[Change]) -> None:
        """Check one commit, which has just happened."""
        self.commits += 1
        activity = self._kernel.current
        if activity is not None and activity.is_forged:
            raise Violation("I9: a forged webhook changed a document")
        for change in changes:
            check = self._by_collection.get(change.key.collection)
            if check is not None:
                self.checks += 1
                check(change)
        for change in changes:
            if change.key.collection == records.JOBS:
                self._settled(change)
            elif change.key.collection == records.WALLETS:
                self._balanced(change)
            elif change.key.collection == records.SLOTS:
                self._paired_slot(change)
        if self._kernel.tell:
            for change in changes:
                self._tell(change)

    def _wallet(self, change: Change) -> None:
        assert change.after is not None
        for name in ("available_tokens", "held_tokens"):
            tokens = change.after[name]
            require(type(tokens) is int and tokens >= 0, "I1", f"{name} of {change.key.id} is {tokens}")

    def _row(self, change: Change) -> None:
        row = change.after
        require(change.before is None and row is not None, "I4", f"row {change.key.id} was changed")
        assert row is not None
        tokens = row["tokens"]
        require(type(tokens) is int and tokens >= 0, "I1", f"row {change.key.id} moves {tokens}")
        self._balances[row["debit"]] = self._balances.get(row["debit"], 0) - tokens
        self._balances[row["credit"]] = self._balances.get(row["credit"], 0) + tokens
        job_id = row["job_id"]
        if job_id is None:
            return
        rows = self._rows.setdefault(job_id, {})
        kind = row["kind"]
        require(kind not in rows, "I3", f"{job_id} has a second {kind}")
        rows[kind] = row
        require("hold" in rows, "I3", f"{job_id} has a {kind} without a hold")
        require(not {"capture", "release"} <= rows.keys(), "I3", f"{job_id} is charged and refunded")
        if kind in ("capture", "release"):
            held = rows["hold"]["tokens"]
            require(tokens == held, "I3", f"{job_id} held {held} and its {kind} is {tokens}")
        if kind == "capture":
            self._captured(job_id)
        if kind == "gift":
            require("release" in rows and tokens == 0, "I3", f"{job_id} was given away and not free")

    def _captured(self, job_id: str) -> None:
        job = self._peek(records.job_key(job_id))
        generation = self.vendors[job["provider"]].generations.get(job["vendor_task_id"] or "")
        require(generation is not None, "I8", f"{job_id} is charged for a task that nobody knows")
        assert generation is not None
        require(generation.client_id == job_id, "I8", f"{job_id} is charged for another job's task")
        require(generation.state == "succeeded", "I8", f"{job_id} is charged and the vendor {generation.state}")
        self._delivered(job_id, job, generation)

    def _delivered(self, job_id: str, job: Data, generation: Generation) -> None:
        result = job["result"]
        if result is None:
            require(job["deleted_at_ms"] is not None, "I8", f"{job_id} is charged without a result")
            return
        stored = self.blobs.objects.get(result["blob_key"])
        require(stored is not None, "I8", f"{job_id} is charged and its result is not in the bucket")
        assert stored is not None
        content, content_type = stored
        require(content.endswith(generation.id.encode()), "I8", f"{job_id} is charged for other bytes")
        is_described = (len(content), content_type) == (result["size_bytes"], result["content_type"])
        require(is_described, "I8", f"{job_id} has a result of another size or type")

    def _job(self, change: Change) -> None:
        before, after = change.before, change.after
        job_id = change.key.id
        require(after is not None, "I5", f"{job_id} was removed")
        assert after is not None
        state = after["state"]
        old_state = None if before is None else before["state"]
        if state != old_state:
            require(state in STEPS[old_state], "I5", f"{job_id} went from {old_state} to {state}")
            if old_state == "parked":
                self.fairness.left(after)
            if (old_state, state) == ("running", "quarantined"):
                self._was_asked_about(job_id, after["vendor_task_id"])
        if before is None:
            self.fairness.came(after)
            return
        if after["deleted_at_ms"] is not None:
            shown = after["result"] or after["prompt"]
            require(not shown, "I5", f"{job_id} was deleted and still shows {shown}")
        require(after["epoch"] >= before["epoch"], "I5", f"{job_id} went back to epoch {after['epoch']}")
        fixed = ("user_id", "hold_tokens", "pool", "provider", "body_hash")
        require(all(after[name] == before[name] for name in fixed), "I5", f"{job_id} became another job")
        if before["vendor_task_id"] is not None:
            same = after["vendor_task_id"] == before["vendor_task_id"]
            require(same, "I14", f"{job_id} was bound to a second task")
        if old_state in OVER:
            self._is_left_alone(job_id, before, after)

    def _was_asked_about(self, job_id: str, task_id: str) -> None:
        """A timeout is not a failure: nothing is given up without asking the vendor first."""
        activity = self._kernel.current
        assert activity is not None
        is_asked = activity.asked_about == task_id
        require(is_asked, "I11", f"{job_id} was given up and its vendor was not asked")

    def _is_left_alone(self, job_id: str, before: Data, after: Data) -> None:
        """A finished job can only be deleted by its owner."""
        deletion = {"deleted_at_ms", "result", "prompt", "settings", "images", "hidden"}
        deletion |= {"due_at_ms", "updated_at_ms"}
        changed = {name for name in after if after[name] != before[name]}
        require(changed <= deletion, "I5", f"{job_id} is over and its {sorted(changed - deletion)} changed")
        require(not changed or after["deleted_at_ms"] is not None, "I5", f"{job_id} changed after its end")

    def _settled(self, change: Change) -> None:
        """Money and slot of a job say the same as its state."""
        job = change.after
        assert job is not None
        job_id, state = change.key.id, job["state"]
        rows = self._rows.get(job_id, {})
        require("hold" in rows, "I3", f"{job_id} has no hold")
        require(("capture" in rows) == (state == "done"), "I13", f"{job_id} is {state}: {sorted(rows)}")
        require(("release" in rows) == (state in REFUNDED), "I13", f"{job_id} is {state}: {sorted(rows)}")
        slot_id = job["slot"]
        require((slot_id is not None) == (state in WITH_SLOT), "I10", f"{job_id} is {state} with slot {slot_id}")
        if slot_id is not None:
            holder = self._peek(records.slot_key(slot_id))["job_id"]
            require(holder == job_id, "I10", f"{job_id} says {slot_id}, which is {holder}'s")

    def _balanced(self, change: Change) -> None:
        wallet = change.after
        assert wallet is not None
        user = change.key.id
        waiting = sum(
            job["state"] == "parked" and job["user_id"] == user
            for job in self.store.all(records.JOBS)
        )
        counted = wallet["waiting_jobs"]
        require(counted == waiting, "I2", f"{user} has {waiting} waiting jobs, counted as {counted}")
        for name in ("available", "held"):
            by_rows = self._balances.get(f"user:{user}:{name}", 0)
            tokens = wallet[f"{name}_tokens"]
            require(tokens == by_rows, "I2", f"{user} has {tokens} {name}, and {by_rows} by the rows")

    def _slot(self, change: Change) -> None:
        before, after = change.before, change.after
        require(after is not None, "I10", f"slot {change.key.id} was removed")
        assert after is not None
        holder = before["job_id"] if before is not None else None
        if holder is None or after["job_id"] == holder:
            return
        require(after["job_id"] is None, "I10", f"slot {change.key.id} was taken from {holder}")
        job = self._peek(records.job_key(holder))
        running = [
            generation.id
            for generation in self.vendors[job["provider"]].by_client_id.get(holder, [])
            if not generation.is_over
        ]
        require(not running, "I10", f"slot {change.key.id} was freed while {holder} runs as {running}")

    def _paired_slot(self, change: Change) -> None:
        assert change.after is not None
        slot_id = change.key.id
        holder = change.after["job_id"]
        if holder is not None:
            slot_of = self._peek(records.job_key(holder))["slot"]
            require(slot_of == slot_id, "I10", f"{slot_id} says {holder}, which has {slot_of}")
        before = change.before["job_id"] if change.before else None
        if before is not None and before != holder:
            slot_of = self._peek(records.job_key(before))["slot"]
            require(slot_of is None, "I10", f"{before} lost {slot_id} and has {slot_of}")

    def _task(self, change: Change) -> None:
        require(change.before is None, "I14", f"task {change.key.id} was bound again")
        assert change.after is not None
        job_id = change.after["job_id"]
        job = self._peek(records.job_key(job_id))
        bound = records.vendor_task_key(job["provider"], job["vendor_task_id"] or "?")
        require(bound == change.key, "I14", f"{change.key.id} is bound to {job_id}, which has another task")

    # ------------------------------------------------------------ at the vendor

    def is_about_to_send(self, job_id: str) -> None:
        """We are about to order. A process that was frozen must not order what was refunded since:
        only a freeze after this moment may do so."""
        state = self._peek(records.job_key(job_id))["state"]
        require(state in ("submitting", "unknown"), "I7", f"{job_id} is {state} and is being sent")

    def was_sent(self, vendor: str, job_id: str) -> None:
        """A submit reached the vendor."""
        self.checks += 1
        job = self._peek(records.job_key(job_id))
        require(job["claim"] is not None, "I7", f"{job_id} was sent without a claim")
        key = (job_id, job["epoch"])
        self._sent[key] = self._sent.get(key, 0) + 1
        require(self._sent[key] == 1, "I7", f"{job_id} was sent twice in epoch {job['epoch']}")

    def was_accepted(self, vendor: Vendor, generation: Generation) -> None:
        """The vendor takes an order; it does not run yet."""
        self.checks += 1
        job_id = generation.client_id
        job = self._peek(records.job_key(job_id))
        require(job_id not in self._accepted, "I7", f"{job_id} was accepted a second time")
        self._accepted.add(job_id)
        require(job["slot"] is not None, "I6", f"{job_id} runs without a slot")
        running, places = vendor.running + 1, vendor.places
        require(running <= places, "I6", f"{running} run in {job['pool']}, which has {places} places")

    def was_told(self, generation: Generation) -> None:
        """We took a genuine webhook about a task that is bound to no job yet."""
        job = self._peek(records.job_key(generation.client_id))
        if job["state"] in _MAYBE_AT_VENDOR and job["vendor_task_id"] is None:
            self._told[generation.client_id] = generation.id

    # ------------------------------------------------------------ at the end

    def audit(self) -> None:
        """Everything, when nothing is pending any more."""
        require(sum(self._balances.values()) == 0, "I2", "the rows do not sum to zero")
        self._audit_media()
        for job_id, task_id in self._told.items():
            bound = self._peek(records.job_key(job_id))["vendor_task_id"]
            require(bound == task_id, "I11", f"we were told of {job_id}'s task and forgot it")
        for job in self.store.all(records.JOBS):
            rows = self._rows[job["id"]]
            require(job["state"] in OVER, "I11", f"{job['id']} is still {job['state']}")
            require(job["due_at_ms"] is None, "I11", f"{job['id']} is over and due")
            require(("capture" in rows) != ("release" in rows), "I3", f"{job['id']}: {sorted(rows)}")
            if job["state"] == "gifted":
                require("gift" in rows, "I3", f"{job['id']} was given away without a row")
        for wallet in self.store.all(records.WALLETS):
            user = wallet["user_id"]
            require(wallet["held_tokens"] == 0, "I11", f"{user} still has {wallet['held_tokens']} held")
            require(wallet["waiting_jobs"] == 0, "I11", f"{user} still has {wallet['waiting_jobs']} waiting")
            for name in ("available", "held"):
                by_rows = self._balances.get(f"user:{user}:{name}", 0)
                require(wallet[f"{name}_tokens"] == by_rows, "I2", f"{user}: {name} is not what rows say")
        for slot in self.store.all(records.SLOTS):
            require(slot["job_id"] is None, "I11", f"slot {slot['index']} is still {slot['job_id']}'s")

    def _audit_media(self) -> None:
        """Every shown result is there, and what was deleted is gone."""
        for job in self.store.all(records.JOBS):
            kept = [key for key in self.blobs.objects if key.startswith(f"results/{job['id']}/")]
            if job["deleted_at_ms"] is not None:
                require(not kept, "I16", f"{job['id']} was deleted and its media are kept: {kept}")
            elif job["result"] is not None:
                named = {job["result"]["blob_key"], job["result"]["thumbnail_key"]}
                require(named <= set(kept), "I8", f"{job['id']} shows media that are not there")
            self.orphans += not job["result"] and bool(kept)

    def _peek(self, key: Key) -> Data:
        data = self.store.peek(key)
        if data is None:
            raise Violation(f"{key.collection}/{key.id} is named and does not exist")
        return data

    def _tell(self, change: Change) -> None:
        assert self._kernel.tell is not None
        before: Mapping[str, Any] = change.before or {}
        after: Mapping[str, Any] = change.after or {}
        shown = {
            name: value
            for name, value in after.items()
            if before.get(name) != value and name in _SHOWN
        }
        words = " ".join(f"{name}={_short(value)}" for name, value in shown.items())
        self._kernel.tell("  =>", f"{change.key.collection}/{change.key.id[:20]} {words}")


_SHOWN = {
    "state", "epoch", "attempt", "slot", "job_id", "available_tokens", "held_tokens", "tokens",
    "kind", "vendor_task_id", "enabled", "due_at_ms", "deadline_at_ms",
}  # fmt: skip


def _short(value: object) -> str:
    return str(value)[:24]
