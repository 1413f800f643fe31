"""Presses of buttons over HTTP: what a channel posts, and what a hostile visitor does."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot_logic.bot_endpoint.buttons import UNKNOWN
from bot_logic.bot_endpoint.presses import FAILED
from examples.menu_bot import MenuBot
from tests.functional.app_under_test import AppUnderTest, ChatUser
from tests.functional.messages import activity

CARD = "application/vnd.microsoft.card.adaptive"
MESSAGE = "application/vnd.microsoft.activity.message"


def execute(user: ChatUser, verb: str, data: Any = None, **more: Any) -> dict[str, Any]:
    action = {"type": "Action.Execute", "verb": verb, "data": data}
    value = {"action": action, "trigger": "manual"}
    return activity(user, type="invoke", name="adaptiveCard/action", value=value, **more)


def nested(levels: int) -> Any:
    value: Any = "deep"
    for _ in range(levels):
        value = {"verb": value}
    return value


@pytest.fixture
async def ada(app: AppUnderTest) -> AsyncIterator[ChatUser]:
    await app.rewire(make_bot=MenuBot)
    user = await app.user()
    yield user
    # Else a broadcast of another test would go to who passed for somebody of Teams here.
    known = await app.wiring.conversations.find("msteams", user.conversation_id)
    if known is not None:
        await app.wiring.conversations.forget(known.reference)


async def test_a_press_of_execute_is_answered_as_the_protocol_has_it(ada: ChatUser) -> None:
    answer = await ada.app.post(execute(ada, "order", {"pizza": "Funghi"}))
    assert (answer.status, answer.body["statusCode"], answer.body["type"]) == (200, 200, CARD)
    assert answer.body["value"]["body"][0]["text"] == "One Funghi is ordered."
    thanked = await ada.app.post(execute(ada, "thank"))
    assert thanked.body == {"statusCode": 200, "type": MESSAGE, "value": "You are welcome!"}
    await ada.app.run_worker()
    assert "Your Funghi is ready." in (await ada.hears(2))[1]


async def test_it_is_among_the_replies_if_the_client_wants_it_so(ada: ChatUser) -> None:
    pressed = execute(ada, "thank", deliveryMode="expectReplies")
    (reply,) = (await ada.app.post(pressed)).body["activities"]
    body = {"statusCode": 200, "type": MESSAGE, "value": "You are welcome!"}
    assert (reply["type"], reply["value"]) == ("invokeResponse", {"status": 200, "body": body})


async def test_a_press_that_fails_is_answered_as_the_protocol_has_it(ada: ChatUser) -> None:
    class Failing(MenuBot):
        async def thank(self, turn: Any, data: Any) -> Any:  # noqa: ARG002 - its parameters
            raise RuntimeError("a mistake in the bot")

    await ada.app.rewire(make_bot=Failing)
    answer = await ada.app.post(execute(ada, "thank"))
    assert answer.status == 200
    assert answer.body == {
        "statusCode": 500,
        "type": "application/vnd.microsoft.error",
        "value": {"code": "BotError", "message": FAILED},
    }
    assert (await ada.posts({"type": "message", "value": {"verb": "thank"}})).status == 200
    assert (await ada.hears(2))[1] == FAILED


async def test_teams_replaces_the_card_after_submit(ada: ChatUser) -> None:
    await ada.says("menu")
    menu = (await ada.activities())[-1]
    value = {"verb": "order", "pizza": "Funghi"}
    pressed = activity(ada, text=None, value=value, channelId="msteams", replyToId=menu["id"])
    assert (await ada.app.post(pressed)).status == 200
    replaced = (await ada.activities())[-1]
    assert replaced["id"] == menu["id"]
    assert replaced["attachments"][0]["content"]["body"][0]["text"] == "One Funghi is ordered."


async def test_a_card_that_teams_does_not_know_is_sent_anew(ada: ChatUser) -> None:
    value = {"verb": "order", "pizza": "Funghi"}
    pressed = activity(ada, text=None, value=value, channelId="msteams", replyToId="unknown")
    assert (await ada.app.post(pressed)).status == 200
    (_, sent) = [each for each in await ada.activities() if each["type"] == "message"]
    assert sent["attachments"][0]["content"]["body"][0]["text"] == "One Funghi is ordered."


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"verb": "__class__"}, UNKNOWN),
        ({"verb": "on_turn"}, UNKNOWN),
        ({"verb": "v" * 100_000}, UNKNOWN),
        ({"verb": "line\nbreak\x00\ud800"}, UNKNOWN),
        ({"verb": "order"}, "We do not have that one."),
        ({"verb": "order", "pizza": nested(80)}, "We do not have that one."),
        ({"verb": "order", "pizza": "Funghi" * 20_000}, "We do not have that one."),
        ({"verb": "order", "pizza": [{"pizza": None}] * 5_000}, "We do not have that one."),
        ({"verb": "thank", "verb ": 1, "": 2, "turn": 3, "self": 4}, "You are welcome!"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_whatever_a_visitor_sends_is_answered_politely(
    ada: ChatUser, value: dict[str, Any], said: str
) -> None:
    assert (await ada.posts({"type": "message", "value": value})).status == 200
    assert (await ada.hears(2))[1] == said
    data = {name: each for name, each in value.items() if name != "verb"}
    answer = await ada.app.post(execute(ada, value["verb"], data))
    assert (answer.status, answer.body) == (
        200,
        {"statusCode": 200, "type": MESSAGE, "value": said},
    )


async def test_what_is_nested_too_deep_is_refused_by_name(ada: ChatUser) -> None:
    answer = await ada.app.post(activity(ada, text=None, value=nested(200)))
    assert answer.error == (400, "BadRequest")
    assert answer.body["error"]["field"] == "value"
