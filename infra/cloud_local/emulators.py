"""Everything of Google's that the functions need, and the settings that point them at it."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.cloud_local.processes import FunctionSpec
from infra.emulators.cloud_tasks import Place, cloud_tasks_emulator
from infra.emulators.cloud_tasks_identity import ISSUER
from infra.emulators.firestore import firestore_emulator
from infra.emulators.storage import storage_emulator
from infra.local import secret_file
from infra.local.vendor_process import free_port, sandbox
from infra.routes import FUNCTIONS
from shared import catalogue
from shared.bootstrap import USES
from shared.config import SHORT_TIMERS

PROJECT = "reelmint-local"
REGION = "europe-west1"
BUCKET = "reelmint-media"
TASKS_ACCOUNT = f"tasks@{PROJECT}.iam.gserviceaccount.com"
SCHEDULER_ACCOUNT = f"scheduler@{PROJECT}.iam.gserviceaccount.com"


@dataclass(frozen=True, slots=True)
class Stack:
    """The running emulators, and what each function has to be told."""

    functions: list[FunctionSpec]
    sandbox_url: str
    storage_url: str
    tasks: Place
    key_file: Path

    def url(self, function: str) -> str:
        """A function's own address."""
        return next(spec.url for spec in self.functions if spec.name == function)


@contextmanager
def emulators(folder: Path, public_url: str, environment: Mapping[str, str]) -> Iterator[Stack]:
    """Start them all; `environment` may set timers and limits, and a sandbox of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    own = secret_file.read_or_make(folder)
    key_file = folder / "tasks-key.pem"
    with ExitStack() as stack:
        firestore = stack.enter_context(firestore_emulator())
        tasks = stack.enter_context(
            cloud_tasks_emulator(PROJECT, REGION, data=folder / "tasks.db", key=key_file)
        )
        signing_key = folder / "signing-key.json"
        storage = stack.enter_context(
            storage_emulator(folder / "objects", signing_key, [public_url])
        )
        vendor_keys = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        sandbox_url = environment.get("SANDBOX_URL") or stack.enter_context(
            sandbox(catalogue.load(), *vendor_keys)
        )
        ports = {name: free_port() for name in FUNCTIONS}
        told = {
            **{name.upper(): str(value) for name, value in SHORT_TIMERS.items()},
            **environment,
            **{name.upper(): value for name, value in own.items()},
            "PROFILE": "cloud",
            "SIGN_IN": "local",
            "PUBLIC_URL": public_url,
            "GOOGLE_PROJECT": PROJECT,
            "GOOGLE_REGION": REGION,
            "FIRESTORE_EMULATOR_HOST": firestore,
            "TASKS_URL": f"http://127.0.0.1:{ports['run_task']}",
            "TASKS_SERVICE_ACCOUNT": TASKS_ACCOUNT,
            "SWEEP_URL": f"http://127.0.0.1:{ports['sweep']}",
            "SCHEDULER_SERVICE_ACCOUNT": SCHEDULER_ACCOUNT,
            "IDENTITY_ISSUER": ISSUER,
            "IDENTITY_KEYS_URL": tasks.keys_url,
            "BLOBS": "gcs",
            "BUCKET": BUCKET,
            "BLOBS_ENDPOINT_URL": storage,
            "SIGNING_KEY_FILE": str(signing_key),
            "SANDBOX_URL": sandbox_url,
        }
        if "SANDBOX_URL" not in environment:
            told |= {"SANDBOX_API_KEY": vendor_keys[0], "SANDBOX_WEBHOOK_SECRET": vendor_keys[1]}
        functions = [
            FunctionSpec(name, port, _told(name, told, tasks)) for name, port in ports.items()
        ]
        yield Stack(functions, sandbox_url, storage, tasks, key_file)


def _told(name: str, told: Mapping[str, str], tasks: Place) -> Mapping[str, str]:
    """The webhook's queue speaks REST, the others' gRPC: an emulator has an address for each."""
    emulator = tasks.address if "store" in USES[name] else tasks.http_address
    return {**told, "FUNCTION_TARGET": name, "TASKS_EMULATOR": emulator}
