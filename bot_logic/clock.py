"""Time and chance, asked for by those who need them, so that a test can bring its own."""

import random
import time
import uuid
from datetime import UTC, datetime
from typing import Final, Protocol


class Clock(Protocol):
    """What time it is."""

    def now(self) -> float:
        """Return the time of day: Unix time in seconds, which an operator may set anew."""

    def elapsed(self) -> float:
        """Return seconds since some fixed moment; they only grow."""


class Chance(Protocol):
    """What nobody can foretell."""

    def fraction(self) -> float:
        """Return a number from 0 up to, but not including, 1."""

    def new_id(self) -> str:
        """Return 32 characters that nobody has used before."""


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> float:
        """Return Unix time in seconds."""
        return time.time()

    def elapsed(self) -> float:
        """Return the monotonic clock's seconds."""
        return time.monotonic()


class SystemChance:
    """The machine's own randomness."""

    def fraction(self) -> float:
        """Return a pseudo-random number; for jitter, not for secrets."""
        return random.random()  # noqa: S311 - jitter

    def new_id(self) -> str:
        """Return a random UUID (RFC 9562) as hexadecimal digits."""
        return uuid.uuid4().hex


SYSTEM_CLOCK: Final = SystemClock()
SYSTEM_CHANCE: Final = SystemChance()


def iso(moment: float) -> str:
    """Return a Unix time as text, such as 2030-01-31T08:00:00Z."""
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
