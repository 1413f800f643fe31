"""What storage promises: the same in memory and on Azurite, however one logs in."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bot_logic.errors import MessageNotInserted
from bot_logic.storage.account import StorageAccount
from bot_logic.storage.memory import MemoryStorage
from bot_logic.storage.protocols import (
    MAX_TEXT,
    MAX_TRANSACTION,
    Between,
    Change,
    Key,
    RowConflict,
    RowRefused,
    Storage,
    Table,
    Write,
    digest_key,
)
from tests.functional.azurite_process import Azurite, SecureAzurite
from tests.functional.storage_logins import by_identity, by_key, by_signature, identity_endpoint

KEY = Key("p", "r")


@pytest.fixture(params=["memory", "key", "signature", "identity"])
async def storage(
    request: pytest.FixtureRequest, azurite: Azurite, secure_azurite: SecureAzurite
) -> AsyncIterator[Storage]:
    async with AsyncExitStack() as stack:
        it: Storage
        match request.param:
            case "memory":
                it = MemoryStorage()
            case "key":
                it = StorageAccount(by_key(azurite))
            case "signature":
                it = StorageAccount(by_signature(azurite))
            case _:
                endpoint = await stack.enter_async_context(identity_endpoint())
                location = by_identity(secure_azurite, endpoint.url)
                it = StorageAccount(location, trust=secure_azurite.trust)
        stack.push_async_callback(it.close)
        yield it


@pytest.fixture
async def table(storage: Storage) -> AsyncIterator[Table]:
    it = storage.table(f"t{uuid.uuid4().hex}")
    yield it
    await it.drop()


async def columns(table: Table, key: Key = KEY) -> Any:
    found = await table.read(key)
    return None if found is None else dict(found.columns)


async def etag_of(table: Table, key: Key = KEY) -> str:
    found = await table.read(key)
    assert found is not None
    return found.etag


@pytest.mark.parametrize("text", ["plain", "a/b\\c#d?e", "x" * 5000, "ü\n\x00\ud83d", "it's", ""])
async def test_a_row_is_found_by_any_text(table: Table, text: str) -> None:
    key = digest_key(text)
    assert await table.read(key) is None
    await table.put(key, {"data": "1"})
    assert await columns(table, key) == {"data": "1"}
    await table.delete(key)
    await table.delete(key)
    assert await table.read(key) is None


@pytest.mark.parametrize("part", ["it's", "a b", "ü", "100%", "a&b=c", "a+b", "(x)", "a,b"])
async def test_a_key_of_ones_own_may_hold_what_a_url_has_to_escape(table: Table, part: str) -> None:
    key = Key(part, part)
    etag = await table.insert(key, {"n": 1})
    await table.replace(key, {"n": 2}, etag)
    assert await columns(table, key) == {"n": 2}
    assert [row.key async for row in table.rows(part)] == [key]
    await table.delete(key, await etag_of(table, key))
    assert await table.read(key) is None


async def test_columns_come_back_as_they_were(table: Table) -> None:
    row = {"text": "ä\u2028'", "n": 7, "large": 2**40, "yes": True, "raw": b"\x00\xff"}
    await table.put(KEY, row)
    assert await columns(table) == row
    await table.transact([Write(Change.PUT, KEY, row)])
    assert await columns(table) == row


async def test_a_put_replaces_all_columns(table: Table) -> None:
    await table.put(KEY, {"a": "1", "b": "1"})
    await table.put(KEY, {"b": "2"})
    assert await columns(table) == {"b": "2"}


async def test_a_row_is_inserted_once(table: Table) -> None:
    await table.insert(KEY, {"n": 1})
    with pytest.raises(RowConflict):
        await table.insert(KEY, {"n": 2})
    assert await columns(table) == {"n": 1}


async def test_a_row_is_replaced_only_as_it_was_read(table: Table) -> None:
    first = await table.insert(KEY, {"n": 1})
    second = await table.replace(KEY, {"n": 2}, first)
    with pytest.raises(RowConflict):
        await table.replace(KEY, {"n": 3}, first)
    await table.delete(KEY)
    with pytest.raises(RowConflict):
        await table.replace(KEY, {"n": 3}, second)


async def test_a_row_is_deleted_only_as_it_was_read(table: Table) -> None:
    first = await table.insert(KEY, {"n": 1})
    second = await table.replace(KEY, {"n": 2}, first)
    with pytest.raises(RowConflict):
        await table.delete(KEY, first)
    await table.delete(KEY, second)
    await table.delete(KEY, second)
    assert await table.read(KEY) is None


async def test_a_transaction_does_all_of_it(table: Table) -> None:
    kept, gone = Key("p", "kept"), Key("p", "gone")
    first = await table.insert(kept, {"n": 1})
    await table.insert(gone, {"n": 1})
    await table.transact(
        [
            Write(Change.INSERT, Key("p", "new"), {"n": 3}),
            Write(Change.REPLACE, kept, {"n": 2}, first),
            Write(Change.PUT, Key("p", "put"), {"n": 4}),
            Write(Change.DELETE, gone, {}, await etag_of(table, gone)),
        ]
    )
    rows = [(row.key.row, row.columns["n"]) async for row in table.rows("p")]
    assert rows == [("kept", 2), ("new", 3), ("put", 4)]


@pytest.mark.parametrize("change", [Change.INSERT, Change.REPLACE, Change.DELETE])
async def test_a_transaction_does_nothing_of_it_when_one_row_changed(
    table: Table, change: Change
) -> None:
    stale = await table.insert(KEY, {"n": 1})
    await table.replace(KEY, {"n": 2}, stale)
    with pytest.raises(RowConflict):
        await table.transact(
            [
                Write(Change.INSERT, Key("p", "new"), {"n": 3}),
                Write(change, KEY, {"n": 3}, stale),
            ]
        )
    assert [row.key async for row in table.rows()] == [KEY]
    assert await columns(table) == {"n": 2}


async def test_a_transaction_creates_the_table(table: Table) -> None:
    writes = [Write(Change.INSERT, Key("p", f"{n:03}"), {"n": n}) for n in range(MAX_TRANSACTION)]
    await table.transact(writes)
    assert [row.columns["n"] async for row in table.rows("p")] == list(range(MAX_TRANSACTION))


async def test_a_transaction_is_of_one_partition_and_of_each_row_once(table: Table) -> None:
    await table.put(Key("q", "r"), {})
    for other in (Key("q", "r"), KEY):
        with pytest.raises(ValueError, match="of one partition"):
            await table.transact(
                [Write(Change.PUT, KEY, {"n": 1}), Write(Change.PUT, other, {"n": 2})]
            )
    assert await table.read(KEY) is None


async def test_rows_come_in_the_order_of_their_keys_and_page_by_page(table: Table) -> None:
    for start in range(0, 1200, MAX_TRANSACTION):
        await table.transact(
            [
                Write(Change.PUT, Key("p", f"{n:05}"), {"n": n})
                for n in range(start, start + MAX_TRANSACTION)
            ]
        )
    await table.put(Key("a", "x"), {"n": -1})
    assert [row.columns["n"] async for row in table.rows("p")] == list(range(1200))
    assert [row.columns["n"] async for row in table.rows()] == list(range(-1, 1200))


async def test_rows_may_be_a_range_of_keys_and_some_of_their_columns(table: Table) -> None:
    for row in ("a", "a|1", "a|2", "a|3", "b|1"):
        await table.put(Key("p", row), {"n": row, "rest": "x"})
    await table.put(Key("q", "a|2"), {"n": "another's"})
    found = table.rows("p", between=Between.of_prefix("a|"), columns=("n",))
    assert [row.columns async for row in found] == [{"n": "a|1"}, {"n": "a|2"}, {"n": "a|3"}]
    behind = table.rows("p", between=Between.of_prefix("a|", after="a|1"))
    assert [row.key.row async for row in behind] == ["a|2", "a|3"]
    before = table.rows("p", between=Between.of_prefix("a|", after="a"))
    assert [row.key.row async for row in before] == ["a|1", "a|2", "a|3"]
    beyond = table.rows("p", between=Between.of_prefix("a|", after="b"))
    assert [row.key.row async for row in beyond] == []
    everywhere = table.rows(columns=("rest",))
    assert {row.key.partition: dict(row.columns) async for row in everywhere} == {
        "p": {"rest": "x"},
        "q": {},
    }


async def test_of_a_table_that_is_not_there_nothing_is_read(table: Table) -> None:
    assert await table.read(KEY) is None
    assert [row async for row in table.rows()] == []
    await table.delete(KEY)
    await table.check()
    with pytest.raises(RowConflict):
        await table.replace(KEY, {"n": 1}, 'W/"1"')


@pytest.mark.parametrize("value", ["x" * (MAX_TEXT + 1), b"x" * (64 * 1024 + 1)])
async def test_a_column_that_is_too_large_is_refused(table: Table, value: Any) -> None:
    with pytest.raises(RowRefused):
        await table.put(KEY, {"value": value})
    with pytest.raises(RowRefused):
        await table.transact([Write(Change.PUT, KEY, {"value": value})])
    assert await table.read(KEY) is None


@pytest.mark.parametrize("value", ["x" * MAX_TEXT, b"x" * (64 * 1024)])
async def test_a_column_that_just_fits_is_taken(table: Table, value: Any) -> None:
    await table.put(KEY, {"value": value})
    assert await columns(table) == {"value": value}


async def test_a_message_as_large_as_a_queue_takes_it_is_put(storage: Storage) -> None:
    queue = storage.queue(f"q{uuid.uuid4().hex}")
    await queue.check()
    await queue.put("x" * (64 * 1024))
    await queue.put("ü" * (24 * 1024), delay=7 * 24 * 3600)
    with pytest.raises(MessageNotInserted):
        await queue.put("x" * (64 * 1024 + 1))
    with pytest.raises(MessageNotInserted):
        await queue.put("x", delay=7 * 24 * 3600 + 1)
    await queue.check()


async def test_queues_and_tables_of_a_name_are_the_same(storage: Storage) -> None:
    assert storage.queue("one-queue") is storage.queue("one-queue")
    assert storage.table("onetable") is storage.table("onetable")


async def test_rows_may_go_on_behind_a_key_over_all_partitions(table: Table) -> None:
    for key in (Key("p", "1"), Key("p", "2"), Key("q", "0")):
        await table.put(key, {"n": 1})
    found = [row.key async for row in table.rows(behind=Key("p", "1"))]
    assert found == [Key("p", "2"), Key("q", "0")]
    assert [row async for row in table.rows(behind=Key("q", "0"))] == []


async def test_rows_are_found_by_when_they_were_written(table: Table) -> None:
    await table.put(Key("p", "1"), {"x": 1})
    await table.put(Key("q", "1"), {"x": 1})
    await asyncio.sleep(1.1)
    between = time.time() - 0.5
    await table.put(Key("p", "2"), {"x": 1})
    await table.put(Key("q", "1"), {"x": 2})
    found = [row.key async for row in table.rows(written_before=between)]
    assert found == [Key("p", "1")]
    assert [row.key async for row in table.rows("q", written_before=between + 9)] == [Key("q", "1")]
    assert [row async for row in table.rows(written_before=between - 9)] == []
