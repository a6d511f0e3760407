"""One vendor on stage: its simulator on a socket, and the product's own driver in front of it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra import vendors
from infra.sandbox.behaviour import Behaviour, read_switches
from infra.vendors.accounts import secrets_of
from infra.vendors.server import simulated
from shared import catalogue, fitting
from shared.adapters import providers
from shared.adapters.http_client import HttpxClient
from shared.adapters.media import PyavMedia
from shared.adapters.providers.driver import Driver
from shared.adapters.providers.translator import Account
from shared.adapters.system import SystemClock
from shared.errors import WebhookRefused
from shared.jobs import Settings
from shared.models import Model
from shared.ports import Accepted, Hint, Inbound, MediaInfo, Outcome, Parcel, Picture, Ticket, Work
from tests.contract.test_media import Drawer
from tests.product import free_port

WAIT_SECONDS = 20.0
ANSWER_SECONDS = 15.0
FETCH_MAX_BYTES = 30_000_000
PICTURE = (Path(__file__).parent / "picture.jpg").read_bytes()  # 768 × 1024

INSTANT = Behaviour().with_overrides(read_switches({"render": "instant"}))
USUAL: Mapping[str, Any] = {
    "behaviour": INSTANT,
    "concurrency": 50,
    "submits_per_minute": 10_000,
}

simulators = ExitStack()
"""Those that go on until the last test."""
_urls: dict[str, str] = {}


@dataclass(slots=True)
class Inbox:
    """Where a vendor calls: what came, and what it was told. It answers as our function does."""

    url: str
    answer: Any
    came: list[Inbound] = field(default_factory=list)
    hints: list[Hint] = field(default_factory=list)
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """The simulator's address, the driver, the bytes that a picture's address serves."""

    name: str
    url: str
    driver: Driver
    inbox: Inbox
    picture_url: str

    def work(self, model_id: str, prompt: str = "a red fox", **changes: Any) -> Work:
        """What the product would ask this vendor for: the model's own defaults, and changes to
        them: settings by their names, `images` as a list of roles, `switches` for the simulator.
        """
        model = catalogue.load().models[model_id]
        roles = tuple(changes.pop("images", _needed(model)))
        switches, callback_url = changes.pop("switches", ""), changes.pop("callback_url", "")
        chosen = fitting.fit(
            model,
            prompt if model.capabilities.prompt_chars_max else "",
            Settings(**changes),
            dict.fromkeys(roles, "img_1"),
            None,
        )
        ticket = Ticket(
            provider=self.name,
            account=self.name,
            job_id=f"job_{token_hex(16)}",
            kind=model.kind,
            vendor_model=model.vendor_model,
            roles=frozenset(roles),
        )
        directive = f" [sandbox {switches}]" if switches else ""
        picture = Picture(self.picture_url, "image/jpeg", PICTURE)
        if not providers.load(self.name).takes_bytes:
            picture = replace(picture, content=b"")
        settings = chosen.settings
        return Work(
            ticket=ticket,
            prompt=f"{chosen.prompt}{directive}",
            negative_prompt=settings.negative_prompt,
            duration_seconds=settings.duration_seconds,
            resolution=settings.resolution,
            aspect_ratio=settings.aspect_ratio,
            audio=settings.audio,
            count=settings.count,
            images=dict.fromkeys(roles, picture),
            callback_url=callback_url,
        )

    async def submit(self, work: Work) -> Accepted:
        """Raises as the driver does."""
        return await self.driver.submit(work, ANSWER_SECONDS)

    async def ended(self, work: Work, accepted: Accepted) -> Outcome:
        """What became of it, once it is over."""
        if accepted.parcels:
            return Outcome(accepted.task_id, "succeeded", parcels=accepted.parcels)
        ticket = replace(work.ticket, task_id=accepted.task_id)
        deadline = time.monotonic() + WAIT_SECONDS
        while (outcome := await self.driver.poll(ticket)).state == "running":
            assert time.monotonic() < deadline, "the vendor took too long"
            await asyncio.sleep(0.05)
        return outcome

    async def made(self, work: Work) -> Outcome:
        """Ask for it and wait for its end."""
        return await self.ended(work, await self.submit(work))

    async def fetched(self, work: Work, parcel: Parcel) -> bytes:
        """The bytes of one result."""
        chunks = self.driver.fetch(work.ticket, parcel, FETCH_MAX_BYTES)
        return b"".join([chunk async for chunk in chunks])

    async def seen(self, work: Work, outcome: Outcome, folder: Path) -> list[MediaInfo]:
        """Every result, fetched and decoded."""
        drawer = Drawer(folder)
        media = PyavMedia(drawer)
        found = []
        for number, parcel in enumerate(outcome.parcels):
            key = drawer.lay(f"result-{number}", await self.fetched(work, parcel))
            found.append(await media.inspect(key, work.ticket.kind))
        return found

    async def behave(self, **switches: object) -> None:
        """Set the simulator's switches for every request that sets none."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.put(f"{self.url}/control/behaviour", json=switches)
            assert answer.is_success, answer.text

    async def stats(self) -> Mapping[str, Any]:
        """What the simulator counted."""
        async with httpx.AsyncClient(trust_env=False) as client:
            counted: dict[str, Any] = (await client.get(f"{self.url}/control/stats")).json()
            return counted

    async def post(
        self, path: str, body: object, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """A request of our own making, to see how strict the simulator is."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            return await client.post(path, json=body, headers=dict(headers or {}))

    async def called(self, count: int = 1) -> list[Hint]:
        """The hints of genuine callbacks, once there are so many."""
        deadline = time.monotonic() + WAIT_SECONDS
        while len(self.inbox.hints) < count:
            assert time.monotonic() < deadline, f"the vendor called {len(self.inbox.came)} times"
            await asyncio.sleep(0.02)
        return self.inbox.hints


@asynccontextmanager
async def staged(name: str, key: str | None = None, **settings: Any) -> AsyncIterator[Stage]:
    """A vendor on stage. `key` is ours where it is not the simulator's; `settings` are the
    simulator's: concurrency, behaviour (instant unless given), webhook_secret, seed,
    submits_per_minute.
    """
    known = vendors.load(name).settings
    secret = settings.get("webhook_secret", known.webhook_secret)
    with ExitStack() as own:
        url = (
            own.enter_context(simulated(name, **{**USUAL, **settings}))
            if settings
            else _shared(name)
        )
        http = HttpxClient(plain_hosts={"127.0.0.1"}, allowed_private={url.removeprefix("http://")})
        account = Account(
            name, name, url, key or known.api_key, secrets_of(vendors.load(name), secret)
        )
        driver = Driver(http, {name: account}, SystemClock(), total_seconds=ANSWER_SECONDS)
        async with _listening(name, driver) as (inbox, picture_url):
            yield Stage(name, url, driver, inbox, picture_url)
        await http.close()


def _shared(name: str) -> str:
    """The one simulator for all tests that ask for nothing special, as if it had just begun."""
    if name not in _urls:
        _urls[name] = simulators.enter_context(simulated(name, **USUAL))
    httpx.post(f"{_urls[name]}/control/reset", trust_env=False).raise_for_status()
    return _urls[name]


def _needed(model: Model) -> list[str]:
    return [role for role, need in model.capabilities.images.items() if need == "required"]


@asynccontextmanager
async def _listening(name: str, driver: Driver) -> AsyncIterator[tuple[Inbox, str]]:
    """Our side of the callbacks, and a picture for vendors to fetch."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    inbox = Inbox(f"{base}/hook", {"received": True})

    async def hook(request: Request) -> Response:
        inbound = Inbound(dict(request.headers), await request.body())
        inbox.came.append(inbound)
        try:
            hint = await driver.hint(name, inbound, int(time.time() * 1000))
        except WebhookRefused:
            inbox.refused += 1
            return JSONResponse({"error": "refused"}, 403)
        if hint.is_news:
            inbox.hints.append(hint)
        return JSONResponse(inbox.answer if hint.answer is None else dict(hint.answer))

    async def picture(_request: Request) -> Response:
        return Response(PICTURE, media_type="image/jpeg")

    routes = [
        Route("/hook", hook, methods=["POST"]),
        Route("/picture.jpg", picture, methods=["GET", "HEAD"]),
    ]
    config = uvicorn.Config(Starlette(routes=routes), port=port, log_level="error")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield inbox, f"{base}/picture.jpg"
    finally:
        server.should_exit = True
        await serving


def json_of(inbound: Inbound) -> Any:
    """The body of a callback."""
    return json.loads(inbound.body)
