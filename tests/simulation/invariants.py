"""What must hold, checked at every commit on what it touched: the judge of every run.

The rules are written anew here, from the specification, and not read from the product's own tables.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from shared import records
from shared.ports import Data, Key
from tests.simulation.blobs import SimulatedBlobs
from tests.simulation.books import Books
from tests.simulation.fairness import Fairness
from tests.simulation.kernel import Kernel, Violation, fail
from tests.simulation.store import Change, SimulatedStore
from tests.simulation.vendor import Generation, Vendor

# From money.md section 4, with `storing` and the gift as states of their own.
STEPS: Mapping[str | None, frozenset[str]] = {
    None: frozenset({"parked", "ready"}),
    "parked": frozenset({"ready", "failed", "cancelled"}),
    "ready": frozenset({"submitting", "failed", "cancelled", "parked"}),
    "submitting": frozenset({"running", "ready", "failed", "unknown", "storing", "parked"}),
    "unknown": frozenset({"running", "ready", "failed", "quarantined", "storing", "parked"}),
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
OVER = frozenset(state for state, following in STEPS.items() if state and not following)
_MAYBE_AT_VENDOR = frozenset({"submitting", "unknown", "quarantined"})
_agreed = itemgetter("user_id", "hold_tokens", "body_hash", "created_at_ms")
# What another model brings, to a job that was never accepted.
_route = itemgetter("model", "pool", "provider", "price_tokens", "units")
_SURELY_NOT_ACCEPTED = frozenset({"parked", "ready", "submitting", "unknown"})
# What an owner's deletion changes of a job that is over, and the sweeper after it.
_DELETION = frozenset(
    {"deleted_at_ms", "results", "prompt", "settings", "images", "hidden"}
    | {"due_at_ms", "updated_at_ms"}
)
_FILES = ("blob_key", "thumbnail_key")
_TOLD = (
    "state", "epoch", "attempt", "model", "account", "slots", "job_id", "available_tokens",
    "held_tokens", "tokens", "kind", "vendor_task_id", "enabled", "is_kept", "stage", "due_at_ms",
)  # fmt: skip


class Invariants:
    """All of them, over the store, the bucket and the vendors of one run."""

    store: SimulatedStore
    blobs: SimulatedBlobs
    vendors: Mapping[str, Vendor]

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.books = Books()
        self.fairness = Fairness(self._open_places)
        self.checks = 0
        self.commits = 0
        self._sent: set[tuple[str, int]] = set()
        self._told: dict[str, str] = {}
        self._by_collection: Mapping[str, Callable[[Change], None]] = {
            records.JOBS: self._job,
            records.WALLETS: self._wallet,
            records.SLOTS: self._slot,
            records.VENDOR_TASKS: self._task,
        }

    # ------------------------------------------------------------ at every commit

    def see(self, changes: Sequence[Change]) -> None:
        """Check one commit, which has just happened."""
        self.commits += 1
        self.checks += len(changes)
        activity = self._kernel.current
        if activity is not None and activity.is_forged:
            fail("I9", "a forged webhook changed a document")
        if self._kernel.tell:
            for change in changes:
                self._kernel.tell("  =>", _told(change))
        for change in changes:
            if change.key.collection == records.LEDGER:
                job_id = self.books.add(change)
                if job_id is not None:
                    self._charged(job_id)
        for change in changes:
            check = self._by_collection.get(change.key.collection)
            if check is not None:
                check(change)

    def _charged(self, job_id: str) -> None:
        """A capture: the results are in the bucket, and they are what the vendor made for this job.
        It is the price of as many as there are."""
        job = self._job_of(job_id)
        generation = self._generation_of(job)
        if generation is None or generation.client_id != job_id:
            fail("I8", f"{job_id} is charged for a task that is not its own")
        if generation.state != "succeeded":
            fail("I8", f"{job_id} is charged and the vendor says {generation.state}")
        results, asked = job["results"], job["settings"]["count"]
        if not results or len(results) > min(asked, generation.count):
            fail("I8", f"{job_id} is charged and has {len(results)} results")
        for result in results:
            content, content_type = self.blobs.objects.get(result["blob_key"], (b"", ""))
            if not content.endswith(generation.id.encode()):
                fail("I8", f"{job_id} is charged and its result is not in the bucket")
            if (len(content), content_type) != (result["size_bytes"], result["content_type"]):
                fail("I8", f"{job_id} has a result of another size or type")
        due_tokens = max(1, job["price_tokens"] * len(results) // asked)
        rows = self.books.rows[job_id]
        if rows["capture"]["tokens"] != due_tokens or job["charged_tokens"] != due_tokens:
            fail("I3", f"{job_id} owes {due_tokens} and pays {rows['capture']['tokens']}")

    def _generation_of(self, job: Data) -> Generation | None:
        """What the vendor made: by its own id, or by ours where the bucket alone knew of it."""
        vendor, task_id = self.vendors[job["account"]], job["vendor_task_id"] or ""
        if task_id == f"delivered-{job['id']}":
            return next(iter(vendor.by_client_id.get(job["id"], [])), None)
        return vendor.generations.get(task_id)

    def _job(self, change: Change) -> None:
        before, job = change.before, change.after
        job_id = change.key.id
        if job is None:
            fail("I5", f"{job_id} was removed")
        state = job["state"]
        old_state = None if before is None else before["state"]
        if state != old_state:
            self._step(job, old_state)
        if before is not None:
            self._goes_on(before, job)
        if job["deleted_at_ms"] is not None and (job["results"] or job["prompt"]):
            fail("I5", f"{job_id} was deleted and still shows something")
        self._agrees(job)

    def _step(self, job: Data, old_state: str | None) -> None:
        job_id, state = job["id"], job["state"]
        if state not in STEPS[old_state]:
            fail("I5", f"{job_id} went from {old_state} to {state}")
        if old_state is None:
            self.fairness.came(job)
        elif old_state == "parked":
            self.fairness.left(job)
        elif state == "parked":
            self._comes_back(job)
        elif (old_state, state) == ("running", "quarantined"):
            # A timeout is not a failure: nothing is given up without asking the vendor first.
            activity = self._kernel.current
            if activity is None or activity.asked_about != job["vendor_task_id"]:
                fail("I11", f"{job_id} was given up and its vendor was not asked")

    def _comes_back(self, job: Data) -> None:
        """Back in a line: nobody may be working on it, now or later."""
        self._check_unmade(job["id"])
        self.fairness.came_back(job)

    def _check_unmade(self, job_id: str) -> None:
        """Nobody makes it or has made it. A vendor whose answer is the result may have failed."""
        for vendor in self.vendors.values():
            for generation in vendor.by_client_id.get(job_id, []):
                if not (vendor.traits.answers_with_results and generation.state == "failed"):
                    fail("I7", f"{job_id} is asked for again and {generation.id} was accepted")

    def _goes_elsewhere(self, before: Data, job: Data) -> None:
        """To a model that was named, for no more than was held, and never after an acceptance."""
        job_id = job["id"]
        if before["state"] not in _SURELY_NOT_ACCEPTED or job["state"] != "parked":
            fail("I7", f"{job_id} changed its model in {before['state']}")
        self._check_unmade(job_id)
        if job["model"] not in before["fallback_models"]:
            fail("I5", f"{job_id} goes to {job['model']}, which nobody named")
        if job["price_tokens"] > before["price_tokens"]:
            fail("I3", f"{job_id} costs more elsewhere")
        if before["state"] == "parked":
            self.fairness.moved(before, job)

    def _goes_on(self, before: Data, job: Data) -> None:
        """What an older version of a job forbids."""
        job_id = job["id"]
        if _route(job) != _route(before):
            self._goes_elsewhere(before, job)
        if job["epoch"] < before["epoch"]:
            fail("I5", f"{job_id} went back to epoch {job['epoch']}")
        if _agreed(job) != _agreed(before):
            fail("I5", f"{job_id} became another job")
        task_id = before["vendor_task_id"]
        if task_id is not None and job["vendor_task_id"] != task_id:
            fail("I14", f"{job_id} was bound to a second task")
        if before["state"] in OVER:
            changed = {name for name in job if job[name] != before[name]}
            if changed - _DELETION or (changed and job["deleted_at_ms"] is None):
                fail("I5", f"{job_id} is over and its {sorted(changed)} changed")

    def _agrees(self, job: Data) -> None:
        """Money, slots and state of a job say the same."""
        job_id, state, slot_ids = job["id"], job["state"], job["slots"]
        rows = self.books.rows.get(job_id, {})
        if "hold" not in rows:
            fail("I3", f"{job_id} has no hold")
        if ("capture" in rows) != (state == "done") or ("release" in rows) != (state in REFUNDED):
            fail("I13", f"{job_id} is {state} and its rows are {sorted(rows)}")
        if len(slot_ids) != (job["units"] if state in WITH_SLOT else 0):
            fail("I10", f"{job_id} is {state} with slots {slot_ids}")
        for slot_id in slot_ids:
            slot = self._peek(records.slot_key(slot_id))
            if (slot["job_id"], slot["account"]) != (job_id, job["account"]):
                fail("I10", f"{job_id} says it has {slot_id}, which says otherwise")

    def _wallet(self, change: Change) -> None:
        self.books.compare(change)
        wallet, user = change.after, change.key.id
        assert wallet is not None
        waiting = 0
        for job in self.store.all(records.JOBS):
            waiting += job["state"] == "parked" and job["user_id"] == user
        if wallet["waiting_jobs"] != waiting:
            fail("I2", f"{user} has {waiting} waiting jobs, counted as {wallet['waiting_jobs']}")

    def _slot(self, change: Change) -> None:
        slot_id, slot = change.key.id, change.after
        if slot is None:
            fail("I10", f"slot {slot_id} was removed")
        holder = slot["job_id"]
        owner = change.before["job_id"] if change.before else None
        if holder is not None and slot_id not in self._job_of(holder)["slots"]:
            fail("I10", f"{slot_id} says it is {holder}'s, which says otherwise")
        if owner is None or owner == holder:
            return
        if holder is not None or self._job_of(owner)["slots"]:
            fail("I10", f"slot {slot_id} was taken from {owner}")
        vendor = self.vendors[slot["account"]]
        orders = vendor.by_client_id.get(owner, [])
        running = [generation.id for generation in orders if not generation.is_over]
        if running:
            fail("I10", f"slot {slot_id} was freed while {owner} runs as {running}")

    def _task(self, change: Change) -> None:
        if change.before is not None or change.after is None:
            fail("I14", f"task {change.key.id} was bound again")
        job = self._job_of(change.after["job_id"])
        if records.vendor_task_key(job["provider"], job["vendor_task_id"] or "?") != change.key:
            fail("I14", f"task {change.key.id} is bound to {job['id']}, which has another")

    # ------------------------------------------------------------ at the vendor

    def is_about_to_send(self, job_id: str) -> None:
        """We are about to order. A process that was frozen must not order what was refunded since:
        only a freeze after this moment may do so."""
        state = self._job_of(job_id)["state"]
        if state not in ("submitting", "unknown"):
            fail("I7", f"{job_id} is {state} and is being sent")

    def was_sent(self, job_id: str) -> None:
        """An order reached the vendor."""
        self.checks += 1
        job = self._job_of(job_id)
        if job["claim"] is None:
            fail("I7", f"{job_id} was sent without a claim")
        if (job_id, job["epoch"]) in self._sent:
            fail("I7", f"{job_id} was sent twice in epoch {job['epoch']}")
        self._sent.add((job_id, job["epoch"]))

    def was_accepted(self, vendor: Vendor, generation: Generation) -> None:
        """The vendor takes an order; it does not run yet."""
        self.checks += 1
        job_id = generation.client_id
        job = self._job_of(job_id)
        self._check_unmade(job_id)
        if not job["slots"] or job["account"] != vendor.account:
            fail("I6", f"{job_id} runs without a slot of this account")
        if vendor.running + generation.units > vendor.places:
            fail("I6", f"more run in {job['pool']} than its {vendor.places} places")

    def was_told(self, generation: Generation) -> None:
        """We took a genuine webhook about a task that is bound to no job yet."""
        job = self._job_of(generation.client_id)
        if job["state"] in _MAYBE_AT_VENDOR and job["vendor_task_id"] is None:
            self._told[generation.client_id] = generation.id

    # ------------------------------------------------------------ at the end

    def audit(self, faults_ended_ms: int, *, may_forget: bool) -> None:
        """Everything, when nothing is pending any more. What we were told may be forgotten where
        tasks were lost or came hours late."""
        jobs = self.store.all(records.JOBS)
        self.books.audit(self.store.all(records.WALLETS), [job["id"] for job in jobs])
        for job in jobs:
            if job["state"] not in OVER or job["due_at_ms"] is not None:
                fail("I11", f"{job['id']} is still {job['state']}")
            self._agrees(job)
            self._audit_media(job)
        for job_id, task_id in self._told.items():
            job = self._job_of(job_id)
            # While there are faults, every try to adopt a task may fail until its quarantine ends.
            is_late = job["updated_at_ms"] > faults_ended_ms and not may_forget
            if job["vendor_task_id"] != task_id and is_late:
                fail("I11", f"we were told of {job_id}'s task and forgot it")
        for slot in self.store.all(records.SLOTS):
            if slot["job_id"] is not None:
                fail("I11", f"slot {slot['index']} is still {slot['job_id']}'s")

    def _audit_media(self, job: Data) -> None:
        """What a job shows is there, and what was deleted is gone."""
        folder = f"results/{job['id']}/"
        kept = {key for key in self.blobs.objects if key.startswith(folder)}
        if job["deleted_at_ms"] is not None and kept:
            fail("I16", f"{job['id']} was deleted and its media are kept: {sorted(kept)}")
        shown = {result[name] for result in job["results"] for name in _FILES}
        if not shown <= kept:
            fail("I8", f"{job['id']} shows media that are not there")

    def _open_places(self, account: str) -> int:
        slots = self.store.all(records.SLOTS)
        return sum(bool(slot["enabled"]) for slot in slots if slot["account"] == account)

    def _job_of(self, job_id: str) -> Data:
        return self._peek(records.job_key(job_id))

    def _peek(self, key: Key) -> Data:
        data = self.store.peek(key)
        if data is None:
            raise Violation(f"{key.collection}/{key.id} is named and does not exist")
        return data


def _told(change: Change) -> str:
    before: Mapping[str, Any] = change.before or {}
    after: Mapping[str, Any] = change.after or {}
    shown = [name for name in _TOLD if name in after and before.get(name) != after[name]]
    words = " ".join(f"{name}={str(after[name])[:24]}" for name in shown)
    return f"{change.key.collection}/{change.key.id[:20]} {words}"
