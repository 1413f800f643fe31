"""What to do with a message after a failed attempt: decided here, carried out elsewhere."""

from dataclasses import dataclass
from typing import Final

from bot_logic.contract.envelope import Envelope
from bot_logic.errors import PermanentError, RetryableError

FIRST_PAUSE: Final = 5.0  # seconds before the second attempt; doubles with each further one
LONGEST_PAUSE: Final = 3600.0  # seconds
NEWER_VERSION_PAUSE: Final = 30  # seconds; an instance of the newer version may be up by then
LAST_CHANCE: Final = 15  # seconds before `expires` at which a last attempt begins

Failure = RetryableError | PermanentError


@dataclass(frozen=True, slots=True)
class PutBack:
    """Try again: put this envelope on the queue, hidden for `delay` seconds."""

    envelope: Envelope
    delay: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not try again: this envelope becomes a dead letter, because of `error`."""

    envelope: Envelope
    error: Failure


Decision = PutBack | GiveUp


def decide(
    envelope: Envelope, error: Failure, *, max_attempts: int, now: float, fraction: float
) -> Decision:
    """Decide what becomes of a message whose attempt has just failed.

    Being asked to wait is no failed attempt, so it does not count; only age ends it.

    Args:
        envelope: the message, without the failed attempt.
        error: why the attempt failed.
        max_attempts: failed attempts after which it is given up.
        now: Unix time, seconds.
        fraction: from 0 to 1, for the jitter.
    """
    failed = envelope.after_failure(str(error))
    if isinstance(error, PermanentError):
        return GiveUp(failed, error)
    if error.is_failed_attempt and failed.attempt >= max_attempts:
        return GiveUp(failed, error)
    pause = pause_before_next(failed.attempt, error.retry_after, fraction)
    delay = _within_life(pause, envelope.expires, now)
    return PutBack(failed if error.is_failed_attempt else envelope, delay)


def pause_before_next(attempt: int, retry_after: int | None, fraction: float) -> int:
    """Return how many seconds to wait after so many failed attempts.

    As long as a dependency asked for, and up to a quarter and a second more; else twice as long
    each time, give or take a quarter. So what failed together does not come back together.
    """
    if retry_after is not None:
        return retry_after + int((1.99 + retry_after / 4) * fraction)
    pause = min(FIRST_PAUSE * 2.0 ** min(attempt - 1, 30), LONGEST_PAUSE)
    return round(pause * (0.75 + 0.5 * fraction))


def _within_life(pause: int, expires: int | None, now: float) -> int:
    """Return a pause after which there is time for a last attempt before the message expires."""
    if expires is None or now + pause < expires:
        return pause
    return max(int(expires - now - LAST_CHANCE), 1)
