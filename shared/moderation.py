"""What we refuse ourselves, before anything is held: sexual content about minors.

Everything else is left to each vendor's own rules, which are stricter, differ, and are applied to
the pictures and results too.
"""

import re

from shared.errors import ModerationBlocked

# Words of English, Russian and Indonesian, by their beginnings: both languages decline by endings.
_MINORS = (
    "child", "kid", "minor", "toddler", "underage", "preteen", "schoolgirl", "schoolboy", "loli",
    "shota", "ребён", "ребен", "дети", "детей", "детям", "детьм", "детях", "детск", "малолет",
    "несовершеннолет", "школьниц", "школьник", "anak", "bocah", "balita",
)  # fmt: skip
_SEXUAL = (
    "sex", "nude", "nudity", "naked", "porn", "erotic", "nsfw", "topless", "lingerie", "секс",
    "голая", "голой", "голую", "голый", "голого", "голому", "голым", "голом", "голое", "голые",
    "голых", "обнаж", "порн", "эротик", "эротич", "telanjang", "bugil", "seks",
)  # fmt: skip


def _of(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(words)})", re.IGNORECASE)


_OF_MINORS, _OF_SEX = _of(_MINORS), _of(_SEXUAL)


def check(*texts: str | None) -> None:
    """Refuse a request for what is never made. Raises `ModerationBlocked`."""
    text = " ".join(text for text in texts if text)
    if _OF_MINORS.search(text) and _OF_SEX.search(text):
        raise ModerationBlocked(
            "We do not make sexual content about minors. Nothing was charged. Change the prompt.",
            param="prompt",
        )
