"""The idempotency record: each message comes to one end, and to that end once.

The same message can come more than once: a queue hands it out again, Direct Line reports a failure
after the bot had done its work, a producer sends it twice. Whoever ends a message, by delivering it
or by filing it as a dead letter, first takes the lease of its record, then does it, then notes the
status. Every write after that is conditional on the record's ETag, so an attempt that lost its
lease changes nothing any more.

An attempt can fail when it has done a part of its work. The record says which, and the next attempt
goes on behind it.

What remains is a crash between doing and noting: when the lease has run out, the message is sent
again rather than not at all.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

from bot_logic.clock import Clock
from bot_logic.contract.retry import Failure
from bot_logic.contract.status import Status
from bot_logic.delivery.notes import Notes
from bot_logic.delivery.record import Claim, Record
from bot_logic.errors import (
    AttemptUnderWay,
    PermanentError,
    ProactiveBotError,
    RetryableError,
    ServiceUnavailable,
)
from bot_logic.storage.protocols import RowConflict, Table, digest_key
from bot_logic.telemetry.log_events import Event, EventLog

TABLE_NAME: Final = "idempotency"
LEASE: Final = 60  # seconds; an attempt takes 27 at most, and storage may be away for the rest

Act = Callable[[list[str]], Awaitable[None]]
OnFailure = Callable[[Failure], Awaitable[None]]

log = EventLog(__name__)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a message has ended.

    Attributes:
        status: what has become of it.
        now: whether it ended now, or had before.
        overtaken: whether the lease ran out meanwhile, and another attempt has begun.
    """

    status: Status
    now: bool
    overtaken: bool = False


class IdempotencyRecords:
    """Brings each message to one end, by its id, on a table."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._notes = Notes(table, clock)

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
            act: what ends it. It is given the ids of what attempts before it have sent, and adds
                those of what it sends itself: they are kept if it fails, whatever it raises.
            end: the status that it then has.
            attempt: which attempt this is, from 1. Each number runs to its failure once: a copy of
                the message with a number that has failed already has a successor, and is dropped.
            on_failure: sees to the message when `act` has failed, or raises that error again, to
                leave the message to the caller. Until it has returned, nobody else may begin.

        Raises:
            AttemptUnderWay: by somebody else.
            ServiceUnavailable: the table cannot be reached.
            RetryableError, PermanentError: what `act` raises and `on_failure` does not see to.
        """
        await self._notes.catch_up()
        if (known := self._notes.known(key).status).is_final:
            return Ending(known, now=False)
        claim = await self._claim(key, attempt)
        if isinstance(claim, Status):
            return Ending(claim, now=False)
        done = list(claim.record.done)
        try:
            await act(done)
        except (RetryableError, PermanentError) as error:
            return await self._failed(claim, done, error, on_failure)
        except Exception:  # a fault in what `act` runs, which is its caller's to see
            await self._release(claim, done, begun=False)
            raise
        # Where nothing is to go on, nobody asks what was sent; some channels' ids name whom to.
        kept = () if end == Status.DELIVERED else claim.record.done
        ended = replace(claim.record, status=end, done=kept)
        overtaken = not await self._notes.settle(claim, ended)
        return Ending(end, now=True, overtaken=overtaken)

    async def _failed(
        self, claim: Claim, done: list[str], error: Failure, on_failure: OnFailure | None
    ) -> Ending:
        if on_failure is None:
            await self._release(claim, done, begun=False)
            raise error
        try:
            await on_failure(error)
        except ProactiveBotError as raised:
            if raised is error:
                await self._release(claim, done, begun=False)
            elif tuple(done) != claim.record.done:  # and nobody may begin, until the lease is over
                await self._notes.settle(claim, replace(claim.record, done=tuple(done)))
            raise
        begun = isinstance(error, PermanentError) or error.is_failed_attempt
        await self._release(claim, done, begun=begun)
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

    async def forget(self, key: str) -> None:
        """Delete what is known of a message.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        await self._table.delete(digest_key(key))

    async def _claim(self, key: str, attempt: int | None) -> Claim | Status:
        """Take a message's lease, or return the status in which there is nothing to do."""
        record = self._leased(key, Record.new(), attempt)
        try:
            etag = await self._table.insert(digest_key(key), record.to_row())
        except RowConflict:
            return await self._take_over(key, attempt)
        return Claim(key, record, etag)

    async def _take_over(self, key: str, attempt: int | None) -> Claim | Status:
        found = await self._table.read(digest_key(key))
        if found is None:
            raise ServiceUnavailable("the message's record has just been deleted")
        record = Record.of(found.columns)
        if record.status.is_final:
            return record.status
        if attempt is not None and record.has_failed(attempt):
            return Status.OPEN
        self._check_not_under_way(record)
        mine = self._leased(key, record, attempt)
        etag = await self._table.replace(found.key, mine.to_row(), found.etag)
        return Claim(key, mine, etag)

    async def _release(self, claim: Claim, done: list[str], *, begun: bool) -> None:
        """Let the next attempt begin, behind what is done; `begun` uses this one's number up."""
        number = claim.record.attempt if begun else claim.record.attempt - 1
        released = replace(claim.record, status=Status.OPEN, attempt=number, done=tuple(done))
        if released.done != claim.record.done:
            await self._notes.settle(claim, released)
            return
        try:
            await self._notes.write(claim, released)
        except RowConflict:
            log.warning(Event.MESSAGE_LEASE_LOST, key=claim.key)
        except ServiceUnavailable as error:  # the lease runs out by itself
            log.warning(Event.MESSAGE_LEASE_KEPT, key=claim.key, reason=str(error))

    def _leased(self, key: str, record: Record, attempt: int | None) -> Record:
        """Return the record with the lease of its next attempt."""
        return replace(
            record,
            status=Status.UNDER_WAY,
            attempt=attempt or record.attempt + 1,
            lease_until=int(self._clock.now()) + LEASE,
            done=max(record.done, self._notes.known(key).done, key=len),
        )

    def _check_not_under_way(self, record: Record) -> None:
        if record.is_leased(self._clock.now()):
            left = max(int(record.lease_until - self._clock.now()), 0)
            raise AttemptUnderWay("another attempt is under way", retry_after=left + 1)
