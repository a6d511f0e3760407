"""What all of MiniMax's calls have in common: status words, error codes, what cannot be sent."""

from collections.abc import Mapping

from shared.adapters.providers._replies import object_in, url_in
from shared.adapters.providers.translator import unsendable
from shared.errors import VendorBusy, VendorError, VendorRejected, VendorUnknown
from shared.failures import FailureCode
from shared.ports import Data, HttpReply, Outcome, OutcomeState, Parcel, Ticket, Work

REPLY_BYTES_MAX = 64_000_000

MODERATION = frozenset({1026, 1027})

# Their word → ours, in small letters: queries and callbacks spell it differently (facts A7). A word
# that is absent means that it still runs.
_STATES: Mapping[str, OutcomeState] = {
    "success": "succeeded",
    "succeeded": "succeeded",
    "fail": "failed",
    "failed": "failed",
    "cancelled": "cancelled",
}

# `base_resp.status_code` of what is surely not accepted. A code that is absent leaves it open.
_REFUSALS: Mapping[int, FailureCode] = {
    1004: FailureCode.PROVIDER_MISCONFIGURED,  # not authorized, or the key of another region
    1008: FailureCode.PROVIDER_MISCONFIGURED,  # no balance
    1026: FailureCode.MODERATION_BLOCKED,
    1027: FailureCode.MODERATION_BLOCKED,
    1042: FailureCode.PROVIDER_REJECTED,
    2013: FailureCode.PROVIDER_REJECTED,
    2049: FailureCode.PROVIDER_MISCONFIGURED,
    2056: FailureCode.PROVIDER_MISCONFIGURED,  # the plan is used up until its next window
}
_BUSY = frozenset({1002, 1039, 1041, 2045})


def state_of(data: Data) -> OutcomeState:
    """Our word for the status in a reply."""
    return _STATES.get(str(data.get("status", "")).lower(), "running")


def code_of(data: Data) -> int | None:
    """The business code of V1; 0 is success."""
    code = object_in(data, "base_resp").get("status_code")
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def outcome(
    ticket: Ticket, state: OutcomeState, data: Data, code: int | None, url_name: str
) -> Outcome:
    """What became of a task; the address of a result stands in `data`."""
    failed = state == "failed"
    failure = FailureCode.MODERATION_BLOCKED if code in MODERATION else FailureCode.PROVIDER_FAILED
    return Outcome(
        task_id=ticket.task_id,
        state=state,
        parcels=(Parcel(url_in(data, url_name)),) if state == "succeeded" else (),
        failure_code=failure if failed else None,
        detail=str(code or "?") if failed else "",
    )


def submit_error(reply: HttpReply, data: Data, code: int | None) -> VendorError:
    """Why V1 did not accept, if it surely did not."""
    said = f"{reply.status} {code}"
    if code in _BUSY:
        return VendorBusy(FailureCode.PROVIDER_BUSY, said)
    if code == 2013 and "callback" in str(object_in(data, "base_resp").get("status_msg")):
        # Our own callback address does not answer from outside: nothing can be made until it does.
        return VendorRejected(FailureCode.PROVIDER_MISCONFIGURED, f"{said} callback")
    if code is not None and code in _REFUSALS:
        return VendorRejected(_REFUSALS[code], said)
    return VendorUnknown(FailureCode.PROVIDER_FAILED, said)


def poll_error(reply: HttpReply, code: int | None) -> VendorError:
    """Too fast is no verdict on the task, and neither is anything else that is not about it."""
    said = f"{reply.status} {code}"
    if code in _BUSY:
        return VendorBusy(FailureCode.PROVIDER_BUSY, said)
    return VendorUnknown(_REFUSALS.get(code or 0, FailureCode.PROVIDER_FAILED), said)


def require_roles(work: Work, roles: set[str]) -> None:
    """Raises `VendorRejected` for a picture that there is no field for."""
    if set(work.images) - roles:
        raise unsendable(f"pictures as {sorted(set(work.images) - roles)}")
