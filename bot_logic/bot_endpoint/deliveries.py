"""Which messages were delivered, so that none is delivered twice.

The same message can come more than once: a queue hands it out again, Direct Line reports a failure
after the bot had done its work, a producer sends it twice. Each attempt first claims the message's
id in a table, then sends, then notes that it was sent. What remains is a crash between sending and
noting it: after the claim has run out, the message is sent again rather than not at all.
"""

import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from bot_logic.bot_endpoint.table import Row, RowConflict, Table
from bot_logic.errors import RetryHelps, RetryNeverHelps, ServiceUnavailable

TABLE_NAME: Final = "deliveries"
MAX_NOT_NOTED: Final = 1000  # ids remembered in memory while the table fails
CLAIM_LASTS: Final = 20  # seconds; longer than a turn, so that nobody claims what is under way

logger = logging.getLogger(__name__)


class Deliveries:
    """Delivers each message once, by id, on Table Storage."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._not_noted: deque[str] = deque(maxlen=MAX_NOT_NOTED)

    async def once(self, message_id: str, deliver: Callable[[], Awaitable[None]]) -> bool:
        """Run `deliver`, unless this message was delivered before; tells whether it ran.

        Raises:
            ServiceUnavailable: another attempt is under way, or the table cannot be reached.
            RetryHelps, RetryNeverHelps: what `deliver` raises; the message may be tried again.
        """
        if message_id in self._not_noted or not await self._claim(message_id):
            return False
        try:
            await deliver()
        except (RetryHelps, RetryNeverHelps):
            await self._release(message_id)
            raise
        await self._note(message_id)
        return True

    async def _claim(self, message_id: str) -> bool:
        try:
            await self._table.insert(message_id, _row("sending"))
        except RowConflict:
            return await self._take_over(message_id)
        return True

    async def _take_over(self, message_id: str) -> bool:
        found = await self._table.read(message_id)
        if found is None:
            raise ServiceUnavailable("another attempt has just failed")
        row, etag = found
        if row["state"] == "sent":
            return False
        if time.time() - int(row["since"]) < CLAIM_LASTS:
            raise ServiceUnavailable("another attempt is under way")
        await self._table.replace(message_id, _row("sending"), etag)
        return True

    async def _release(self, message_id: str) -> None:
        try:
            await self._table.delete(message_id)
        except ServiceUnavailable as error:  # the claim runs out by itself
            logger.warning("delivery of %s not released: %s", message_id, error)

    async def _note(self, message_id: str) -> None:
        try:
            await self._table.put(message_id, _row("sent"))
        except ServiceUnavailable as error:  # this process, at least, knows
            self._not_noted.append(message_id)
            logger.warning("delivery of %s not noted: %s", message_id, error)


def _row(state: str) -> Row:
    return {"state": state, "since": str(int(time.time()))}
