"""One installation with an account at every simulated vendor, and users who have pictures."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from infra import vendors
from infra.vendors import accounts
from infra.vendors.server import simulated
from shared import catalogue, models
from shared.models import Model
from tests.product import Caller, Product, running
from tests.vendors.stage import PICTURE, USUAL

PROMPT = "a red fox on a hill"
_SIZE_PX = (768, 1024)


@dataclass(frozen=True, slots=True)
class Installation:
    """The product, and where each vendor's simulator is."""

    product: Product
    urls: Mapping[str, str]

    def customer(self) -> "Customer":
        """A new user with one checked picture."""
        caller = self.product.sign_in()
        return Customer(caller, _uploaded(caller))

    def behave(self, name: str, **switches: object) -> None:
        """Set a simulator's switches."""
        url = f"{self.urls[name]}/control/behaviour"
        httpx.put(url, json=switches, trust_env=False).raise_for_status()

    def stats(self, name: str) -> Mapping[str, int]:
        """What a simulator counted."""
        answer = httpx.get(f"{self.urls[name]}/control/stats", trust_env=False)
        counted: dict[str, int] = answer.json()
        return counted


@dataclass(frozen=True, slots=True)
class Customer:
    """A signed-in user."""

    caller: Caller
    image_id: str

    def ask(self, model: Model, switches: str = "", **fields: Any) -> dict[str, Any]:
        """The least that the model can be asked for, as a job. A model without a prompt is told its
        switches through the simulator.
        """
        can = model.capabilities
        images = {role: self.image_id for role, need in can.images.items() if need == "required"}
        prompt = f"{PROMPT} [sandbox {switches}]" if switches else PROMPT
        body: dict[str, Any] = {"model": model.id, "images": images, **fields}
        if can.prompt_chars_max:
            body["prompt"] = prompt
        return self.caller.create(body.pop("prompt", ""), **body)


@contextmanager
def installed(folder: Path, **settings: str) -> Iterator[Installation]:
    """Run it until the block ends."""
    with ExitStack() as stack:
        urls = {name: stack.enter_context(simulated(name, **USUAL)) for name in vendors.NAMES}
        environment: dict[str, str] = {"TRIAL_GENERATIONS": "1000", **settings}
        for name, url in urls.items():
            environment |= _account(name, url)
        product = stack.enter_context(running(folder, environment))
        yield Installation(product, urls)


def cheapest(name: str, kind: str) -> Model | None:
    """The vendor's live model of a kind that costs least and can be told to misbehave."""
    live = [
        model
        for model in catalogue.load().models.values()
        if (model.provider, model.kind, model.state) == (name, kind, "live")
        and model.capabilities.prompt_chars_max >= 100
        and models.wrong_with_picture(model.capabilities.picture, *_SIZE_PX, None) is None
    ]
    return min(live, key=lambda model: model.expected_seconds, default=None)


def _account(name: str, url: str) -> Mapping[str, str]:
    pools = [pool for pool in catalogue.load().pools.values() if pool.provider == name]
    rates = ",".join(f"{pool.name}:6000" for pool in pools)
    account = accounts.environment(vendors.load(name), url)
    return {**account, f"VENDOR_{name.upper()}_RATES": rates}


def _uploaded(caller: Caller) -> str:
    asked = {"filename": "a.jpg", "content_type": "image/jpeg", "size_bytes": len(PICTURE)}
    added = caller.call("POST", "/v1/uploads", json=asked)
    address = added["upload"]
    sent = httpx.request(
        address["method"],
        address["url"],
        headers=address["headers"],
        content=PICTURE,
        trust_env=False,
    )
    sent.raise_for_status()
    image_id: str = added["image_id"]
    assert caller.call("GET", f"/v1/uploads/{image_id}")["state"] == "ready"
    return image_id
