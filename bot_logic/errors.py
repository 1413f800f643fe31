"""Every error the two resources raise, named for what its receiver does next.

ProactiveBotError
├── SettingsError            serve nothing, say which settings are wrong
├── BadRequest               answer the caller 4xx and name the field
├── RetryHelps               put the message back on the queue, try again later
│   ├── ServiceUnavailable   a neighbour is down, slow, or asks us to wait
│   └── QueueUnavailable     the queue could not take a message
│       ├── QueueNotCreated
│       └── MessageNotInserted
└── RetryNeverHelps          put the message on the poison queue with this reason
    ├── UndecodableMessage   what is on the queue is not a message of ours
    ├── ExpiredMessage       it is too late to deliver it
    ├── OversizedMessage     it does not fit into a queue message
    └── Refused              a neighbour will never take this message
        └── ConversationGone the conversation is over; its reference can be forgotten
"""

from collections.abc import Sequence


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


class RetryHelps(ProactiveBotError):
    """A later attempt can succeed.

    Attributes:
        retry_after: whole seconds that the neighbour asked us to wait, if it did.
    """

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ServiceUnavailable(RetryHelps):
    """A neighbour (Direct Line, the bot, a channel, the tables) is down, slow or throttling."""


class QueueUnavailable(RetryHelps):
    """The storage queue could not take a message."""


class QueueNotCreated(QueueUnavailable):
    """The queue does not exist and could not be created."""


class MessageNotInserted(QueueUnavailable):
    """The queue did not accept the message."""


class RetryNeverHelps(ProactiveBotError):
    """No later attempt can succeed; the message ends on the poison queue with this reason."""


class UndecodableMessage(RetryNeverHelps):
    """A queue message is not JSON, or not of a known shape.

    Attributes:
        field: the JSON field at fault, as a path, if there is one.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message if field is None else f"{field}: {message}")
        self.field = field


class ExpiredMessage(RetryNeverHelps):
    """The message is older than its sender allowed."""


class OversizedMessage(RetryNeverHelps):
    """The message does not fit into one queue message."""


class Refused(RetryNeverHelps):
    """A neighbour answered that it will never take this message."""


class ConversationGone(Refused):
    """The channel no longer knows the conversation, or the user blocked the bot."""
