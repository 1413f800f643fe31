"""The bot SDK's `Storage` on Azure Table Storage: state that survives a restart.

Unlike the SDK's own storages it keeps JSON only (what comes out of a storage account is never
unpickled), and a write that lost a race says so instead of overwriting the winner.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from botbuilder.core import Storage

from bot_logic.bot_endpoint.sdk.state_json import decode, encode
from bot_logic.storage.protocols import MAX_TEXT, Row, RowConflict, Table, digest_key

TABLE_NAME = "botstate"
StateConflict = RowConflict
ETAG: Final = "e_tag"  # where the SDK looks for it
NOT_STORED: Final = ""  # the ETag of what is not there yet
_WHATEVER_IS_THERE: Final = ("*", None)


class TableStorage(Storage):
    """Reads and writes items by the SDK's storage keys: JSON, and what dialogs keep."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def read(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the items that exist among `keys`, each with its ETag.

        Raises:
            TypeError: an item holds an object of a kind that is not known.
        """
        if keys is None:
            raise TypeError("Keys are required when reading")
        found = {key: await self._table.read(digest_key(key)) for key in keys}
        return {
            key: _item(key, row.columns["data"]) | {ETAG: row.etag}
            for key, row in found.items()
            if row is not None
        }

    async def write(self, changes: Mapping[str, dict[str, Any]]) -> None:
        """Write each item, and note its new ETag in it.

        The ETag of an item says when it is written: a star or None, whatever is there; none, or an
        empty one, if nothing is; else if nobody has written it since.

        Raises:
            StateConflict: an item was changed since it was read; load it again and redo the work.
            TypeError: an item is not JSON, or too large for a table row.
        """
        if changes is None:
            raise TypeError("Changes are required when writing")
        for key, item in dict(changes).items():
            etag, row, where = item.get(ETAG, NOT_STORED), _row(key, item), digest_key(key)
            if etag in _WHATEVER_IS_THERE:
                await self._table.put(where, row)
            elif etag == NOT_STORED:
                item[ETAG] = await self._table.insert(where, row)
            else:
                item[ETAG] = await self._table.replace(where, row, etag)

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete the items; that some do not exist is no error."""
        for key in keys:
            await self._table.delete(digest_key(key))


def _item(key: str, data: str) -> dict[str, Any]:
    try:
        return {name: decode(value) for name, value in json.loads(data).items()}
    except (TypeError, ValueError) as error:
        raise TypeError(f"bot state {key!r} cannot be read: {error}") from error


def _row(key: str, item: Mapping[str, Any]) -> Row:
    try:
        kept = {name: encode(value) for name, value in item.items() if name != ETAG}
        data = _text(kept)
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"bot state must be JSON: {error}") from error
    if (size := len(data.encode("utf-16-le")) // 2) > MAX_TEXT:
        raise TypeError(f"bot state takes {size} UTF-16 code units, {MAX_TEXT} fit")
    return {"key": key, "data": data}


def _text(document: Any) -> str:
    """Write JSON with its letters as they are, for each counts.

    By Python's own json, which reads numbers of any size as they were.
    """
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text if _is_whole(text) else json.dumps(document)


def _is_whole(text: str) -> bool:
    """Tell whether no letter is half of one, which has to be escaped."""
    return text.encode("utf-8", "ignore").decode() == text
