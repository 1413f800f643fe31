"""Which conversations were forgotten, and when: a digest and a time, and nothing about anybody.

What is hidden on a queue cannot be listed, let alone deleted. So whoever takes a message off it
looks here before it is sent, put back or filed.
"""

import math
from typing import Final

from bot_logic.clock import Clock
from bot_logic.storage.protocols import Table, digest_key

TABLE_NAME: Final = "forgotten"
NEVER: Final = -math.inf


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
