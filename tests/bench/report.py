"""The figures as tables, on the screen and in docs/performance.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tests.bench.aims import Aim, aims
from tests.bench.big_result import BigResult
from tests.bench.lifecycles import Lives
from tests.bench.loads import Row
from tests.bench.starts import Start

BEGIN = "<!-- figures: begin, written by make bench -->"
END = "<!-- figures: end -->"


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that one run of the bench found out."""

    machine: Mapping[str, str]
    rows: Sequence[Row]
    lives: Sequence[Lives]
    starts: Sequence[Start]
    big: BigResult


def spelled(figures: Figures) -> str:
    """All tables, in Markdown."""
    parts = [
        "\n".join(f"- {name}: {value}" for name, value in figures.machine.items()),
        "### Aims",
        _aims(aims(figures.rows, figures.starts, figures.big)),
        "### Requests",
        _requests(figures.rows),
        "### Whole lives of jobs",
        _lives(figures.lives),
        "### Starts and idle memory",
        _starts(figures.starts),
        "### A very large result",
        _big(figures.big),
    ]
    return "\n\n".join(parts)


def keep(path: Path, text: str) -> None:
    """Put the text between the markers of the file."""
    before, begin, rest = path.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin, f"{path} has no line {BEGIN}"
    assert end, f"{path} has no line {END}"
    path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def _aims(found: Sequence[Aim]) -> str:
    return _table(
        ("Aim", "", "Measured", "Met"),
        [
            (aim.what, _bound(aim), f"{aim.measured:.4g}{aim.unit}", "yes" if aim.is_met else "no")
            for aim in found
        ],
    )


def _bound(aim: Aim) -> str:
    if aim.at_least:
        return f"at least {aim.at_least:g}{aim.unit}"
    return f"at most {aim.at_most:g}{aim.unit}"


def _requests(rows: Sequence[Row]) -> str:
    header = (
        "Request",
        "Connections",
        "Per second",
        "Of nothing",
        "p50 ms",
        "p99 ms",
        "CPU ms",
        "Errors",
    )
    return _table(
        header,
        [
            (
                row.name,
                str(row.concurrency),
                f"{row.per_second:,.0f}",
                f"{row.ratio:.2f}",
                f"{row.p50_ms:.1f}",
                f"{row.p99_ms:.1f}",
                f"{row.cpu_ms:.2f}",
                str(row.errors),
            )
            for row in rows
        ],
    )


def _lives(lives: Sequence[Lives]) -> str:
    return _table(
        ("Through", "Slots", "Jobs", "Seconds", "Per second"),
        [
            (
                each.name,
                str(each.slots),
                str(each.jobs),
                f"{each.seconds:.1f}",
                f"{each.per_second:.0f}",
            )
            for each in lives
        ],
    )


def _starts(all_starts: Sequence[Start]) -> str:
    return _table(
        ("Process", "First answer s", "CPU s", "RSS MiB", "With its children MiB"),
        [
            (
                start.name,
                f"{start.first_answer_seconds:.2f}",
                f"{start.cpu_seconds:.2f}",
                f"{start.memory.resident_mib:.0f}",
                f"{start.memory.total_mib:.0f}",
            )
            for start in all_starts
        ],
    )


def _big(big: BigResult) -> str:
    return (
        f"{big.size_mb:.0f} MB were made, fetched, stored, checked and charged in "
        f"{big.seconds:.1f} s. The local runner had {big.before_mib:.0f} MiB, and "
        f"{big.more_mib:.0f} MiB more at its peak."
    )


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns are as wide as they need to be; numbers stand to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = []
    for cells in chain([header, rule], rows):
        first, *rest = zip(cells, widths, strict=True)
        padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
        lines.append(f"| {' | '.join(padded)} |")
    return "\n".join(lines)
