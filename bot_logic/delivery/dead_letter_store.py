"""The dead-letter store: a table in which dead letters wait until an operator sees to them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from bot_logic import errors
from bot_logic.addresses import printable_id
from bot_logic.clock import Clock
from bot_logic.contract.dead_letter import HOST_GAVE_UP, DeadLetter, read_dead_letter
from bot_logic.contract.queue_text import plain_text
from bot_logic.contract.status import Status
from bot_logic.delivery.idempotency import LEASE, IdempotencyRecords
from bot_logic.delivery.redelivery import IsForgotten, is_never
from bot_logic.errors import ServiceUnavailable
from bot_logic.storage.protocols import (
    Key,
    Queue,
    ReceivedMessage,
    Row,
    RowRefused,
    StoredRow,
    Table,
    digest_key,
)
from bot_logic.telemetry import OFF, Telemetry
from bot_logic.telemetry.log_events import Event, EventLog, fingerprint
from bot_logic.telemetry.names import DEAD_LETTERED, ERROR_TYPE, OTHER

TABLE_NAME: Final = "deadletters"

log = EventLog(__name__)


@dataclass(frozen=True, slots=True)
class Filed:
    """A dead letter in the store.

    Attributes:
        dead_letter: what was filed.
        sent: how many activities of it the channel has taken; a replay goes on behind them.
        key: where its row is.
        etag: the version of its row.
    """

    dead_letter: DeadLetter
    sent: int
    key: Key
    etag: str


class DeadLetterStore:
    """Files what arrives on the poison queue; replays and purges what is filed."""

    def __init__(
        self,
        table: Table,
        records: IdempotencyRecords,
        queue: Queue,
        poison_queue: Queue,
        clock: Clock,
        *,
        telemetry: Telemetry = OFF,
        is_forgotten: IsForgotten = is_never,
    ) -> None:
        self._is_forgotten = is_forgotten
        self._table = table
        self._records = records
        self._queue = queue
        self._poison_queue = poison_queue
        self._clock = clock
        self._telemetry = telemetry

    async def file(self, message: ReceivedMessage) -> None:
        """File what is on the poison queue, unless it was delivered after all.

        Raises:
            QueueUnavailable: neither the table nor the queue can be reached; leave it there.
        """
        body = message.get_body()
        letter = read_dead_letter(body, default_id=printable_id(message.id))
        envelope = letter.envelope()
        if envelope is not None and await self._is_forgotten(envelope):
            log.info(Event.MESSAGE_FORGOTTEN, message=fingerprint(letter.id))
            return
        try:
            await self._file(letter, body)
        except (ServiceUnavailable, RowRefused) as error:  # an attempt may be under way
            log.warning(Event.DEAD_LETTER_WAITS, message=letter.id, reason=str(error))
            await self._poison_queue.put(plain_text(body), delay=LEASE)

    async def _file(self, letter: DeadLetter, body: bytes | str) -> None:
        key = digest_key(letter.key)

        async def put(sent: list[str]) -> None:
            await self._put(key, letter, body, len(sent))
            _record(letter, len(sent))

        ending = await self._records.once(letter.key, put, end=Status.DEAD_LETTERED)
        if ending.overtaken:
            raise ServiceUnavailable("another attempt has begun meanwhile")
        if ending.now:
            self._telemetry.count(DEAD_LETTERED, {ERROR_TYPE: _error_type(letter)})
            return
        log.warning(Event.DEAD_LETTER_DROPPED, message=letter.id, status=ending.status.value)
        if ending.status == Status.DELIVERED:  # whoever began to file it may have died meanwhile
            await self._table.delete(key)

    async def all(self, *, behind: Key | None = None) -> AsyncIterator[Filed]:
        """Yield all that is filed, or what comes after a key, in the order of their keys.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        async for row in self._table.rows(behind=behind):
            yield _filed(row)

    async def at(self, key: Key) -> Filed | None:
        """Return the dead letter under a key, or None.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        row = await self._table.read(key)
        return None if row is None else _filed(row)

    async def find(self, message_id: str) -> list[Filed]:
        """Return the dead letters with this id: mostly one, or none.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        return [filed async for filed in self.all() if filed.dead_letter.id == message_id]

    async def forget(self, filed: Filed) -> None:
        """Delete a dead letter, and what is known of its message.

        Raises:
            ServiceUnavailable: the table cannot be reached, or the dead letter was filed anew.
        """
        await self._records.forget(filed.dead_letter.key)
        await self.purge(filed)

    async def replay(self, filed: Filed) -> bool:
        """Put a message on the queue again; False if it was delivered after all.

        Raises:
            UndecodableMessage, OversizedMessage: it would come to the same end again.
            ServiceUnavailable, QueueUnavailable: it could not be done; the dead letter stays.
        """
        letter = filed.dead_letter
        message = letter.message_to_replay(self._clock.now())
        if open_again := await self._records.reopen(letter.key):
            await self._queue.put(message)
        await self.purge(filed)
        return open_again

    async def purge(self, filed: Filed) -> None:
        """Delete a dead letter.

        Raises:
            ServiceUnavailable: the table cannot be reached, or the dead letter was filed anew.
        """
        await self._table.delete(filed.key, filed.etag)

    async def _put(self, key: Key, letter: DeadLetter, body: bytes | str, sent: int) -> None:
        """Write a row: with the whole message, or with its beginning if no row can hold it."""
        row = _row(letter, body, sent)
        try:
            await self._table.put(key, row)
        except RowRefused as error:
            log.warning(Event.DEAD_LETTER_CUT_SHORT, message=letter.id, reason=str(error))
            await self._table.put(key, {**row, "body": letter.without_message().encode()})


def _record(letter: DeadLetter, sent: int) -> None:
    log.error(
        Event.DEAD_LETTER_FILED,
        message=letter.id,
        error=letter.error,
        reason=letter.reason,
        first_reason=letter.first_reason,
        attempts=letter.attempts,
        age=letter.age_seconds,
        sent=sent,
    )


def _error_type(letter: DeadLetter) -> str:
    """Return one of our errors' names: a stranger's dead letter may say anything."""
    ours = letter.error == HOST_GAVE_UP or hasattr(errors, letter.error)
    return letter.error if ours else OTHER


def _row(letter: DeadLetter, body: bytes | str, sent: int) -> Row:
    return {
        "id": letter.id,
        "error": letter.error,
        "reason": letter.reason,
        "sent": sent,
        # As bytes, for a row's string holds only 32 Ki characters.
        "body": plain_text(body).encode("utf-8", "surrogatepass"),
    }


def _filed(row: StoredRow) -> Filed:
    columns = row.columns
    letter = read_dead_letter(columns["body"], default_id=columns["id"])
    return Filed(letter, columns.get("sent", 0), row.key, row.etag)
