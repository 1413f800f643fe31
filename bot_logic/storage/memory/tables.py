"""The double of `StorageTable`."""

import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Final

from bot_logic.clock import Clock
from bot_logic.storage.memory.faults import Faults
from bot_logic.storage.protocols import (
    MAX_TEXT,
    Between,
    Change,
    Key,
    Row,
    RowConflict,
    RowRefused,
    StoredRow,
    Write,
    check_transaction,
)

MAX_BYTES: Final = 64 * 1024  # that one binary column holds


class MemoryTable:
    """Rows in a dict, with an ETag each."""

    def __init__(self, name: str, faults: Faults, clock: Clock) -> None:
        self._name = name
        self._faults = faults
        self._clock = clock
        self._written: dict[Key, float] = {}
        self._rows: dict[Key, StoredRow] = {}
        self._writes = 0

    async def read(self, key: Key) -> StoredRow | None:
        """Return the row under `key`, or None."""
        async with self._faults.around("table.read"):
            return self._rows.get(key)

    async def put(self, key: Key, row: Row) -> None:
        """Write the row, whatever was there."""
        async with self._faults.around("table.put"):
            self._do([Write(Change.PUT, key, row)])

    async def insert(self, key: Key, row: Row) -> str:
        """Write a row that is not there yet, and return its ETag.

        Raises:
            RowConflict: there is one already.
        """
        async with self._faults.around("table.insert"):
            self._do([Write(Change.INSERT, key, row)])
            return self._rows[key].etag

    async def replace(self, key: Key, row: Row, etag: str) -> str:
        """Write the row if nobody wrote it since `etag`, and return its new ETag.

        Raises:
            RowConflict: somebody did, or deleted it.
        """
        async with self._faults.around("table.replace"):
            self._do([Write(Change.REPLACE, key, row, etag)])
            return self._rows[key].etag

    async def delete(self, key: Key, etag: str | None = None) -> None:
        """Delete the row, with `etag` only if nobody wrote it since; that there is none is fine.

        Raises:
            RowConflict: somebody did.
        """
        async with self._faults.around("table.delete"):
            if key in self._rows:
                self._do([Write(Change.DELETE, key, {}, etag or self._rows[key].etag)])

    async def transact(self, writes: Sequence[Write]) -> None:
        """Do all writes or none: at most 100, of one partition, no row twice.

        Raises:
            RowConflict: a row is not as one of the writes expects it; nothing was written.
            ValueError: these writes make no transaction.
        """
        check_transaction(writes)
        async with self._faults.around("table.transact"):
            self._do(writes)

    async def rows(
        self,
        partition: str | None = None,
        *,
        between: Between | None = None,
        behind: Key | None = None,
        written_before: float | None = None,
        columns: Sequence[str] = (),
    ) -> AsyncIterator[StoredRow]:
        """Yield rows in the order of their keys."""
        async with self._faults.around("table.rows"):
            found = sorted(self._rows.values(), key=lambda row: _place(row.key))
        before = math.inf if written_before is None else written_before
        for row in found:
            if partition not in (None, row.key.partition) or self._written[row.key] >= before:
                continue
            if behind is not None and _place(row.key) <= _place(behind):
                continue
            if between is None or between.after < row.key.row <= between.last:
                yield _with_only(row, columns)

    async def check(self) -> None:
        """Do nothing: it can be read, unless it is told otherwise."""
        async with self._faults.around("table.check"):
            return

    async def drop(self) -> None:
        """Delete all rows."""
        self._rows.clear()

    def peek(self, key: Key) -> StoredRow | None:
        """Return the row under `key` as it is now, past all faults."""
        return self._rows.get(key)

    def _do(self, writes: Sequence[Write]) -> None:
        for write in writes:
            self._check_condition(write)
            self._check_sizes(write.columns)
        for write in writes:
            if write.change == Change.DELETE:
                del self._rows[write.key]
            else:
                self._writes += 1
                etag = f'W/"{self._writes}"'
                self._rows[write.key] = StoredRow(write.key, dict(write.columns), etag)
                self._written[write.key] = self._clock.now()

    def _check_condition(self, write: Write) -> None:
        found = self._rows.get(write.key)
        match write.change:
            case Change.INSERT:
                holds = found is None
            case Change.REPLACE | Change.DELETE:
                holds = found is not None and found.etag == write.etag
            case Change.PUT:
                holds = True
        if not holds:
            raise RowConflict(f"table {self._name}: row changed")

    def _check_sizes(self, columns: Row) -> None:
        if any(map(_is_too_large, columns.values())):
            raise RowRefused(f"table {self._name}: PropertyValueTooLarge")


def _place(key: Key) -> tuple[str, str]:
    return key.partition, key.row


def _with_only(row: StoredRow, columns: Sequence[str]) -> StoredRow:
    if not columns:
        return row
    return replace(row, columns={n: v for n, v in row.columns.items() if n in columns})


def _is_too_large(value: Any) -> bool:
    if isinstance(value, str):
        return len(value.encode("utf-16-le", "surrogatepass")) > 2 * MAX_TEXT
    return isinstance(value, bytes) and len(value) > MAX_BYTES
