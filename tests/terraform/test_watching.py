"""Numbers that are read from logs are in the logs, and every alert says what to do."""

import ast
import re

from shared.logs import EXTRA_FIELDS
from tests.architecture.tree import ROOT, modules

TERRAFORM = ROOT / "terraform"

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


def _logged_messages() -> set[str]:
    return {
        str(call.args[0].value)
        for module in modules("shared", "functions")
        for call in ast.walk(module.tree)
        if isinstance(call, ast.Call)
        and ast.unparse(call.func).startswith("_log.")
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def _text(name: str) -> str:
    return (TERRAFORM / name).read_text()
