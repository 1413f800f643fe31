"""Notes what has become of a message, for as long as that takes, and remembers it meanwhile."""

import asyncio
import contextlib
from dataclasses import replace
from typing import Final

from bot_logic.clock import Clock
from bot_logic.delivery.record import Claim, Record
from bot_logic.errors import ServiceUnavailable
from bot_logic.storage.protocols import RowConflict, Table, digest_key
from bot_logic.telemetry.log_events import Event, EventLog

FIRST_PAUSE: Final = 0.25  # seconds before noting is tried again; doubles each time
LONGEST_PAUSE: Final = 4.0  # seconds
MAX_NOT_NOTED: Final = 1000  # messages remembered in memory while the table fails

log = EventLog(__name__)


class Notes:
    """Writes the records whose lease this process holds."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._not_noted: dict[str, Claim] = {}  # the oldest first
        self._noting = False

    def known(self, key: str) -> Record:
        """Return what this process knows of a message, and the table does not."""
        claim = self._not_noted.get(key)
        return Record.new() if claim is None else claim.record

    async def settle(self, claim: Claim, record: Record) -> bool:
        """Note what a user may have seen, trying for as long as the lease lasts.

        If that fails, this process remembers; another one may do the work again.

        Returns:
            False if another attempt has begun, whose record it is now.
        """
        try:
            await self._write_while_leased(claim, record)
        except RowConflict:
            log.warning(Event.MESSAGE_LEASE_LOST, key=claim.key, status=record.status.value)
            return False
        except ServiceUnavailable as error:
            self._remember(replace(claim, record=record))
            log.warning(Event.MESSAGE_STATUS_NOT_NOTED, key=claim.key, reason=str(error))
        return True

    async def catch_up(self) -> None:
        """Note what could not be noted; a lease that nobody has taken over is still ours."""
        if self._noting or not self._not_noted:
            return
        self._noting = True
        try:
            for claim in list(self._not_noted.values()):
                with contextlib.suppress(RowConflict):  # another attempt will note it
                    await self.write(claim, claim.record)
                self._not_noted.pop(claim.key, None)
        except ServiceUnavailable:
            return  # at the next message, then
        finally:
            self._noting = False

    async def write(self, claim: Claim, record: Record) -> None:
        """Write a record over its claim, once.

        Raises:
            RowConflict: another attempt has begun.
            ServiceUnavailable: the table cannot be reached.
        """
        try:
            await self._table.replace(digest_key(claim.key), record.to_row(), claim.etag)
        except RowConflict:
            if not await self._is_mine(claim.key, record):
                raise

    async def _write_while_leased(self, claim: Claim, record: Record) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await self.write(claim, record)
            except RowConflict:
                raise
            except ServiceUnavailable:
                if self._clock.now() + pause >= claim.record.lease_until:
                    raise
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                return

    async def _is_mine(self, key: str, record: Record) -> bool:
        """Tell whether a write that conflicts has met its own first try, whose answer was lost."""
        found = await self._table.read(digest_key(key))
        if found is None:
            return False
        stands = Record.of(found.columns)
        return (stands.attempt, stands.status) == (record.attempt, record.status)

    def _remember(self, claim: Claim) -> None:
        self._not_noted[claim.key] = claim
        if len(self._not_noted) > MAX_NOT_NOTED:
            del self._not_noted[next(iter(self._not_noted))]
