"""What stands in the project: its files by way of git, its Python modules parsed."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file, read and parsed."""

    path: str
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """Length of the file in lines."""
        return len(self.text.splitlines())


@cache
def files() -> tuple[str, ...]:
    """Every file that is tracked, or would be by the next `git add`, relative to the root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = tuple(sorted({name for name in listed.split("\0") if (ROOT / name).is_file()}))
    assert found, "git lists no files"
    return found


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """The Python modules in `folders`; empty `__init__.py` files only mark a package."""
    prefixes = tuple(f"{folder}/" for folder in folders)
    names = [name for name in files() if name.startswith(prefixes) and name.endswith(".py")]
    found = tuple(_read(name) for name in names if (ROOT / name).stat().st_size)
    assert found, f"no modules in {folders}"
    return found


def texts() -> Iterator[tuple[str, str]]:
    """Name and text of every file that is text."""
    for name in files():
        content = (ROOT / name).read_bytes()
        if b"\0" not in content:
            yield name, content.decode(errors="replace")


def _read(name: str) -> Module:
    text = (ROOT / name).read_text()
    return Module(name, text, ast.parse(text, name))
