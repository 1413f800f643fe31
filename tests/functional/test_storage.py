"""The app's queue and tables on a real storage emulator: created when needed, missed when down."""

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot_logic.errors import (
    MessageNotInserted,
    QueueNotCreated,
    QueueUnavailable,
    ServiceUnavailable,
)
from bot_logic.settings import Settings
from bot_logic.storage.account import StorageAccount
from bot_logic.storage.protocols import Change, Key, Write
from local_dev.azurite import KEY
from tests.expected import acknowledgement, refusal, uncounted
from tests.functional.app_under_test import NOWHERE, AppUnderTest
from tests.functional.azurite_process import SecureAzurite
from tests.functional.storage_logins import IDENTITY_HEADER, identity_endpoint


def account(app: AppUnderTest, connection: str) -> StorageAccount:
    environ = app.environ | {"AzureWebJobsStorage": connection}
    return StorageAccount(Settings.from_environment(environ).storage)


async def test_a_missing_queue_is_created_by_the_first_message(app: AppUnderTest) -> None:
    await app.enqueue({"first": True})
    await app.enqueue({"first": False})
    assert await app.queued() == [{"first": True}, {"first": False}]


async def test_a_message_on_the_queue_never_expires_there(app: AppUnderTest) -> None:
    await app.enqueue({})
    (message,) = await app.queue.peek_messages()
    assert message.expires_on is not None
    assert message.expires_on.year > 9000


async def test_a_queue_out_of_reach_does_not_take_the_message(app: AppUnderTest) -> None:
    nowhere = account(app, NOWHERE)
    queue = nowhere.queue("bot-queue")
    with pytest.raises(MessageNotInserted, match="bot-queue"):
        await queue.put("{}")
    with pytest.raises(QueueNotCreated, match="bot-queue"):
        await queue.create()
    with pytest.raises(ServiceUnavailable, match="bot-queue"):
        await queue.check()
    await nowhere.close()


async def test_a_table_out_of_reach_says_so(app: AppUnderTest) -> None:
    nowhere = account(app, NOWHERE)
    table, key = nowhere.table("tabletest"), Key("p", "r")
    for call in (
        table.read(key),
        table.put(key, {}),
        table.delete(key),
        table.transact([Write(Change.PUT, key, {})]),
        table.create(),
        table.check(),
    ):
        with pytest.raises(ServiceUnavailable, match="tabletest"):
            await call
    await nowhere.close()


@pytest.mark.parametrize(
    ("operation", "error"), [("create", QueueNotCreated), ("insert", MessageNotInserted)]
)
async def test_a_user_learns_what_the_queue_refuses(
    app: AppUnderTest, operation: str, error: type[QueueUnavailable]
) -> None:
    ada = await app.user()
    async with refusing_storage(operation) as connection:
        await app.rewire({"AzureWebJobsStorage": connection})
        await ada.says("hello")
    assert (await ada.hears(2))[1] == await refusal("hello", error("no"))


async def test_the_user_gets_an_answer_while_all_storage_is_down(app: AppUnderTest) -> None:
    ada = await app.user()
    await app.rewire({"AzureWebJobsStorage": NOWHERE})
    await ada.says("hello")
    assert (await ada.hears(2))[1] == await refusal("hello", MessageNotInserted("no"))


async def test_a_message_is_acknowledged_without_its_number_while_the_table_is_down(
    app: AppUnderTest,
) -> None:
    ada = await app.user()
    connection = app.environ["AzureWebJobsStorage"]
    await app.rewire({"AzureWebJobsStorage": f"{connection};TableEndpoint=http://127.0.0.1:1/x"})
    await ada.says("hello")
    assert (await ada.hears(2))[1] == await uncounted("hello")


async def test_a_whole_conversation_goes_without_a_key(
    app: AppUnderTest, secure_azurite: SecureAzurite
) -> None:
    async with identity_endpoint() as endpoint:
        by_identity = {
            "AzureWebJobsStorage": "",
            "AzureWebJobsStorage__queueServiceUri": secure_azurite.queue_url,
            "AzureWebJobsStorage__tableServiceUri": secure_azurite.table_url,
            "AzureWebJobsStorage__credential": "managedidentity",
            "AzureWebJobsStorage__clientId": "a-client-id",
            "IDENTITY_ENDPOINT": endpoint.url,
            "IDENTITY_HEADER": IDENTITY_HEADER,
        }
        location = Settings.from_environment(app.environ | by_identity).storage
        await app.rewire(storage=StorageAccount(location, trust=secure_azurite.trust))
        ada = await app.user()
        await ada.says("hello")
        assert (await ada.hears(2))[1] == await acknowledgement("hello")
        await app.rewire()  # which closes the connections
    assert len(endpoint.asked) == 1


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
            return f"AccountName=x;AccountKey={KEY};QueueEndpoint={url};TableEndpoint={url};"

        async def __aexit__(self, *_: object) -> None:
            await self._server.close()

    return Refusing()
