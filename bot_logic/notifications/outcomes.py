"""What has become of one recipient of a notification, and which outcome may follow which."""

from enum import StrEnum
from typing import Final

from bot_logic.errors import (
    ActivityGone,
    AppNotInstalled,
    ConversationBlocked,
    ConversationGone,
    ProactiveBotError,
    Refused,
)


class Outcome(StrEnum):
    """The state of a recipient. All but OPEN are final; `retry` opens those that failed.

    ::

        OPEN ──▶ SENT, or RECALLED, or EDITED, by what the notification does
          │ ▲      | BLOCKED | REMOVED | SWITCHED_OFF | NOT_INSTALLED | GONE
          │ │      | TOO_MANY_ATTEMPTS | GIVEN_UP
          │ │      | REFUSED, or CANNOT_BE_RECALLED, or CANNOT_BE_EDITED
          │ └── a retryable error, MaxDeliveryAttempts times at most
          ├──▶ OPTED_OUT: left out of a broadcast; no failure
          └──▶ CANCELLED, EXPIRED: derived of the notification, never stored
    """

    OPEN = "open"
    """Nobody has sent to them yet, or a retry can help."""

    SENT = "sent"
    """The channel took the message."""

    RECALLED = "recalled"
    """The channel has deleted the message."""

    EDITED = "edited"
    """The channel has replaced the message."""

    BLOCKED = "blocked"
    """The person does not want to hear from the bot."""

    OPTED_OUT = "optedOut"
    """They said stop, and a broadcast leaves them out."""

    REMOVED = "removed"
    """The bot is not, or no longer, in the conversation."""

    SWITCHED_OFF = "switchedOff"
    """An administrator has switched the bot off."""

    NOT_INSTALLED = "notInstalled"
    """The app is not installed for this person, so that no conversation can begin."""

    GONE = "gone"
    """There is no such conversation any more, or no such message in it."""

    UNKNOWN = "unknown"
    """Nobody of this id was ever met."""

    REFUSED = "refused"
    """The channel will never take this message."""

    CANNOT_BE_RECALLED = "cannotBeRecalled"
    """The channel does not delete this message, or deletes none."""

    CANNOT_BE_EDITED = "cannotBeEdited"
    """The channel does not replace this message, or replaces none."""

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
        Outcome.CANNOT_BE_RECALLED,
        Outcome.CANNOT_BE_EDITED,
        Outcome.TOO_MANY_ATTEMPTS,
        Outcome.GIVEN_UP,
        Outcome.EXPIRED,
    }
)
# The codes of bot_endpoint/sdk/refusals.py that say more than "blocked".
_REMOVED: Final = ("BotNotInConversationRoster", "ForbiddenOperationException")
_SWITCHED_OFF: Final = ("BotDisabledByAdmin", "TenantNoPermission")


def outcome_of(error: ProactiveBotError, refused: Outcome = Outcome.REFUSED) -> Outcome:
    """Return what a failed call means for its recipient; OPEN if a retry can help.

    Args:
        error: how it failed.
        refused: what it means that the channel will never do this.
    """
    match error:
        case AppNotInstalled():
            return Outcome.NOT_INSTALLED
        case ConversationGone() | ActivityGone():
            return Outcome.GONE
        case ConversationBlocked():
            return outcome_of_block(str(error))
        case Refused():
            return refused
    return Outcome.OPEN


def outcome_of_block(reason: str) -> Outcome:
    """Return what it means that the bot may not write somewhere, by the channel's reason."""
    if reason.endswith(_REMOVED):
        return Outcome.REMOVED
    return Outcome.SWITCHED_OFF if reason.endswith(_SWITCHED_OFF) else Outcome.BLOCKED
