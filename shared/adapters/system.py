"""The machine's clock and its randomness."""

import secrets
import time

TOKEN_BYTES = 16


class SystemClock:
    """Wall time for what is stored and signed, monotonic time for how long something took."""

    def now_ms(self) -> int:
        """See the port."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """See the port."""
        return time.monotonic_ns() // 1_000_000


class SystemIds:
    """Randomness of the operating system: nobody can guess the next id from the last ones."""

    def token(self) -> str:
        """See the port."""
        return secrets.token_hex(TOKEN_BYTES)

    def below(self, limit: int) -> int:
        """See the port."""
        return secrets.randbelow(limit)
