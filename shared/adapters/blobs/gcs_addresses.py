"""Signed addresses of one bucket: what each allows, and the ones given out a moment ago.

In the cloud every signature is a call of IAM, and a page that polls asks for one address again and
again; so an address for reading is given out again while it is fresh.
"""

from collections import OrderedDict

from shared.adapters.blobs import rules
from shared.adapters.blobs.gcs_and_s3 import attachment
from shared.adapters.blobs.gcs_signers import Signer
from shared.adapters.blobs.gcs_signing import Request, prepare
from shared.ports import Clock, SignedUpload

REMEMBERED_SECONDS = 60
REMEMBERED_MAX = 1_000
# An address that is given out again has lost at most this part of the time that was asked for.
_LIFE_PARTS = 10


class GcsAddresses:
    """Signs for the objects of `bucket` at `endpoint_url`."""

    def __init__(self, bucket: str, endpoint_url: str, signer: Signer, clock: Clock) -> None:
        self._bucket = bucket
        self._endpoint_url = endpoint_url
        self._signer = signer
        self._clock = clock
        self._given: OrderedDict[tuple[str, str | None, int], tuple[int, str]] = OrderedDict()

    async def upload(
        self, key: str, *, content_type: str, max_bytes: int, expires_seconds: int
    ) -> SignedUpload:
        """See `ports.Blobs.sign_upload`. Cloud Storage itself checks all three headers."""
        rules.check_key(key)
        rules.check_content_type(content_type)
        rules.check_expires(expires_seconds)
        headers = {
            "content-type": content_type,
            "x-goog-content-length-range": f"0,{max_bytes}",
            "x-goog-if-generation-match": "0",
        }
        request = Request("PUT", self._endpoint_url, self._bucket, key, headers)
        at_seconds = self._clock.now_ms() // 1000
        url = await self._sign(request, at_seconds, expires_seconds)
        return SignedUpload("PUT", url, headers, (at_seconds + expires_seconds) * 1000)

    async def download(self, key: str, *, filename: str | None, expires_seconds: int) -> str:
        """See `ports.Blobs.sign_download`."""
        rules.check_key(key)
        rules.check_expires(expires_seconds)
        query = {}
        if filename is not None:
            rules.check_filename(filename)
            query["response-content-disposition"] = attachment(filename)
        now_ms = self._clock.now_ms()
        wanted = (key, filename, expires_seconds)
        until_ms, url = self._given.get(wanted, (0, ""))
        if now_ms < until_ms:
            return url
        request = Request("GET", self._endpoint_url, self._bucket, key, query=query)
        url = await self._sign(request, now_ms // 1000, expires_seconds)
        fresh_seconds = min(REMEMBERED_SECONDS, expires_seconds // _LIFE_PARTS)
        self._remember(wanted, now_ms + fresh_seconds * 1000, url)
        return url

    def _remember(self, wanted: tuple[str, str | None, int], until_ms: int, url: str) -> None:
        self._given[wanted] = (until_ms, url)
        self._given.move_to_end(wanted)
        if len(self._given) > REMEMBERED_MAX:
            self._given.popitem(last=False)

    async def _sign(self, request: Request, at_seconds: int, expires_seconds: int) -> str:
        unsigned = prepare(
            request,
            email=self._signer.email,
            at_seconds=at_seconds,
            expires_seconds=expires_seconds,
        )
        return unsigned.signed(await self._signer.sign(unsigned.message))
