"""The bot's state and the conversation references, on a table in memory."""

import asyncio
from typing import Any

import pytest

from bot_logic.bot_endpoint.state import StateConflict, TableStorage
from bot_logic.conversations import build
from bot_logic.conversations.references import TABLE_NAME, Conversation
from bot_logic.conversations.seen import KNOWN_FOR
from bot_logic.storage.memory import Fault, MemoryStorage, MemoryTable
from bot_logic.storage.protocols import MAX_TEXT, digest_key
from bot_logic.testing import ManualClock

REFERENCE: dict[str, Any] = {
    "channelId": "directline",
    "serviceUrl": "http://localhost:3000",
    "conversation": {"id": "c1"},
}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def storage(clock: ManualClock) -> MemoryStorage:
    return MemoryStorage(clock)


@pytest.fixture
def table(storage: MemoryStorage) -> MemoryTable:
    return storage.table(TABLE_NAME)


async def test_state_comes_back_and_the_later_writer_loses(table: MemoryTable) -> None:
    storage, key = TableStorage(table), "directline/conversations/c1"
    await storage.write({key: {"count": 1}})
    mine, theirs = (await storage.read([key]))[key], (await storage.read([key]))[key]
    await storage.write({key: theirs | {"count": 2}})
    with pytest.raises(StateConflict):
        await storage.write({key: mine | {"count": 3}})
    assert (await storage.read([key]))[key]["count"] == 2
    await storage.delete([key])
    assert await storage.read([key]) == {}


async def test_state_can_be_written_twice_in_a_turn_and_over_all_with_a_star(
    table: MemoryTable,
) -> None:
    storage, item = TableStorage(table), {"count": 1}
    await storage.write({"k": item})
    await storage.write({"k": item})
    await storage.write({"k": {"count": 9, "e_tag": "*"}})
    assert (await storage.read(["k"]))["k"]["count"] == 9


@pytest.mark.parametrize(
    "text", ["ж" * (MAX_TEXT - 8), "😀" * (MAX_TEXT // 2 - 4), "half \ud83d", "\x00\ufffe\n"]
)
async def test_a_states_letters_count_as_they_are_and_come_back(
    table: MemoryTable, text: str
) -> None:
    await TableStorage(table).write({"k": {"x": text}})
    assert (await TableStorage(table).read(["k"]))["k"]["x"] == text


async def test_numbers_of_any_size_come_back(table: MemoryTable) -> None:
    numbers = [2**64 + 1, -(2**63) - 1, 0.1]
    await TableStorage(table).write({"k": {"x": numbers}})
    assert (await TableStorage(table).read(["k"]))["k"]["x"] == numbers


@pytest.mark.parametrize("item", [{"x": object()}, {"x": "y" * MAX_TEXT}])
async def test_state_that_is_no_json_or_too_large_is_refused(table: MemoryTable, item: Any) -> None:
    with pytest.raises(TypeError, match="bot state"):
        await TableStorage(table).write({"k": item})


async def test_a_reference_is_written_once_and_again_when_it_changed(
    storage: MemoryStorage, table: MemoryTable, clock: ManualClock
) -> None:
    conversations = build(storage, clock)
    await conversations.remember(REFERENCE)
    written = await table.read(digest_key('["directline", "c1"]'))
    await conversations.remember(REFERENCE)
    assert await table.read(digest_key('["directline", "c1"]')) == written
    await conversations.remember(REFERENCE | {"serviceUrl": "http://localhost:3001"})
    found = await conversations.find("directline", "c1")
    assert found is not None
    assert found.reference["serviceUrl"] == "http://localhost:3001"


async def test_a_conversation_that_starts_again_is_written_again(
    storage: MemoryStorage, clock: ManualClock
) -> None:
    ours, another_process = build(storage, clock), build(storage, clock)
    await ours.remember(REFERENCE)
    await another_process.forget(REFERENCE)
    await ours.remember(REFERENCE, rewrite=True)
    assert await another_process.find("directline", "c1") == Conversation(REFERENCE, blocked=None)


async def test_an_end_that_comes_while_the_beginning_is_written_is_an_end(
    storage: MemoryStorage, clock: ManualClock
) -> None:
    conversations = build(storage, clock)
    storage.faults.add(Fault("table.put", delay=0.01))
    await asyncio.gather(conversations.remember(REFERENCE), conversations.forget(REFERENCE))
    assert await conversations.find("directline", "c1") is None


async def test_a_reference_is_written_again_after_a_while(
    storage: MemoryStorage, table: MemoryTable, clock: ManualClock
) -> None:
    conversations = build(storage, clock)
    await conversations.remember(REFERENCE)
    await table.delete(digest_key('["directline", "c1"]'))  # by another process
    clock.advance(KNOWN_FOR)
    await conversations.remember(REFERENCE)
    assert await conversations.find("directline", "c1") == Conversation(REFERENCE, blocked=None)
