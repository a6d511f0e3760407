"""The sandbox's translator for vendors that can less, or other things, than the sandbox can."""

from dataclasses import replace

from shared.adapters.providers import sandbox
from shared.adapters.providers._replies import content_in, json_object, objects_in, url_in
from shared.adapters.providers._signing import hint_of
from shared.adapters.providers.translator import Account, Ask, Keys, Poll, Provider, Webhook
from shared.errors import VendorRejected
from shared.failures import FailureCode
from shared.ports import (
    Accepted,
    Hint,
    HttpReply,
    HttpRequest,
    Inbound,
    Outcome,
    Parcel,
    Ticket,
    Work,
)
from tests.simulation.vendor import Traits


def variant(traits: Traits) -> Provider:
    """The translator for a vendor of this kind."""
    plain = sandbox.PROVIDER
    assert plain.poll is not None
    return replace(
        plain,
        name=traits.name,
        submit=_submit,
        accepted=_delivered if traits.answers_with_results else plain.accepted,
        poll=None if traits.answers_with_results else Poll(plain.poll.request, _told),
        lookup=plain.lookup if traits.finds_by_our_id else None,
        cancel=plain.cancel if traits.can_cancel else None,
        webhook=plain.webhook if traits.signs_hooks else Webhook(_unsigned),
    )


def _submit(work: Work, account: Account) -> HttpRequest:
    """With the number of results, which the sandbox has no field for."""
    request = sandbox.PROVIDER.submit(replace(work, count=1), account)
    return replace(request, json={**(request.json or {}), "count": work.count})


def _told(reply: HttpReply, ticket: Ticket, account: Account) -> Outcome | Ask:
    poll = sandbox.PROVIDER.poll
    assert poll is not None
    said = poll.read(reply, ticket, account)
    if isinstance(said, Ask) or said.state != "succeeded":
        return said
    results = objects_in(json_object(reply.body), "results")
    return replace(said, parcels=tuple(Parcel(url_in(each, "url")) for each in results))


def _delivered(reply: HttpReply, work: Work) -> Accepted:
    """An answer that says no is the end of it: nobody works on it any more."""
    if reply.status == 200:
        data = json_object(reply.body)
        contents = objects_in(data, "contents")
        parcels = tuple(Parcel(content=content_in(each, "bytes")) for each in contents)
        return Accepted(str(data["id"]), parcels)
    if reply.status == 422 and b"render_failed" in reply.body:
        raise VendorRejected(FailureCode.PROVIDER_FAILED, "render_failed")
    return sandbox.PROVIDER.accepted(reply, work)


def _unsigned(inbound: Inbound, _keys: Keys, _now_ms: int) -> Hint:
    return hint_of(inbound, "id")
