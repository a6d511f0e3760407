"""A resumable upload that can be given up. Imports the library of Cloud Storage.

The library's own writer cannot: collected as garbage it closes itself, which makes an object of
half a stream, and its `terminate` asks the wrong address.
"""

from typing import Any

from google.cloud.storage.fileio import BlobWriter  # type: ignore[import-untyped]

CANCEL_SECONDS = 5.0


class Upload(BlobWriter):  # type: ignore[misc]  # it has no types
    """Nothing is there before `close`, and nothing ever is after `cancel` or without either."""

    def __init__(self, blob: Any, **settings: Any) -> None:
        # Set first: whatever fails in here leaves something that can be collected.
        self._upload_and_transport: tuple[Any, Any] | None = None
        super().__init__(blob, **settings)

    def __del__(self) -> None:
        """Does not close, as a file would."""

    def cancel(self) -> None:
        """Tell Cloud Storage to forget it; by itself it does after a week, and costs nothing."""
        if self._upload_and_transport:
            upload, transport = self._upload_and_transport
            transport.delete(upload.resumable_url, timeout=CANCEL_SECONDS)
