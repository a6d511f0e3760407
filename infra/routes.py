"""The deployed functions and their routers, found by file name."""

from importlib import import_module
from pathlib import Path

from shared.edge import Router

_FOLDER = Path(__file__).parents[1] / "functions"

FUNCTIONS = tuple(sorted(path.stem for path in _FOLDER.glob("*.py") if path.stem != "__init__"))


def routers() -> list[Router]:
    """Every function's router."""
    return [import_module(f"functions.{name}").router for name in FUNCTIONS]
