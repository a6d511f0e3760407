"""One run: the product's own code between simulated ports, and everybody who calls it."""

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from shared import bootstrap, ledger, records
from shared.accounts import Account
from shared.adapters.providers.driver import Driver
from shared.app import App
from shared.errors import Unavailable
from shared.ledger import Wallet
from shared.ports import Create, Data, Inbound, Task, Verdict
from shared.slots import Slot
from shared.uploads import Upload
from shared.usecases.audit import audit
from shared.usecases.switch_vendors import switch_vendors
from shared.usecases.tasks import queue_specs
from tests.simulation.blobs import MAGIC, SimulatedBlobs, SimulatedMedia
from tests.simulation.doors import Door, OverHttp, Refused, Straight
from tests.simulation.faults import Faults
from tests.simulation.invariants import OVER, Invariants
from tests.simulation.kernel import START_MS, Kernel, Killed, Violation, fail
from tests.simulation.people import Person, Wish, raise_error
from tests.simulation.queue import SimulatedQueue
from tests.simulation.stage import HOOK_SECRET, Stage
from tests.simulation.store import SimulatedStore
from tests.simulation.vendor import Generation, Vendor
from tests.simulation.wire import SimulatedHttp, describe

SWEEP_MS = 60_000
SKEW_MS = 20_000
# After the last fault everything must end: no job outlives its line, its run, its quarantine.
QUIET_LIMIT_MS = 4 * 3_600_000
_STEPS_BETWEEN_LOOKS = 64
_OLD_VERSION_MS = 900_000
_STUCK_MS = 600_000
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

    def __init__(
        self,
        chance: Random,
        faults: Faults,
        stage: Stage,
        *,
        sweep_ms: int = SWEEP_MS,
        over_http: bool = False,
        strict: bool = False,
    ) -> None:
        self.chance = chance
        self.faults = faults
        self.stage = stage
        self.kernel = Kernel(chance, faults)
        self.invariants = Invariants(self.kernel)
        indexes = records.INDEXES if strict else None
        self.store = SimulatedStore(self.kernel, self.invariants.see, indexes=indexes)
        self.blobs = SimulatedBlobs(self.kernel)
        self.vendors = {
            account: Vendor(self.kernel, traits, account, self.invariants)
            for traits in stage.traits
            for account in traits.accounts
        }
        self.queue = SimulatedQueue(self.kernel, queue_specs(stage.catalogue), self._task)
        self.door: Door = OverHttp() if over_http else Straight()
        self.has_skew = faults.hits("clock_skew")
        self.refusals: dict[str, int] = {}
        self._sweep_ms = sweep_ms
        self._faults_end_ms = START_MS
        self._stuck_since_ms: dict[tuple[str, int], int] = {}
        self._ids = SimulatedIds(chance)
        self._media = SimulatedMedia(self.blobs)
        http = SimulatedHttp(self.kernel, self.vendors)
        clock = SimulatedClock(self.kernel, 0)
        self._driver = Driver(http, stage.accounts, clock, load=stage.load)
        self._catalogue = stage.catalogue
        self.invariants.store = self.store
        self.invariants.blobs = self.blobs
        self.invariants.vendors = self.vendors
        for vendor in self.vendors.values():
            vendor.on_accept = self._greet
            vendor.on_end = self._announce
        if over_http:
            self.kernel.before_resume = lambda activity: bootstrap.provide(activity.app)

    # ------------------------------------------------------------ function calls

    def app(self) -> App:
        """The ports as one function call sees them: some version of the code, some clock."""
        versions = self.stage.versions
        version = versions[0] if len(versions) == 1 else versions[int(self.chance.random() * 2)]
        skew_ms = int((self.chance.random() * 2 - 1) * SKEW_MS) if self.has_skew else 0
        return App(
            version,
            self._catalogue,
            self.store,
            self.queue,
            self.blobs,
            self._media,
            self._driver,
            SimulatedClock(self.kernel, skew_ms),
            self._ids,
        )

    def count(self, code: str) -> None:
        """Somebody was refused."""
        self.refusals[code] = self.refusals.get(code, 0) + 1

    def owner(self, job_id: str) -> str | None:
        """Whose job it is."""
        job = self.store.peek(records.job_key(job_id))
        return None if job is None else job["user_id"]

    def _task(self, task: Task) -> tuple[App, Coroutine[Any, Any, Verdict]]:
        app = self.app()
        return app, self.door.task(app, task)

    def _sweep(self) -> None:
        self.kernel.after(self._sweep_ms, self._sweep)
        is_well = not self.faults.is_on and self.queue.is_open()
        self._stuck_since_ms = self._find_stuck() if is_well else {}
        if self._has_work() and not self.faults.hits("sweep_skipped"):
            app = self.app()
            self.kernel.spawn("sweep", self.door.sweep(app), raise_error, app)

    def _find_stuck(self) -> dict[tuple[str, int], int]:
        """Without faults nobody waits long for a place that is free, or to be sent."""
        now_ms = self.kernel.now_ms
        waiting = [
            job for job in self.store.all(records.JOBS) if job["state"] in ("ready", "parked")
        ]
        if not waiting:
            return {}
        room, heads = self._room(), self._heads()
        stuck: dict[tuple[str, int], int] = {}
        for job in waiting:
            state = job["state"]
            has_room = heads.get(job["pool"]) is job and job["units"] <= room.get(job["pool"], 0)
            if state == "ready" or has_room:
                key = job["id"], job["epoch"]
                stuck[key] = self._stuck_since_ms.get(key, now_ms)
                if now_ms - stuck[key] > _STUCK_MS:
                    fail("I11", f"{job['id']} is {state} and nothing happens to it")
        return stuck

    def _room(self) -> Mapping[str, int]:
        """By pool, how many places of one account are free, of the account that has most."""
        free: Counter[tuple[str, str]] = Counter()
        for slot in self.store.all(records.SLOTS):
            free[slot["pool"], slot["account"]] += slot["enabled"] and slot["job_id"] is None
        room: dict[str, int] = {}
        for (pool, _account), count in free.items():
            room[pool] = max(room.get(pool, 0), count)
        return room

    def _heads(self) -> Mapping[str, Data]:
        """By pool, who is next in the line."""
        heads: dict[str, Data] = {}
        for job in self.store.all(records.JOBS):
            first = heads.get(job["pool"])
            if job["state"] == "parked" and (first is None or _place(job) < _place(first)):
                heads[job["pool"]] = job
        return heads

    def _has_work(self) -> bool:
        """Whether a sweep could find anything: one that finds nothing is left out, for speed."""
        soon_ms = self.kernel.now_ms + SKEW_MS
        for job in self.store.all(records.JOBS):
            due_at_ms = job["due_at_ms"]
            if due_at_ms is not None and due_at_ms <= soon_ms:
                return True
        return self._has_places_to_open(soon_ms) or self._has_places_to_grant()

    def _has_places_to_grant(self) -> bool:
        heads = self._heads()
        if not heads:
            return False
        room = self._room()
        open_pools = {slot["pool"] for slot in self.store.all(records.SLOTS) if slot["enabled"]}
        return any(
            job["units"] <= room.get(pool, 0) or pool not in open_pools
            for pool, job in heads.items()
        )

    def _has_places_to_open(self, soon_ms: int) -> bool:
        pauses = [pause for pause in self.store.all(records.PAUSES) if pause["stage"] != "open"]
        if any(pause["stage"] == "closed" and pause["until_ms"] <= soon_ms for pause in pauses):
            return True
        if pauses or any(off["providers_off"] for off in self.store.all(records.SWITCHES)):
            return False
        slots = self.store.all(records.SLOTS)
        places = sum(pool.slots for pool in self._catalogue.pools.values())
        return places != sum(bool(slot["enabled"]) for slot in slots)

    # ------------------------------------------------------------ webhooks

    def _announce(self, vendor: Vendor, generation: Generation) -> None:
        self._deliver(vendor, generation, 0)

    def _greet(self, vendor: Vendor, generation: Generation) -> None:
        """An order was accepted: that is when strangers and mistakes come."""
        if self.faults.hits("hook_forged"):
            self.kernel.after(int(self.chance.random() * 90_000), self._forge, vendor, generation)
        if self.faults.hits("hook_mixed_up"):
            self.kernel.after(int(self.chance.random() * 3_000), self._mix_up, vendor, generation)

    def _mix_up(self, vendor: Vendor, generation: Generation) -> None:
        """The vendor sends the news of one job to the address of another, best before either is
        bound. Without an echo of our id only a task that is bound already can be told from ours."""
        others = [
            other
            for other in vendor.generations.values()
            if other.client_id != generation.client_id
            and (vendor.traits.echoes_our_id or self._is_bound(other))
        ]
        if others:
            other = next((each for each in others if not self._is_bound(each)), others[-1])
            body = json.dumps(describe(vendor, other)).encode()
            inbound = Inbound(_signed(self.kernel.now_ms, body, HOOK_SECRET), body)
            app = self.app()
            playing = self.door.hook(app, _path(generation), inbound)
            self.kernel.spawn("mixed-up webhook", playing, raise_error, app)

    def _is_bound(self, generation: Generation) -> bool:
        job = self.store.peek(records.job_key(generation.client_id))
        return job is not None and job["vendor_task_id"] == generation.id

    def _deliver(self, vendor: Vendor, generation: Generation, tries: int) -> None:
        event = f"generation.{generation.state}"
        body = json.dumps({"event": event, **describe(vendor, generation)}).encode()
        inbound = Inbound(_signed(self.kernel.now_ms, body, HOOK_SECRET), body)

        def ended(_value: Any, error: Exception | None) -> None:
            if isinstance(error, Refused) and error.status < 500:
                raise Violation(f"a genuine webhook was refused: {error}") from error
            raise_error(None, error)
            if error is None:
                self.invariants.was_told(generation)
            elif tries < len(_HOOK_TRIES_MS):
                self.kernel.after(
                    _HOOK_TRIES_MS[tries], self._deliver, vendor, generation, tries + 1
                )

        app = self.app()
        title = f"webhook {generation.client_id[:14]}"
        self.kernel.spawn(title, self.door.hook(app, _path(generation), inbound), ended, app)

    def _forge(self, vendor: Vendor, generation: Generation) -> None:
        """Somebody who lacks our secret, or the vendor's."""
        body = describe(vendor, generation) | {"status": "succeeded"}
        path, secret = _path(generation), HOOK_SECRET
        if vendor.traits.signs_hooks and self.chance.random() < 0.5:
            secret = "a guess"
        else:
            path = path[:-1] + ("0" if path[-1] != "0" else "1")
        if self.chance.random() < 0.3:
            body["id"] = "gen_of_somebody_else"
        if self.chance.random() < 0.2:
            path = path.replace(generation.client_id, "job_unknown")
        raw = json.dumps(body).encode()
        inbound = Inbound(_signed(self.kernel.now_ms, raw, secret), raw)

        def ended(_value: Any, error: Exception | None) -> None:
            is_refused = isinstance(error, Refused) and error.status in (403, 404)
            if not is_refused and not isinstance(error, Killed):
                raise Violation(f"I9: a forged webhook was taken: {error}")

        app = self.app()
        playing = self.door.hook(app, path, inbound)
        self.kernel.spawn("forged webhook", playing, ended, app).is_forged = True

    # ------------------------------------------------------------ the play

    def open(self, users: int, tokens: int) -> None:
        """Accounts with tokens and a picture each, and the slots of every pool."""
        for number in range(users):
            self._open_account(f"usr_{number}", _PLANS[number % len(_PLANS)], tokens)
        for pool in self._catalogue.pools.values():
            slots = [
                Slot(pool.name, account, index)
                for account, places in pool.places.items()
                for index in range(places)
            ]
            self.store.set_up(
                [Create(records.slot_key(slot.id), records.slot_data(slot)) for slot in slots]
            )
        self.kernel.after(int(self.chance.random() * SWEEP_MS), self._sweep)

    def _open_account(self, user_id: str, plan: str, tokens: int) -> None:
        empty = Wallet(user_id, 0, 0)
        trial = ledger.grant(empty, f"{user_id}:trial", tokens, START_MS, "trial")
        account = Account(user_id, f"{user_id}@example.com", plan, "en", 1, START_MS)
        picture = Upload(image_of(user_id), user_id, "a.png", "image/png", "ready", START_MS, 8, 8)
        self.blobs.objects[picture.clean_key] = (MAGIC["image"], "image/png")
        self.store.set_up(
            [
                Create(records.account_key(user_id), records.account_data(account)),
                Create(records.upload_key(picture.id), records.upload_data(picture)),
                records.create_wallet(trial.wallet),
                *records.create_rows(trial),  # type: ignore[list-item]
            ]
        )

    def wish(self, wish: Wish, stranger: str) -> None:
        """A person comes."""
        person = Person(self, wish, stranger)
        self.kernel.spawn(person, person.play(), raise_error)

    def plan(self, delay_ms: int, trouble: Callable[[], None]) -> None:
        """Something befalls everybody."""
        self.kernel.after(delay_ms, trouble)

    def change_places(self, by: int) -> None:
        """The vendor gives us more or fewer places, and so does our catalogue."""
        pools = self._catalogue.pools
        vendor = list(self.vendors.values())[int(self.chance.random() * len(self.vendors))]
        pool = pools[vendor.traits.name]
        places = max(pool.units_max, pool.places[vendor.account] + by)
        changed = replace(pool, places={**pool.places, vendor.account: places})
        self._catalogue = replace(self._catalogue, pools={**pools, pool.name: changed})
        self.queue.resize(queue_specs(self._catalogue))
        # The old limit counts until every call of the old version is over and the pool is drained.
        vendor.places = max(vendor.places, places)
        if places < vendor.places:
            self.kernel.after(_OLD_VERSION_MS, self._enforce, vendor)

    def trouble(self, length_ms: int, *, is_revoked: bool) -> None:
        """A vendor does not know our key, or breaks all that it makes, for a while."""
        vendor = list(self.vendors.values())[int(self.chance.random() * len(self.vendors))]
        until_ms = min(self.kernel.now_ms + length_ms, self._faults_end_ms)
        if is_revoked:
            vendor.revoked_until_ms = until_ms
        else:
            vendor.broken_until_ms = until_ms

    def switch_off(self, length_ms: int) -> None:
        """The operator switches a vendor or a model off, and on again."""
        names = [*self._catalogue.pools, *self._catalogue.models]
        name = names[int(self.chance.random() * len(names))]
        self._switch(name, True)
        self.kernel.after(length_ms, self._switch, name, False)

    def _switch(self, name: str, is_off: bool) -> None:
        app = self.app()
        switching = switch_vendors(app, name, is_off=is_off)

        def ended(value: Any, error: Exception | None) -> None:
            if not isinstance(error, Unavailable):
                raise_error(value, error)

        self.kernel.spawn(f"operator: {name}", switching, ended, app)

    def _enforce(self, vendor: Vendor) -> None:
        places = self._catalogue.pools[vendor.traits.name].places[vendor.account]
        draining = any(
            slot["job_id"] is not None or slot["enabled"]
            for slot in self.store.all(records.SLOTS)
            if slot["account"] == vendor.account and slot["index"] >= places
        )
        if draining:
            self.kernel.after(SWEEP_MS, self._enforce, vendor)
        else:
            vendor.places = places

    def play(self, fault_ms: int) -> None:
        """Faults for a while, then none until nothing is pending; then the audit."""
        kernel = self.kernel
        end_ms = self._faults_end_ms = START_MS + fault_ms
        kernel.run_until(end_ms)
        self.faults.is_on = False
        self._fall_silent(end_ms + QUIET_LIMIT_MS)
        self.invariants.audit(end_ms, may_forget=self.queue.lost_time)
        self._audit_by_the_product()

    def _fall_silent(self, limit_ms: int) -> None:
        kernel = self.kernel
        while not self._is_quiet():
            if kernel.now_ms > limit_ms:
                hours = QUIET_LIMIT_MS / 3_600_000
                raise Violation(f"I11: something is still pending {hours} h after the last fault")
            kernel.run_some(_STEPS_BETWEEN_LOOKS)

    def _is_quiet(self) -> bool:
        return (
            not self.kernel.alive
            and self.kernel.now_ms >= self.store.down_until_ms
            and self.queue.waiting == 0
            and all(vendor.running == 0 for vendor in self.vendors.values())
            and all(
                job["state"] in OVER and job["due_at_ms"] is None
                for job in self.store.all(records.JOBS)
            )
            and not self._has_work()
        )

    def _audit_by_the_product(self) -> None:
        """The operator's own audit must see what we see."""
        found: list[tuple[Any, Exception | None]] = []
        app = self.app()
        activity = self.kernel.spawn("audit", audit(app), lambda *end: found.append(end), app)
        activity.has_faults = False
        while not found:
            self.kernel.run_some(1)
        value, error = found[0]
        if error is not None or value.differences or value.open_jobs:
            fail("I2", f"the product's audit found {value} {error}")


def _place(job: Data) -> tuple[int, str]:
    return job["start_tag"], job["id"]


def image_of(user_id: str) -> str:
    """The picture that a user has brought."""
    return f"img_{user_id}"


def _path(generation: Generation) -> str:
    """The path of the webhook's address."""
    return "/" + generation.callback_url.split("/", 3)[3]


def _signed(now_ms: int, body: bytes, secret: str) -> dict[str, str]:
    timestamp = str(now_ms // 1000)
    message = f"{timestamp}.".encode() + body
    signature = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return {"sandbox-timestamp": timestamp, "sandbox-signature": f"v1={signature}"}
