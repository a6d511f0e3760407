"""Values that the tests of the domain start from, and how hypothesis draws them."""

from dataclasses import fields
from typing import Any

from hypothesis import Phase, settings, strategies as st

from shared.fitting import Generation
from shared.job_states import HOLDS_SLOTS, State
from shared.jobs import Job, Settings
from shared.models import Capabilities, Model, Rates
from shared.slots import slot_id

NOW_MS = 1_760_000_000_000

# A failing history is shortened and told. Explaining it as well takes minutes, and a test has two.
HISTORIES = settings(phases=[phase for phase in Phase if phase is not Phase.explain])

_JOB: dict[str, Any] = {
    "id": "job_1",
    "user_id": "usr_1",
    "model": "lumen-video",
    "kind": "video",
    "provider": "lumen",
    "pool": "lumen",
    "prompt": "a red fox",
    "settings": Settings(duration_seconds=4, resolution="720p", aspect_ratio="16:9"),
    "images": {},
    "body_hash": "0" * 64,
    "project_id": None,
    "hold_tokens": 60,
    "units": 1,
    "fallback_models": (),
    "weighted_cost_ms": 5000,
    "expected_ms": 5000,
    "run_limit_ms": 60_000,
    "created_at_ms": NOW_MS - 60_000,
    "updated_at_ms": NOW_MS - 30_000,
    "deadline_at_ms": NOW_MS + 600_000,
    "due_at_ms": NOW_MS + 5000,
}


def job_in(state: State, **changes: Any) -> Job:
    """A job in this state, at its full price, with its slots exactly when the state has them."""
    values = {**_JOB, "state": state, **changes}
    has_slots = state in HOLDS_SLOTS
    values.setdefault("price_tokens", values["hold_tokens"])
    values.setdefault("account", None if state is State.PARKED else "lumen")
    values.setdefault("slots", places(values["units"]) if has_slots else ())
    return Job(**values)


def places(units: int, first: int = 0) -> tuple[str, ...]:
    """So many slots of the one account that these tests know."""
    return tuple(slot_id("lumen", "lumen", index) for index in range(first, first + units))


CAPABILITIES = Capabilities(
    durations_seconds=(4, 8),
    resolutions=("720p", "1080p"),
    aspect_ratios=("16:9", "9:16"),
    images={"start": "optional", "subject": "none"},
    negative_prompt=True,
    audio=True,
    prompt_chars_min=3,
    prompt_chars_max=2000,
)


def model(**changes: Any) -> Model:
    """A video model that can do nearly everything."""
    values: dict[str, Any] = {
        "id": "lumen-video",
        "name": "Lumen Video",
        "kind": "video",
        "provider": "lumen",
        "vendor_model": "lumen-1",
        "pool": "lumen",
        "state": "live",
        "successor": None,
        "capabilities": CAPABILITIES,
        "price": Rates(base=7, per_second={"720p": 10, "1080p": 15}, audio_percent=25),
        "cost_microusd": Rates(per_second={"720p": 50_000, "1080p": 80_000}),
        "expected_seconds": 30,
        "run_limit_seconds": 600,
        "result_max_bytes": 600_000_000,
    }
    return Model(**{**values, **changes})


def generation(**changes: Any) -> Generation:
    """A request that fits `model()`."""
    values: dict[str, Any] = {
        "model": model(),
        "prompt": "a red fox",
        "settings": Settings(duration_seconds=4, resolution="720p", aspect_ratio="16:9"),
        "images": {},
        "project_id": None,
    }
    return Generation(**{**values, **changes})


def any_value(kind: type[Any], **chosen: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Any value of a dataclass: every field is drawn by its type, also one added tomorrow."""
    drawn: dict[str, Any] = {field.name: ... for field in fields(kind)}
    return st.builds(kind, **{**drawn, **chosen})
