"""Where dead letters are kept until an operator replays or purges them: a table."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from bot_logic.dead_letters.letter import Letter, read_letter
from bot_logic.deliveries import CLAIM_LASTS, Deliveries
from bot_logic.errors import ServiceUnavailable
from bot_logic.storage_queue import ReceivedMessage, StorageQueue
from bot_logic.table import Row, Table

TABLE_NAME: Final = "deadletters"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Filed:
    """A letter in the cabinet, and the version of it."""

    letter: Letter
    etag: str


class Cabinet:
    """Files what arrives on the poison queue; replays and purges what is filed."""

    def __init__(
        self,
        table: Table,
        deliveries: Deliveries,
        queue: StorageQueue,
        poison_queue: StorageQueue,
    ) -> None:
        self._table = table
        self._deliveries = deliveries
        self._queue = queue
        self._poison_queue = poison_queue

    async def file(self, message: ReceivedMessage) -> None:
        """File what is on the poison queue, unless it was delivered after all.

        Raises:
            QueueUnavailable: neither the table nor the queue can be reached; leave it there.
        """
        body = message.get_body()
        letter = read_letter(body, default_id=message.id or "")
        put = partial(self._table.put, letter.id, _row(letter, body))
        try:
            filed = await self._deliveries.once(letter.id, put, end="buried")
        except ServiceUnavailable as error:  # an attempt may be under way: see how it ends
            logger.warning("dead letter %s not filed yet: %s", letter.id, error)
            await self._poison_queue.put(_text(body), delay=CLAIM_LASTS)
            return
        if filed:
            _record(letter)
        else:
            logger.warning("dead letter %s dropped, its message has ended before", letter.id)

    async def letters(self) -> AsyncIterator[Filed]:
        """All that is filed.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        async for row, etag in self._table.rows():
            yield _filed(row, etag)

    async def find(self, message_id: str) -> Filed | None:
        """The letter of this message, or None."""
        found = await self._table.read(message_id)
        return None if found is None else _filed(*found)

    async def replay(self, filed: Filed) -> bool:
        """Put a letter's message on the queue again; False if it was delivered after all.

        Raises:
            ServiceUnavailable, QueueUnavailable: it could not be done; the letter stays.
        """
        letter = filed.letter
        if open_again := await self._deliveries.reopen(letter.id):
            await self._queue.put(letter.message_to_replay())
        await self.purge(filed)
        return open_again

    async def purge(self, filed: Filed) -> None:
        """Delete a letter.

        Raises:
            ServiceUnavailable: the table cannot be reached, or the letter was filed anew.
        """
        await self._table.delete(filed.letter.id, filed.etag)


def _record(letter: Letter) -> None:
    logger.error(
        "dead letter %s: %s: %s (first: %s; %s attempts, %s s old)",
        letter.id,
        letter.error,
        letter.reason,
        letter.first_reason or "the same",
        letter.attempts,
        letter.age_seconds,
    )


def _row(letter: Letter, body: bytes | str) -> Row:
    # As bytes, for a row's string holds only 32 Ki characters.
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    return {"id": letter.id, "error": letter.error, "reason": letter.reason, "body": raw}


def _filed(row: Row, etag: str) -> Filed:
    return Filed(read_letter(row["body"], default_id=row["id"]), etag)


def _text(body: bytes | str) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else body
