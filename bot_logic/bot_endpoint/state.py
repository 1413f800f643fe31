"""The bot SDK's `Storage` on Azure Table Storage: state that survives a restart.

Unlike the SDK's own storages it keeps JSON only (what comes out of a storage account is never
unpickled), and a write that lost a race says so instead of overwriting the winner.
"""

import json
from collections.abc import Mapping
from typing import Any

from botbuilder.core import Storage

from bot_logic.storage.protocols import MAX_TEXT, Row, RowConflict, Table, digest_key

TABLE_NAME = "botstate"
StateConflict = RowConflict
_ETAG = "e_tag"  # where the SDK looks for it


class TableStorage(Storage):
    """Reads and writes JSON objects by the SDK's storage keys."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def read(self, keys: list[str]) -> dict[str, Any]:
        """Return the items that exist among `keys`, each with its ETag."""
        found = {key: await self._table.read(digest_key(key)) for key in keys}
        return {
            key: json.loads(row.columns["data"]) | {_ETAG: row.etag}
            for key, row in found.items()
            if row is not None
        }

    async def write(self, changes: Mapping[str, dict[str, Any]]) -> None:
        """Write each item, and note its new ETag in it.

        Raises:
            StateConflict: an item was changed since it was read; load it again and redo the work.
            TypeError: an item is not JSON, or too large for a table row.
        """
        for key, item in changes.items():
            etag, row, where = item.get(_ETAG), _row(key, item), digest_key(key)
            if etag == "*":
                await self._table.put(where, row)
            elif etag:
                item[_ETAG] = await self._table.replace(where, row, etag)
            else:
                item[_ETAG] = await self._table.insert(where, row)

    async def delete(self, keys: list[str]) -> None:
        """Delete the items; that some do not exist is no error."""
        for key in keys:
            await self._table.delete(digest_key(key))


def _row(key: str, item: Mapping[str, Any]) -> Row:
    try:
        data = json.dumps({name: value for name, value in item.items() if name != _ETAG})
    except (TypeError, ValueError) as error:
        raise TypeError(f"bot state must be JSON: {error}") from error
    if len(data) > MAX_TEXT:
        raise TypeError(f"bot state takes {len(data)} characters, {MAX_TEXT} fit")
    return {"key": key, "data": data}
