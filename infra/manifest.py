"""Writes what Terraform has to know of the code, terraform/manifest.json: `python -m
infra.manifest` (with --check, it only compares).
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from infra.routes import FUNCTIONS, routers
from shared import catalogue, records
from shared.adapters import providers
from shared.config import REQUIRED, VENDOR_CALLERS, Settings
from shared.models import Catalogue
from shared.ports import Order
from shared.records import Index
from shared.usecases.tasks import dispatch_queue, queue_specs

PATH = Path(__file__).parents[1] / "terraform" / "manifest.json"

# Who calls vendors has the key of each account, who is called by them has what they sign with, and
# nobody has both. Where the accounts are and how many places they have is for all functions.
VENDOR_SECRETS: Mapping[str, str] = {
    **dict.fromkeys(VENDOR_CALLERS, "key"),
    "provider_webhook": "webhook_secrets",
}

# SQLite finds a pool's slots by the start of a longer index; Firestore wants one that ends there.
_FIRESTORE_INDEXES = (Index(records.SLOTS, (Order("pool"),)),)
_SECRET_ENDINGS = ("_secret", "_key", "_token", "_password")


def manifest() -> dict[str, Any]:
    """Everything that code and deployment must agree on, as JSON values. Pools and queues are those
    of one account with each vendor.
    """
    models = catalogue.load()
    return {
        "collections": sorted(records.COLLECTIONS),
        "field_indexes": _field_indexes(),
        "functions": _functions(),
        "indexes": {_name(index): _composite(index) for index in indexes() if _is_composite(index)},
        "pools": {
            pool.name: {
                "provider": pool.provider,
                "slots": pool.slots,
                "submits_per_minute": pool.submits_per_minute,
            }
            for pool in models.pools.values()
        },
        "queues": _queues(models),
        "settings": _settings(),
        "vendors": {
            name: {"base_url": providers.load(name).base_url}
            for name in sorted({pool.provider for pool in models.pools.values()})
        },
    }


def indexes() -> tuple[Index, ...]:
    """Every index of the deployed store, each once."""
    return tuple(dict.fromkeys((*records.INDEXES, *_FIRESTORE_INDEXES)))


def text() -> str:
    """The manifest as it stands in the file."""
    return json.dumps(manifest(), indent=2, sort_keys=True) + "\n"


def main() -> int:
    """Exit code 1 when `--check` finds the file out of date."""
    is_fresh = PATH.exists() and PATH.read_text() == text()
    if "--check" in sys.argv:
        print(
            "up to date" if is_fresh else f"out of date: {PATH.name}; run python -m infra.manifest"
        )
        return 0 if is_fresh else 1
    PATH.write_text(text())
    print(f"wrote {'nothing' if is_fresh else PATH.name}")
    return 0


def _functions() -> dict[str, Any]:
    functions: dict[str, Any] = {}
    for name, router in zip(FUNCTIONS, routers(), strict=True):
        methods: dict[str, set[str]] = {}
        for route in router.routes:
            methods.setdefault(route.path, set()).add(route.method)
        functions[name] = {
            "internal": router.tag == "internal",
            "required": sorted(REQUIRED[name]),
            "routes": {path: sorted(found) for path, found in methods.items()},
            "vendor_secret": VENDOR_SECRETS.get(name),
        }
    return functions


def _queues(models: Catalogue) -> dict[str, Any]:
    """Each with the pool whose dispatches it carries: its limits grow with the pool's accounts."""
    pools = {dispatch_queue(name): name for name in models.pools}
    limits = {spec.name: asdict(spec) for spec in queue_specs(models)}
    return {
        name: {key: value for key, value in found.items() if key != "name"}
        | {"pool": pools.get(name)}
        for name, found in limits.items()
    }


def _field_indexes() -> dict[str, dict[str, list[str]]]:
    """For each collection the fields with an index of their own. `*` is every other field of every
    document, and has none: composite indexes do not need it.
    """
    found: dict[str, dict[str, list[str]]] = {name: {"*": []} for name in records.COLLECTIONS}
    for index in indexes():
        if not _is_composite(index):
            order = index.fields[0]
            found[index.collection].setdefault(order.field, []).append(_direction(order))
    return found


def _settings() -> dict[str, list[str]]:
    """All but the vendors' accounts, whose names in the environment are made of the account's."""
    names = sorted(field.name for field in fields(Settings) if field.name != "accounts")
    secret = [name for name in names if name.endswith(_SECRET_ENDINGS)]
    return {"plain": [name for name in names if name not in secret], "secret": secret}


def _composite(index: Index) -> dict[str, Any]:
    ordered = [{"direction": _direction(order), "field": order.field} for order in index.fields]
    return {"collection": index.collection, "fields": ordered}


def _is_composite(index: Index) -> bool:
    return len(index.fields) > 1


def _name(index: Index) -> str:
    ordered = [f"{order.field}:desc" if order.descending else order.field for order in index.fields]
    return "-".join((index.collection, *ordered))


def _direction(order: Order) -> str:
    return "DESCENDING" if order.descending else "ASCENDING"


if __name__ == "__main__":
    sys.exit(main())
