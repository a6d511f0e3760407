"""The public keys of vendors that sign with private ones, read from where they publish them.

They are kept for a day; a webhook that no known key has signed makes us look again, at most once a
minute, whether or not it could be read then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from shared.adapters.providers._replies import json_object, objects_in
from shared.errors import Unavailable, VendorUnknown
from shared.ports import Clock, Http, HttpLimits, HttpRequest, NoReply, NotSent

KEPT_MS = 24 * 3600 * 1000
AGAIN_AFTER_MS = 60_000
KEYS_MAX = 32
_SET_BYTES_MAX = 200_000

PublicKeys = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class _Known:
    keys: PublicKeys
    read_at_ms: int


class KeySets:
    """What every address holds, remembered."""

    def __init__(
        self, http: Http, clock: Clock, connect_seconds: float, total_seconds: float
    ) -> None:
        self._http = http
        self._clock = clock
        self._connect_seconds = connect_seconds
        self._total_seconds = total_seconds
        self._known: dict[str, _Known] = {}
        self._failed_at_ms: dict[str, int] = {}

    async def keys(self, url: str) -> PublicKeys:
        """The keys as they are known, or read now. Raises `Unavailable`."""
        return await self._newer_than(url, KEPT_MS)

    async def keys_anew(self, url: str) -> PublicKeys:
        """The keys as they are now, unless they were read a moment ago. Raises `Unavailable`."""
        return await self._newer_than(url, AGAIN_AFTER_MS)

    async def _newer_than(self, url: str, age_ms: int) -> PublicKeys:
        known, now_ms = self._known.get(url), self._clock.monotonic_ms()
        if known is not None and now_ms - known.read_at_ms < age_ms:
            return known.keys
        if now_ms - self._failed_at_ms.get(url, -AGAIN_AFTER_MS) < AGAIN_AFTER_MS:
            raise Unavailable("The vendor's keys could not be read a moment ago.")
        try:
            keys = await self._read(url)
        except Unavailable:
            self._failed_at_ms[url] = now_ms
            raise
        self._known[url] = _Known(keys, now_ms)
        return keys

    async def _read(self, url: str) -> PublicKeys:
        host = urlsplit(url).hostname or ""
        limits = HttpLimits((host,), self._connect_seconds, self._total_seconds, _SET_BYTES_MAX)
        try:
            reply = await self._http.send(HttpRequest("GET", url), limits)
            if reply.status != 200:
                raise Unavailable("The vendor's keys cannot be read now.")
            return tuple(objects_in(json_object(reply.body), "keys"))[:KEYS_MAX]
        except (NotSent, NoReply, VendorUnknown) as error:
            raise Unavailable("The vendor's keys cannot be read now.") from error
