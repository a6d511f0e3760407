"""One run: the product's own code between simulated ports, and everybody who calls it."""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from shared import jobs, ledger, records
from shared.accounts import Account
from shared.adapters.providers.driver import Driver
from shared.app import App
from shared.errors import AppError, Forbidden, NotFound
from shared.ledger import Wallet
from shared.ports import Create, Inbound, Task, Verdict
from shared.slots import Slot
from shared.usecases.receive_webhook import receive_webhook
from shared.usecases.run_task import run_task
from shared.usecases.sweep import sweep
from shared.usecases.tasks import queue_specs
from tests.simulation.blobs import SimulatedBlobs, SimulatedMedia
from tests.simulation.faults import Faults
from tests.simulation.invariants import OVER, Invariants
from tests.simulation.kernel import START_MS, Activity, Kernel, Killed, Violation
from tests.simulation.people import Person, Wish
from tests.simulation.queue import SimulatedQueue
from tests.simulation.stage import HOOK_SECRET, Stage
from tests.simulation.store import SimulatedStore
from tests.simulation.vendor import Generation, Vendor
from tests.simulation.wire import SimulatedHttp, describe

SWEEP_MS = 60_000
_SKEW_MS = 20_000
_LOAD_MS = 240_000
_QUIET_LIMIT_MS = 4 * 3_600_000
_HOOK_TRIES_MS = (1_000, 10_000, 60_000)
_PLANS = ("free", "plus", "pro")


class SimulatedClock:
    """The clock of one function call, which may be wrong."""

    __slots__ = ("_kernel", "_skew_ms")

    def __init__(self, kernel: Kernel, skew_ms: int) -> None:
        self._kernel = kernel
        self._skew_ms = skew_ms

    def now_ms(self) -> int:
        """See the port."""
        return self._kernel.now_ms + self._skew_ms

    def monotonic_ms(self) -> int:
        """See the port."""
        return self._kernel.now_ms - START_MS


class SimulatedIds:
    """Randomness from the seed."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    def token(self) -> str:
        """See the port."""
        return f"{self._chance.getrandbits(128):032x}"

    def below(self, limit: int) -> int:
        """See the port."""
        return int(self._chance.random() * limit)


class World:
    """Everything of one run."""

    def __init__(self, chance: Random, faults: Faults, stage: Stage) -> None:
        self.chance = chance
        self.faults = faults
        self.stage = stage
        self.kernel = Kernel(chance, faults)
        self.invariants = Invariants(self.kernel)
        self.store = SimulatedStore(self.kernel, self.invariants.see)
        self.blobs = SimulatedBlobs(self.kernel)
        self.vendors = {
            traits.name: Vendor(self.kernel, traits, self.invariants) for traits in stage.traits
        }
        self.queue = SimulatedQueue(self.kernel, queue_specs(stage.catalogue), self._run_task)
        self.refusals: dict[str, int] = {}
        self.sweeps = 0
        self.users: list[str] = []
        self._ids = SimulatedIds(chance)
        self._media = SimulatedMedia(self.blobs)
        self._driver = Driver(
            SimulatedHttp(self.kernel, self.vendors), stage.accounts, load=stage.load
        )
        self._catalogue = stage.catalogue
        self._has_skew = faults.hits("clock_skew")
        self._places = {traits.name: traits.places for traits in stage.traits}
        self.invariants.store = self.store
        self.invariants.blobs = self.blobs
        self.invariants.vendors = self.vendors
        self.invariants.places = {
            name: (lambda name=name: self._places[name]) for name in self._places  # type: ignore[misc]
        }
        for vendor in self.vendors.values():
            vendor.announce = self._announce
            vendor.on_accept = self._maybe_forge

    # ------------------------------------------------------------ function calls

    def app(self) -> App:
        """The ports as one function call sees them: some version of the code, some clock."""
        versions = self.stage.versions
        version = versions[0] if len(versions) == 1 else versions[int(self.chance.random() * 2)]
        skew_ms = int((self.chance.random() * 2 - 1) * _SKEW_MS) if self._has_skew else 0
        clock = SimulatedClock(self.kernel, skew_ms)
        return App(
            version, self._catalogue, self.store, self.queue, self.blobs, self._media, self._driver,
            clock, self._ids,
        )  # fmt: skip

    async def _run_task(self, task: Task) -> Verdict:
        return await run_task(self.app(), task.name, task.payload)

    def _sweep(self) -> None:
        self.kernel.after(SWEEP_MS, self._sweep)
        if self.faults.hits("sweep_skipped") or not self._has_work():
            return
        self.sweeps += 1
        self.kernel.spawn("sweep", sweep(self.app()), _ended_well)

    def _has_work(self) -> bool:
        """Whether a sweep could find anything: one that finds nothing is left out, for speed."""
        soon_ms = self.kernel.now_ms + _SKEW_MS
        pools_with_room = {
            slot["pool"] for slot in self.store.all(records.SLOTS) if slot["job_id"] is None
        }
        return any(
            (job["due_at_ms"] is not None and job["due_at_ms"] <= soon_ms)
            or (job["state"] == "parked" and job["pool"] in pools_with_room)
            for job in self.store.all(records.JOBS)
        )

    # ------------------------------------------------------------ webhooks

    def _announce(self, vendor: Vendor, generation: Generation) -> None:
        self._deliver_hook(vendor, generation, 0)

    def _deliver_hook(self, vendor: Vendor, generation: Generation, tries: int) -> None:
        body = json.dumps({"event": f"generation.{generation.state}", **describe(vendor, generation)}).encode()
        inbound = Inbound(_signed(self.kernel.now_ms, body, HOOK_SECRET), body)
        provider, job_id, mac = _callback(generation)

        def ended(_activity: Activity, _value: Any, error: BaseException | None) -> None:
            if isinstance(error, AppError) and error.status < 500:
                raise Violation(f"a genuine webhook was refused: {error}") from error
            _only_expected(error)
            if error is not None and tries < len(_HOOK_TRIES_MS):
                self.kernel.after(_HOOK_TRIES_MS[tries], self._deliver_hook, vendor, generation, tries + 1)

        call = receive_webhook(self.app(), provider, job_id, mac, inbound)
        self.kernel.spawn(f"hook {job_id[:12]}", call, ended)

    def _maybe_forge(self, vendor: Vendor, generation: Generation) -> None:
        if self.faults.hits("hook_forged"):
            delay_ms = int(self.chance.random() * 90_000)
            self.kernel.after(delay_ms, self._forge, vendor, generation)

    def _forge(self, vendor: Vendor, generation: Generation) -> None:
        """Somebody without our secret, or without the vendor's."""
        provider, job_id, mac = _callback(generation)
        body = describe(vendor, generation) | {"status": "succeeded"}
        secret = HOOK_SECRET
        if vendor.traits.signs_hooks and self.chance.random() < 0.5:
            secret = "a guess"
        else:
            mac = ("0" if mac[0] != "0" else "1") + mac[1:]
        if self.chance.random() < 0.3:
            body["id"] = "gen_of_somebody_else"
        if self.chance.random() < 0.2:
            job_id = "job_unknown"
        raw = json.dumps(body).encode()
        inbound = Inbound(_signed(self.kernel.now_ms, raw, secret), raw)

        def ended(_activity: Activity, _value: Any, error: BaseException | None) -> None:
            if not isinstance(error, Forbidden | NotFound | Killed):
                raise Violation(f"I9: a forged webhook was taken: {error}")

        call = receive_webhook(self.app(), provider, job_id, mac, inbound)
        activity = self.kernel.spawn("forged hook", call, ended)
        activity.is_forged = True

    # ------------------------------------------------------------ the play

    def open(self, users: int, tokens: int) -> None:
        """Accounts with tokens, and the slots of every pool."""
        for number in range(users):
            user_id = f"usr_{number}"
            self.users.append(user_id)
            plan = _PLANS[number % len(_PLANS)]
            granted = ledger.grant(Wallet(user_id, 0, 0), f"{user_id}:trial", tokens, START_MS, "trial")
            account = Account(user_id, f"{user_id}@example.com", plan, "en", 1, START_MS)
            self.store.put_now(
                [
                    Create(records.account_key(user_id), records.account_data(account)),
                    records.create_wallet(granted.wallet),
                    *records.create_rows(granted),
                ]
            )
        for pool in self._catalogue.pools.values():
            for index in range(pool.slots):
                slot = Slot(pool.name, index)
                self.store.put_now([Create(records.slot_key(slot.id), records.slot_data(slot))])
        self.kernel.after(int(self.chance.random() * SWEEP_MS), self._sweep)

    def wish(self, wish: Wish, stranger: str) -> None:
        """A person comes."""
        person = Person(self, wish, stranger, self._count_refusal)
        self.kernel.spawn(f"{wish.user_id} #{wish.number}", person.play(), _ended_well, has_faults=False)

    def _count_refusal(self, code: str) -> None:
        self.refusals[code] = self.refusals.get(code, 0) + 1

    def play(self, load_ms: int) -> None:
        """Faults for a while, then none until nothing is pending; then the audit."""
        kernel = self.kernel
        end_ms = START_MS + load_ms
        while (next_ms := kernel.next_ms()) is not None and next_ms <= end_ms:
            kernel.step()
        self.faults.is_on = False
        limit_ms = end_ms + _QUIET_LIMIT_MS
        while not self._is_quiet():
            if kernel.now_ms > limit_ms:
                raise Violation(f"I11: not quiet {_QUIET_LIMIT_MS // 60_000} minutes after the last fault")
            for _ in range(32):
                kernel.step()
        self.invariants.audit()

    def _is_quiet(self) -> bool:
        return (
            not self.kernel.alive
            and self.queue.waiting == 0
            and all(job["state"] in OVER for job in self.store.all(records.JOBS))
            and all(vendor.running == 0 for vendor in self.vendors.values())
        )


def _callback(generation: Generation) -> tuple[str, str, str]:
    """Provider, job and mac, as the route of the webhook function reads them."""
    assert generation.callback_url is not None
    provider, job_id, mac = generation.callback_url.rsplit("/", 3)[1:]
    return provider, job_id, mac


def _signed(now_ms: int, body: bytes, secret: str) -> dict[str, str]:
    timestamp = str(now_ms // 1000)
    message = f"{timestamp}.".encode() + body
    signature = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return {"sandbox-timestamp": timestamp, "sandbox-signature": f"v1={signature}"}


def _only_expected(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, Killed | OSError | AppError):
        raise Violation(f"a function ended with {type(error).__name__}: {error}") from error


def _ended_well(_activity: Activity, _value: Any, error: BaseException | None) -> None:
    _only_expected(error)
