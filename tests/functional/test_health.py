"""GET /api/health: what the app can reach, or which setting keeps it from serving."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.data.tables.aio import TableServiceClient
from azure.storage.queue.aio import QueueServiceClient

from bot_logic.contract.envelope import QUEUE_NAME
from bot_logic.conversations import TABLE_NAME
from bot_logic.startup import may_serve, report_health, wiring
from tests.functional.app_under_test import APP_ID, NOWHERE, SECRET, AppUnderTest
from tests.functional.azurite_process import Azurite


@pytest.fixture
async def environment(
    azurite: Azurite, app: AppUnderTest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[pytest.MonkeyPatch]:
    """The environment of an app that is in order."""
    monkeypatch.setenv("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
    monkeypatch.setenv("AzureWebJobsStorage", azurite.connection_string)
    monkeypatch.setenv("DirectLineEndpoint", app.direct_line.base_url)
    monkeypatch.setenv("DirectLineSecret", SECRET)
    monkeypatch.setenv("TriggerSigningKey", "k" * 32)
    wiring.cache_clear()
    yield monkeypatch
    if may_serve():
        await wiring().close()
    wiring.cache_clear()


async def health() -> tuple[int, Any]:
    answer = await report_health()
    return answer.status_code, json.loads(answer.get_body())


@pytest.mark.usefixtures("environment")
async def test_it_says_what_is_reachable() -> None:
    everything = dict.fromkeys(("queue", "tables", "directLine", "login"), "reachable")
    assert await health() == (200, {"status": "ok", "checks": everything})


async def test_it_names_what_is_not(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DirectLineEndpoint", "http://127.0.0.1:1")
    status, body = await health()
    assert (status, body["status"]) == (503, "unhealthy")
    assert body["checks"]["directLine"] == "unreachable: ClientConnectorError"
    assert body["checks"]["queue"] == "reachable"


async def test_it_says_that_direct_line_does_not_accept_the_secret(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("DirectLineSecret", "of-another-bot")
    status, body = await health()
    assert (status, body["checks"]["directLine"]) == (503, "unreachable: DirectLineDown")


async def test_it_says_that_the_bot_cannot_log_in(
    environment: pytest.MonkeyPatch, app: AppUnderTest
) -> None:
    environment.setenv("MicrosoftAppId", APP_ID)
    environment.setenv("MicrosoftAppType", "MultiTenant")
    environment.setenv("MicrosoftAppPassword", "of-another-app")
    environment.setenv("ToChannelFromBotLoginUrl", f"{app.direct_line.base_url}/botframework.com")
    status, body = await health()
    assert (status, body["checks"]["login"]) == (503, "unreachable: ServiceUnavailable")


async def test_it_names_each_setting_that_keeps_the_app_from_serving(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.delenv("DirectLineSecret")
    environment.setenv("TriggerSigningKey", "short")
    status, body = await health()
    assert (status, body["status"]) == (503, "misconfigured")
    assert body["problems"] == [
        "DirectLineSecret is missing",
        "TriggerSigningKey needs at least 32 characters in each key",
    ]
    assert not may_serve()
    environment.setenv("DirectLineSecret", SECRET)
    environment.setenv("TriggerSigningKey", "k" * 32)


@pytest.mark.usefixtures("environment")
async def test_it_looks_and_creates_nothing(azurite: Azurite, app: AppUnderTest) -> None:
    await app.wiring.storage.table(TABLE_NAME).drop()
    assert (await health())[0] == 200
    async with (
        QueueServiceClient.from_connection_string(azurite.connection_string) as queues,
        TableServiceClient.from_connection_string(azurite.connection_string) as tables,
    ):
        assert QUEUE_NAME not in [queue.name async for queue in queues.list_queues()]
        assert TABLE_NAME not in [table.name async for table in tables.list_tables()]


async def test_it_names_storage_that_cannot_be_reached(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AzureWebJobsStorage", NOWHERE)
    status, body = await health()
    assert (status, body["status"]) == (503, "unhealthy")
    unreachable = "unreachable: ServiceUnavailable"
    assert body["checks"] == {
        "queue": unreachable,
        "tables": unreachable,
        "directLine": "reachable",
        "login": "reachable",
    }
