"""Checks that the books of a local installation balance: `python -m infra.audit` (DATA_DIR)."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.cloud_local import OPERATOR_SETTINGS
from infra.local import accounts_file, secret_file
from shared import bootstrap
from shared.config import Settings, read_settings
from shared.usecases.audit import Audit, audit


def main() -> int:
    """Exit code 0 when every wallet is what its rows say, 1 when one is not, 2 without data."""
    folder = Path(os.environ.get("DATA_DIR", ".data"))
    settings = settings_of(folder, os.environ)
    if settings is None:
        print(f"there are no books in {folder}; run the product first", file=sys.stderr)
        return 2
    result = asyncio.run(_read_books(settings))
    print(f"{result.wallets} wallets, {result.rows} rows, {result.open_jobs} open jobs")
    for difference in result.differences:
        print(
            f"DIFFERENCE {difference.account}: the wallet says {difference.wallet_tokens}, "
            f"the rows say {difference.rows_tokens}"
        )
    print("the books balance" if not result.differences else "the books DO NOT balance")
    return 1 if result.differences else 0


def settings_of(folder: Path, environment: Mapping[str, str]) -> Settings | None:
    """Of the local installation, or of the functions that `make cloud-local` runs."""
    if (folder / OPERATOR_SETTINGS).exists():
        return read_settings(json.loads((folder / OPERATOR_SETTINGS).read_text()))
    if (folder / "reelmint.db").exists():
        told = {**accounts_file.read(folder), **environment}
        return read_settings(told, secret_file.read_or_make(folder))
    return None


async def _read_books(settings: Settings) -> Audit:
    return await audit(bootstrap.build(settings))


if __name__ == "__main__":
    sys.exit(main())
