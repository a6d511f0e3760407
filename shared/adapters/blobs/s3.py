"""The blobs port on S3 and on storage that speaks like it, MinIO among others.

A signed upload is create-only and has its content type, but S3 cannot bound its length: whoever
checks an upload must compare its size. boto3 is imported at first use.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, BinaryIO, ParamSpec, TypeVar

from shared.adapters.blobs import rules
from shared.adapters.blobs.gcs_and_s3 import PIECE_BYTES, attachment, pieces, ranged_reader
from shared.errors import Unavailable
from shared.ports import BlobInfo, Clock, SignedUpload

CONNECT_SECONDS = 5.0
CALL_SECONDS = 30.0
ATTEMPTS_MAX = 4

P = ParamSpec("P")
T = TypeVar("T")


class S3Blobs:
    """Objects of one bucket. `endpoint_url` names storage other than S3 itself; without keys, boto3
    finds its own as it always does."""

    def __init__(
        self,
        bucket: str,
        *,
        clock: Clock,
        region: str = "",
        endpoint_url: str = "",
        access_key: str = "",
        secret_key: str = "",
    ) -> None:
        self._bucket = bucket
        self._clock = clock
        self._settings = {
            "region_name": region or None,
            "endpoint_url": endpoint_url or None,
            "aws_access_key_id": access_key or None,
            "aws_secret_access_key": secret_key or None,
        }
        self._opening = threading.Lock()
        self._made: Any = None

    async def sign_upload(
        self, key: str, *, content_type: str, max_bytes: int, expires_seconds: int
    ) -> SignedUpload:
        """See the port; but nothing at S3 holds the bearer to `max_bytes`."""
        rules.check_key(key)
        rules.check_content_type(content_type)
        rules.check_expires(expires_seconds)
        expires_at_ms = self._clock.now_ms() + expires_seconds * 1000
        what = {"Key": key, "ContentType": content_type, "IfNoneMatch": "*"}
        url = await _call(self._presign, "put_object", what, expires_seconds)
        headers = {"content-type": content_type, "if-none-match": "*"}
        return SignedUpload("PUT", url, headers, expires_at_ms)

    async def sign_download(self, key: str, *, filename: str | None, expires_seconds: int) -> str:
        """See the port."""
        rules.check_key(key)
        rules.check_expires(expires_seconds)
        what = {"Key": key}
        if filename is not None:
            rules.check_filename(filename)
            what["ResponseContentDisposition"] = attachment(filename)
        return await _call(self._presign, "get_object", what, expires_seconds)

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
        try:
            reply = await _call(self._head, key)
        except FileNotFoundError:
            return None
        return BlobInfo(key, reply["ContentLength"], reply["ContentType"])

    async def delete(self, key: str) -> None:
        """See the port."""
        rules.check_key(key)
        await _call(lambda: self._client().delete_object(Bucket=self._bucket, Key=key))

    def open(self, key: str) -> BinaryIO:
        """See the port. It reads what was there at the opening, or fails."""
        rules.check_key(key)
        with _translated():
            there = self._head(key)

        def fetch(start: int, end: int) -> bytes:
            with _translated():
                reply = self._client().get_object(
                    Bucket=self._bucket, Key=key, Range=f"bytes={start}-{end - 1}"
                )
                if reply["ETag"] != there["ETag"]:
                    raise FileNotFoundError(f"{key} is another object by now")
                with reply["Body"] as body:
                    data: bytes = body.read()
                return data

        return ranged_reader(there["ContentLength"], fetch)

    async def close(self) -> None:
        """Close the connections."""
        if self._made:
            await asyncio.to_thread(self._made.close)
            self._made = None

    async def _create(
        self, key: str, chunks: AsyncIterator[bytes], content_type: str, max_bytes: int
    ) -> BlobInfo | None:
        """Store a stream, or None when there is an object already."""
        place = {"Bucket": self._bucket, "Key": key}
        client = await _call(self._client)
        async with aclosing(pieces(chunks, max_bytes)) as parts:
            first = await anext(parts)
            try:
                if len(first) < PIECE_BYTES:
                    about = {"ContentType": content_type, "IfNoneMatch": "*"}
                    await _call(client.put_object, **place, **about, Body=first)
                    return BlobInfo(key, len(first), content_type)
                begun = await _call(
                    client.create_multipart_upload, **place, ContentType=content_type
                )
                place["UploadId"] = begun["UploadId"]
                size_bytes = await _upload_parts(client, place, first, parts)
                return BlobInfo(key, size_bytes, content_type)
            except FileExistsError:
                return None

    def _client(self) -> Any:
        """Needs a thread: the import and the client take a third of a second."""
        with self._opening:
            if self._made is None:
                self._made = _open_client(self._settings)
            return self._made

    def _head(self, key: str) -> Any:
        return self._client().head_object(Bucket=self._bucket, Key=key)

    def _presign(self, method: str, what: dict[str, str], expires_seconds: int) -> str:
        url: str = self._client().generate_presigned_url(
            method, Params={"Bucket": self._bucket, **what}, ExpiresIn=expires_seconds
        )
        return url


def _open_client(settings: dict[str, str | None]) -> Any:
    import boto3  # type: ignore[import-untyped]
    from botocore.config import Config  # type: ignore[import-untyped]

    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path" if settings["endpoint_url"] else "virtual"},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=CALL_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS_MAX},
        # Otherwise a signed upload carries the checksum of no bytes, and fails with any.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.session.Session().client("s3", config=config, **settings)


async def _upload_parts(
    client: Any, place: dict[str, str], first: bytes, rest: AsyncIterator[bytes]
) -> int:
    """Send pieces one after another; nothing is there before the end. Returns the size."""
    tags: list[dict[str, Any]] = []

    async def send(piece: bytes) -> int:
        number = len(tags) + 1
        sent = await _call(client.upload_part, **place, PartNumber=number, Body=piece)
        tags.append({"PartNumber": number, "ETag": sent["ETag"]})
        return len(piece)

    try:
        size_bytes = await send(first)
        async for piece in rest:
            if piece:
                size_bytes += await send(piece)
        whole = {"Parts": tags}
        await _call(
            client.complete_multipart_upload, **place, MultipartUpload=whole, IfNoneMatch="*"
        )
    except BaseException:
        # Parts of an unfinished upload are paid for until they are dropped.
        with contextlib.suppress(Exception):
            await asyncio.to_thread(client.abort_multipart_upload, **place)
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
    from botocore.exceptions import (  # type: ignore[import-untyped]
        ClientError,
        ConnectionError,  # noqa: A004  # not the built-in one
        HTTPClientError,
        IncompleteReadError,
    )

    try:
        yield
    except (ConnectionError, HTTPClientError, IncompleteReadError) as error:
        raise Unavailable("The bucket cannot be reached now.") from error
    except ClientError as error:
        about = error.response
        raise _translation(
            about["ResponseMetadata"]["HTTPStatusCode"], about["Error"].get("Code", "")
        ) from error


def _translation(status: int, code: str) -> Exception:
    if status == 412:
        return FileExistsError("there is an object already")
    if status == 404:
        return FileNotFoundError("there is no such object")
    # 409: two uploads of one object ended at once, and neither may have won.
    if status in (408, 409, 429) or status >= 500:
        return Unavailable("The bucket does not answer now.")
    return RuntimeError(f"the bucket answered {status} {code}")
