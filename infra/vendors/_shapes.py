"""Maps the many sizes of the vendors to the few that the machinery draws."""

import math
import re

from infra.sandbox.orders import ASPECT_RATIOS, RESOLUTIONS

_LINES = {name: int(name.removesuffix("p")) for name in RESOLUTIONS}


def nearest_ratio(ratio: str | None) -> str | None:
    """The ratio that is most like `3:2`; None for a word, such as `match_input_image`."""
    if ratio is None or not re.fullmatch(r"\d+:\d+", ratio):
        return None
    return min(ASPECT_RATIOS, key=lambda other: abs(_width(other) - _width(ratio)))


def nearest_resolution(name: str | None) -> str | None:
    """The resolution that is most like `768p`; one that is given as `2K` is above all of them."""
    if name is None:
        return None
    lines = int(name[:-1]) * (1 if name.lower().endswith("p") else 1000)
    return min(RESOLUTIONS, key=lambda other: abs(_LINES[other] - lines))


def _width(ratio: str) -> float:
    """How wide it is, so that 2:1 and 1:2 are as far from a square."""
    width, height = map(int, ratio.split(":"))
    return math.log(width / height)
