"""Settings become adapters, adapters become the App: the one module that knows both sides.

Adapters are imported where they are made, so that a process loads only what it uses.
"""

import os
from pathlib import Path

from shared import catalogue, records
from shared.app import App
from shared.config import Settings, read_settings
from shared.usecases.tasks import queue_specs

_current: App | None = None


def app() -> App:
    """This process's App, made from the environment on first use."""
    global _current  # noqa: PLW0603  # one process, one App: the runtime gives no place to hand it in
    if _current is None:
        _current = build(read_settings(os.environ))
    return _current


def provide(app: App | None) -> None:
    """Use this App from now on: the local runner and tests bring their own."""
    global _current  # noqa: PLW0603
    _current = app


def build(settings: Settings) -> App:
    """The ports that the profile asks for."""
    assert settings.profile == "local", "the cloud's adapters are not there yet"
    return _build_local(settings)


def _build_local(settings: Settings) -> App:
    """SQLite, a folder, and the sandbox vendor."""
    from shared.adapters.blobs.folder import FolderBlobs
    from shared.adapters.http_client import HttpxClient
    from shared.adapters.media import PyavMedia
    from shared.adapters.providers.driver import Driver
    from shared.adapters.providers.translator import Account
    from shared.adapters.queue.embedded import EmbeddedQueue
    from shared.adapters.sqlite import Database
    from shared.adapters.store.sqlite import SqliteStore
    from shared.adapters.system import SystemClock, SystemIds

    folder = Path(settings.data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    database = Database(folder / "reelmint.db")
    models = catalogue.load()
    blobs = FolderBlobs(folder / "blobs", base_url=settings.public_url, secret=settings.blob_secret)
    http = HttpxClient()
    accounts = {
        "sandbox": Account(
            "sandbox",
            settings.sandbox_url,
            settings.sandbox_api_key,
            (settings.sandbox_webhook_secret,),
        )
    }
    return App(
        settings=settings,
        catalogue=models,
        store=SqliteStore(database, records.INDEXES),
        queue=EmbeddedQueue(database, queue_specs(models)),
        blobs=blobs,
        media=PyavMedia(blobs),
        vendors=Driver(http, accounts),
        clock=SystemClock(),
        ids=SystemIds(),
    )
