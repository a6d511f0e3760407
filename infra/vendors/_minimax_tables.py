"""Which MiniMax model does what, and what each template needs: the tables of its documentation."""

from collections.abc import Mapping
from typing import NamedTuple

# What the machinery draws for a resolution.
FRAMES: Mapping[str, str] = {"512P": "480p", "720P": "720p", "768P": "720p", "1080P": "1080p"}
IMAGE_RATIOS: Mapping[str, str] = {
    "1:1": "1:1",
    "16:9": "16:9",
    "4:3": "4:3",
    "3:2": "4:3",
    "2:3": "3:4",
    "3:4": "3:4",
    "9:16": "9:16",
    "21:9": "16:9",
}


class V1Model(NamedTuple):
    """A Hailuo model: its modes, and its pairs of resolution and duration."""

    modes: frozenset[str]
    combinations: frozenset[tuple[str, int]] = frozenset()


_SHARP = {("768P", 6), ("768P", 10), ("1080P", 6)}
V1_MODELS: Mapping[str, V1Model] = {
    "MiniMax-Hailuo-2.3": V1Model(frozenset({"t2v", "i2v"}), frozenset(_SHARP)),
    "MiniMax-Hailuo-2.3-Fast": V1Model(frozenset({"i2v"}), frozenset(_SHARP)),
    "MiniMax-Hailuo-02": V1Model(
        frozenset({"t2v", "i2v", "fl2v"}), frozenset(_SHARP | {("512P", 6), ("512P", 10)})
    ),
    "T2V-01-Director": V1Model(frozenset({"t2v"})),
    "T2V-01": V1Model(frozenset({"t2v"})),
    "I2V-01-Director": V1Model(frozenset({"i2v"})),
    "I2V-01-live": V1Model(frozenset({"i2v"})),
    "I2V-01": V1Model(frozenset({"i2v"})),
    "S2V-01": V1Model(frozenset({"s2v"})),
}


class Template(NamedTuple):
    """One Video Agent template."""

    name: str
    needs_media: bool
    needs_text: bool


TEMPLATES: Mapping[str, Template] = {
    "392747428568649728": Template("Diving", True, False),
    "393769180141805569": Template("Run for Life", True, True),
    "397087679467597833": Template("Transformers", True, False),
    "393881433990066176": Template("Still rings routine", True, False),
    "393498001241890824": Template("Weightlifting", True, False),
    "393488336655310850": Template("Climbing", True, False),
    "394514820878671878": Template("Anime Life Sim", False, True),
    "393879757702918151": Template("McDonald's Delivery Pet", True, False),
    "397017167949312007": Template("Pet Pilot", True, False),
    "394176968202485769": Template("Miniature Set Ad", True, False),
    "393876118804459526": Template("Male Model Try-On Ad", True, False),
    "393866076583718914": Template("Female Model Try-On Ad", True, False),
    "394875727173492739": Template("Art Fonts", False, True),
    "394220989629177861": Template("Drinkfall", True, False),
    "393853165953970178": Template("E-commerce Display Ad", False, True),
    "401431836934868999": Template("3D character product presentation", True, True),
    "392753057216684038": Template("Diving, of China", True, False),
    "394246956137422856": Template("Everything labubu", True, False),
    "393766210733957121": Template("Tibetan-style portrait", True, False),
    "394125185182695432": Template("Hopeless life", False, True),
    "393857704283172864": Template("Love-letter winter portrait", True, False),
    "398574688191234048": Template("Four seasons portrait", True, False),
}
