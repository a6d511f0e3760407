"""A vendor's desk: takes orders in its own words, makes them as the sandbox does, and tells.

A simulator's file has routes that read that vendor's requests, and says no and yes in its words;
everything else is here and in `infra.sandbox`.
"""

import asyncio
import json
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.sandbox.faults import answer_create
from infra.sandbox.files import ERROR_PAGE, corrupt
from infra.sandbox.generations import Generation, Media, Status
from infra.sandbox.orders import Order, read_prompt
from infra.sandbox.refusals import Refusal
from infra.sandbox.settings import Settings
from infra.sandbox.vendor import Vendor
from infra.sandbox.webhooks import Body, Signer

MINUTE_SECONDS = 60.0


class Unsigned:
    """Events of a vendor that signs nothing."""

    def headers(self, raw_body: bytes, *, is_genuine: bool) -> dict[str, str]:
        """See Signer."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What makes one vendor differ from another on this side of the wire."""

    name: str
    routes: Sequence[Route]
    refuse: Callable[[Refusal], Response]
    """How it says no: every `Refusal` of the machinery in this vendor's status and words."""

    settings: Settings = field(default_factory=Settings)
    """Key, webhook secret and places, unless a command line says otherwise."""

    event: Callable[["Desk", Generation], Body] | None = None
    """What a callback says of a generation; None when the vendor does not call."""

    news: frozenset[Status] = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED})
    """After which steps it calls."""

    signer: Callable[[str], Signer] = lambda _secret: Unsigned()
    """How it signs; the secret is the settings'."""

    signs_with_secret: bool = False
    """Whether the caller checks callbacks with that secret."""

    public_key: str = ""
    """What a caller is given to check callbacks with, where the vendor signs with a key pair and
    publishes no key set."""

    submits_per_minute: int | None = None
    """How many orders it takes in a minute."""

    queues: bool = False
    """Whether what exceeds the concurrency waits instead of being refused."""

    places_apart: Mapping[str, int] = field(default_factory=dict)
    """Kinds of work that have places of their own, besides the concurrency."""


class Desk(Vendor):
    """One running simulator. All of it is used from one event loop."""

    def __init__(self, wire: Wire, settings: Settings, public_url: str) -> None:
        self.wire = wire
        super().__init__(settings, public_url, wire.signer(settings.webhook_secret))
        self.public_url = public_url.rstrip("/")
        self._submits: deque[float] = deque()

    def order(self, kind: str, model: str, prompt: str, **details: object) -> Order:
        """An order of the machinery. Switches are taken out of the prompt, so that a person can ask
        for trouble there: a red fox [sandbox fail=render]. Raises `Refusal`.
        """
        caption, overrides = read_prompt(prompt)
        plain = Order(
            client_id=f"none-{secrets.token_hex(8)}",
            kind=kind,
            model=model,
            prompt=prompt,
            caption=caption or model,
            overrides=overrides,
        )
        given = {name: value for name, value in details.items() if value is not None}
        return replace(plain, **given)  # type: ignore[arg-type]

    async def take(
        self, request: Request, order: Order, answer: Callable[[Generation], Awaitable[Response]]
    ) -> Response:
        """Take an order and answer it, or do so as badly as was asked for. Raises `Refusal`."""
        self._require_pace()
        return await answer_create(request, self, order, answer)

    async def made(self, generation: Generation) -> Media:
        """What a generation came to, for vendors that answer with the result; raises `Refusal` with
        the generation's error.
        """
        if generation.id in self._plays:
            await asyncio.wait([self._plays[generation.id]])
        if generation.media is None or generation.media.content is None:
            code = generation.error.code if generation.error else "internal"
            raise Refusal("internal" if code != "moderation_blocked" else code, code)
        return generation.media

    def content(self, generation: Generation, media: Media) -> bytes:
        """The bytes of a result that stand in an answer, as bad as was asked for."""
        assert media.content is not None, "what was made just now is kept"
        match self.behaviour_of(generation).result.word:
            case "html":
                return ERROR_PAGE.encode()
            case "corrupt":
                return corrupt(media.name, media.content)
            case "empty":
                return b""
            case "truncated":
                return media.content[: len(media.content) // 2]
            case _:
                return media.content

    def addresses(self, generation: Generation) -> list[str]:
        """Where the results of a generation lie, each with an expiry and a token."""
        if generation.media is None:
            return []
        is_dead = self.behaviour_of(generation).result.word == "expired"
        url = str(self.links.mint(generation.id, generation.media, is_dead=is_dead)["url"])
        return [f"{url}&n={number}" for number in range(generation.order.count)]

    async def call(self, url: str, body: Body, timeout_seconds: float) -> object:
        """Post something to a caller before its order is taken; the JSON of the answer, or None."""
        raw = json.dumps(body).encode()
        reply = await self._postman.post(url, raw, timeout_seconds=timeout_seconds)
        try:
            return reply.json() if reply is not None and reply.is_success else None
        except ValueError:
            return None

    def does_queue(self) -> bool:
        """See Vendor."""
        return self.wire.queues

    def places_apart(self) -> Mapping[str, int]:
        """See Vendor."""
        return self.wire.places_apart

    def is_news(self, generation: Generation) -> bool:
        """See Vendor."""
        return self.wire.event is not None and generation.status in self.wire.news

    def event(self, generation: Generation) -> Body:
        """See Vendor."""
        assert self.wire.event is not None, "asked only when there is news"
        return self.wire.event(self, generation)

    def _require_pace(self) -> None:
        now = time.monotonic()
        while self._submits and now - self._submits[0] >= MINUTE_SECONDS:
            self._submits.popleft()
        most = self.settings.submits_per_minute or self.wire.submits_per_minute
        if most is not None and len(self._submits) >= most:
            raise Refusal("too_many_requests", f"more than {most} orders in a minute")
        self._submits.append(now)


def desk_of(request: Request) -> Desk:
    """The desk that a request came to."""
    desk: Desk = request.app.state.vendor
    return desk
