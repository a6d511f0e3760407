"""Settings become adapters, adapters become the App: the one module that knows both sides.

Adapters are imported where they are made, so that a process loads only what it uses.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared import callers
from shared.app import App
from shared.config import LOCAL, BadSettings, Settings, read_settings
from shared.models import Catalogue
from shared.ports import Blobs, Clock, Http, Queue
from shared.usecases.tasks import queue_specs

if TYPE_CHECKING:
    from shared.adapters.blobs.gcs_signers import Signer
    from shared.adapters.providers.translator import Account

# What each deployed function uses; the rest is neither imported nor there.
USES: Mapping[str, frozenset[str]] = {
    "account": frozenset({"store"}),
    "create_job": frozenset({"store", "queue", "blobs"}),
    "job_status": frozenset({"store", "blobs"}),
    "provider_webhook": frozenset({"queue"}),
    "run_task": frozenset({"callers", "store", "queue", "blobs", "media"}),
    "sweep": frozenset({"callers", "store", "queue"}),
    "uploads": frozenset({"store", "blobs", "media"}),
}

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
    return _build_local(settings) if settings.profile == LOCAL else _build_cloud(settings)


def _build_local(settings: Settings) -> App:
    """SQLite, a folder, and the sandbox vendor."""
    from shared import catalogue, records
    from shared.adapters.blobs.folder import FolderBlobs
    from shared.adapters.media import PyavMedia
    from shared.adapters.queue.embedded import EmbeddedQueue
    from shared.adapters.sqlite import Database
    from shared.adapters.store.sqlite import SqliteStore
    from shared.adapters.system import SystemClock, SystemIds

    folder = Path(settings.data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    database = Database(folder / "reelmint.db")
    models, clock = catalogue.load(settings.accounts), SystemClock()
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
        vendors=_vendors(settings, _http(settings), clock),
        clock=clock,
        ids=SystemIds(),
    )


def _build_cloud(settings: Settings) -> App:
    """Firestore, Cloud Tasks and a bucket: as much of it as this function uses."""
    from shared.adapters.http_later import HttpLater
    from shared.adapters.system import SystemClock, SystemIds

    uses = USES[settings.function_target]
    if "callers" in uses:
        _know_google(settings)
    clock, models = SystemClock(), _catalogue(settings)
    http = HttpLater(lambda: _http(settings))
    blobs = _bucket(settings, clock) if "blobs" in uses else _unused("blobs")
    return App(
        settings=settings,
        catalogue=models,
        store=_firestore(settings) if "store" in uses else _unused("store"),
        queue=_cloud_tasks(settings, models) if "queue" in uses else _unused("queue"),
        blobs=blobs,
        media=_media(blobs) if "media" in uses else _unused("media"),
        vendors=_vendors(settings, http, clock),
        clock=clock,
        ids=SystemIds(),
    )


def _catalogue(settings: Settings) -> Catalogue:
    """A function without documents sells nothing, and starts without pydantic."""
    if "store" not in USES[settings.function_target]:
        return Catalogue({}, {}, "")
    from shared import catalogue

    return catalogue.load(settings.accounts)


def _vendors(settings: Settings, http: Http, clock: Clock) -> Any:
    from shared.adapters.providers.driver import Driver

    return Driver(
        http,
        _accounts(settings),
        clock,
        connect_seconds=settings.vendor_connect_seconds,
        total_seconds=settings.vendor_total_seconds,
    )


def _accounts(settings: Settings) -> Mapping[str, "Account"]:
    """Our accounts with vendors, by name. Raises `BadSettings` for a vendor that we do not know."""
    from shared.adapters import providers
    from shared.adapters.providers.translator import Account

    unknown = [each.name for each in settings.accounts if each.provider not in providers.NAMES]
    if unknown:
        raise BadSettings(f"there is no vendor for the accounts {', '.join(unknown)}")
    return {
        each.name: Account(
            each.name,
            each.provider,
            each.url or providers.load(each.provider).base_url,
            each.key,
            each.webhook_secrets,
            each.hosts,
        )
        for each in settings.accounts
    }


def _http(settings: Settings) -> Http:
    """A socket that reaches public addresses, and vendors that run on this machine."""
    from shared.adapters.http_client import HttpxClient

    urls = [urlsplit(account.base_url) for account in _accounts(settings).values()]
    own = [url.netloc for url in urls if url.scheme == "http"]
    hosts = {address.partition(":")[0] for address in own}
    return HttpxClient(plain_hosts=hosts, allowed_private=own)


def _firestore(settings: Settings) -> Any:
    from shared import records
    from shared.adapters.store.firestore import FirestoreStore

    return FirestoreStore(
        settings.google_project,
        settings.firestore_database,
        indexes=records.INDEXES,
        emulator=settings.firestore_emulator_host,
    )


def _media(blobs: Blobs) -> Any:
    from shared.adapters.media import PyavMedia

    return PyavMedia(blobs)


def _cloud_tasks(settings: Settings, models: Catalogue) -> Queue:
    """The webhook starts light: it speaks REST, where the others have gRPC loaded anyway."""
    place = settings.google_project, settings.google_region
    caller = settings.tasks_url, settings.tasks_service_account
    specs = queue_specs(models)
    if "store" not in USES[settings.function_target]:
        from shared.adapters.queue.cloud_tasks_rest import CloudTasksRest

        return CloudTasksRest(*place, specs, *caller, emulator=settings.tasks_emulator)
    from shared.adapters.queue.cloud_tasks import CloudTasksQueue

    return CloudTasksQueue(*place, specs, *caller, emulator=settings.tasks_emulator)


def _know_google(settings: Settings) -> None:
    """Internal callers prove who they are by tokens that Google signed."""
    from shared.adapters.google_callers import GoogleCallers

    callers.provide(GoogleCallers(settings.identity_issuer, settings.identity_keys_url))


def _bucket(settings: Settings, clock: Clock) -> Blobs:
    if settings.blobs == "s3":
        from shared.adapters.blobs.s3 import S3Blobs

        return S3Blobs(
            settings.bucket,
            clock=clock,
            region=settings.blobs_region,
            endpoint_url=settings.blobs_endpoint_url,
            access_key=settings.blobs_access_key,
            secret_key=settings.blobs_secret_key,
        )
    from shared.adapters.blobs.gcs import GcsBlobs

    return GcsBlobs(
        settings.bucket,
        project=settings.google_project,
        signer=_signer(settings, clock),
        clock=clock,
        endpoint_url=settings.blobs_endpoint_url,
    )


def _signer(settings: Settings, clock: Clock) -> "Signer":
    """A key file where there is one; elsewhere the platform signs for our service account."""
    from shared.adapters.blobs.gcs_signers import IamSigner, KeyFileSigner

    if settings.signing_key_file:
        return KeyFileSigner(Path(settings.signing_key_file))
    return IamSigner(settings.signing_service_account, clock)


class _Unused:
    """A port that this function does not have. Touching it is a mistake in `USES`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"this function does not use {self._name}; see bootstrap.USES")


def _unused(name: str) -> Any:
    return _Unused(name)
