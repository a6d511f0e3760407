"""Which vendors' accounts the local installation runs with, without their secrets, so that whoever
works beside it (`make operate`) sees the same places.
"""

import json
from collections.abc import Mapping
from pathlib import Path

_FILE = "accounts.json"
_SECRET = ("_KEY", "_WEBHOOK_SECRETS")


def write(folder: Path, environment: Mapping[str, str]) -> None:
    """Remember the accounts of an environment."""
    told = {name: text for name, text in environment.items() if name.startswith("VENDOR_")}
    kept = {name: "kept-elsewhere" if name.endswith(_SECRET) else told[name] for name in told}
    (folder / _FILE).write_text(json.dumps(kept, indent=2))


def read(folder: Path) -> Mapping[str, str]:
    """What was remembered."""
    path = folder / _FILE
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return kept
