"""What has become of one recipient of a notification, and which outcome may follow which."""

from enum import StrEnum
from typing import Final

from bot_logic.errors import (
    AppNotInstalled,
    ConversationBlocked,
    ConversationGone,
    ProactiveBotError,
    Refused,
)


class Outcome(StrEnum):
    """The state of a recipient. All but OPEN are final; `retry` opens those that failed.

    ::

        OPEN ──▶ SENT | BLOCKED | REMOVED | SWITCHED_OFF | NOT_INSTALLED | GONE
          │ ▲      | REFUSED | TOO_MANY_ATTEMPTS | GIVEN_UP
          │ └── a retryable error, MaxDeliveryAttempts times at most
          └──▶ CANCELLED, EXPIRED: derived of the notification, never stored
    """

    OPEN = "open"
    """Nobody has sent to them yet, or a retry can help."""

    SENT = "sent"
    """The channel took the message."""

    BLOCKED = "blocked"
    """The person does not want to hear from the bot."""

    REMOVED = "removed"
    """The bot is not, or no longer, in the conversation."""

    SWITCHED_OFF = "switchedOff"
    """An administrator has switched the bot off."""

    NOT_INSTALLED = "notInstalled"
    """The app is not installed for this person, so that no conversation can begin."""

    GONE = "gone"
    """There is no such conversation any more."""

    UNKNOWN = "unknown"
    """Nobody of this id was ever met."""

    REFUSED = "refused"
    """The channel will never take this message."""

    TOO_MANY_ATTEMPTS = "tooManyAttempts"
    """It failed as often as MaxDeliveryAttempts allows."""

    GIVEN_UP = "givenUp"
    """Whoever sent the page died of it again and again."""

    CANCELLED = "cancelled"
    """It was cancelled before it was sent to them."""

    EXPIRED = "expired"
    """It was too late to send it to them."""

    @property
    def is_failure(self) -> bool:
        """Tell whether the recipient did not get it, although it was to be sent."""
        return self in FAILURES


FAILURES: Final = frozenset(
    {
        Outcome.BLOCKED,
        Outcome.REMOVED,
        Outcome.SWITCHED_OFF,
        Outcome.NOT_INSTALLED,
        Outcome.GONE,
        Outcome.UNKNOWN,
        Outcome.REFUSED,
        Outcome.TOO_MANY_ATTEMPTS,
        Outcome.GIVEN_UP,
        Outcome.EXPIRED,
    }
)
# The codes of bot_endpoint/sdk/refusals.py that say more than "blocked".
_REMOVED: Final = ("BotNotInConversationRoster", "ForbiddenOperationException")
_SWITCHED_OFF: Final = ("BotDisabledByAdmin", "TenantNoPermission")


def outcome_of(error: ProactiveBotError) -> Outcome:
    """Return what a failed send means for its recipient; OPEN if a retry can help."""
    match error:
        case AppNotInstalled():
            return Outcome.NOT_INSTALLED
        case ConversationGone():
            return Outcome.GONE
        case ConversationBlocked():
            return _of_block(str(error))
        case Refused():
            return Outcome.REFUSED
    return Outcome.OPEN


def _of_block(reason: str) -> Outcome:
    if reason.endswith(_REMOVED):
        return Outcome.REMOVED
    return Outcome.SWITCHED_OFF if reason.endswith(_SWITCHED_OFF) else Outcome.BLOCKED
