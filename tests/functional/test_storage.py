"""Queue, tables, state and conversation references on a real storage emulator."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot_logic.bot_endpoint import state as state_module
from bot_logic.bot_endpoint.conversations import Conversations
from bot_logic.bot_endpoint.state import RememberingStorage, StateConflict, TableStorage
from bot_logic.errors import MessageNotInserted, QueueNotCreated, ServiceUnavailable
from bot_logic.settings import Secret
from bot_logic.storage_queue import StorageQueue
from bot_logic.table import MAX_TEXT, RowConflict, Table
from local_dev.azurite import KEY
from tests.functional.app_under_test import NOWHERE, AppUnderTest
from tests.functional.conftest import Azurite

REFERENCE: dict[str, Any] = {
    "channelId": "directline",
    "serviceUrl": "http://localhost:3000",
    "conversation": {"id": "c1"},
}


@pytest.fixture
async def table(azurite: Azurite) -> AsyncIterator[Table]:
    it = Table(Secret(azurite.connection_string), "tabletest")
    await it._client.delete_table()
    yield it
    await it.close()


async def test_a_missing_queue_is_created_by_the_first_message(app: AppUnderTest) -> None:
    await app.enqueue({"first": True})
    await app.enqueue({"first": False})
    assert await app.queued() == [{"first": True}, {"first": False}]


async def test_a_message_on_the_queue_never_expires_there(app: AppUnderTest) -> None:
    await app.enqueue({})
    (message,) = await app.queue.peek_messages()
    assert message.expires_on is not None
    assert message.expires_on.year > 9000


async def test_a_queue_out_of_reach_does_not_take_the_message() -> None:
    queue = StorageQueue(Secret(NOWHERE), "bot-queue")
    with pytest.raises(MessageNotInserted, match="bot-queue"):
        await queue.put("{}")
    with pytest.raises(QueueNotCreated, match="bot-queue"):
        await queue.create()
    await queue.close()


@pytest.mark.parametrize(
    ("operation", "reply"),
    [
        ("create", "There was an error creating your queue"),
        ("insert", "There was an error inserting your message into queue"),
    ],
)
async def test_a_user_learns_what_the_queue_refuses(
    app: AppUnderTest, operation: str, reply: str
) -> None:
    ada = await app.user()
    async with refusing_storage(operation) as connection:
        app.wiring.bot._queue = StorageQueue(Secret(connection), "bot-queue")
        await ada.says("hello")
        await app.wiring.bot._queue.close()
    assert (await ada.hears(2))[1] == reply


async def test_the_user_gets_an_answer_while_all_storage_is_down(app: AppUnderTest) -> None:
    ada = await app.user()
    app.wiring.bot._queue = StorageQueue(Secret(NOWHERE), "bot-queue")
    await ada.says("hello")
    assert (await ada.hears(2))[1] == "There was an error inserting your message into queue"
    await app.wiring.bot._queue.close()


async def test_a_message_is_acknowledged_without_its_number_while_the_table_is_down(
    app: AppUnderTest,
) -> None:
    ada = await app.user()
    await app.wiring.state_table.close()
    vars(app.wiring.state_table).update(vars(Table(Secret(NOWHERE), "botstate")))
    await ada.says("hello")
    assert (await ada.hears(2))[1] == "You said hello. Message added to the queue."


@pytest.mark.parametrize("key", ["plain", "a/b\\c#d?e", "x" * 5000, "ü\n\x00\ud83d", "it's"])
async def test_any_key_finds_its_row(table: Table, key: str) -> None:
    assert await table.read(key) is None
    await table.put(key, {"data": "1"})
    found = await table.read(key)
    assert found is not None
    assert found[0]["data"] == "1"
    await table.delete(key)
    await table.delete(key)
    assert await table.read(key) is None


async def test_a_row_is_inserted_once(table: Table) -> None:
    await table.insert("key", {"data": "1"})
    with pytest.raises(RowConflict):
        await table.insert("key", {"data": "2"})


async def test_a_row_is_replaced_only_as_it_was_read(table: Table) -> None:
    first = await table.insert("key", {"data": "1"})
    second = await table.replace("key", {"data": "2"}, first)
    with pytest.raises(RowConflict):
        await table.replace("key", {"data": "3"}, first)
    await table.delete("key")
    with pytest.raises(RowConflict):
        await table.replace("key", {"data": "3"}, second)


async def test_a_table_out_of_reach_says_so() -> None:
    table = Table(Secret(NOWHERE), "tabletest")
    calls: list[Callable[[], Any]] = [
        lambda: table.read("k"),
        lambda: table.put("k", {}),
        lambda: table.delete("k"),
        table.create,
    ]
    for call in calls:
        with pytest.raises(ServiceUnavailable, match="tabletest"):
            await call()
    await table.close()


async def test_state_comes_back_and_the_later_writer_loses(table: Table) -> None:
    storage, key = TableStorage(table), "directline/conversations/c1"
    await storage.write({key: {"count": 1}})
    mine, theirs = (await storage.read([key]))[key], (await storage.read([key]))[key]
    await storage.write({key: theirs | {"count": 2}})
    with pytest.raises(StateConflict):
        await storage.write({key: mine | {"count": 3}})
    assert (await storage.read([key]))[key]["count"] == 2
    await storage.delete([key])
    assert await storage.read([key]) == {}


async def test_state_can_be_written_twice_in_a_turn_and_over_all_with_a_star(table: Table) -> None:
    storage, item = TableStorage(table), {"count": 1}
    await storage.write({"k": item})
    await storage.write({"k": item})
    await storage.write({"k": {"count": 9, "e_tag": "*"}})
    assert (await storage.read(["k"]))["k"]["count"] == 9


async def test_remembered_state_is_not_read_again_until_somebody_else_has_written(
    table: Table,
) -> None:
    stored, key = TableStorage(table), "k"
    ours = RememberingStorage(stored)
    await ours.write({key: {"count": 1}})
    mine = (await ours.read([key]))[key]
    theirs = (await stored.read([key]))[key]
    await stored.write({key: theirs | {"count": 2}})
    assert (await ours.read([key]))[key]["count"] == 1
    with pytest.raises(StateConflict):
        await ours.write({key: mine | {"count": 2}})
    assert (await ours.read([key]))[key]["count"] == 2
    await ours.delete([key])
    assert await ours.read([key]) == {}


async def test_what_is_remembered_is_a_copy_and_is_bounded(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_module, "MAX_KNOWN", 2)
    ours = RememberingStorage(TableStorage(table))
    await ours.write({key: {"count": [1]} for key in "abc"})
    (await ours.read(["c"]))["c"]["count"].append(2)
    assert (await ours.read(["c"]))["c"]["count"] == [1]
    assert list(ours._known) == ["b", "c"]
    assert {key: item["count"] for key, item in (await ours.read(["a", "b"])).items()} == {
        "a": [1],
        "b": [1],
    }


@pytest.mark.parametrize("item", [{"x": object()}, {"x": "y" * MAX_TEXT}])
async def test_state_that_is_no_json_or_too_large_is_refused(table: Table, item: Any) -> None:
    with pytest.raises(TypeError, match="bot state"):
        await TableStorage(table).write({"k": item})


async def test_a_reference_is_written_once_and_again_when_it_changed(table: Table) -> None:
    conversations = Conversations(table)
    await conversations.remember(REFERENCE)
    written = await table.read("directline/c1")
    await conversations.remember(REFERENCE)
    assert await table.read("directline/c1") == written
    await conversations.remember(REFERENCE | {"serviceUrl": "http://localhost:3001"})
    found = await conversations.find("directline", "c1")
    assert found is not None
    assert found["serviceUrl"] == "http://localhost:3001"


async def test_a_conversation_that_starts_again_is_written_again(table: Table) -> None:
    ours, another_process = Conversations(table), Conversations(table)
    await ours.remember(REFERENCE)
    await another_process.forget(REFERENCE)
    await ours.remember(REFERENCE, rewrite=True)
    assert await another_process.find("directline", "c1") == REFERENCE


def refusing_storage(operation: str) -> Any:
    """A storage account that lets nobody create a queue, or put a message."""

    async def refuse(request: web.Request) -> web.Response:
        creating = request.method == "PUT"
        missing = operation == "create" and not creating
        code = "QueueNotFound" if missing else "AuthorizationFailure"
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>"
        return web.Response(
            status=404 if missing else 403,
            headers={"x-ms-error-code": code},
            text=body,
            content_type="application/xml",
        )

    class Refusing:
        async def __aenter__(self) -> str:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", refuse)
            self._server = TestServer(app)
            await self._server.start_server()
            url = self._server.make_url("/x")
            return (
                f"DefaultEndpointsProtocol=http;AccountName=x;AccountKey={KEY};QueueEndpoint={url};"
            )

        async def __aexit__(self, *_: object) -> None:
            await self._server.close()

    return Refusing()
