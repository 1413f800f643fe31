"""One Azure table of rows that are found by a key of any length and any characters.

Partition and row key are a digest of the key: allowed whatever the key holds, bounded in length,
and spread evenly over 256 partitions, so that many writers do not meet in one.
https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from bot_logic.errors import ServiceUnavailable
from bot_logic.settings import Secret
from bot_logic.storage_transport import direct_transport

CALL_TIMEOUT: Final = 2  # seconds for one attempt; a turn has 15 for everything
RETRIES: Final = 1
MAX_TEXT: Final = 32 * 1024  # UTF-16 code units that one string property holds

Row = Mapping[str, Any]


class RowConflict(ServiceUnavailable):
    """Somebody else wrote the row since it was read."""


class Table:
    """Rows of strings by key. The table is created at the first write that misses it."""

    def __init__(self, connection: Secret, name: str) -> None:
        self._client = TableClient.from_connection_string(
            connection.reveal(),
            name,
            transport=direct_transport(),
            retry_total=RETRIES,
            connection_timeout=CALL_TIMEOUT,
            read_timeout=CALL_TIMEOUT,
        )

    async def read(self, key: str) -> tuple[Row, str] | None:
        """The row under `key` and its ETag, or None."""
        try:
            entity = await self._client.get_entity(*_keys(key))
        except ResourceNotFoundError:
            return None
        except AzureError as error:
            raise self._unavailable(error) from error
        return entity, str(entity.metadata["etag"])

    async def put(self, key: str, row: Row) -> None:
        """Write the row, whatever was there."""
        entity = _entity(key, row)
        await self._write(
            lambda: self._client.upsert_entity(entity, mode=UpdateMode.REPLACE), may_create=True
        )

    async def insert(self, key: str, row: Row) -> str:
        """Write a row that is not there yet, and return its ETag.

        Raises:
            RowConflict: there is one already.
        """
        entity = _entity(key, row)
        return await self._write(lambda: self._client.create_entity(entity), may_create=True)

    async def replace(self, key: str, row: Row, etag: str) -> str:
        """Write the row if nobody wrote it since `etag`, and return its new ETag.

        Raises:
            RowConflict: somebody did, or deleted it.
        """
        entity = _entity(key, row)
        return await self._write(
            lambda: self._client.update_entity(
                entity,
                mode=UpdateMode.REPLACE,
                etag=etag,
                match_condition=MatchConditions.IfNotModified,
            ),
            may_create=False,
        )

    async def delete(self, key: str, etag: str | None = None) -> None:
        """Delete the row; that there is none is fine.

        Args:
            key: the row's key.
            etag: delete it only if nobody wrote it since.

        Raises:
            RowConflict: somebody did.
        """
        condition = MatchConditions.IfNotModified if etag else None
        try:
            await self._client.delete_entity(*_keys(key), etag=etag, match_condition=condition)
        except ResourceNotFoundError:
            return
        except ResourceModifiedError as error:
            raise self._conflict() from error
        except AzureError as error:
            raise self._unavailable(error) from error

    async def rows(self) -> AsyncIterator[tuple[Row, str]]:
        """Every row with its ETag, in no order that means anything; none if there is no table."""
        try:
            async for entity in self._client.list_entities():
                yield entity, str(entity.metadata["etag"])
        except ResourceNotFoundError:
            return
        except AzureError as error:
            raise self._unavailable(error) from error

    async def create(self) -> None:
        """Create the table; that it exists already is fine."""
        try:
            await self._client.create_table()
        except ResourceExistsError:
            return
        except AzureError as error:
            raise self._unavailable(error) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _write(
        self, write: Callable[[], Awaitable[Mapping[str, Any]]], *, may_create: bool
    ) -> str:
        try:
            try:
                return str((await write())["etag"])
            except ResourceNotFoundError:  # of the table, where any row may be written
                if not may_create:
                    raise
                await self.create()
                return str((await write())["etag"])
        except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError) as error:
            raise self._conflict() from error
        except AzureError as error:
            raise self._unavailable(error) from error

    def _conflict(self) -> RowConflict:
        return RowConflict(f"table {self._client.table_name}: row changed")

    def _unavailable(self, error: AzureError) -> ServiceUnavailable:
        reason = getattr(error, "error_code", None) or type(error).__name__
        return ServiceUnavailable(f"table {self._client.table_name}: {reason}")


def _keys(key: str) -> tuple[str, str]:
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return digest[:2], digest[2:]


def _entity(key: str, row: Row) -> dict[str, Any]:
    partition_key, row_key = _keys(key)
    return {**row, "PartitionKey": partition_key, "RowKey": row_key}
