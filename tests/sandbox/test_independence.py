"""The sandbox stands alone: what it shares with the product is the wire, not code."""

import ast
from pathlib import Path

SANDBOX = Path(__file__).resolve().parents[2] / "infra" / "sandbox"
LAZY = {"av", "PIL"}


def test_the_sandbox_imports_nothing_of_the_product() -> None:
    imported = {name for path in SANDBOX.glob("*.py") for name in _imports(path, whole=True)}
    assert "infra.sandbox.vendor" in imported
    own = {name for name in imported if name.split(".")[0] in {"infra", "shared", "functions"}}
    assert {name for name in own if not name.startswith("infra.sandbox")} == {"infra.children"}


def test_media_libraries_are_imported_where_they_are_used() -> None:
    at_start = {name for path in SANDBOX.glob("*.py") for name in _imports(path, whole=False)}
    assert {name.split(".")[0] for name in at_start}.isdisjoint(LAZY)


def _imports(path: Path, *, whole: bool) -> set[str]:
    """Modules named in import statements: in the whole file, or only those run at its import."""
    tree = ast.parse(path.read_text())
    names: set[str] = set()
    for node in ast.walk(tree) if whole else tree.body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names
