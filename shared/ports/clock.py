"""Time and randomness, so that a simulation can own them."""

from typing import Protocol


class Clock(Protocol):
    """Time. Wall time may be skewed between functions by tens of seconds."""

    def now_ms(self) -> int:
        """Unix time in milliseconds."""
        ...

    def monotonic_ms(self) -> int:
        """Milliseconds that never go back within one process."""
        ...


class Ids(Protocol):
    """Randomness."""

    def token(self) -> str:
        """128 unguessable bits as 32 hex digits."""
        ...

    def below(self, limit: int) -> int:
        """A number in [0, limit)."""
        ...
