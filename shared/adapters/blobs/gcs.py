"""The blobs port on Cloud Storage.

Its library is imported when bytes are first moved or asked about: a function that only signs
addresses never pays for it.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, BinaryIO, ParamSpec, TypeVar

from shared.adapters.blobs import rules
from shared.adapters.blobs.gcs_addresses import GcsAddresses
from shared.adapters.blobs.gcs_and_s3 import PIECE_BYTES, pieces, ranged_reader
from shared.adapters.blobs.gcs_signers import Signer
from shared.errors import Unavailable
from shared.ports import BlobInfo, Clock, SignedUpload

ENDPOINT_URL = "https://storage.googleapis.com"
CALL_SECONDS = 20.0
RETRY_SECONDS = 20.0

P = ParamSpec("P")
T = TypeVar("T")


class GcsBlobs:
    """Objects of one bucket. `endpoint_url` names an emulator, which wants no credentials; calls
    that fail are repeated for `retry_seconds`."""

    def __init__(
        self,
        bucket: str,
        *,
        project: str,
        signer: Signer,
        clock: Clock,
        endpoint_url: str = "",
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._bucket_name = bucket
        self._project = project
        self._retry_seconds = retry_seconds
        self._endpoint_url = endpoint_url.rstrip("/")
        self._addresses = GcsAddresses(bucket, self._endpoint_url or ENDPOINT_URL, signer, clock)
        self._opening = threading.Lock()
        self._made: Any = None

    async def sign_upload(
        self, key: str, *, content_type: str, max_bytes: int, expires_seconds: int
    ) -> SignedUpload:
        """See the port."""
        return await self._addresses.upload(
            key, content_type=content_type, max_bytes=max_bytes, expires_seconds=expires_seconds
        )

    async def sign_download(self, key: str, *, filename: str | None, expires_seconds: int) -> str:
        """See the port."""
        return await self._addresses.download(
            key, filename=filename, expires_seconds=expires_seconds
        )

    async def put(
        self, key: str, chunks: AsyncIterator[bytes], *, content_type: str, max_bytes: int
    ) -> BlobInfo:
        """See the port."""
        rules.check_key(key)
        rules.check_content_type(content_type)
        if there := await self.head(key):
            return there
        made = await self._create(key, chunks, content_type, max_bytes)
        # None: an object was there first, perhaps our own after a lost reply. It is what counts.
        if found := made or await self.head(key):
            return found
        raise FileNotFoundError(f"{key} was deleted while it was being stored")

    async def head(self, key: str) -> BlobInfo | None:
        """See the port."""
        rules.check_key(key)
        blob = await _call(self._find, key)
        return blob and BlobInfo(key, blob.size, blob.content_type)

    async def delete(self, key: str) -> None:
        """See the port."""
        rules.check_key(key)
        await _call(self._delete, key)

    def open(self, key: str) -> BinaryIO:
        """See the port. It reads what was there at the opening, or nothing."""
        rules.check_key(key)
        with _translated():
            blob = self._find(key)
        if blob is None:
            raise FileNotFoundError(key)

        def fetch(start: int, end: int) -> bytes:
            with _translated():
                # A checksum is known of the whole object only.
                data: bytes = blob.download_as_bytes(
                    start=start, end=end - 1, checksum=None, **self._patience()
                )
                return data

        return ranged_reader(blob.size, fetch)

    async def close(self) -> None:
        """Close the connections."""
        if self._made:
            await asyncio.to_thread(self._made.client.close)
            self._made = None

    async def _create(
        self, key: str, chunks: AsyncIterator[bytes], content_type: str, max_bytes: int
    ) -> BlobInfo | None:
        """Store a stream, or None when there is an object already."""
        blob = (await _call(self._bucket)).blob(key)
        async with aclosing(pieces(chunks, max_bytes)) as parts:
            first = await anext(parts)
            try:
                create = {"if_generation_match": 0, **self._patience()}
                if len(first) < PIECE_BYTES:
                    await _call(blob.upload_from_string, first, content_type, **create)
                    return BlobInfo(key, len(first), content_type)
                create["content_type"] = content_type
                return BlobInfo(key, await _upload(blob, create, first, parts), content_type)
            except FileExistsError:
                return None

    def _bucket(self) -> Any:
        """Needs a thread: the import alone takes a fifth of a second."""
        with self._opening:
            if self._made is None:
                self._made = _open_bucket(self._bucket_name, self._project, self._endpoint_url)
            return self._made

    def _find(self, key: str) -> Any:
        return self._bucket().get_blob(key, **self._patience())

    def _delete(self, key: str) -> None:
        with contextlib.suppress(FileNotFoundError), _translated():
            self._bucket().delete_blob(key, **self._patience())

    def _patience(self) -> dict[str, Any]:
        """A create-only upload, a reading and a deletion may all be repeated."""
        from google.cloud.storage.retry import DEFAULT_RETRY  # type: ignore[import-untyped]

        return {"timeout": CALL_SECONDS, "retry": DEFAULT_RETRY.with_timeout(self._retry_seconds)}


def _open_bucket(name: str, project: str, endpoint_url: str) -> Any:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.storage import Client  # type: ignore[import-untyped]

    if not endpoint_url:
        return Client(project=project).bucket(name)
    client = Client(
        project=project,
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": endpoint_url},
    )
    return client.bucket(name)


async def _upload(
    blob: Any, create: dict[str, Any], first: bytes, rest: AsyncIterator[bytes]
) -> int:
    """Send pieces one after another; nothing is there before the last. Returns the size."""
    from shared.adapters.blobs.gcs_writer import Upload

    upload = Upload(blob, chunk_size=PIECE_BYTES, **create)
    size_bytes = len(first)
    try:
        await _call(upload.write, first)
        async for piece in rest:
            size_bytes += len(piece)
            await _call(upload.write, piece)
        await _call(upload.close)
    except BaseException:
        with contextlib.suppress(Exception):
            await asyncio.to_thread(upload.cancel)
        raise
    return size_bytes


async def _call(step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking call in a thread, with its errors translated there."""

    def run() -> T:
        with _translated():
            return step(*args, **kwargs)

    return await asyncio.to_thread(run)


@contextmanager
def _translated() -> Iterator[None]:
    """FileExistsError, FileNotFoundError and `Unavailable`; other errors are mistakes of ours."""
    import requests
    from google.api_core import exceptions as api
    from google.auth.exceptions import TransportError
    from google.cloud.storage.exceptions import (  # type: ignore[import-untyped]
        DataCorruption,
        InvalidResponse,
    )

    unreached = (requests.RequestException, TransportError, api.RetryError, DataCorruption)
    try:
        yield
    except unreached as error:
        raise Unavailable("The bucket cannot be reached now.") from error
    except api.GoogleAPICallError as error:
        raise _translation(error.code) from error
    except InvalidResponse as error:
        raise _translation(error.response.status_code) from error


def _translation(status: int | None) -> Exception:
    if status == 412:
        return FileExistsError("there is an object already")
    if status == 404:
        return FileNotFoundError("there is no such object")
    if status in (408, 429) or (status or 500) >= 500:
        return Unavailable("The bucket does not answer now.")
    return RuntimeError(f"the bucket answered {status}")
