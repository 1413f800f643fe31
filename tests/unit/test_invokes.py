"""Invokes whose value the SDK's handlers could not read."""

from typing import Any

import pytest
from botbuilder.core import InvokeResponse, TurnContext
from botbuilder.core.teams import TeamsActivityHandler

from bot_logic.bot import ProactiveBot
from bot_logic.errors import BadRequest
from bot_logic.testing import BotUnderTest

NAMES = [
    "fileConsent/invoke",
    "actionableMessage/executeAction",
    "composeExtension/queryLink",
    "composeExtension/anonymousQueryLink",
    "composeExtension/query",
    "composeExtension/submitAction",
    "composeExtension/fetchTask",
    "composeExtension/querySettingUrl",
    "task/fetch",
    "task/submit",
    "tab/fetch",
    "tab/submit",
]


class InTeams(ProactiveBot, TeamsActivityHandler):  # type: ignore[misc]
    """Takes two kinds of invokes."""

    async def on_teams_task_module_fetch(self, turn_context: TurnContext, request: Any) -> Any:
        await turn_context.send_activity(f"fetched {request.data}")

    async def on_teams_config_fetch(self, turn_context: TurnContext, config_data: Any) -> Any:
        await turn_context.send_activity(f"configured by {config_data}")


class OfItsOwn(ProactiveBot):
    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        await turn_context.send_activity(f"invoked with {turn_context.activity.value}")
        return InvokeResponse(status=200)


def invoke(name: str, value: Any) -> dict[str, Any]:
    return {"type": "invoke", "name": name, "value": value, "channelId": "msteams"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [None, "text", 5, True, [], [{}]], ids=str)
async def test_a_value_that_is_no_object_is_refused_by_its_name(name: str, value: Any) -> None:
    async with BotUnderTest(InTeams) as bot:
        with pytest.raises(BadRequest, match="value must be a JSON object") as refused:
            await bot.receives(invoke(name, value))
        assert (refused.value.status, refused.value.field) == (400, "value")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task/fetch", {"context": 5}),
        ("tab/submit", {"context": "x"}),
        ("composeExtension/query", {"parameters": "x"}),
        ("composeExtension/submitAction", {"botActivityPreview": [3]}),
    ],
)
async def test_an_object_with_a_field_that_cannot_be_read_is_refused(name: str, value: Any) -> None:
    async with BotUnderTest(InTeams) as bot:
        with pytest.raises(BadRequest, match="of Teams"):
            await bot.receives(invoke(name, value))


async def test_what_teams_sends_reaches_the_bot_and_what_may_be_anything_too() -> None:
    async with BotUnderTest(InTeams) as bot:
        assert await bot.receives(invoke("task/fetch", {"data": 7})) == ["fetched 7"]
        assert await bot.receives(invoke("config/fetch", "x")) == ["configured by x"]


async def test_a_bot_without_the_sdks_handler_for_teams_judges_for_itself() -> None:
    async with BotUnderTest(OfItsOwn) as bot:
        assert await bot.receives(invoke("task/fetch", "x")) == ["invoked with x"]
