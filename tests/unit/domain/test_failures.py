"""What a creator reads when a job gives nothing."""

import pytest

from shared.failures import TROUBLES, FailureCode, failure


@pytest.mark.parametrize("code", FailureCode)
def test_every_failure_says_what_happened_where_the_tokens_are_and_what_to_do(
    code: FailureCode,
) -> None:
    told = failure(code)
    assert told.code is code
    happened, back, advice = told.message.partition(" Your tokens are back.")
    assert back
    assert happened.endswith(".")
    assert happened[0].isupper()
    if code is FailureCode.CANCELLED:
        assert advice == ""
    else:
        assert advice.startswith(" ")
        assert advice.endswith(".")
    assert "  " not in told.message
    assert told.message == told.message.strip()


def test_no_two_failures_read_the_same() -> None:
    assert len({failure(code).message for code in FailureCode}) == len(FailureCode)


def test_the_codes_are_the_documented_ones() -> None:
    """Clients and translations know these words: a renamed code is a broken promise."""
    assert {code.value for code in FailureCode} == {
        "provider_rejected",
        "provider_busy",
        "provider_failed",
        "provider_misconfigured",
        "moderation_blocked",
        "model_gone",
        "model_off",
        "waited_too_long",
        "timed_out",
        "result_invalid",
        "result_unavailable",
        "cancelled",
    }


def test_only_a_vendors_own_trouble_speaks_against_it() -> None:
    """What a creator asked for, and what we did ourselves, never closes a vendor for the others."""
    assert {code.value for code in TROUBLES} == {
        "provider_busy",
        "provider_failed",
        "provider_misconfigured",
        "timed_out",
    }
