"""Runs the whole product on one port: `python -m infra.local` (PORT, DATA_DIR, and whatever
shared/config.py reads; VENDOR_SANDBOX_URL for a sandbox vendor that runs already;
VENDORS=simulated for simulators of all vendors).
"""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import uvicorn
import uvloop

from infra.local import accounts_file, secret_file
from infra.local.vendor_process import with_sandbox, with_simulated_vendors
from infra.local.web import local_web
from shared import bootstrap, logs
from shared.adapters.queue.embedded import EmbeddedQueue
from shared.app import App
from shared.config import BadSettings, Settings, read_settings
from shared.ports import Task, Verdict
from shared.usecases.open_pools import open_pools
from shared.usecases.run_task import run_task
from shared.usecases.sweep import sweep

_log = logging.getLogger("reelmint")


def main() -> int:
    """Serve until a signal."""
    logs.configure(logging.WARNING)
    folder = Path(os.environ.get("DATA_DIR", ".data"))
    try:
        with with_simulated_vendors(os.environ) as environment:
            settings = read_settings(environment, secret_file.read_or_make(folder))
            accounts_file.write(folder, environment)
            with with_sandbox(settings.accounts) as accounts:
                uvloop.run(_serve(replace(settings, accounts=accounts)))
    except (BadSettings, RuntimeError) as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 2
    return 0


async def _serve(settings: Settings) -> None:
    app = bootstrap.build(settings)
    bootstrap.provide(app)
    config = uvicorn.Config(
        local_web(app), host="127.0.0.1", port=settings.port, log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    async with _background(app):
        print(f"Reelmint is at {settings.public_url}", flush=True)
        await server.serve()


@asynccontextmanager
async def _background(app: App) -> AsyncIterator[None]:
    """The queue's deliveries and the scheduler, which the cloud runs for us."""
    assert isinstance(app.queue, EmbeddedQueue)

    async def deliver(task: Task) -> Verdict:
        return await run_task(app, task.name, task.payload)

    await open_pools(app)
    deliveries = asyncio.create_task(app.queue.run(deliver))
    sweeps = asyncio.create_task(_sweep_for_ever(app))
    try:
        yield
    finally:
        sweeps.cancel()
        await app.queue.stop()
        await deliveries


async def _sweep_for_ever(app: App) -> None:
    while True:
        try:
            await sweep(app)
        except Exception:  # noqa: BLE001  # a scheduler outlives whatever one run meets
            _log.exception("sweep failed, the next one follows")
        await asyncio.sleep(app.settings.sweep_seconds)


if __name__ == "__main__":
    sys.exit(main())
