"""The product as a process in front of simulated vendors, and a journal of every request that those
were sent.
"""

import json
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra import vendors
from infra.sandbox import server as sandbox_server
from infra.sandbox.server import serve_in_thread
from infra.sandbox.settings import Settings
from infra.vendors import accounts
from infra.vendors.server import build_app
from shared import catalogue
from shared.models import Model
from tests.product import Caller, Json, Product, running
from tests.vendors.installation import Customer, Installation
from tests.vendors.stage import USUAL

SANDBOX = "sandbox"
WAIT_SECONDS = 60.0

_CALLBACK = re.compile(rb"http://127\.0\.0\.1:\d+/hooks/providers/\w+/\w+/\w+")

# ---------------------------------------------------------------- what the vendors were sent


@dataclass(slots=True)
class Heard:
    """One request to a simulator, what it answered, and when the caller left before the end."""

    at: float
    method: str
    path: str
    body: bytes = b""
    status: int = 0
    left_at: float | None = None

    @property
    def is_for_a_file(self) -> bool:
        """Whether it asks for a result's bytes."""
        return self.path.startswith(("/files/", "/storage/"))


class Listener:
    """Writes down what a simulator is sent, but for its controls."""

    def __init__(self, app: ASGIApp, heard: list[Heard]) -> None:
        self._app = app
        self._heard = heard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(("/control/", "/healthz")):
            await self._app(scope, receive, send)
            return
        query = scope["query_string"].decode()
        path = f"{scope['path']}?{query}" if query else scope["path"]
        entry = Heard(time.monotonic(), scope["method"], path)
        self._heard.append(entry)

        async def listen() -> Message:
            message = await receive()
            entry.body += message.get("body", b"")
            if message["type"] == "http.disconnect":
                entry.left_at = time.monotonic()
            return message

        async def answer(message: Message) -> None:
            entry.status = message.get("status", entry.status)
            await send(message)

        await self._app(scope, listen, answer)


@dataclass(slots=True)
class Simulator:
    """A vendor on a socket, and all that it was asked."""

    name: str
    url: str = ""
    settings: Settings = field(default_factory=Settings)
    heard: list[Heard] = field(default_factory=list, repr=False)
    is_left_alone: Event = field(default_factory=Event)  # nobody sets its switches any more

    def switch(self, **switches: object) -> None:
        """Set its switches, for whoever sets none."""
        url = f"{self.url}/control/behaviour"
        httpx.put(url, json=switches, trust_env=False).raise_for_status()

    def stats(self) -> Mapping[str, int]:
        """What it counted."""
        counted: dict[str, int] = httpx.get(f"{self.url}/control/stats", trust_env=False).json()
        return counted

    def generation(self, words: str) -> Json:
        """What it knows of the one generation with these words."""
        [found] = self.generations(words)
        return found

    def generations(self, words: str) -> list[Json]:
        """What it knows of the generations with these words."""
        listed = httpx.get(f"{self.url}/control/generations", trust_env=False).json()["data"]
        return [each for each in listed if words in each["order"]["prompt"]]

    def orders(self, words: str) -> list[Heard]:
        """Every request to make something of these words."""
        return [
            each for each in self.heard if each.method == "POST" and words.encode() in each.body
        ]

    def callback(self, words: str) -> str:
        """The address that we gave it for calls about the one job with these words."""
        [order] = self.orders(words)
        found = _CALLBACK.search(order.body)
        assert found, order.body
        return found[0].decode()

    def asked(self, text: str) -> list[Heard]:
        """Every request whose address has this in it."""
        return [each for each in list(self.heard) if text in each.path]

    def files(self) -> list[Heard]:
        """Every request for a result's bytes."""
        return [each for each in list(self.heard) if each.is_for_a_file]


@contextmanager
def simulated(name: str, **changes: Any) -> Iterator[Simulator]:
    """A simulator with a journal, until the block ends."""
    simulator = Simulator(name)
    known = Settings() if name == SANDBOX else vendors.load(name).settings
    simulator.settings = replace(known, port=0, **{**USUAL, **changes})

    def build(settings: Settings, url: str) -> Starlette:
        if name == SANDBOX:
            app = sandbox_server.build_app(settings, url)
        else:
            app = build_app(vendors.load(name), settings, url)
        app.add_middleware(Listener, heard=simulator.heard)
        return app

    with serve_in_thread(simulator.settings, build) as url:
        simulator.url = url
        yield simulator


# ---------------------------------------------------------------- the product in front of them


@dataclass(frozen=True, slots=True)
class House:
    """An installation, the simulators behind its accounts, and what it says."""

    product: Product
    vendors: Mapping[str, Simulator]
    output: Path

    def customer(self) -> Customer:
        """A new user with a checked picture."""
        return Installation(self.product, {}).customer()

    def behind(self, provider: str) -> list[Simulator]:
        """The simulators of all our accounts with it."""
        return [each for each in self.vendors.values() if each.name == provider]

    def logged(self, message: str, about: str = "") -> list[Json]:
        """Every entry with this message that has this in it."""
        lines = self.output.read_text().splitlines()
        entries = [json.loads(x) for x in lines if x[:1] + x[-1:] == "{}" and about in x]
        return [entry for entry in entries if entry["message"] == message]

    def pauses(self, account: str) -> list[tuple[str, str, str]]:
        """What was logged of the pauses of an account: severity, pool, why."""
        found = self.logged("vendor paused", f"{account}: ")
        return sorted((each["severity"], each["pool"], each["detail"]) for each in found)


@contextmanager
def housed(
    folder: Path,
    behind: Mapping[str, Simulator],
    stack: ExitStack,
    **settings: str,
) -> Iterator[House]:
    """Run the product with an account at each simulator. They end before it does, so that it waits
    for nobody.
    """
    environment: dict[str, str] = {"TRIAL_GENERATIONS": "1000"}
    for account, simulator in behind.items():
        environment |= _account(account, simulator)
    output = folder / "output"
    with running(folder, {**environment, **settings}, output=output) as product:
        yield House(product, behind, output)
        stack.close()


def _account(account: str, simulator: Simulator) -> Mapping[str, str]:
    name, prefix = simulator.name, f"VENDOR_{account.upper()}"
    pools = [pool.name for pool in catalogue.load().pools.values() if pool.provider == name]
    told = {f"{prefix}_URL": simulator.url, f"{prefix}_RATES": ",".join(f"{p}:6000" for p in pools)}
    if name == SANDBOX:
        return {**told, f"{prefix}_PLACES": "sandbox:50"}
    known = accounts.environment(vendors.load(name), simulator.url)
    words = {key.replace(f"VENDOR_{name.upper()}_", f"{prefix}_"): known[key] for key in known}
    return {**words, **told}


@dataclass(frozen=True, slots=True)
class Ended:
    """A job that is over, and its user's balance before and after."""

    caller: Caller
    before: tuple[int, int]
    job: Json
    after: tuple[int, int]

    def is_refunded(self) -> bool:
        """Whether the user has every token back, and was told so."""
        receipt = self.job["receipt"]
        assert self.job["status"] in {"failed", "cancelled"}, self.job
        assert receipt["charged_tokens"] == 0
        assert receipt["returned_tokens"] == receipt["held_tokens"]
        assert "Your tokens are back" in self.job["error"]["message"]
        return self.after == self.before

    def is_charged_once(self) -> bool:
        """Whether the user has the result, for exactly its price."""
        receipt = self.job["receipt"]
        assert self.job["status"] == "succeeded", self.job
        assert receipt["charged_tokens"] == receipt["held_tokens"] > 0
        rows = [row["kind"] for row in self.caller.rows() if row["job_id"] == self.job["id"]]
        assert sorted(rows) == ["capture", "hold"]
        return self.after == (self.before[0] - receipt["charged_tokens"], 0)


@dataclass(frozen=True, slots=True)
class Asked:
    """A job that was asked for, by words of its own."""

    caller: Caller
    words: str
    before: tuple[int, int]
    job_id: str

    def now(self) -> Json:
        """The job as it is."""
        return self.caller.job(self.job_id)

    def wait_for(self, stage: str) -> Json:
        """The job once it is so far."""
        return self.caller.wait_for(self.job_id, lambda job: job["stage"] == stage, WAIT_SECONDS)

    def ended(self) -> Ended:
        """The job when it is over."""
        job = self.caller.wait(self.job_id, WAIT_SECONDS)
        return Ended(self.caller, self.before, job, self.caller.balance())


def ask(caller: Caller | Customer, model: str | Model, switches: str = "", **fields: Any) -> Asked:
    """Ask for the least that the model can do, in words that nobody else uses."""
    customer = caller if isinstance(caller, Customer) else Customer(caller, "")
    known = model if isinstance(model, Model) else catalogue.load().models[model]
    words = f"fox {secrets.token_hex(6)}"
    can, user = known.capabilities, customer.caller
    images = {role: customer.image_id for role, need in can.images.items() if need == "required"}
    before = user.balance()
    prompt = f"{words} [sandbox {switches}]" if switches else words
    job = user.create(prompt, model=known.id, images=images, **fields)
    return Asked(user, words, before, job["id"])


def until(is_so: Callable[[], object], seconds: float = WAIT_SECONDS) -> None:
    """Return when it is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not in {seconds} s"
        time.sleep(0.05)


def gaps(requests: Sequence[Heard]) -> list[float]:
    """The seconds between requests."""
    return [later.at - earlier.at for earlier, later in pairwise(requests)]
