"""Everything of Google's that the functions need, and the settings that point them at it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.cloud_local.processes import FunctionSpec
from infra.emulators.cloud_tasks import Place, cloud_tasks_emulator
from infra.emulators.cloud_tasks_identity import ISSUER
from infra.emulators.firestore import firestore_emulator
from infra.emulators.storage import storage_emulator
from infra.local import secret_file
from infra.local.vendor_process import free_port, sandbox_of, with_sandbox
from infra.manifest import VENDOR_SECRETS
from infra.routes import FUNCTIONS
from shared.adapters import providers
from shared.bootstrap import USES
from shared.config import LOCAL, SHORT_TIMERS, read_settings
from shared.vendor_accounts import VendorAccount

PROJECT = "reelmint-local"
REGION = "europe-west1"
BUCKET = "reelmint-media"
TASKS_ACCOUNT = f"tasks@{PROJECT}.iam.gserviceaccount.com"
SCHEDULER_ACCOUNT = f"scheduler@{PROJECT}.iam.gserviceaccount.com"

_ACCOUNT_PARTS = ("_URL", "_KEY", "_WEBHOOK_SECRETS", "_PLACES", "_RATES", "_HOSTS")


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
    """Start them all; `environment` may set timers and limits, and vendors' accounts. Raises
    `BadSettings`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    own = secret_file.read_or_make(folder)
    accounts = read_settings({**environment, "PROFILE": LOCAL}, own).accounts
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
        accounts = stack.enter_context(with_sandbox(accounts))
        ports = {name: free_port() for name in FUNCTIONS}
        told = {
            **{name.upper(): str(value) for name, value in SHORT_TIMERS.items()},
            **{name: value for name, value in environment.items() if not _is_of_account(name)},
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
        }
        functions = [
            FunctionSpec(name, port, {**told, **_own(name, accounts, tasks)})
            for name, port in ports.items()
        ]
        yield Stack(functions, sandbox_of(accounts).url, storage, tasks, key_file)


def _own(name: str, accounts: Sequence[VendorAccount], tasks: Place) -> Mapping[str, str]:
    """What differs from function to function. The webhook's queue speaks REST, the others' gRPC: an
    emulator has an address for each.
    """
    emulator = tasks.address if "store" in USES[name] else tasks.http_address
    own = {"FUNCTION_TARGET": name, "TASKS_EMULATOR": emulator}
    for account in accounts:
        own |= _account(account, VENDOR_SECRETS.get(name))
    return own


def _is_of_account(name: str) -> bool:
    """Whether a setting is part of a vendor's account, of which not every function is told."""
    return name.startswith("VENDOR_") and name.endswith(_ACCOUNT_PARTS)


def _account(account: VendorAccount, secret: str | None) -> Mapping[str, str]:
    """What Terraform tells a function of an account, with that one of its secrets."""
    secrets = {"key": account.key, "webhook_secrets": ",".join(account.webhook_secrets)}
    parts = {
        "url": account.url or providers.load(account.provider).base_url,
        "places": ",".join(f"{pool}:{places}" for pool, places in account.places.items()),
        "rates": ",".join(f"{pool}:{submits}" for pool, submits in account.rates.items()),
        "hosts": ",".join(account.hosts),
        **{kind: text for kind, text in secrets.items() if kind == secret},
    }
    return {f"VENDOR_{account.name}_{part}".upper(): text for part, text in parts.items() if text}
