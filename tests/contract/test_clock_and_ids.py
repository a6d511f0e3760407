"""What every clock and every source of ids owes."""

import re
import time

from shared.ports import Clock, Ids


def test_the_clock_tells_unix_time_in_milliseconds(clock: Clock) -> None:
    assert abs(clock.now_ms() - time.time() * 1000) < 1_000


def test_monotonic_time_advances_and_never_goes_back(clock: Clock) -> None:
    seen = [clock.monotonic_ms() for _ in range(1_000)]
    time.sleep(0.02)
    assert seen == sorted(seen)
    assert 15 <= clock.monotonic_ms() - seen[-1] < 5_000


def test_a_token_is_32_hex_digits_and_never_the_same(ids: Ids) -> None:
    tokens = {ids.token() for _ in range(1_000)}
    assert len(tokens) == 1_000
    assert all(re.fullmatch("[0-9a-f]{32}", token) for token in tokens)


def test_every_digit_of_a_token_varies(ids: Ids) -> None:
    tokens = [ids.token() for _ in range(1_000)]
    assert all(len(set(column)) == 16 for column in zip(*tokens, strict=True))


def test_numbers_below_a_limit_reach_all_of_them_and_not_the_limit(ids: Ids) -> None:
    assert {ids.below(6) for _ in range(1_000)} == {0, 1, 2, 3, 4, 5}
    assert {ids.below(1) for _ in range(10)} == {0}
