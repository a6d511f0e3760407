"""Let a user bring a picture: a signed address first, a check by decoding before it can be used."""

from dataclasses import dataclass, replace

from shared import accounts, records
from shared.app import App
from shared.errors import ImageTooLarge, InvalidRequest, NotFound, UnsupportedImage
from shared.ports import BadMedia, BlobInfo, Create, Documents, Put, SignedUpload, Write
from shared.uploads import IMAGE_MAX_BYTES, IMAGE_TYPES, Upload
from shared.usecases.read_session import Session, check_session

MESSAGES = {
    "not_an_image": "This file is not a picture that can be opened. Choose a JPEG, PNG or WebP.",
    "unsupported_image_type": "Only JPEG, PNG and WebP pictures are taken. Save it as one of them.",
    "image_too_many_pixels": "This picture has too many pixels. Keep it under 40 megapixels.",
    "image_too_large": "This picture is over 10 MB. Choose a smaller file.",
}


@dataclass(frozen=True, slots=True)
class Added:
    """A picture that is expected, and where to send it."""

    upload: Upload
    address: SignedUpload


async def add_upload(
    app: App, session: Session, filename: str, content_type: str, size_bytes: int
) -> Added:
    """Expect one picture. Raises `ImageTooLarge`, `UnsupportedImage`, `InvalidRequest`,
    `RateLimited`.
    """
    if size_bytes > IMAGE_MAX_BYTES:
        raise ImageTooLarge(MESSAGES["image_too_large"], param="size_bytes")
    if size_bytes < 1:
        raise InvalidRequest("The file is empty.", param="size_bytes")
    if content_type not in IMAGE_TYPES:
        raise UnsupportedImage(MESSAGES["unsupported_image_type"], param="content_type")
    now_ms = app.clock.now_ms()
    upload = Upload(
        f"img_{app.ids.token()}", session.user_id, filename, content_type, "pending", now_ms
    )
    await _count(app, session, upload)
    address = await app.blobs.sign_upload(
        upload.original_key,
        content_type=content_type,
        max_bytes=IMAGE_MAX_BYTES,
        expires_seconds=app.settings.upload_seconds,
    )
    return Added(upload, address)


async def check_upload(app: App, session: Session, image_id: str) -> Upload:
    """The picture as it stands; one that has arrived is checked now. Raises `NotFound`."""
    key = records.upload_key(image_id)
    upload = records.upload((await app.store.get([key]))[key])
    if upload is None or upload.user_id != session.user_id:
        raise NotFound("There is no such picture.")
    original = await app.blobs.head(upload.original_key) if upload.state == "pending" else None
    if original is None:
        return upload
    try:
        checked = await _checked(app, upload, original)
    except FileNotFoundError:
        # Another check was faster and has removed the original.
        return records.upload((await app.store.get([key]))[key]) or upload

    def decide(documents: Documents) -> list[Write]:
        current = records.upload(documents[key])
        assert current is not None
        return [Put(key, records.upload_data(checked))] if current.state == "pending" else []

    after = records.upload((await app.store.transact([key], decide))[key])
    assert after is not None
    await app.blobs.delete(upload.original_key)
    return after


async def _count(app: App, session: Session, upload: Upload) -> None:
    rate_key, account_key = (
        records.upload_rate_key(session.user_id),
        records.account_key(session.user_id),
    )
    upload_key, now_ms = records.upload_key(upload.id), upload.created_at_ms

    def decide(documents: Documents) -> list[Write]:
        check_session(session, documents[account_key])
        if documents[upload_key].data is not None:
            return []
        times_ms = records.upload_times_ms(documents[rate_key], since_ms=now_ms - 60_000)
        accounts.check_rate(times_ms, app.settings.uploads_per_minute, now_ms, "uploads")
        return [
            records.put_upload_times(session.user_id, [*times_ms, now_ms]),
            Create(upload_key, records.upload_data(upload)),
        ]

    await app.store.transact([rate_key, account_key, upload_key], decide)


async def _checked(app: App, upload: Upload, original: BlobInfo) -> Upload:
    if original.size_bytes > IMAGE_MAX_BYTES:  # not every bucket bounds what is sent to it
        return _rejected(upload, "image_too_large")
    try:
        info = await app.media.clean_picture(upload.original_key, upload.clean_key)
    except BadMedia as bad:
        return _rejected(upload, bad.code)
    return replace(upload, state="ready", width=info.width, height=info.height)


def _rejected(upload: Upload, code: str) -> Upload:
    return replace(upload, state="rejected", error_code=code, error_message=MESSAGES[code])
