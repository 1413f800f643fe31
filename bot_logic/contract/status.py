"""What can have become of a message."""

from enum import StrEnum


class Status(StrEnum):
    """The state of a message's idempotency record.

    ::

        (no record) ──▶ UNDER_WAY ──▶ DELIVERED
                         ▲    │  └──▶ DEAD_LETTERED ──▶ (replayed: OPEN)
                         │    ▼
                         └── OPEN
    """

    OPEN = "open"
    """No attempt is under way and none has succeeded; the next may begin at once."""

    UNDER_WAY = "underWay"
    """An attempt is under way until its lease runs out; nobody else may begin one."""

    DELIVERED = "delivered"
    """The channel took the message; nothing is sent again."""

    DEAD_LETTERED = "deadLettered"
    """It is in the dead-letter store; nothing is sent unless an operator replays it."""

    @property
    def is_final(self) -> bool:
        """Tell whether the message has come to its end."""
        return self in (Status.DELIVERED, Status.DEAD_LETTERED)
