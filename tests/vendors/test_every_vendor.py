"""One real job at every vendor: through the product's own addresses, against that vendor's wire.

Vendors and their models are found by themselves; a new one is on stage here as soon as it has a
simulator.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import av
import pytest

from infra import vendors
from shared import catalogue
from shared.adapters import providers
from shared.models import Model
from tests.product import Refusal
from tests.vendors.installation import Customer, Installation, cheapest, installed

KINDS = ("video", "image")
WAIT_SECONDS = 200.0  # the longest that a vendor may take to answer, and to be declared lost

NOTHING = ""
UNCONFIRMED = "create=drop_after_accept"
# What the creator is told, by what the simulator was told to do.
BAD_DAYS = {
    "fail=render": {"provider_failed", "provider_busy"},
    "moderation=refuse": {"moderation_blocked"},
    "create=http_429": {"provider_busy"},
    "create=model_gone": {"model_gone", "provider_rejected"},
    "result=html": {"result_invalid"},
    "result=corrupt": {"result_invalid"},
    "result=huge:2000": {"result_unavailable", "result_invalid"},
    "result=redirect_private": {"result_unavailable"},
}
OF_AN_ADDRESS = {"result=huge:2000", "result=redirect_private"}
IN_THE_ANSWER = {"gemini-image", "minimax-image", "openai-image", "stability-image"}
# So many failures at once would pause every vendor; that has tests of its own.
SETTINGS = {"BUSY_ATTEMPTS_MAX": "2", "PAUSE_AFTER_FAILURES": "10000"}


class Ended(NamedTuple):
    """A job that is over, and what its user had before."""

    customer: Customer
    before: tuple[int, int]
    job: dict[str, Any]


def on_sale() -> list[Any]:
    """A model of each kind of every vendor."""
    found = [cheapest(name, kind) for name in vendors.NAMES for kind in KINDS]
    return [pytest.param(m, id=f"{m.provider}-{m.kind}") for m in found if m is not None]


def bad_days() -> list[Any]:
    """Each model with what can go wrong: a result that stands in an answer has no address."""
    return [
        pytest.param(each.values[0], switches, id=f"{switches}-{each.id}")
        for switches in BAD_DAYS
        for each in on_sale()
        if not (switches in OF_AN_ADDRESS and each.id in IN_THE_ANSWER)
    ]


class Played:
    """All scenarios at all vendors at once, because most of their time is waiting."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self._begun = {
            (model.id, switches): self._begin(model, switches)
            for switches in (NOTHING, UNCONFIRMED, *BAD_DAYS)
            for model in (each.values[0] for each in on_sale())
        }

    def ended(self, model: Model, switches: str) -> Ended:
        """What became of a job of this model when the simulator was told these switches."""
        customer, before, job_id = self._begun[model.id, switches]
        return Ended(customer, before, customer.caller.wait(job_id, WAIT_SECONDS))

    def _begin(self, model: Model, switches: str) -> tuple[Customer, tuple[int, int], str]:
        customer = self.installation.customer()
        before = customer.caller.balance()
        return customer, before, customer.ask(model, switches)["id"]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with installed(tmp_path_factory.mktemp("data"), **SETTINGS) as made:
        yield Played(made)


def test_every_provider_has_a_simulator_and_something_for_sale() -> None:
    assert set(vendors.NAMES) == set(providers.NAMES) - {"sandbox"}
    sold = {model.values[0].provider for model in on_sale()}
    assert sold == set(vendors.NAMES)


@pytest.mark.parametrize("model", on_sale())
def test_a_job_is_made_stored_and_charged_once(
    played: Played, model: Model, tmp_path_factory: pytest.TempPathFactory
) -> None:
    customer, (available, _), done = played.ended(model, NOTHING)
    assert done["status"] == "succeeded", done
    receipt = done["receipt"]
    assert receipt["charged_tokens"] == receipt["held_tokens"] > 0
    assert customer.caller.balance() == (available - receipt["held_tokens"], 0)
    kinds = [row["kind"] for row in customer.caller.rows() if row["job_id"] == done["id"]]
    assert sorted(kinds) == ["capture", "hold"]
    path = tmp_path_factory.mktemp("result") / "result"
    path.write_bytes(customer.caller.http.get(done["result"]["content_url"]).content)
    with av.open(str(path)) as media:
        assert next(media.decode(video=0)).width == done["result"]["width"]


@pytest.mark.parametrize(("model", "switches"), bad_days())
def test_a_bad_day_costs_nothing_and_is_told_by_its_name(
    played: Played, model: Model, switches: str
) -> None:
    customer, before, job = played.ended(model, switches)
    assert job["status"] == "failed", job
    assert job["error"]["code"] in BAD_DAYS[switches]
    assert customer.caller.balance() == before
    assert job["receipt"]["charged_tokens"] == 0
    assert "Your tokens are back" in job["error"]["message"]


@pytest.mark.parametrize("model", on_sale())
def test_an_order_that_nobody_confirmed_ends_with_the_result_or_the_tokens(
    played: Played, model: Model
) -> None:
    """The vendor accepts and the connection drops: found by our id, told by a webhook, or given up
    with the tokens back, and never asked for twice."""
    customer, before, job = played.ended(model, UNCONFIRMED)
    if job["status"] == "succeeded":
        assert job["receipt"]["charged_tokens"] == job["receipt"]["held_tokens"]
    else:
        assert job["error"]["code"] == "timed_out"
        assert customer.caller.balance() == before


def test_a_retired_model_says_so_names_its_successor_and_cannot_be_bought(played: Played) -> None:
    caller = played.installation.customer().caller
    for model in catalogue.load().models.values():
        if model.state == "retired":
            with pytest.raises(Refusal) as refused:
                caller.create(model=model.id)
            error = refused.value.error
            assert (refused.value.status, error["code"]) == (409, "model_unavailable")
            assert "retired" in error["message"]
            assert (model.successor or "") in error["message"]


def test_the_books_balance_after_all_of_it(played: Played) -> None:
    audit = played.installation.product.audit()
    assert audit.returncode == 0, audit.stdout
