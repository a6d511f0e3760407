"""What models call what they take, for vendors that serve models of many makers: a table per model,
out of which the inputs of a request are made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import VendorRejected
from shared.failures import FailureCode
from shared.ports import Work

# A model without a switch for it makes one silent result.
_NEED_NOT_BE_SAID: Mapping[str, Any] = {"audio": False, "count": 1}


def _as_it_is(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a model: its name, and how a value of ours is written there."""

    name: str
    write: Callable[[Any], Any] = _as_it_is


Inputs = Mapping[str, Input]
"""By what we call it: a field of `Work`, or the role of a picture."""

TOLD_BY_THE_PICTURE = Input("")
"""It is not sent: the model takes the shape from the picture, which we have cut to it."""


def written(work: Work, inputs: Inputs) -> dict[str, Any]:
    """The inputs of a request. Raises `VendorRejected` for what the model has no input for."""
    asked = {name: value for name, value in _wishes(work).items() if value is not None}
    unsent = [
        name
        for name, value in asked.items()
        if name not in inputs and value != _NEED_NOT_BE_SAID.get(name)
    ]
    if unsent:
        raise VendorRejected(FailureCode.PROVIDER_REJECTED, f"no input for {unsent}")
    return {
        inputs[name].name: inputs[name].write(value)
        for name, value in asked.items()
        if name in inputs and inputs[name] is not TOLD_BY_THE_PICTURE
    }


def inputs_of(model: str, known: Mapping[str, Inputs]) -> Inputs:
    """The table of a model. Raises `VendorRejected`: what is not known would be asked in vain."""
    if model not in known:
        raise VendorRejected(FailureCode.PROVIDER_REJECTED, "no inputs of this model are known")
    return known[model]


def one_of(words: Mapping[Any, Any]) -> Callable[[Any], Any]:
    """Writes a value of ours as one of the model's words; `VendorRejected` for any other."""

    def write(value: Any) -> Any:
        if value not in words:
            raise VendorRejected(FailureCode.PROVIDER_REJECTED, "no word for a setting")
        return words[value]

    return write


def _wishes(work: Work) -> dict[str, Any]:
    return {
        "prompt": work.prompt,
        "negative_prompt": work.negative_prompt,
        "duration_seconds": work.duration_seconds,
        "resolution": work.resolution,
        "aspect_ratio": work.aspect_ratio,
        "audio": work.audio,
        "count": work.count,
        **{role: picture.url for role, picture in work.images.items()},
    }
