"""The button "Got it" in memory: who has pressed it is known, and nobody presses for another."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.schema import Activity

from bot_logic.bot import ProactiveBot
from bot_logic.bot_endpoint.buttons import UNKNOWN
from bot_logic.bot_endpoint.got_it import GOT_IT, GotIt
from bot_logic.bot_endpoint.sdk.card_actions import with_known_actions
from bot_logic.errors import BadRequest
from bot_logic.notifications import NOTIFICATIONS
from bot_logic.notifications.page import Recipient
from bot_logic.notifications.request import parse
from bot_logic.notifications.store import NotificationStore
from bot_logic.testing import BotUnderTest

ADAPTIVE = "application/vnd.microsoft.card.adaptive"


class Deaf(ProactiveBot):
    """Must not hear of a press."""

    async def on_message_activity(self, turn: TurnContext) -> None:
        raise AssertionError(turn.activity.value)


@pytest.fixture
async def bot() -> AsyncIterator[BotUnderTest]:
    async with BotUnderTest(Deaf) as under_test:
        for user in ("ada", "bob"):
            await under_test.meets(user)
        yield under_test


async def asked(bot: BotUnderTest, **content: Any) -> str:
    """Send something to both with the button."""
    options = {"acknowledge": True, **content}
    notification = await bot.notify({"channel": "test"}, **options)
    await bot.runs_queue()
    return notification


def cards_of(bot: BotUnderTest, user: str = "ada") -> list[Any]:
    """The attachments of the last thing that was sent to somebody."""
    there = [each for each in bot.channel.sent if each.conversation_id.endswith(user)]
    return [each.content for each in there[-1].activity.attachments or ()]


def data_of(bot: BotUnderTest, user: str = "ada") -> dict[str, Any]:
    """What somebody's button brings; on this channel it is an Action.Submit."""
    data: dict[str, Any] = cards_of(bot, user)[-1]["actions"][-1]["data"]
    return {name: value for name, value in data.items() if name != "verb"}


async def acknowledged(bot: BotUnderTest, notification: str) -> int:
    store = NotificationStore(bot.storage.table(NOTIFICATIONS))
    return await store.count_acknowledged(notification)


async def test_a_text_becomes_a_card_with_the_button(bot: BotUnderTest) -> None:
    await asked(bot, text="The oven is off at ten.", acknowledge="I know")
    (card,) = cards_of(bot)
    assert card["body"] == [{"type": "TextBlock", "text": "The oven is off at ten.", "wrap": True}]
    (action,) = card["actions"]
    assert (action["title"], action["data"]["verb"]) == ("I know", GOT_IT)


async def test_an_adaptive_card_gets_one_button_more(bot: BotUnderTest) -> None:
    content = {"type": "AdaptiveCard", "version": "1.5", "actions": [{"type": "Action.OpenUrl"}]}
    await asked(bot, activity={"attachments": [{"contentType": ADAPTIVE, "content": content}]})
    (card,) = cards_of(bot)
    assert [each["type"] for each in card["actions"]] == ["Action.OpenUrl", "Action.Submit"]


async def test_anything_else_gets_a_card_with_just_the_button(bot: BotUnderTest) -> None:
    image = {"contentType": "image/png", "contentUrl": "https://example.com/oven.png"}
    await asked(bot, activity={"attachments": [image]})
    none, card = cards_of(bot)
    assert none is None
    assert (card["body"], len(card["actions"])) == ([], 1)


async def test_a_press_is_counted_once_and_answered(bot: BotUnderTest) -> None:
    notification = await asked(bot, text="The oven is off at ten.")
    for _ in range(2):
        card = await bot.presses(GOT_IT, data_of(bot), user="ada")
        assert [each["text"] for each in card["body"]] == ["The oven is off at ten.", "✓ Got it"]
        assert "actions" not in card
    assert await acknowledged(bot, notification) == 1


async def test_where_no_card_can_be_replaced_a_press_is_answered_by_a_text(
    bot: BotUnderTest,
) -> None:
    notification = await asked(bot, text="The oven is off at ten.")
    pressed = {"type": "message", "value": {**data_of(bot), "verb": GOT_IT}}
    assert await bot.receives(pressed, user="ada") == ["✓ Got it"]
    assert await acknowledged(bot, notification) == 1


async def test_nobody_presses_for_another(bot: BotUnderTest) -> None:
    notification = await asked(bot, text="The oven is off at ten.")
    assert await bot.presses(GOT_IT, data_of(bot, "ada"), user="bob") == UNKNOWN
    assert await acknowledged(bot, notification) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"notification": "0" * 32},
        {"notification": "latest"},
        {"notification": 1},
        {"page": "page-" + "0" * 16 + "-00000000"},
        {"page": "head"},
        {"page": None},
        {"recipient": "0" * 16},
        {"recipient": ["x"]},
    ],
)
async def test_what_no_button_says_is_not_counted(bot: BotUnderTest, wrong: dict[str, Any]) -> None:
    notification = await asked(bot, text="The oven is off at ten.")
    assert await bot.presses(GOT_IT, data_of(bot) | wrong, user="ada") == UNKNOWN
    assert await acknowledged(bot, notification) == 0


async def test_what_asks_for_no_confirmation_gets_none(bot: BotUnderTest) -> None:
    with_button = await asked(bot, text="The oven is off at ten.")
    without = await asked(bot, text="Two for one", acknowledge=False)
    assert not cards_of(bot)
    forged = {"notification": without, "page": "page-" + "0" * 16 + "-00000000"}
    assert await bot.presses(GOT_IT, {**forged, "recipient": "0" * 16}, user="ada") == UNKNOWN
    assert await acknowledged(bot, with_button) + await acknowledged(bot, without) == 0


async def test_an_edited_message_keeps_its_button(bot: BotUnderTest) -> None:
    notification = await asked(bot, text="The oven is off at ten.")
    edit = await bot.edit(notification, "The oven is off at nine.")
    await bot.runs_queue()
    card = await bot.presses(GOT_IT, data_of(bot), user="ada")
    assert card["body"][0]["text"] == "The oven is off at nine."
    assert await acknowledged(bot, notification) == 1
    forged = data_of(bot) | {"notification": edit}
    assert await bot.presses(GOT_IT, forged, user="ada") == UNKNOWN


def test_teams_gets_an_execute_that_older_clients_submit() -> None:
    button = GotIt("Got it", "0" * 32, "page")
    sent = button.on(Activity(type="message", text="hi"), Recipient("people/ada"))
    (card,) = with_known_actions(sent.attachments, "msteams")
    (action,) = card.content["actions"]
    assert (action["type"], action["verb"]) == ("Action.Execute", GOT_IT)
    assert action["fallback"]["type"] == "Action.Submit"
    assert action["fallback"]["data"] == {**action["data"], "verb": GOT_IT}
    assert sent.summary == "hi"  # what Teams shows beside the card


@pytest.mark.parametrize("title", ["", "x" * 101, "a\nb", 1, {}])
async def test_a_title_that_is_none_is_refused_by_name(bot: BotUnderTest, title: Any) -> None:
    with pytest.raises(BadRequest) as refused:
        await bot.notify({"channel": "test"}, "hi", acknowledge=title)
    assert (refused.value.status, refused.value.field) == (400, "acknowledge")


async def test_what_a_recipient_gets_with_the_button_is_shown_before_and_has_to_fit(
    bot: BotUnderTest,
) -> None:
    orders = bot.wiring.notifications.orders
    everyone, text = {"channel": "test"}, "x" * 27_000
    order = {"to": everyone, "text": text, "acknowledge": "I know"}
    request = parse(json.dumps(order).encode(), bot.clock.now(), orders.lifetime)
    (card,) = (await orders.preview(request))["activity"]["attachments"]
    assert card["content"]["actions"][0]["title"] == "I know"
    await bot.notify(everyone, "x" * 28_600)
    with pytest.raises(BadRequest, match="as it is sent") as refused:
        await bot.notify(everyone, "x" * 28_600, acknowledge=True)
    assert (refused.value.status, refused.value.field) == (413, "activity")
