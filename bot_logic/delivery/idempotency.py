"""The idempotency record: each message comes to one end, and to that end once.

The same message can come more than once: a queue hands it out again, Direct Line reports a failure
after the bot had done its work, a producer sends it twice. Whoever ends a message, by delivering it
or by filing it as a dead letter, first takes the lease of its record, then does it, then notes the
status. Every write after that is conditional on the record's ETag, so an attempt that lost its
lease changes nothing any more.

What remains is a crash between doing and noting: when the lease has run out, the message is sent
again rather than not at all.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bot_logic.clock import Clock
from bot_logic.contract.retry import Failure
from bot_logic.contract.status import Status
from bot_logic.errors import (
    AttemptUnderWay,
    PermanentError,
    RetryableError,
    ServiceUnavailable,
)
from bot_logic.storage.protocols import Row, RowConflict, Table, digest_key

TABLE_NAME: Final = "idempotency"
LEASE: Final = 60  # seconds; an attempt takes 27 at most, and storage may be away for the rest
FIRST_PAUSE: Final = 0.25  # seconds before noting is tried again; doubles each time
LONGEST_PAUSE: Final = 4.0  # seconds
MAX_NOT_NOTED: Final = 1000  # messages remembered in memory while the table fails

Act = Callable[[], Awaitable[None]]
OnFailure = Callable[[Failure], Awaitable[None]]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a message, of one recipient or of a page of them.

    Attributes:
        status: what has become of it.
        attempt: the number of the last attempt that has begun, or has failed.
        lease_until: Unix time, seconds, until which the attempt that is under way may take.
        details: further columns of the row, which are kept as they are.
    """

    status: Status
    attempt: int
    lease_until: int
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, row: Row) -> "Record":
        """Read a table's row."""
        known = ("status", "attempt", "leaseUntil")
        return cls(
            status=Status(row["status"]),
            attempt=int(row["attempt"]),
            lease_until=int(row["leaseUntil"]),
            details={name: value for name, value in row.items() if name not in known},
        )

    def to_row(self) -> Row:
        """Return the record as a table's row."""
        return {
            **self.details,
            "status": self.status.value,
            "attempt": self.attempt,
            "leaseUntil": self.lease_until,
        }

    def has_failed(self, attempt: int) -> bool:
        """Tell whether this attempt has failed, or a later one has begun: it has a successor."""
        if self.status == Status.OPEN:
            return attempt <= self.attempt
        return attempt < self.attempt

    def is_leased(self, now: float) -> bool:
        """Tell whether an attempt is under way."""
        return self.status == Status.UNDER_WAY and now < self.lease_until


@dataclass(frozen=True, slots=True)
class Ending:
    """How a message has ended, and whether it did so now or had before."""

    status: Status
    now: bool


@dataclass(frozen=True, slots=True)
class _Claim:
    """A record whose lease this process holds, as it stands in the table."""

    key: str
    record: Record
    etag: str


class IdempotencyRecords:
    """Brings each message to one end, by its id, on a table."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._not_noted: dict[str, Status] = {}  # the oldest first

    async def once(
        self,
        key: str,
        act: Act,
        *,
        end: Status = Status.DELIVERED,
        attempt: int | None = None,
        on_failure: OnFailure | None = None,
    ) -> Ending:
        """Run `act`, unless this message has come to an end before, and note that it has ended.

        Args:
            key: the message's.
            act: what ends it.
            end: the status that it then has.
            attempt: which attempt this is, from 1. Each number runs to its failure once: a copy of
                the message with a number that has failed already has a successor, and is dropped.
            on_failure: sees to the message when `act` has failed. Until it has returned, nobody
                else may begin.

        Raises:
            AttemptUnderWay: by somebody else.
            ServiceUnavailable: the table cannot be reached.
            RetryableError, PermanentError: what `act` raises, if there is no `on_failure`.
        """
        if key in self._not_noted:
            return Ending(self._not_noted[key], now=False)
        claimed = await self._claim(key, attempt)
        if isinstance(claimed, Status):
            return Ending(claimed, now=False)
        try:
            await act()
        except (RetryableError, PermanentError) as error:
            return await self._failed(claimed, error, on_failure)
        await self._note(claimed, end)
        return Ending(end, now=True)

    async def _failed(self, claim: _Claim, error: Failure, on_failure: OnFailure | None) -> Ending:
        if on_failure is None:
            await self._release(claim, begun=False)
            raise error
        await on_failure(error)
        counts = isinstance(error, PermanentError) or error.is_failed_attempt
        await self._release(claim, begun=counts)
        return Ending(Status.OPEN, now=True)

    async def status(self, key: str) -> Status:
        """Return what has become of a message.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        found = await self._table.read(digest_key(key))
        return Status.OPEN if found is None else Record.of(found.columns).status

    async def has_successor(self, key: str, attempt: int) -> bool:
        """Tell whether a message has ended, or somebody else has seen to it after this attempt.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        found = await self._table.read(digest_key(key))
        if found is None:
            return False
        record = Record.of(found.columns)
        return record.status.is_final or record.has_failed(attempt)

    async def reopen(self, key: str) -> bool:
        """Let a dead-lettered message be delivered after all; False if it was delivered already.

        Raises:
            ServiceUnavailable: an attempt is under way, or the table cannot be reached.
        """
        found = await self._table.read(digest_key(key))
        if found is None:
            return True
        record = Record.of(found.columns)
        if record.status == Status.DELIVERED:
            return False
        self._check_not_under_way(record)
        opened = replace(record, status=Status.OPEN, attempt=0)
        await self._table.replace(found.key, opened.to_row(), found.etag)
        return True

    async def _claim(self, key: str, attempt: int | None) -> _Claim | Status:
        """Take a message's lease, or return the status in which there is nothing to do."""
        record = self._leased(attempt or 1, {})
        try:
            etag = await self._table.insert(digest_key(key), record.to_row())
        except RowConflict:
            return await self._take_over(key, attempt)
        return _Claim(key, record, etag)

    async def _take_over(self, key: str, attempt: int | None) -> _Claim | Status:
        found = await self._table.read(digest_key(key))
        if found is None:
            raise ServiceUnavailable("the message's record has just been deleted")
        record = Record.of(found.columns)
        if record.status.is_final:
            return record.status
        if attempt is not None and record.has_failed(attempt):
            return Status.OPEN
        self._check_not_under_way(record)
        mine = self._leased(attempt or record.attempt + 1, record.details)
        etag = await self._table.replace(found.key, mine.to_row(), found.etag)
        return _Claim(key, mine, etag)

    async def _release(self, claim: _Claim, *, begun: bool) -> None:
        """Let the next attempt begin; with `begun`, this one's number is used up."""
        number = claim.record.attempt if begun else claim.record.attempt - 1
        released = replace(claim.record, attempt=number)
        try:
            await self._end(replace(claim, record=released), Status.OPEN)
        except RowConflict:
            logger.warning("message %s failed after its lease had run out", claim.key)
        except ServiceUnavailable as error:  # the lease runs out by itself
            logger.warning("lease of message %s not released: %s", claim.key, error)

    async def _note(self, claim: _Claim, end: Status) -> None:
        """Note how a message has ended, trying for as long as the lease lasts.

        If that fails, this process remembers; another one may do the work again.
        """
        try:
            await self._note_while_leased(claim, end)
        except RowConflict:
            logger.warning(
                "message %s %s after its lease had run out: another attempt may have begun",
                claim.key,
                end.value,
            )
        except ServiceUnavailable as error:
            self._remember(claim.key, end)
            logger.warning("status of message %s not noted: %s", claim.key, error)

    async def _note_while_leased(self, claim: _Claim, end: Status) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await self._end(claim, end)
            except RowConflict:
                raise
            except ServiceUnavailable:
                if self._clock.now() + pause >= claim.record.lease_until:
                    raise
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                return

    async def _end(self, claim: _Claim, status: Status) -> None:
        record = replace(claim.record, status=status)
        try:
            await self._table.replace(digest_key(claim.key), record.to_row(), claim.etag)
        except RowConflict:
            if not await self._is_mine(claim, status):
                raise

    async def _is_mine(self, claim: _Claim, status: Status) -> bool:
        """Tell whether a write that conflicts has met its own first try, whose answer was lost."""
        found = await self._table.read(digest_key(claim.key))
        if found is None:
            return False
        record = Record.of(found.columns)
        return (record.attempt, record.status) == (claim.record.attempt, status)

    def _leased(self, attempt: int, details: Mapping[str, Any]) -> Record:
        lease_until = int(self._clock.now()) + LEASE
        return Record(Status.UNDER_WAY, attempt, lease_until, details)

    def _check_not_under_way(self, record: Record) -> None:
        if record.is_leased(self._clock.now()):
            left = max(int(record.lease_until - self._clock.now()), 0)
            raise AttemptUnderWay("another attempt is under way", retry_after=left + 1)

    def _remember(self, key: str, end: Status) -> None:
        self._not_noted[key] = end
        if len(self._not_noted) > MAX_NOT_NOTED:
            del self._not_noted[next(iter(self._not_noted))]
