"""What the kernel says of a process and its children: memory and processor time (Linux)."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_RESET_PEAK = "5"  # what `clear_refs` takes for it


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one process and its children. What several of them share is in `resident_mib` of each, and
    once in `total_mib`."""

    resident_mib: float  # of the largest process
    total_mib: float  # of all, proportional set size


def memory(pid: int) -> Memory:
    """As it is now."""
    rollups = [_kib(f"/proc/{each}/smaps_rollup") for each in family(pid)]
    return Memory(
        resident_mib=max(rollup["Rss"] for rollup in rollups) / 1024,
        total_mib=sum(rollup["Pss"] for rollup in rollups) / 1024,
    )


def resident_mib(pid: int) -> float:
    """Of this process alone, now."""
    return _kib(f"/proc/{pid}/status")["VmRSS"] / 1024


def forget_peak(pid: int) -> None:
    """Let the peak begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK)


def peak_mib(pid: int) -> float:
    """The most that was resident at any moment since `forget_peak`."""
    return _kib(f"/proc/{pid}/status")["VmHWM"] / 1024


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and its living children."""
    return sum(_ticks(each) for each in family(pid)) / _TICKS_PER_SECOND


def family(pid: int) -> Iterator[int]:
    """A process, its children and theirs."""
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from family(int(child))


def _ticks(pid: int) -> int:
    # The name of the program, in parentheses, may have blanks.
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(after_name[11]) + int(after_name[12])


def _kib(path: str) -> dict[str, int]:
    lines = (line.split() for line in Path(path).read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) for words in lines if words[-1] == "kB"}
