"""A card's button comes back to a method of the bot, whichever way the press comes."""

# ruff: noqa: ARG001, ARG002 - a button's method has its parameters

import asyncio
import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.schema import Activity, Attachment

from bot_logic.bot import ProactiveBot
from bot_logic.bot_endpoint.buttons import UNKNOWN, Answer, button, message_with, on_button
from bot_logic.bot_endpoint.endpoint import PRESS_TIMEOUT, TURN_TIMEOUT
from bot_logic.bot_endpoint.memory_channel import MemoryChannel
from bot_logic.bot_endpoint.presses import FAILED
from bot_logic.bot_endpoint.turn_states import conversation_state
from bot_logic.errors import BadRequest, BotFailed, Refused, ServiceUnavailable
from bot_logic.testing import BotUnderTest
from examples.menu_bot import MenuBot
from examples.menu_card import PIZZAS
from tests import virtual_time
from tests.expected import answer

ROOT = Path(__file__).parents[2]
PAGE, EXAMPLE = ROOT / "docs" / "cards.md", ROOT / "examples" / "menu_card.py"
DONE = {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": "Done"}]}


class Pressed(ProactiveBot):
    """Answers in each way that there is."""

    @on_button("card")
    async def show_a_card(self, turn: TurnContext, data: dict[str, Any]) -> Answer:
        return DONE

    @on_button("text")
    async def say(self, turn: TurnContext, data: dict[str, Any]) -> str:
        return json.dumps(data, sort_keys=True)

    @on_button("silent")
    async def be_content(self, turn: TurnContext, data: dict[str, Any]) -> None:
        pass

    @on_button("crash")
    async def crash(self, turn: TurnContext, data: dict[str, Any]) -> str:
        await conversation_state(turn).create_property("crashed").set(turn, "yes")
        raise RuntimeError("a mistake in the bot")

    @on_button("crashed?")
    async def has_crashed(self, turn: TurnContext, data: dict[str, Any]) -> str:
        return str(await conversation_state(turn).create_property("crashed").get(turn))

    @on_button("down")
    async def need_what_is_down(self, turn: TurnContext, data: dict[str, Any]) -> str:
        raise ServiceUnavailable("the kitchen is down")

    @on_button("slow")
    async def hang(self, turn: TurnContext, data: dict[str, Any]) -> str:
        await asyncio.sleep(3600)
        return "too late"

    @on_button("number")
    async def answer_a_number(self, turn: TurnContext, data: dict[str, Any]) -> Any:
        return 7


def submitted(verb: str, **more: Any) -> dict[str, Any]:
    return {"type": "message", "value": {"verb": verb}, **more}


def shown(bot: BotUnderTest) -> list[Any]:
    return [each.content for sent in bot.channel.sent for each in sent.activity.attachments or ()]


async def test_the_method_gets_the_buttons_data_whichever_way_the_press_comes() -> None:
    async with BotUnderTest(Pressed) as bot:
        assert await bot.presses("text", {"order": 7}) == '{"order": 7}'
        value = {"verb": "text", "order": 7}
        assert await bot.receives({"type": "message", "value": value}) == ['{"order": 7}']


async def test_a_card_is_the_answer_to_execute_and_a_message_after_submit() -> None:
    async with BotUnderTest(Pressed) as bot:
        assert await bot.presses("card") == DONE
        assert bot.channel.sent == []
        await bot.receives(submitted("card"))
        assert shown(bot) == [DONE]


async def test_teams_replaces_the_card_after_submit_too() -> None:
    async with BotUnderTest(Pressed) as bot:
        await bot.receives(submitted("text"))
        await bot.receives(submitted("card", channelId="msteams", replyToId="1"))
        (replaced,) = bot.channel.sent
        assert replaced.activity.attachments[0].content == DONE


async def test_what_else_a_client_calls_the_card_is_not_replaced() -> None:
    async with BotUnderTest(Pressed) as bot:
        await bot.receives(submitted("text"))
        await bot.receives(submitted("card", channelId="directline", replyToId="1"))
        assert len(bot.channel.sent) == 2


class UnchangingChannel(MemoryChannel):
    async def update_activity(self, conversation_id: str, activity_id: str, activity: Any) -> Any:
        raise Refused("it was deleted")


async def test_a_card_that_cannot_be_replaced_is_followed_by_the_new_one() -> None:
    async with BotUnderTest(Pressed, channel=UnchangingChannel()) as bot:
        await bot.receives(submitted("card", channelId="msteams", replyToId="1"))
        assert shown(bot) == [DONE]


async def test_none_shows_nothing() -> None:
    async with BotUnderTest(Pressed) as bot:
        assert await bot.presses("silent") is None
        assert await bot.receives(submitted("silent")) == []


async def test_a_button_that_no_method_claims_is_answered_all_the_same() -> None:
    async with BotUnderTest(Pressed) as bot:
        assert await bot.presses("of-last-year") == UNKNOWN
        assert await bot.receives(submitted("of-last-year")) == [UNKNOWN]


async def test_the_log_names_the_verbs_that_are_claimed_and_not_what_was_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        async with BotUnderTest(MenuBot) as bot:
            await bot.presses("a secret\nbutton.unknown known=forged")
    (line,) = [
        each.getMessage() for each in caplog.records if "button.unknown" in each.getMessage()
    ]
    assert 'known="order thank"' in line
    assert "secret" not in line


@pytest.mark.parametrize("verb", [None, "", 7, True, [], {"a": 1}], ids=repr)
async def test_a_form_without_a_verb_is_no_press(verb: Any) -> None:
    async with BotUnderTest() as bot:
        form = {"value": {"verb": verb, "name": "Ada"}}
        assert await bot.receives({"type": "message", **form}) == [await answer(form)]


@pytest.mark.parametrize("verb", ["crash", "down", "number"])
async def test_a_press_that_fails_is_answered_once_and_the_log_says_why(
    verb: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with BotUnderTest(Pressed) as bot:
        with pytest.raises(BotFailed, match=FAILED):
            await bot.presses(verb)
        assert bot.channel.sent == []
        assert await bot.receives(submitted(verb)) == [FAILED]
    assert len([each for each in caplog.records if each.getMessage().startswith("turn.")]) == 2


async def test_a_press_that_failed_leaves_no_half_of_a_state() -> None:
    async with BotUnderTest(Pressed) as bot:
        await bot.receives(submitted("crash"))
        assert await bot.presses("crashed?") == "None"


@pytest.mark.parametrize("way", ["execute", "submit"])
def test_a_press_that_takes_too_long_is_answered_in_the_channels_time(way: str) -> None:
    async def scenario() -> None:
        async with BotUnderTest(Pressed) as bot:
            started = asyncio.get_running_loop().time()
            if way == "submit":
                assert await bot.receives(submitted("slow")) == [FAILED]
            else:
                with pytest.raises(BotFailed, match=FAILED):
                    await bot.presses("slow")
            assert asyncio.get_running_loop().time() - started == PRESS_TIMEOUT

    assert PRESS_TIMEOUT < TURN_TIMEOUT
    virtual_time.run(scenario())


async def test_a_malformed_press_is_refused_by_name() -> None:
    action = {"type": "Action.Execute", "verb": "text", "data": "x"}
    invoke = {"type": "invoke", "name": "adaptiveCard/action", "value": {"action": action}}
    async with BotUnderTest(Pressed) as bot:
        with pytest.raises(BadRequest, match=r"value\.action\.data must be a JSON object"):
            await bot.receives(invoke)


async def test_two_methods_that_claim_one_verb_are_refused_when_the_class_is_made() -> None:
    with pytest.raises(TypeError, match="say and other both claim the verb 'text'"):

        class Twice(Pressed):
            @on_button("text")
            async def other(self, turn: TurnContext, data: dict[str, Any]) -> None:
                pass


async def test_a_method_that_overrides_another_has_its_verb() -> None:
    class Loud(Pressed):
        async def say(self, turn: TurnContext, data: dict[str, Any]) -> str:
            return "LOUD"

    async with BotUnderTest(Loud) as bot:
        assert await bot.presses("text") == "LOUD"


def test_a_method_that_is_not_async_or_has_two_verbs_is_refused() -> None:
    with pytest.raises(TypeError, match="must be an async method"):

        @on_button("x")
        def plain(bot: Any, turn: TurnContext, data: dict[str, Any]) -> Any:
            return None

    with pytest.raises(TypeError, match="has a verb already"):

        @on_button("x")
        @on_button("y")
        async def twice(bot: Any, turn: TurnContext, data: dict[str, Any]) -> None:
            pass


def test_a_buttons_data_has_no_verb_of_its_own() -> None:
    with pytest.raises(ValueError, match="verb"):
        button("Approve", "approve", {"verb": "reject"})


async def test_a_bots_own_way_with_actions_of_cards_gets_what_no_method_claims() -> None:
    class OfItsOwn(Pressed):
        async def on_adaptive_card_invoke(self, turn_context: TurnContext, value: Any) -> Any:
            await turn_context.send_activity(f"invoked {value.action['verb']}")

    async with BotUnderTest(OfItsOwn) as bot:
        with pytest.raises(BotFailed):
            await bot.presses("other")
        assert bot.channel.sent[-1].activity.text == "invoked other"
        assert await bot.presses("text") == "{}"


CARD = {
    "type": "AdaptiveCard",
    "refresh": {"action": {"type": "Action.Execute", "verb": "renew"}},
    "selectAction": {"type": "Action.Execute"},
    "body": [{"type": "ActionSet", "actions": [button("Yes", "agree", {"order": 7})]}],
    "actions": [
        {"type": "Action.ShowCard", "card": {"actions": [button("No", "refuse")]}},
        {"type": "Action.OpenUrl", "url": "https://example.org"},
    ],
}
SUBMITTING = {
    "type": "AdaptiveCard",
    "refresh": {"action": {"type": "Action.Execute", "verb": "renew"}},
    "selectAction": {"type": "Action.Submit"},
    "body": [
        {
            "type": "ActionSet",
            "actions": [
                {"type": "Action.Submit", "title": "Yes", "data": {"order": 7, "verb": "agree"}}
            ],
        }
    ],
    "actions": [
        {
            "type": "Action.ShowCard",
            "card": {
                "actions": [{"type": "Action.Submit", "title": "No", "data": {"verb": "refuse"}}]
            },
        },
        {"type": "Action.OpenUrl", "url": "https://example.org"},
    ],
}


class Showing(ProactiveBot):
    async def on_message_activity(self, turn: TurnContext) -> None:
        plain = Attachment(content_type="text/plain", content=button("as", "it is"))
        await turn.send_activity(Activity(attachments=[*message_with(CARD).attachments, plain]))


@pytest.mark.parametrize(
    ("channel", "card"),
    [("msteams", CARD), ("directline", SUBMITTING), ("webchat", SUBMITTING), ("slack", SUBMITTING)],
)
async def test_a_card_goes_out_with_the_buttons_that_its_channel_knows(
    channel: str, card: Any
) -> None:
    async with BotUnderTest(Showing) as bot:
        await bot.receives({"type": "message", "text": "hello", "channelId": channel})
        assert shown(bot) == [card, button("as", "it is")]


async def test_so_it_does_in_what_another_program_sends() -> None:
    card = {"contentType": "application/vnd.microsoft.card.adaptive", "content": CARD}
    async with BotUnderTest() as bot:
        await bot.hears("hello")
        await bot.runs_queue()
        await bot.enqueue(activity={"attachments": [card]})
        await bot.notify({"all": True, "at_most": 1}, activity={"attachments": [card]})
        await bot.runs_queue()
        assert shown(bot) == [SUBMITTING, SUBMITTING]


async def test_the_example_takes_an_order_by_a_button() -> None:
    async with BotUnderTest(MenuBot) as bot:
        await bot.hears("menu")
        (menu,) = shown(bot)
        assert [each["title"] for each in menu["actions"]] == list(PIZZAS)
        ordered = await bot.presses("order", {"pizza": "Funghi"})
        assert ordered["body"][0]["text"] == "One Funghi is ordered."
        assert await bot.presses("thank") == "You are welcome!"
        (proactive,) = await bot.runs_queue()
        assert "Your Funghi is ready." in proactive


def test_the_page_shows_the_example() -> None:
    (shown_there,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    example = [line.strip() for line in EXAMPLE.read_text().splitlines()]
    assert [line for line in shown_there.splitlines() if line.strip() not in example] == []


@pytest.mark.parametrize("pizza", ["Sushi", None, 7, ["Funghi"], {"a": 1}], ids=repr)
async def test_the_example_believes_no_data(pizza: Any) -> None:
    async with BotUnderTest(MenuBot) as bot:
        assert await bot.presses("order", {"pizza": pizza}) == "We do not have that one."
        assert await bot.runs_queue() == []
