"""Every error that the two resources raise, and what its receiver does next.

ProactiveBotError
├── SettingsError            serve nothing, say which settings are wrong
├── BadRequest               answer the caller 4xx and name the field
├── RetryableError           a later attempt can succeed: put the message back
│   ├── ServiceUnavailable   a dependency is down, slow, or asks us to wait
│   │   ├── DirectLineDown   it is Direct Line that failed
│   │   ├── BotFailed        it is the bot that failed, or was slow, says Direct Line
│   │   ├── AskedInVain      it fails for every message: no failed attempt of this one
│   │   ├── AskedToWait      it is throttling: no failed attempt, however often
│   │   │   └── TurnedAway   it was not asked now: no failed attempt either
│   │   │       └── HostDown it fails for every message
│   │   └── AttemptUnderWay  somebody else is at this message: no failed attempt either
│   └── QueueUnavailable     the queue could not take a message
│       ├── QueueNotCreated
│       └── MessageNotInserted
├── NewerVersion             put the message back, for an instance of a newer version
└── PermanentError           no later attempt can: the message becomes a dead letter
    ├── UndecodableMessage   what is on the queue is not a message of ours
    ├── ExpiredMessage       it is too late to deliver it
    ├── OversizedMessage     it does not fit into a queue message
    └── Refused              a dependency will never take this message
        ├── AppNotInstalled  the bot may begin no conversation with this person, as yet
        ├── ConversationGone the conversation is over; its reference can be forgotten
        ├── ActivityGone     the message is not there any more: nothing to delete or replace
        └── ConversationBlocked  the bot may not write there now; its reference is kept
"""

from collections.abc import Sequence
from typing import ClassVar


class ProactiveBotError(Exception):
    """Anything this project raises on purpose."""


class SettingsError(ProactiveBotError):
    """Settings are missing or malformed.

    Attributes:
        problems: one sentence for each of them; names, never values.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class BadRequest(ProactiveBotError):
    """What a caller sent cannot be taken.

    Attributes:
        status: the HTTP status to answer with, 400 to 499.
        code: the machine-readable name of the problem.
        field: the JSON field at fault, as a path, if there is one.
    """

    def __init__(
        self, message: str, *, status: int = 400, code: str = "BadRequest", field: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.field = field


class RetryableError(ProactiveBotError):
    """A later attempt can succeed.

    Attributes:
        retry_after: whole seconds that the dependency asked us to wait, if it did.
        is_failed_attempt: whether it counts towards `MaxDeliveryAttempts`.
    """

    is_failed_attempt: ClassVar[bool] = True

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ServiceUnavailable(RetryableError):
    """A dependency (Direct Line, the bot, a channel, the tables) is down, slow or throttling."""


class AskedToWait(ServiceUnavailable):
    """A dependency is throttling; only the message's age ends it."""

    is_failed_attempt = False


class TurnedAway(AskedToWait):
    """A dependency that throttles or hangs was not asked, for others are in front of us."""


class HostDown(TurnedAway):
    """A dependency that fails for every message was not asked, for others ask it already."""


class AskedInVain(ServiceUnavailable):
    """A dependency that fails for every message was asked once more, by this one."""

    is_failed_attempt = False


class DirectLineDown(ServiceUnavailable):
    """Direct Line failed, or could not be reached."""


class BotFailed(ServiceUnavailable):
    """Direct Line says that the bot failed, or did not answer in time."""


class AttemptUnderWay(ServiceUnavailable):
    """Another attempt at the same message is under way; its lease ends it."""

    is_failed_attempt = False


class QueueUnavailable(RetryableError):
    """The storage queue could not take a message."""


class QueueNotCreated(QueueUnavailable):
    """The queue does not exist and could not be created."""


class MessageNotInserted(QueueUnavailable):
    """The queue did not accept the message."""


class NewerVersion(ProactiveBotError):
    """The message was written by a newer version of this app, which is being rolled out."""


class PermanentError(ProactiveBotError):
    """No later attempt can succeed; the message becomes a dead letter with this reason."""


class UndecodableMessage(PermanentError):
    """A queue message is not JSON, or not of a known shape.

    Attributes:
        field: the JSON field at fault, as a path, if there is one.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message if field is None else f"{field}: {message}")
        self.field = field


class ExpiredMessage(PermanentError):
    """The message is older than its sender allowed."""


class OversizedMessage(PermanentError):
    """The message does not fit into one queue message."""


class Refused(PermanentError):
    """A dependency answered that it will never take this message."""


class AppNotInstalled(Refused):
    """The app is not installed for this person, so that the bot may begin no conversation."""


class ConversationGone(Refused):
    """The channel does not know the conversation any more."""


class ActivityGone(Refused):
    """The channel does not know the activity any more that was to be deleted or replaced."""


class ConversationBlocked(Refused):
    """The bot may not write to the conversation: somebody blocked, removed or disabled it."""
