"""The job state machine: what may happen to a job, and what must follow for money and slots.

PARKED ─▶ READY ─▶ SUBMITTING ─▶ RUNNING ─▶ STORING ─▶ DONE
   ▲         ▲       │ │  └▶ UNKNOWN ┘│        ▲
   └─ away ──┼───────┘ │      │       │        └ a vendor that answers with the result itself
             └──busy───┘      │       │ deadline, vendor not over
                              ▼       ▼
                          QUARANTINED (tokens back, slots kept) ─▶ GIFTING ─▶ GIFTED
FAILED and CANCELLED are reached from anywhere before DONE; the tokens go back on the way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a job stands."""

    PARKED = "parked"  # waits for its slots
    READY = "ready"  # has its slots, not yet sent
    SUBMITTING = "submitting"  # one delivery claimed the right to send
    UNKNOWN = "unknown"  # sent, and no answer says whether it was accepted
    RUNNING = "running"  # the vendor works on it
    STORING = "storing"  # the vendor is done; the result is on its way to our bucket
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    QUARANTINED = (
        "quarantined"  # refunded; the vendor may still be working, so the slots stay taken
    )
    GIFTING = "gifting"  # refunded; a late result is being stored
    GIFTED = "gifted"


class Event(StrEnum):
    """What happened."""

    SLOT_GRANTED = "slot_granted"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"  # the answer to the submit is the result, and it is in our bucket
    PUT_BACK = "put_back"
    TURNED_AWAY = "turned_away"  # surely not accepted, and the vendor takes nothing for a while
    REROUTED = "rerouted"  # surely not accepted, and another model does it
    REJECTED = "rejected"
    LOST = "lost"
    EXPIRED = "expired"
    GAVE_UP = "gave_up"
    SUCCEEDED = "succeeded"
    VENDOR_FAILED = "vendor_failed"
    STORED = "stored"
    STORE_FAILED = "store_failed"
    CANCELLED = "cancelled"
    QUARANTINE_ENDED = "quarantine_ended"


class Money(StrEnum):
    """What a move does to the hold."""

    KEEP = "keep"
    CAPTURE = "capture"
    RELEASE = "release"
    GIFT = "gift"  # a zero-token row


@dataclass(frozen=True, slots=True)
class Rule:
    """The consequence of one event in one state."""

    state: State
    money: Money = Money.KEEP
    frees_slots: bool = False


_REFUND = Rule(State.FAILED, Money.RELEASE, frees_slots=True)
_CANCEL = Rule(State.CANCELLED, Money.RELEASE, frees_slots=True)
_IN_LINE_AGAIN = Rule(State.PARKED, frees_slots=True)

# The whole machine. A pair that is absent is refused; there is no default.
RULES: Mapping[tuple[State, Event], Rule] = {
    (State.PARKED, Event.SLOT_GRANTED): Rule(State.READY),
    (State.PARKED, Event.EXPIRED): Rule(State.FAILED, Money.RELEASE),
    (State.PARKED, Event.CANCELLED): Rule(State.CANCELLED, Money.RELEASE),
    (State.PARKED, Event.REROUTED): Rule(State.PARKED),
    (State.READY, Event.CLAIMED): Rule(State.SUBMITTING),
    (State.READY, Event.EXPIRED): _REFUND,
    (State.READY, Event.CANCELLED): _CANCEL,
    (State.READY, Event.TURNED_AWAY): _IN_LINE_AGAIN,
    (State.READY, Event.REROUTED): _IN_LINE_AGAIN,
    (State.SUBMITTING, Event.ACCEPTED): Rule(State.RUNNING),
    (State.SUBMITTING, Event.DELIVERED): Rule(State.STORING, frees_slots=True),
    (State.SUBMITTING, Event.PUT_BACK): Rule(State.READY),
    (State.SUBMITTING, Event.TURNED_AWAY): _IN_LINE_AGAIN,
    (State.SUBMITTING, Event.REROUTED): _IN_LINE_AGAIN,
    (State.SUBMITTING, Event.REJECTED): _REFUND,
    (State.SUBMITTING, Event.LOST): Rule(State.UNKNOWN),
    (State.UNKNOWN, Event.ACCEPTED): Rule(State.RUNNING),
    (State.UNKNOWN, Event.GAVE_UP): Rule(State.QUARANTINED, Money.RELEASE),
    # The sender's own answer, slower than the sweep that declared it lost.
    (State.UNKNOWN, Event.DELIVERED): Rule(State.STORING, frees_slots=True),
    (State.UNKNOWN, Event.PUT_BACK): Rule(State.READY),
    (State.UNKNOWN, Event.TURNED_AWAY): _IN_LINE_AGAIN,
    (State.UNKNOWN, Event.REROUTED): _IN_LINE_AGAIN,
    (State.UNKNOWN, Event.REJECTED): _REFUND,
    (State.RUNNING, Event.SUCCEEDED): Rule(State.STORING, frees_slots=True),
    (State.RUNNING, Event.VENDOR_FAILED): _REFUND,
    (State.RUNNING, Event.CANCELLED): _CANCEL,
    (State.RUNNING, Event.GAVE_UP): Rule(State.QUARANTINED, Money.RELEASE),
    (State.STORING, Event.STORED): Rule(State.DONE, Money.CAPTURE),
    (State.STORING, Event.STORE_FAILED): Rule(State.FAILED, Money.RELEASE),
    # Accepted after all, after the refund: remember the task, so that its end can be seen.
    (State.QUARANTINED, Event.ACCEPTED): Rule(State.QUARANTINED),
    (State.QUARANTINED, Event.DELIVERED): Rule(State.GIFTING, frees_slots=True),
    (State.QUARANTINED, Event.REJECTED): Rule(State.FAILED, frees_slots=True),
    (State.QUARANTINED, Event.SUCCEEDED): Rule(State.GIFTING, frees_slots=True),
    (State.QUARANTINED, Event.VENDOR_FAILED): Rule(State.FAILED, frees_slots=True),
    (State.QUARANTINED, Event.QUARANTINE_ENDED): Rule(State.FAILED, frees_slots=True),
    (State.GIFTING, Event.STORED): Rule(State.GIFTED, Money.GIFT),
    (State.GIFTING, Event.STORE_FAILED): Rule(State.FAILED),
}

FINAL = frozenset({State.DONE, State.FAILED, State.CANCELLED, State.GIFTED})
REFUNDED = frozenset(
    {State.FAILED, State.CANCELLED, State.QUARANTINED, State.GIFTING, State.GIFTED}
)
HOLDS_SLOTS = frozenset(
    {State.READY, State.SUBMITTING, State.UNKNOWN, State.RUNNING, State.QUARANTINED}
)

STATUS: Mapping[State, str] = {
    State.PARKED: "queued",
    State.READY: "queued",
    State.SUBMITTING: "running",
    State.UNKNOWN: "running",
    State.RUNNING: "running",
    State.STORING: "storing",
    State.DONE: "succeeded",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
    State.QUARANTINED: "failed",
    State.GIFTING: "failed",
    State.GIFTED: "succeeded",
}
