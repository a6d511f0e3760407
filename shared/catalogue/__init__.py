"""The catalogue as data: one TOML file per provider, validated when it is loaded.

The archive that functions start from has what the files say as JSON too, validated when it was
built: reading and validating them would take a tenth of a start.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shared.models import (
    Capabilities,
    Catalogue,
    Condition,
    Model,
    ModelState,
    PictureNeed,
    Pool,
    Rates,
)
from shared.vendor_accounts import VendorAccount

VALIDATED = "validated.json"  # in the archive only

_FOLDER = Path(__file__).parent
# These stand first in every list, and a newcomer gets the first that is for sale.
_FIRST = ("MiniMax-Hailuo-02", "kling-v2-6", "gemini-3.1-flash-image", "sandbox-video")

_Said = Mapping[str, Any]
"""A table of a file, as shared/catalogue/schema.py has it."""


def load(accounts: Sequence[VendorAccount] | None = None) -> Catalogue:
    """Every model, and the pools in which our accounts have places; a model that none of them can
    make is off. Without a list there is one account with each vendor. Raises `ValueError` that
    names the file and the field.
    """
    providers = _providers()
    if accounts is None:
        accounts = [VendorAccount(said["provider"]) for said in providers]
    pools = {
        pool.name: pool for said in providers for pool in _pools(said, accounts) if pool.places
    }
    found = {
        entry["id"]: _model(said, entry, pools, accounts)
        for said in providers
        for entry in said["models"]
    }
    models = {name: found[name] for name in dict.fromkeys([*_FIRST, *found]) if name in found}
    live = [model.id for model in models.values() if model.state in ("live", "retiring")]
    return Catalogue(models, pools, (live or [""])[0])


@cache
def _providers() -> Sequence[_Said]:
    validated = _FOLDER / VALIDATED
    if validated.exists():
        found: list[_Said] = json.loads(validated.read_bytes())
        return found
    from shared.catalogue import reading  # noqa: PLC0415  # it loads pydantic

    return reading.read(_FOLDER)


def _pools(said: _Said, accounts: Sequence[VendorAccount]) -> Iterator[Pool]:
    for pool in said["pools"]:
        places = {
            account.name: account.places.get(pool["name"], pool["slots"])
            for account in accounts
            if account.provider == said["provider"]
        }
        rates = [
            account.rates.get(pool["name"], pool["submits_per_minute"])
            for account in accounts
            if account.name in places
        ]
        yield Pool(
            name=pool["name"],
            provider=said["provider"],
            places=places,
            submits_per_minute=sum(rates),
            extra_answer_seconds=pool["extra_answer_seconds"],
            unit=pool["unit"],
            units_max=_units_max(said, pool),
        )


def _units_max(said: _Said, pool: _Said) -> int:
    models = [model for model in said["models"] if model["pool"] == pool["name"]]
    most = max((max(model["capabilities"]["counts"]) for model in models), default=1)
    return most if pool["unit"] == "picture" else 1


def _model(
    said: _Said, entry: _Said, pools: Mapping[str, Pool], accounts: Sequence[VendorAccount]
) -> Model:
    can, retires_on = entry["capabilities"], entry["retires_on"]
    state: ModelState = entry["state"]
    if state != "retired" and (entry["pool"] not in pools or not _is_there(entry, said, accounts)):
        state = "off"
    changed = {
        "provider": said["provider"],
        "state": state,
        "hosts": tuple(entry["hosts"]),
        "retires_on": None if retires_on is None else date.fromisoformat(retires_on),
        "price": Rates(**entry["price"]),
        "cost_microusd": Rates(**entry["cost_microusd"]),
        "capabilities": Capabilities(
            durations_seconds=tuple(can["durations_seconds"]),
            resolutions=tuple(can["resolutions"]),
            aspect_ratios=tuple(can["aspect_ratios"]),
            images=can["images"],
            negative_prompt=can["negative_prompt"],
            audio=can["audio"],
            prompt_chars_min=can["prompt_chars_min"],
            prompt_chars_max=can["prompt_chars_max"],
            camera_moves=tuple(can["camera_moves"]),
            counts=tuple(can["counts"]),
            conditions=tuple(
                Condition(_tuples(each["when"]), _tuples(each["then"]))
                for each in can["conditions"]
            ),
            picture=PictureNeed(**_tuples(can["picture"])),
        ),
    }
    return Model(**{**entry, **changed})


def _is_there(entry: _Said, said: _Said, accounts: Sequence[VendorAccount]) -> bool:
    """Whether one of our accounts is where the model exists. An address that no entry of the
    vendor speaks of, like a simulator's, has everything."""
    known = {host for other in said["models"] for host in other["hosts"]}
    ours = {
        urlsplit(each.url).hostname or said["home"]
        for each in accounts
        if each.provider == said["provider"]
    }
    return not entry["hosts"] or any(host in entry["hosts"] or host not in known for host in ours)


def _tuples(values: _Said) -> dict[str, Any]:
    """What a dataclass keeps, where JSON has lists."""
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
