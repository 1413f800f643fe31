"""Stored conversations of users who say nothing: rows in the app's tables, written in batches."""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.data.tables.aio import TableClient

from benchmarks.users import reference
from bot_logic.bot_endpoint.conversations import TABLE_NAME as CONVERSATIONS_TABLE
from bot_logic.bot_endpoint.state import TABLE_NAME as STATE_TABLE

BATCH = 100  # rows that one transaction takes

Row = dict[str, Any]


class Stored:
    """The conversations of so many users, each with its reference and its state."""

    def __init__(self, connection: str, service_url: str) -> None:
        self._connection = connection
        self._service_url = service_url
        self._size = 0

    async def grow_to(self, size: int) -> None:
        """Store as many more as are missing."""
        numbers, self._size = range(self._size, size), max(size, self._size)
        await self._write(CONVERSATIONS_TABLE, [self._conversation(n) for n in numbers])
        await self._write(STATE_TABLE, [_state(n) for n in numbers])

    def _conversation(self, number: int) -> Row:
        key = f"directline/silent-{number}"
        where = reference(number, self._service_url) | {"conversation": {"id": f"silent-{number}"}}
        return _row(key, {"key": key, "reference": json.dumps(where)})

    async def _write(self, table: str, rows: Sequence[Row]) -> None:
        async with TableClient.from_connection_string(self._connection, table) as client:
            with contextlib.suppress(ResourceExistsError):
                await client.create_table()
            for batch in _batches(rows):
                await client.submit_transaction([("create", row) for row in batch])


def _state(number: int) -> Row:
    key = f"directline/conversations/silent-{number}/"
    return _row(key, {"key": key, "data": json.dumps({"messageCount": 1})})


def _row(key: str, values: Row) -> Row:
    digest = hashlib.sha256(key.encode()).hexdigest()  # spread over partitions, as the app's rows
    return {"PartitionKey": digest[:2], "RowKey": digest[2:], **values}


def _batches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """A transaction is about one partition."""
    in_order = sorted(rows, key=lambda row: str(row["PartitionKey"]))
    for _, of_one in groupby(in_order, key=lambda row: row["PartitionKey"]):
        partition = list(of_one)
        yield from (partition[at : at + BATCH] for at in range(0, len(partition), BATCH))
