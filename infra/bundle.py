"""Builds the archive that every function is deployed from: `python -m infra.bundle` (or `make
bundle`) writes build/functions.zip.

The same files make the same bytes on every machine: Terraform names the archive by its content, so
that only other code is deployed. It holds what runs in the cloud and nothing else, compiled and
validated, so that no start waits for either.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from shared import catalogue
from shared.catalogue import reading

ROOT = Path(__file__).parents[1]
ARCHIVE = ROOT / "build" / "functions.zip"

PYTHON = (3, 11)  # of the runtime: code that another version compiled would not be used

_FOLDERS = ("functions", "shared")
_KINDS = (".py", ".toml")
_PLACED = {
    "main.py": "infra/main.py",
    "requirements.txt": "requirements/run.lock",
    "docs/openapi.json": "docs/openapi.json",
}
# The embedded adapters are for a laptop and the cloud has neither their disk nor their one process.
LAPTOP_ONLY = (
    "shared/adapters/blobs/folder",
    "shared/adapters/queue/embedded",
    "shared/adapters/sqlite",
    "shared/adapters/store/sqlite",
)
# The first moment that a zip can hold, and files that everybody may read.
_MOMENT = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644


def main() -> int:
    """Exit code 1 where the compiled code would not be the runtime's."""
    if sys.version_info[:2] != PYTHON:
        print(f"the archive is built by Python {'.'.join(map(str, PYTHON))}", file=sys.stderr)
        return 1
    ARCHIVE.parent.mkdir(exist_ok=True)
    ARCHIVE.write_bytes(build())
    print(f"wrote {ARCHIVE.relative_to(ROOT)}, {ARCHIVE.stat().st_size // 1024} KiB")
    return 0


def build() -> bytes:
    """The archive."""
    with tempfile.TemporaryDirectory() as folder:
        files, archive = Path(folder) / "files", Path(folder) / "functions.zip"
        for name, path in sources().items():
            (files / name).parent.mkdir(parents=True, exist_ok=True)
            (files / name).write_bytes(path.read_bytes())
        _validate(files / "shared" / "catalogue")
        _compile(files)
        with ZipFile(archive, "w", ZIP_DEFLATED, compresslevel=9) as zipped:
            for path in sorted(path for path in files.rglob("*") if path.is_file()):
                entry = ZipInfo(path.relative_to(files).as_posix(), _MOMENT)
                entry.external_attr = _MODE << 16
                entry.create_system = 3  # Unix, wherever it is built
                entry.compress_type = ZIP_DEFLATED
                zipped.writestr(entry, path.read_bytes())
        return archive.read_bytes()


def sources() -> dict[str, Path]:
    """What the archive is made of: the name in it, and the file here."""
    found = {name: ROOT / path for name, path in _PLACED.items()}
    for folder in _FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            name = path.relative_to(ROOT).as_posix()
            if path.suffix in _KINDS and not name.startswith(LAPTOP_ONLY):
                found[name] = path
    return found


def _validate(folder: Path) -> None:
    """What the catalogue's files say, so that no start waits for pydantic to read them."""
    said = json.dumps(reading.read(folder), ensure_ascii=False)
    (folder / catalogue.VALIDATED).write_text(said)


def _compile(folder: Path) -> None:
    """Bytecode that is believed without a look at its source: unpacking gives that a new date.

    A process that has done other things, or has other hashes, writes the same code in other bytes,
    so a new one does it.
    """
    command = [sys.executable, "-S", "-m", "compileall", "-q", "-s", str(folder)]
    command += ["--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run(command, env={"PYTHONHASHSEED": "0"}, check=True)


if __name__ == "__main__":
    sys.exit(main())
