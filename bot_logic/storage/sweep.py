"""Deletes rows that nobody has written for long, so that tables do not grow for ever."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final

from bot_logic.clock import Clock
from bot_logic.storage.protocols import (
    MAX_TRANSACTION,
    Change,
    RowConflict,
    Storage,
    StoredRow,
    Write,
)
from bot_logic.telemetry.log_events import Event, EventLog

LONGEST_RUN: Final = 60.0  # seconds; the next run goes on, and `functionTimeout` is far

log = EventLog(__name__)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Deletes the old rows of some tables.

    Attributes:
        storage: where the tables are.
        kept_for: seconds for which a row is kept after its last write, by its table's name.
        clock: what time it is.
    """

    storage: Storage
    kept_for: Mapping[str, float]
    clock: Clock

    async def run(self) -> dict[str, int]:
        """Delete what is old, for a minute at most; return how many rows, by table.

        A row that is written meanwhile stays.

        Raises:
            ServiceUnavailable: a table cannot be reached; the next run goes on.
        """
        ends = self.clock.elapsed() + LONGEST_RUN
        deleted = {name: await self._table(name, ends) for name in self.kept_for}
        log.info(Event.ROWS_SWEPT, **deleted)
        return deleted

    async def _table(self, name: str, ends: float) -> int:
        table, deleted = self.storage.table(name), 0
        old = table.rows(written_before=self.clock.now() - self.kept_for[name])
        async for batch in _batches(old):
            if self.clock.elapsed() >= ends:
                break
            try:
                await table.transact([Write(Change.DELETE, r.key, {}, r.etag) for r in batch])
            except RowConflict:  # one of them is in use again; the others wait for the next run
                continue
            deleted += len(batch)
        return deleted


async def _batches(rows: AsyncIterator[StoredRow]) -> AsyncIterator[list[StoredRow]]:
    """Yield rows as one transaction may hold them: of one partition, and not too many."""
    batch: list[StoredRow] = []
    async for row in rows:
        if batch and (row.key.partition != batch[0].key.partition or len(batch) == MAX_TRANSACTION):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
