"""Which conversations were forgotten, and when: a digest and a time, and nothing about anybody.

What is hidden on a queue cannot be listed, let alone deleted. So whoever takes a message off it
looks here before it is sent, put back or filed.
"""

import math
from typing import Final

from bot_logic.clock import Clock
from bot_logic.storage.protocols import Row, Table, digest_key

TABLE_NAME: Final = "forgotten"
NEVER: Final = -math.inf

_COLUMN: Final = "forgottenAt"  # of a conversation's row, if it was forgotten before


class Forgotten:
    """Marks of conversations that were forgotten, by the name of a conversation."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    async def mark(self, name: str) -> None:
        """Note that a conversation is forgotten now.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        await self._table.put(digest_key(name), {"at": int(self._clock.now())})

    async def at(self, name: str) -> float:
        """Return when a conversation was forgotten: Unix time, seconds; NEVER if it was not.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        found = await self._table.read(digest_key(name))
        return NEVER if found is None else float(found.columns["at"])


def forgotten_at(row: Row) -> float:
    """Return when the conversation of a row was forgotten before: Unix time, seconds, or NEVER."""
    return float(row.get(_COLUMN, NEVER))


def kept_mark(row: Row) -> Row:
    """Return what stays of a conversation's row when its reference is written anew."""
    return mark_since(forgotten_at(row))


def mark_since(moment: float) -> Row:
    """Return what a conversation's row says of when it was forgotten; nothing for NEVER."""
    return {} if moment == NEVER else {_COLUMN: int(moment)}
