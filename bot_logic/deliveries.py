"""Which messages have come to their end, so that none is delivered twice, or delivered and buried.

The same message can come more than once: a queue hands it out again, Direct Line reports a failure
after the bot had done its work, a producer sends it twice. Whoever ends a message, by delivering it
or by burying it, first claims its id in a table, then does it, then notes that it is done. What
remains is a crash between doing and noting it: after the claim has run out, the message is sent
again rather than not at all.
"""

import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Literal

from bot_logic.errors import RetryHelps, RetryNeverHelps, ServiceUnavailable
from bot_logic.table import Row, RowConflict, Table

TABLE_NAME: Final = "deliveries"
MAX_NOT_NOTED: Final = 1000  # ids remembered in memory while the table fails
CLAIM_LASTS: Final = 20  # seconds; longer than a turn, so that nobody claims what is under way

End = Literal["delivered", "buried"]
Act = Callable[[], Awaitable[None]]

logger = logging.getLogger(__name__)


class Deliveries:
    """Brings each message to one end, by its id, on Table Storage."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._not_noted: deque[str] = deque(maxlen=MAX_NOT_NOTED)

    async def once(self, message_id: str, act: Act, *, end: End = "delivered") -> bool:
        """Run `act`, unless this message has come to an end before; tells whether it ran.

        Raises:
            ServiceUnavailable: another attempt is under way, or the table cannot be reached.
            RetryHelps, RetryNeverHelps: what `act` raises; the message may be tried again.
        """
        if message_id in self._not_noted or not await self._claim(message_id):
            return False
        try:
            await act()
        except (RetryHelps, RetryNeverHelps):
            await self._release(message_id)
            raise
        await self._note(message_id, end)
        return True

    async def reopen(self, message_id: str) -> bool:
        """Let a buried message be delivered after all; False if it was delivered already.

        Raises:
            ServiceUnavailable: an attempt is under way, or the table cannot be reached.
        """
        found = await self._table.read(message_id)
        if found is None:
            return True
        row, etag = found
        if row["state"] == "delivered":
            return False
        _check_not_under_way(row)
        await self._table.delete(message_id, etag)
        return True

    async def _claim(self, message_id: str) -> bool:
        try:
            await self._table.insert(message_id, _row("claimed"))
        except RowConflict:
            return await self._take_over(message_id)
        return True

    async def _take_over(self, message_id: str) -> bool:
        found = await self._table.read(message_id)
        if found is None:
            raise ServiceUnavailable("another attempt has just failed")
        row, etag = found
        if row["state"] != "claimed":
            return False
        _check_not_under_way(row)
        await self._table.replace(message_id, _row("claimed"), etag)
        return True

    async def _release(self, message_id: str) -> None:
        try:
            await self._table.delete(message_id)
        except ServiceUnavailable as error:  # the claim runs out by itself
            logger.warning("claim on message %s not released: %s", message_id, error)

    async def _note(self, message_id: str, end: End) -> None:
        try:
            await self._table.put(message_id, _row(end))
        except ServiceUnavailable as error:  # this process, at least, knows
            self._not_noted.append(message_id)
            logger.warning("end of message %s not noted: %s", message_id, error)


def _check_not_under_way(row: Row) -> None:
    if row["state"] == "claimed" and time.time() - int(row["since"]) < CLAIM_LASTS:
        raise ServiceUnavailable("another attempt is under way")


def _row(state: str) -> Row:
    return {"state": state, "since": str(int(time.time()))}
