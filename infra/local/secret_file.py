"""The secrets that a local installation makes for itself, once, and keeps in its data folder."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

_NAMES = ("session_secret", "quote_secret", "hook_secret", "blob_secret", "task_secret")


def read_or_make(folder: Path) -> Mapping[str, str]:
    """Each secret's name and value; the file is readable by its owner only."""
    path = folder / "secrets.json"
    if path.exists():
        kept: dict[str, str] = json.loads(path.read_text())
        return kept
    folder.mkdir(parents=True, exist_ok=True)
    made = {name: secrets.token_urlsafe(32) for name in _NAMES}
    path.touch(mode=0o600)
    path.write_text(json.dumps(made, indent=2))
    return made
