"""The mark of a conversation to which the bot may not write, in two columns of its row."""

from dataclasses import dataclass
from typing import Final

from bot_logic.storage.protocols import Row

MAX_REASON: Final = 1000  # characters
_REASON: Final = "blockedReason"
_SINCE: Final = "blockedSince"


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why and since when the bot may not write there.

    Attributes:
        reason: what the channel answered.
        since: Unix time, seconds, at which it first answered that.
    """

    reason: str
    since: int

    @classmethod
    def of(cls, row: Row) -> "Blocked | None":
        """Read the mark of a conversation's row, if it has one."""
        return cls(row[_REASON], int(row[_SINCE])) if _REASON in row else None

    def on(self, row: Row) -> Row:
        """Return the row with this mark."""
        return {**row, _REASON: self.reason, _SINCE: self.since}


def unmarked(row: Row) -> Row:
    """Return a conversation's row without a mark."""
    return {name: value for name, value in row.items() if name not in (_REASON, _SINCE)}
