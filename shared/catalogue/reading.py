"""From the catalogue's files to plain values that are known to be right. It loads pydantic, so a
deployed function finds the values already read, in the archive.
"""

import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.catalogue import schema


def read(folder: Path) -> list[dict[str, Any]]:
    """What every file says, as JSON values. Raises `ValueError` that names the file and the
    field.
    """
    providers = []
    for path in sorted(folder.glob("*.toml")):
        try:
            providers.append(_read(path))
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error
    _check_once("the model", [entry.id for read in providers for entry in read.models])
    _check_once("the pool", [pool.name for read in providers for pool in read.pools])
    entries = {entry.id for read in providers for entry in read.models}
    for read in providers:
        for entry in read.models:
            for other in (entry.successor, entry.equal):
                if other is not None and other not in entries:
                    raise ValueError(f"{read.provider}.toml: {entry.id} names {other}: not there")
    return [read.model_dump(mode="json") for read in providers]


def _check_once(what: str, names: Sequence[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise ValueError(f"{what} {name} is there twice")


def _read(path: Path) -> schema.Provider:
    read = schema.Provider.model_validate(tomllib.loads(path.read_text()))
    if read.provider != path.stem:
        raise ValueError(f"it must say provider = {path.stem!r}")
    own = {pool.name for pool in read.pools}
    for entry in read.models:
        if entry.pool not in own:
            raise ValueError(f"{entry.id} names no pool of its own")
    return read
