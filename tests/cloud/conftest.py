"""An App on the Firestore emulator, one step at a time."""

import dataclasses
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared import catalogue, records
from shared.adapters.blobs.folder import FolderBlobs
from shared.adapters.store.firestore import FirestoreStore
from shared.adapters.system import SystemClock, SystemIds
from shared.app import App
from shared.config import read_settings
from shared.jobs import Job, Settings
from shared.usecases.create_job import create_job
from shared.usecases.open_pools import open_pools
from shared.usecases.price_job import CreateJob
from shared.usecases.read_session import Session
from shared.usecases.run_task import run_task
from shared.usecases.sign_in_local import sign_in_local
from tests import emulators
from tests.cloud.rpc_counter import RpcCounter
from tests.cloud.stand_ins import InstantVendor, RememberedQueue, TrustingMedia

SECRET = "s" * 32


@dataclass
class Counted:
    """An App on Firestore, and how often it calls."""

    app: App
    queue: RememberedQueue
    rpcs: RpcCounter
    session: Session

    async def create(self) -> Job:
        """One new job with a free slot."""
        command = CreateJob(
            self.session, "sandbox-video", "a red fox", Settings(), {}, idempotency_key="k"
        )
        return await create_job(self.app, command)

    async def run(self, name: str) -> None:
        """The oldest task of this name."""
        task = self.queue.taken(name)
        assert await run_task(self.app, task.name, task.payload) == "done"


@pytest.fixture
async def counted(tmp_path: Path) -> AsyncIterator[Counted]:
    rpcs, queue, clock = RpcCounter(), RememberedQueue(), SystemClock()
    store = FirestoreStore(
        f"test-{secrets.token_hex(6)}",
        indexes=records.INDEXES,
        emulator=emulators.firestore(),
        interceptors=rpcs.interceptors,
    )
    names = ("session", "quote", "hook", "blob", "task")
    settings = read_settings({}, {f"{name}_secret": SECRET for name in names})
    app = App(
        settings=dataclasses.replace(settings, data_dir=str(tmp_path)),
        catalogue=catalogue.load(),
        store=store,
        queue=queue,
        blobs=FolderBlobs(tmp_path, base_url="http://x", secret=b"s" * 32, clock=clock),
        media=TrustingMedia(),
        vendors=InstantVendor(),
        clock=clock,
        ids=SystemIds(),
    )
    await open_pools(app)
    owner = await sign_in_local(app, "ana@example.test", "en")
    queue.tasks.clear()
    rpcs.take()
    yield Counted(app, queue, rpcs, Session(owner.account.id, 1))
    await store.close()
