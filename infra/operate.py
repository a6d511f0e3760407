"""What an operator sees and switches: `python -m infra.operate status`, `off kling`, `on kling`.

It speaks to the installation of DATA_DIR, or to the deployed one where the environment is that of
the deployed sweep (docs/operate.md).
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from infra.audit import settings_of
from shared import bootstrap
from shared.app import App
from shared.config import CLOUD, BadSettings, Settings, read_settings
from shared.errors import AppError
from shared.usecases.read_vendors import Places, Vendors, read_vendors
from shared.usecases.switch_vendors import switch_vendors


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 when it was done, 1 when it was refused, 2 without an installation."""
    asked = _parser().parse_args(arguments)
    try:
        settings = _settings()
    except BadSettings as error:
        print(f"cannot reach the installation: {error}", file=sys.stderr)
        return 2
    if settings is None:
        print("there is no installation here; run the product first", file=sys.stderr)
        return 2
    try:
        asyncio.run(_do(bootstrap.build(settings), asked.verb, asked.name))
    except AppError as error:
        print(error.message, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.operate", description=__doc__)
    parser.add_argument("verb", choices=("status", "off", "on"))
    parser.add_argument("name", nargs="?", help="a vendor, or a model, to switch off or on")
    return parser


def _settings() -> Settings | None:
    if os.environ.get("PROFILE") == CLOUD:
        return read_settings({**os.environ, "FUNCTION_TARGET": "sweep"})
    return settings_of(Path(os.environ.get("DATA_DIR", ".data")), os.environ)


async def _do(app: App, verb: str, name: str | None) -> None:
    if verb != "status":
        await switch_vendors(app, name or "", is_off=verb == "off")
    for line in _lines(await read_vendors(app)):
        print(line)


def _lines(seen: Vendors) -> Iterator[str]:
    header = f"{'pool':24} {'account':14} {'places':>6} {'open':>5} {'busy':>5} {'quarantined':>11}"
    yield f"{header} {'waiting':>7}  state"
    for places in seen.places:
        counts = f"{places.places:6} {places.open:5} {places.busy:5} {places.quarantined:11}"
        waiting = f"{places.waiting_jobs:7}"
        yield f"{places.pool:24} {places.account:14} {counts} {waiting}  {_state(places)}"
    off = [*sorted(seen.switches.providers_off), *sorted(seen.switches.models_off)]
    yield f"switched off: {', '.join(off) or 'nothing'}"


def _state(places: Places) -> str:
    pause = places.pause
    if pause is None or pause.stage == "open":
        return "open" if places.open else "closed"
    until = datetime.fromtimestamp(pause.until_ms / 1000, UTC).strftime("%H:%M:%S UTC")
    if pause.stage == "trying":
        return f"trying one job after {pause.reason}"
    return f"paused until {until}: {pause.reason} (time {pause.times} in a row)"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
