"""The style guide, executed, as far as ruff, mypy and import-linter leave something to say."""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePath

from tests.architecture.tree import Module, files, modules, texts

PRODUCT = ("shared", "functions", "infra")

MODULE_LINES_MAX = 300
FUNCTION_LINES_MAX = 50
DEPLOYED_FILE_LINES_MAX = 120

# What is longer than it should be, and exactly how long: a number here may only shrink or vanish.
LONG_MODULES: dict[str, int] = {}
LONG_FUNCTIONS: dict[str, int] = {}

# Names that say nothing, so that everything ends up behind them.
NAMELESS = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}

UNFINISHED = re.compile(r"\bTO[D]O\b|\bFIX[M]E\b")
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|root|home|Users)/\w|/opt/(?:pypi|wheels)")
REGISTRY_HOST = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|yarnpkg\.com|deb\.debian\.org"
)
ENVIRONMENT = re.compile(r"\bos\.(?:environ|getenv)\b|\bfrom os import\b")


def test_every_module_opens_by_saying_what_it_is_for() -> None:
    silent = [m.path for m in modules(*PRODUCT, "tests") if not ast.get_docstring(m.tree)]
    assert silent == []


def test_a_module_fits_a_few_screens() -> None:
    long = {m.path: m.lines for m in modules(*PRODUCT) if m.lines > MODULE_LINES_MAX}
    assert long == LONG_MODULES


def test_a_function_fits_one_screen() -> None:
    lengths = {name: n for m in modules(*PRODUCT) for name, n in _function_lengths(m)}
    assert lengths
    long = {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES_MAX}
    assert long == LONG_FUNCTIONS


def test_a_deployed_file_is_short_enough_to_only_wire() -> None:
    deciding = [m.path for m in modules("functions") if m.lines > DEPLOYED_FILE_LINES_MAX]
    assert deciding == []


def test_every_deployed_file_exposes_a_target_of_its_own_name() -> None:
    without = [
        m.path
        for m in modules("functions")
        if not m.path.endswith("__init__.py") and PurePath(m.path).stem not in _names(m)
    ]
    assert without == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    nameless = [name for name in files() if PurePath(name).name.split(".")[0].lower() in NAMELESS]
    assert nameless == []


def test_no_exception_is_swallowed_without_a_word() -> None:
    swallowed = [
        f"{m.path}:{node.lineno}"
        for m in modules(*PRODUCT, "tests")
        for node in ast.walk(m.tree)
        if isinstance(node, ast.ExceptHandler) and all(_does_nothing(step) for step in node.body)
    ]
    assert swallowed == []


def test_the_environment_is_read_in_one_place() -> None:
    readers = [m.path for m in modules("shared", "functions") if ENVIRONMENT.search(m.text)]
    assert set(readers) <= {"shared/bootstrap.py"}


def test_nothing_is_left_to_be_done_later() -> None:
    assert _lines_with(UNFINISHED) == []


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    assert _lines_with(MACHINE_PATH) == []


def test_no_file_names_the_host_of_a_package_registry() -> None:
    assert _lines_with(REGISTRY_HOST) == []


def _function_lengths(module: Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno
            yield f"{module.path}:{node.name}", node.end_lineno - node.lineno + 1


def _names(module: Module) -> set[str]:
    names: set[str] = set()
    for node in module.tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                names.add(name)
    return names


def _does_nothing(step: ast.stmt) -> bool:
    return isinstance(step, ast.Pass) or (
        isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant)
    )


def _lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]
