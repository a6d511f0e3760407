"""What we refuse ourselves, before anything is held: sexual content about minors.

Everything else is left to each vendor's own rules, which are stricter, differ, and are applied to
the pictures and results too.
"""

import re

from shared.errors import ModerationBlocked

# English by whole words: so many begin alike. Russian and Indonesian by stems: they decline.
_MINORS = r"""
    \b(?:child|children|kids?|minors?|toddlers?|infants?|underaged?|preteens?|teens?|teenagers?|
    teenaged?|schoolgirls?|schoolboys?|schoolchild|schoolchildren|schoolkids?|
    little\ (?:girl|boy)s?|loli|lolis|lolita|lolitas|lolicon|shota|shotas|shotacon)\b
    |\b(?:ребён|ребен|дет(?:и|ей|ям|ьми|ях|ск)|малолет|несовершеннолет|школьни[цк]|девочк|девочек|
    мальчик|подрост|anak|bocah|balita)
"""
_SEXUAL = r"""
    \b(?:sex|sexy|sexual|sexually|sexuali[sz]ed|nudes?|nudity|naked|porn|porno|pornographic|
    pornography|erotic|erotica|nsfw|topless|lingerie|hentai)\b
    |\b(?:секс|гол(?:ая|ой|ую|ый|ого|ому|ым|ом|ое|ые|ых|ыми)\b|обнаж|порн|эроти|telanjang|bugil|
    seks|porno)
"""


def _of(words: str) -> re.Pattern[str]:
    return re.compile(words, re.IGNORECASE | re.VERBOSE)


_OF_MINORS, _OF_SEX = _of(_MINORS), _of(_SEXUAL)


def check(prompt: str) -> None:
    """Refuse a request for what is never made. What a negative prompt wants to avoid is no such
    request. Raises `ModerationBlocked`.
    """
    if _OF_MINORS.search(prompt) and _OF_SEX.search(prompt):
        raise ModerationBlocked(
            "We do not make sexual content about minors. Nothing was charged. Change the prompt.",
            param="prompt",
        )
