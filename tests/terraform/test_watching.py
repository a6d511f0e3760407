"""Numbers that are read from logs are in the logs, and every alert says what to do."""

import ast
import re

from shared.logs import EXTRA_FIELDS
from tests.architecture.tree import ROOT, modules

TERRAFORM = ROOT / "terraform"

ON_ONE_MACHINE = {"shared/adapters/queue/embedded.py", "shared/adapters/sqlite.py"}

# Lines that a metric waits for and no code writes yet. A name leaves when its line is there.
AWAITED_LINES: set[str] = set()


def test_every_message_that_a_metric_counts_is_one_that_the_code_logs() -> None:
    counted = set(re.findall(r'jsonPayload\.message=\\"([^"\\]+)\\"', _text("log_metrics.tf")))
    assert counted
    assert counted - _logged_messages() <= AWAITED_LINES


def test_every_field_that_a_metric_reads_is_one_that_the_logs_may_have() -> None:
    read = set(re.findall(r"jsonPayload\.(\w+)", _text("log_metrics.tf")))
    assert read - {"logger", "message"} <= set(EXTRA_FIELDS)


def test_every_logger_that_a_metric_reads_exists() -> None:
    for name in re.findall(r'jsonPayload\.logger=\\"([\w.]+)\\"', _text("log_metrics.tf")):
        assert (ROOT / f"{name.replace('.', '/')}.py").exists()


def test_every_alert_has_its_section_in_the_operator_s_manual() -> None:
    block = _text("alerts.tf").split("alerts = {", 1)[1].split("\nresource", 1)[0]
    alerts = set(re.findall(r"^ {4}(\w+) = \{", block, re.MULTILINE))
    manual = (ROOT / "docs" / "operate.md").read_text()
    assert alerts
    assert alerts == set(re.findall(r"^### `(\w+)`", manual, re.MULTILINE))


def test_every_error_that_the_code_logs_has_its_row_in_the_operator_s_manual() -> None:
    manual = (ROOT / "docs" / "operate.md").read_text()
    table = manual.split("### `errors`", 1)[1].split("\n### ", 1)[0]
    told = set(re.findall(r"^\| `([^`]+)`", table, re.MULTILINE))
    assert told
    assert told == _logged_messages("_log.error", "_log.exception")


def _logged_messages(*calls: str) -> set[str]:
    """What the deployed code writes, by one of these calls if any are given."""
    return {
        str(call.args[0].value)
        for module in modules("shared", "functions")
        if module.path not in ON_ONE_MACHINE
        for call in ast.walk(module.tree)
        if isinstance(call, ast.Call)
        and (ast.unparse(call.func) in calls if calls else _is_of_log(call))
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def _is_of_log(call: ast.Call) -> bool:
    return ast.unparse(call.func).startswith("_log.")


def _text(name: str) -> str:
    return (TERRAFORM / name).read_text()
