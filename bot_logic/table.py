"""One Azure table of rows that are found by a key of any length and any characters.

Partition and row key are a digest of the key: allowed whatever the key holds, bounded in length,
and spread evenly over 256 partitions, so that many writers do not meet in one.
https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""

import base64
import hashlib
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables.aio import TableClient

from bot_logic.errors import ServiceUnavailable
from bot_logic.settings import Secret
from bot_logic.storage_requests import (
    CALL_TIMEOUT,
    RETRIES,
    Answer,
    NoAnswer,
    Request,
    StorageRequests,
    table_text,
)
from bot_logic.storage_transport import storage_transport
from bot_logic.wire import to_json

MAX_TEXT: Final = 32 * 1024  # UTF-16 code units that one string property holds

_HEADERS: Final = {
    "Accept": "application/json;odata=nometadata",
    "DataServiceVersion": "3.0",
    "Prefer": "return-no-content",
}
_CHANGED: Final = (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.NOT_FOUND)

Row = Mapping[str, Any]  # of strings, and of bytes


class RowConflict(ServiceUnavailable):
    """Somebody else wrote the row since it was read."""


class Table:
    """Rows of strings by key. The table is created at the first write that misses it."""

    def __init__(self, connection: Secret, name: str) -> None:
        transport = storage_transport()
        self._client = TableClient.from_connection_string(
            connection.reveal(),
            name,
            transport=transport,
            retry_total=RETRIES,
            connection_timeout=CALL_TIMEOUT,
            read_timeout=CALL_TIMEOUT,
        )
        self._requests = StorageRequests(
            transport.session, connection, f"{self._client.url}/{name}", table_text
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
        await self._write(_request("PUT", key, row), may_create=True)

    async def insert(self, key: str, row: Row) -> str:
        """Write a row that is not there yet, and return its ETag.

        Raises:
            RowConflict: there is one already.
        """
        return await self._write(_request("POST", key, row), may_create=True)

    async def replace(self, key: str, row: Row, etag: str) -> str:
        """Write the row if nobody wrote it since `etag`, and return its new ETag.

        Raises:
            RowConflict: somebody did, or deleted it.
        """
        return await self._write(_request("PUT", key, row, {"If-Match": etag}), may_create=False)

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

    async def _write(self, request: Request, *, may_create: bool) -> str:
        answer = await self._send(request)
        if answer.status == HTTPStatus.NOT_FOUND and may_create:  # of the table
            await self.create()
            answer = await self._send(request)
        if answer.fine:
            return answer.etag
        if answer.status in _CHANGED or answer.code == "EntityAlreadyExists":
            raise self._conflict()
        raise ServiceUnavailable(f"table {self._client.table_name}: {answer.reason}")

    async def _send(self, request: Request) -> Answer:
        try:
            return await self._requests.send(request)
        except NoAnswer as error:
            raise ServiceUnavailable(f"table {self._client.table_name}: {error}") from error

    def _conflict(self) -> RowConflict:
        return RowConflict(f"table {self._client.table_name}: row changed")

    def _unavailable(self, error: AzureError) -> ServiceUnavailable:
        reason = getattr(error, "error_code", None) or type(error).__name__
        return ServiceUnavailable(f"table {self._client.table_name}: {reason}")


def _keys(key: str) -> tuple[str, str]:
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return digest[:2], digest[2:]


def _request(method: str, key: str, row: Row, headers: Mapping[str, str] | None = None) -> Request:
    """A request that writes a row: PUT says where, POST does not."""
    partition_key, row_key = _keys(key)
    where = "" if method == "POST" else f"(PartitionKey='{partition_key}',RowKey='{row_key}')"
    entity = {"PartitionKey": partition_key, "RowKey": row_key}
    for name, value in row.items():
        if isinstance(value, bytes):
            entity[f"{name}@odata.type"] = "Edm.Binary"
            entity[name] = base64.b64encode(value).decode()
        else:
            entity[name] = value
    return Request(
        method,
        "application/json",
        to_json(entity),
        path=where,
        headers={**_HEADERS, **(headers or {})},
    )
