"""The bench reads what wrk prints and keeps its figures where a reader finds them."""

from pathlib import Path

import pytest

from tests.bench import report
from tests.bench.load import Load, read_load

CALM = """\
Running 3s test @ http://127.0.0.1:41311
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     5.13ms    1.03ms  21.40ms   95.11%
    Req/Sec     3.14k   210.53     3.43k    80.00%
  Latency Distribution
     50%    4.98ms
     75%    5.22ms
     90%    5.60ms
     99%   10.46ms
  9392 requests in 3.00s, 11.23MB read
Requests/sec:   3128.55
Transfer/sec:      3.74MB
"""

TROUBLED = """\
Running 3s test @ http://127.0.0.1:41311
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   412.27us  152.10us   1.05s    89.10%
    Req/Sec     2.41k   1.09k     3.43k    50.00%
  Latency Distribution
     50%  395.00us
     75%  460.00us
     90%  532.00us
     99%    1.02s
  120 requests in 3.01s, 98.71KB read
  Socket errors: connect 1, read 2, write 3, timeout 4
  Non-2xx or 3xx responses: 50
Requests/sec:     39.86
Transfer/sec:     32.79KB
"""


def test_a_calm_run_is_read() -> None:
    assert read_load(CALM) == Load(
        requests=9392, per_second=3128.55, p50_ms=4.98, p99_ms=10.46, errors=0
    )


def test_refused_and_broken_requests_are_errors_and_units_are_told_apart() -> None:
    load = read_load(TROUBLED)
    assert load.errors == 60
    assert load.p50_ms == pytest.approx(0.395)
    assert load.p99_ms == pytest.approx(1020)


def test_what_is_no_report_of_wrk_is_refused() -> None:
    with pytest.raises(ValueError, match="unable to connect"):
        read_load("unable to connect to 127.0.0.1:1 Connection refused")


def test_figures_replace_the_earlier_ones_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"# Speed\n\n{report.BEGIN}\nold\n{report.END}\n\nWhat it means.\n")
    report.keep(page, "new")
    report.keep(page, "newer")
    assert page.read_text() == (
        f"# Speed\n\n{report.BEGIN}\n\nnewer\n\n{report.END}\n\nWhat it means.\n"
    )
