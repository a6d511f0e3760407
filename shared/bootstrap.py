"""Settings become adapters, adapters become the App: the one module that knows both sides.

Adapters are imported where they are made, so that a process loads only what it uses.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared import catalogue, records
from shared.app import App
from shared.config import Settings, read_settings
from shared.ports import Http
from shared.usecases.tasks import queue_specs

if TYPE_CHECKING:
    from shared.adapters.providers.translator import Account

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
    from shared.adapters.media import PyavMedia
    from shared.adapters.providers.driver import Driver
    from shared.adapters.queue.embedded import EmbeddedQueue
    from shared.adapters.sqlite import Database
    from shared.adapters.store.sqlite import SqliteStore
    from shared.adapters.system import SystemClock, SystemIds

    folder = Path(settings.data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    database = Database(folder / "reelmint.db")
    models, clock = catalogue.load(), SystemClock()
    blobs = FolderBlobs(
        folder / "blobs",
        base_url=settings.public_url,
        secret=settings.blob_secret.encode(),
        clock=clock,
    )
    return App(
        settings=settings,
        catalogue=models,
        store=SqliteStore(database, records.INDEXES),
        queue=EmbeddedQueue(database, queue_specs(models), clock),
        blobs=blobs,
        media=PyavMedia(blobs),
        vendors=Driver(
            _sandbox_http(settings),
            {"sandbox": _sandbox_account(settings)},
            connect_seconds=settings.vendor_connect_seconds,
            total_seconds=settings.vendor_total_seconds,
        ),
        clock=clock,
        ids=SystemIds(),
    )


def _sandbox_http(settings: Settings) -> Http:
    """A socket that may reach the one private address where the sandbox vendor is."""
    from shared.adapters.http_client import HttpxClient

    address = urlsplit(settings.sandbox_url).netloc
    host = address.partition(":")[0]
    return HttpxClient(plain_hosts=[host], allowed_private=[address])


def _sandbox_account(settings: Settings) -> "Account":
    from shared.adapters.providers.translator import Account

    return Account(
        "sandbox",
        settings.sandbox_url,
        settings.sandbox_api_key,
        (settings.sandbox_webhook_secret,),
    )
