"""One Azure table: rows by key, written under conditions, alone or several at once.

https://learn.microsoft.com/rest/api/storageservices/table-service-rest-api
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import EdmType, EntityProperty, TableTransactionError, UpdateMode
from azure.data.tables.aio import TableClient

from bot_logic.errors import ServiceUnavailable
from bot_logic.json_text import from_json, to_json
from bot_logic.storage.access import Access
from bot_logic.storage.protocols import (
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
from bot_logic.storage.reasons import reason_of
from bot_logic.storage.signed_requests import (
    API_VERSION,
    TOTAL_TIMEOUT,
    Answer,
    NoAnswer,
    Request,
    SignedRequests,
    table_text,
)

_HEADERS: Final = {
    "Accept": "application/json;odata=nometadata",
    "DataServiceVersion": "3.0",
    "Prefer": "return-no-content",
}
_WITH_TYPES: Final = {
    "Accept": "application/json;odata=minimalmetadata",
    "DataServiceVersion": "3.0",
}
_CHANGED: Final = (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.NOT_FOUND)
_TRANSACTION_CONFLICTS: Final = (
    "EntityAlreadyExists",
    "UpdateConditionNotSatisfied",
    "ConditionNotMet",
    "ResourceNotFound",
    "EntityNotFound",
)
# The row itself is at fault, so that no later try ends better.
# https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes
_REFUSALS: Final = (
    "EntityTooLarge",
    "InvalidInput",
    "InvalidValueType",
    "KeyValueTooLarge",
    "OutOfRangeInput",
    "PropertyNameInvalid",
    "PropertyNameTooLong",
    "PropertyValueTooLarge",
    "RequestBodyTooLarge",
    "TooManyProperties",
)
_INT32: Final = 2**31 - 1  # larger whole numbers are Edm.Int64, which travels as a text
# A column of ours that says which write a row is of: one whose answer was lost, and that is sent
# again, meets its own first try and has to know it.
_WRITTEN_BY: Final = "writtenBy"
_NOT_COLUMNS: Final = ("PartitionKey", "RowKey", _WRITTEN_BY)
# The SDK finds its parameters between blanks.
_BEHIND: Final = (
    "( PartitionKey gt @behind or ( PartitionKey eq @behind and RowKey gt @behind_row ) )"
)


class StorageTable:
    """Rows by key. The table is created at the first write that misses it."""

    def __init__(self, account_url: str, name: str, access: Access) -> None:
        self._name = name
        self._chance = access.chance
        self._client = TableClient(
            account_url, name, api_version=API_VERSION, **access.for_clients()
        )
        self._requests = SignedRequests(access, f"{account_url}/{name}", table_text)

    async def read(self, key: Key) -> StoredRow | None:
        """Return the row under `key`, or None."""
        request = Request("GET", "application/json", b"", path=_place(key), headers=_WITH_TYPES)
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT):
                answer = await self._requests.send(request)
        except (NoAnswer, TimeoutError) as error:
            raise self._unavailable(str(error) or "TimeoutError") from error
        if answer.status == HTTPStatus.NOT_FOUND:  # the row, or its table
            return None
        if not answer.ok:
            raise self._unavailable(answer.reason)
        return StoredRow(key, _columns(from_json(answer.body)), answer.etag)

    async def put(self, key: Key, row: Row) -> None:
        """Write the row, whatever was there."""
        await self._write("PUT", key, row, creates=True)

    async def insert(self, key: Key, row: Row) -> str:
        """Write a row that is not there yet, and return its ETag.

        Raises:
            RowConflict: there is one already.
        """
        return await self._write("POST", key, row, creates=True)

    async def replace(self, key: Key, row: Row, etag: str) -> str:
        """Write the row if nobody wrote it since `etag`, and return its new ETag.

        Raises:
            RowConflict: somebody did, or deleted it.
        """
        return await self._write("PUT", key, row, creates=False, etag=etag)

    async def delete(self, key: Key, etag: str | None = None) -> None:
        """Delete the row, with `etag` only if nobody wrote it since; that there is none is fine.

        Raises:
            RowConflict: somebody did.
        """
        condition = MatchConditions.IfNotModified if etag else None
        try:
            await self._bounded(
                self._client.delete_entity(
                    key.partition, key.row, etag=etag, match_condition=condition
                )
            )
        except ResourceNotFoundError:
            return

    async def transact(self, writes: Sequence[Write]) -> None:
        """Do all writes or none: at most 100, of one partition, no row twice.

        Raises:
            RowConflict: a row is not as one of the writes expects it; nothing was written.
            ValueError: these writes make no transaction.
        """
        check_transaction(writes)
        operations = [_operation(write) for write in writes]
        try:
            await self._bounded(self._client.submit_transaction(operations))
        except ResourceNotFoundError:  # of the table
            await self.create()
            await self._bounded(self._client.submit_transaction(operations))

    async def rows(
        self,
        partition: str | None = None,
        *,
        between: Between | None = None,
        behind: Key | None = None,
        written_before: float | None = None,
        columns: Sequence[str] = (),
    ) -> AsyncIterator[StoredRow]:
        """Yield rows in the order of their keys, as `storage.protocols.Table` says."""
        conditions, values = [], dict[str, Any]()
        if partition is not None:
            conditions.append("PartitionKey eq @partition")
            values["partition"] = partition
        if between is not None:
            conditions.append("RowKey gt @after and RowKey le @last")
            values |= {"after": between.after, "last": between.last}
        if behind is not None:
            conditions.append(_BEHIND)
            values |= {"behind": behind.partition, "behind_row": behind.row}
        if written_before is not None:
            conditions.append("Timestamp lt @before")
            values["before"] = datetime.fromtimestamp(written_before, UTC)
        select = ["PartitionKey", "RowKey", *columns] if columns else None
        pages = (
            self._client.query_entities(" and ".join(conditions), parameters=values, select=select)
            if conditions
            else self._client.list_entities(select=select)
        ).by_page()
        while True:
            try:
                page = await self._bounded(anext(pages))  # which may be empty, and not the last
            except (StopAsyncIteration, ResourceNotFoundError):
                return
            async for entity in page:
                yield _stored(entity)

    async def create(self) -> None:
        """Create the table; that it exists already is fine."""
        try:
            await self._bounded(self._client.create_table())
        except ResourceExistsError:
            return

    async def check(self) -> None:
        """Ask whether the table can be read; that there is none yet is fine."""
        entities = self._client.list_entities(results_per_page=1, select=["PartitionKey"])
        try:
            await self._bounded(anext(entities.__aiter__()))
        except (StopAsyncIteration, ResourceNotFoundError):
            return

    async def drop(self) -> None:
        """Delete the table and all its rows; that there is none is fine."""
        await self._bounded(self._client.delete_table())

    async def _write(
        self, method: str, key: Key, row: Row, *, creates: bool, etag: str = ""
    ) -> str:
        writer = self._chance.new_id() if etag or method == "POST" else ""
        request = _request(method, key, row, writer, etag)
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT):
                answer = await self._requests.send(request)
                if answer.status == HTTPStatus.NOT_FOUND and creates:  # of the table
                    await self.create()
                    answer = await self._requests.send(request)
                if answer.ok:
                    return answer.etag
                return await self._conflict(answer, key, writer)
        except (NoAnswer, TimeoutError) as error:
            raise self._unavailable(str(error) or "TimeoutError") from error

    async def _conflict(self, answer: Answer, key: Key, writer: str) -> str:
        """Return the row's ETag if it is this very write that is in its own way.

        Raises:
            RowConflict: it is somebody else's.
            RowRefused, ServiceUnavailable: it is no conflict.
        """
        if answer.status not in _CHANGED and answer.code != "EntityAlreadyExists":
            raise self._failed(answer.reason)
        if answer.repeated and writer:
            try:
                found = await self._client.get_entity(key.partition, key.row)
            except AzureError:
                found = None
            if found is not None and found.get(_WRITTEN_BY) == writer:
                return str(found.metadata["etag"])
        raise RowConflict(f"table {self._name}: row changed")

    async def _bounded(self, call: Awaitable[Any]) -> Any:
        """Await a client's call, for as long as an operation may take.

        Raises:
            ResourceNotFoundError, ResourceExistsError: for the caller, who expects them.
            RowConflict: a condition on an ETag does not hold.
            RowRefused: the row itself is at fault.
            ServiceUnavailable: the table cannot be reached, is too slow or refuses.
        """
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT):
                return await call
        except TableTransactionError as error:
            if reason_of(error) == "TableNotFound":
                raise ResourceNotFoundError from error
            raise self._not_done(error) from error
        except ResourceModifiedError as error:
            raise RowConflict(f"table {self._name}: row changed") from error
        except (ResourceNotFoundError, ResourceExistsError):
            raise
        except (AzureError, TimeoutError) as error:
            raise self._failed(reason_of(error)) from error

    def _not_done(self, error: TableTransactionError) -> ServiceUnavailable | RowRefused:
        reason = reason_of(error)
        if reason in _TRANSACTION_CONFLICTS:
            return RowConflict(f"table {self._name}: row changed")
        return self._failed(reason)

    def _failed(self, reason: str) -> ServiceUnavailable | RowRefused:
        if reason in _REFUSALS:
            return RowRefused(f"table {self._name}: {reason}")
        return self._unavailable(reason)

    def _unavailable(self, reason: str) -> ServiceUnavailable:
        return ServiceUnavailable(f"table {self._name}: {reason}")


def _stored(entity: Any) -> StoredRow:
    columns = {
        name: value.value if isinstance(value, EntityProperty) else value  # large whole numbers
        for name, value in entity.items()
        if name not in _NOT_COLUMNS
    }
    key = Key(entity["PartitionKey"], entity["RowKey"])
    return StoredRow(key, columns, str(entity.metadata["etag"]))


def _columns(document: Mapping[str, Any]) -> Row:
    """Read a row's columns, with what JSON has no type for beside them: `size@odata.type`."""
    return {
        name: _typed(value, document.get(f"{name}@odata.type"))
        for name, value in document.items()
        if name not in _NOT_COLUMNS and name != "Timestamp" and "odata." not in name
    }


def _typed(value: Any, kind: str | None) -> Any:
    if kind == "Edm.Int64":
        return int(value)
    return base64.b64decode(value) if kind == "Edm.Binary" else value


def _entity(key: Key, row: Row) -> dict[str, Any]:
    return {"PartitionKey": key.partition, "RowKey": key.row, **row}


def _operation(write: Write) -> tuple[Any, ...]:
    """Say what the package's client is to do."""
    columns = {
        name: EntityProperty(value, EdmType.INT64) if _is_large(value) else value
        for name, value in write.columns.items()
    }
    entity = _entity(write.key, columns)
    condition = {"etag": write.etag, "match_condition": MatchConditions.IfNotModified}
    match write.change:
        case Change.INSERT:
            return ("create", entity)
        case Change.REPLACE:
            return ("update", entity, {"mode": UpdateMode.REPLACE, **condition})
        case Change.PUT:
            return ("upsert", entity, {"mode": UpdateMode.REPLACE})
        case Change.DELETE:
            return ("delete", entity, condition)


def _request(method: str, key: Key, row: Row, writer: str, etag: str) -> Request:
    """Make a request that writes a row: PUT says where, POST does not."""
    where = "" if method == "POST" else _place(key)
    entity: dict[str, Any] = _entity(key, {})
    for name, value in row.items():
        if isinstance(value, bytes):
            entity[f"{name}@odata.type"] = "Edm.Binary"
            entity[name] = base64.b64encode(value).decode()
        elif _is_large(value):
            entity[f"{name}@odata.type"] = "Edm.Int64"
            entity[name] = str(value)
        else:
            entity[name] = value
    if writer:
        entity[_WRITTEN_BY] = writer
    headers: Mapping[str, str] = _HEADERS | ({"If-Match": etag} if etag else {})
    return Request(method, "application/json", to_json(entity), path=where, headers=headers)


def _place(key: Key) -> str:
    return f"(PartitionKey='{_quoted(key.partition)}',RowKey='{_quoted(key.row)}')"


def _is_large(value: Any) -> bool:
    return isinstance(value, int) and abs(value) > _INT32


def _quoted(part_of_key: str) -> str:
    """Write a part of a key into a URL: quotes doubled, then percent-encoded."""
    return quote(part_of_key.replace("'", "''"), safe="")
