"""Runs the product as it is deployed: `python -m infra.cloud_local` (settings as for infra.local).

Firestore's emulator keeps nothing when it stops: accounts and jobs end with this process.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import uvicorn
import uvloop

from infra.cloud_local import OPERATOR_SETTINGS
from infra.cloud_local.emulators import SCHEDULER_ACCOUNT, Stack, emulators
from infra.cloud_local.processes import Processes
from infra.cloud_local.router import router
from infra.emulators.cloud_tasks_identity import ISSUER, Identity, read_or_make_key
from infra.emulators.firestore import NoEmulator
from infra.emulators.scheduler import call_every
from shared import logs
from shared.config import SHORT_TIMERS, BadSettings


def main() -> int:
    """Serve until a signal."""
    logs.configure()
    # The server raises the signal again when it has stopped, and the functions are to stop too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(os.environ.get("DATA_DIR", ".data-cloud"))
    port = int(os.environ.get("PORT", "8080"))
    public_url = f"http://127.0.0.1:{port}"
    try:
        with emulators(folder, public_url, os.environ) as stack:
            _serve(stack, folder, port)
    except KeyboardInterrupt:
        return 0
    except (BadSettings, NoEmulator) as problem:
        print(f"cannot start: {problem}", file=sys.stderr)
        return 2
    return 0


def _serve(stack: Stack, folder: Path, port: int) -> None:
    # Of the one that has a store and a queue, and no vendor's key.
    told = next(spec.environment for spec in stack.functions if spec.name == "sweep")
    (folder / OPERATOR_SETTINGS).write_text(json.dumps(dict(told)))
    processes = Processes(stack.functions)
    try:
        processes.wait_until_ready()
        uvloop.run(_route(stack, processes, port))
    finally:
        processes.stop()


async def _route(stack: Stack, processes: Processes, port: int) -> None:
    urls = {spec.name: spec.url for spec in stack.functions}
    app = router(urls, processes, stack.sandbox_url, stack.storage_url)
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False)
    identity = Identity(read_or_make_key(stack.key_file), ISSUER)
    seconds = float(os.environ.get("SWEEP_SECONDS", SHORT_TIMERS["sweep_seconds"]))
    sweep_url = stack.url("sweep")
    sweeps = asyncio.create_task(
        call_every(seconds, f"{sweep_url}/cron/sweep", identity, SCHEDULER_ACCOUNT, sweep_url)
    )
    print(f"Reelmint is at http://127.0.0.1:{port}, one process per function", flush=True)
    try:
        await uvicorn.Server(config).serve()
    finally:
        sweeps.cancel()


if __name__ == "__main__":
    sys.exit(main())
