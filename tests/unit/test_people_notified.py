"""Whoever is forgotten is on no page of a notification any more, whatever came after it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot_logic.bot_endpoint.buttons import UNKNOWN
from bot_logic.bot_endpoint.got_it import GOT_IT
from bot_logic.conversations.audiences import digits_for
from bot_logic.errors import Refused, ServiceUnavailable
from bot_logic.notifications import NOTIFICATIONS
from bot_logic.notifications.store import NotificationStore
from bot_logic.storage.memory import Fault
from bot_logic.testing import BotUnderTest

EVERYONE = {"channel": "test"}
ADA = ("ada", "conversation-of-ada")


@pytest.fixture
async def bot() -> AsyncIterator[BotUnderTest]:
    async with BotUnderTest() as under_test:
        for user in ("ada", "bob"):
            await under_test.meets(user)
        yield under_test


async def told(bot: BotUnderTest, text: str = "Drill", **fields: Any) -> str:
    """Tell everyone."""
    notification = await bot.notify(EVERYONE, text, **fields)
    await bot.runs_queue()
    return notification


def data_for(bot: BotUnderTest, user: str) -> dict[str, Any]:
    """What the button brings on what somebody was sent last."""
    there = [each.activity for each in bot.channel.sent if each.conversation_id.endswith(user)]
    data: dict[str, Any] = there[-1].attachments[-1].content["actions"][-1]["data"]
    return {name: value for name, value in data.items() if name != "verb"}


def said_to_ada(bot: BotUnderTest) -> list[str]:
    there = (each.activity for each in bot.channel.sent if each.conversation_id == ADA[1])
    return [each.text for each in there if each.text and not each.text.startswith("Welcome")]


async def pages_lead_to_ada(bot: BotUnderTest) -> bool:
    digits = digits_for(ADA[:1], ADA[1:], ["test"])
    rows = [text for name, text in await bot.storage.contents() if name == NOTIFICATIONS]
    return any(each[2:] in text for each in digits for text in rows)


async def confirmations(bot: BotUnderTest, notification: str) -> int:
    store = NotificationStore(bot.storage.table(NOTIFICATIONS))
    return await store.count_acknowledged(notification)


async def forgotten_and_back(bot: BotUnderTest) -> None:
    assert await bot.forgets("ada")
    bot.clock.advance(1)
    await bot.meets("ada")


async def test_what_they_confirmed_goes_and_what_others_did_stays(bot: BotUnderTest) -> None:
    notification = await told(bot, acknowledge=True)
    for user in ("ada", "bob"):
        await bot.presses(GOT_IT, data_for(bot, user), user=user)
    assert await confirmations(bot, notification) == 2
    await bot.forgets("ada")
    assert await confirmations(bot, notification) == 1
    assert await bot.report(notification) == {"state": "done", "sent": 2}
    assert not await pages_lead_to_ada(bot)


async def test_a_button_from_before_is_nobodys_when_they_come_back(bot: BotUnderTest) -> None:
    notification = await told(bot, acknowledge=True)
    data = data_for(bot, "ada")
    await forgotten_and_back(bot)
    assert await bot.presses(GOT_IT, data, user="ada") == UNKNOWN
    assert await confirmations(bot, notification) == 0
    assert not await pages_lead_to_ada(bot)


async def test_a_recall_does_not_reach_whom_was_forgotten_since(bot: BotUnderTest) -> None:
    notification = await told(bot)
    await forgotten_and_back(bot)
    recall = await bot.recall(notification)
    await bot.runs_queue()
    assert await bot.report(recall) == {"state": "done", "recalled": 1}
    assert said_to_ada(bot) == ["Drill"]
    assert not await pages_lead_to_ada(bot)


async def test_nor_does_an_edit(bot: BotUnderTest) -> None:
    notification = await told(bot)
    await forgotten_and_back(bot)
    edit = await bot.edit(notification, "Drill at noon")
    await bot.runs_queue()
    assert await bot.report(edit) == {"state": "done", "edited": 1}
    assert said_to_ada(bot) == ["Drill"]
    assert not await pages_lead_to_ada(bot)


async def test_a_recall_that_waits_for_its_turn_leaves_them_out(bot: BotUnderTest) -> None:
    recall = await bot.recall(await told(bot))
    await forgotten_and_back(bot)
    await bot.runs_queue()
    assert await bot.report(recall) == {"state": "done", "recalled": 1, "gone": 1}
    assert said_to_ada(bot) == ["Drill"]
    assert not await pages_lead_to_ada(bot)


async def test_a_second_recall_leaves_them_out_too(bot: BotUnderTest) -> None:
    notification = await told(bot)
    first = await bot.recall(notification)
    await bot.cancel(first)
    await bot.forgets("ada")
    second = await bot.recall(notification)
    await bot.runs_queue()
    assert await bot.report(second) == {"state": "done", "recalled": 1}


async def test_a_page_that_is_not_sent_yet_leaves_them_out_although_they_are_back(
    bot: BotUnderTest,
) -> None:
    notification = await bot.notify(EVERYONE, "Drill")
    await forgotten_and_back(bot)
    await bot.runs_queue()
    assert await bot.report(notification) == {"state": "done", "sent": 1, "gone": 1}
    assert said_to_ada(bot) == []


async def test_a_retry_leaves_them_out_although_they_are_back(bot: BotUnderTest) -> None:
    bot.channel.faults.add(Fault("channel.send", Refused("made to fail"), times=2))
    notification = await told(bot)
    assert await bot.report(notification) == {"state": "done", "refused": 2}
    await forgotten_and_back(bot)
    await bot.retry(notification)
    await bot.runs_queue()
    assert await bot.report(notification) == {"state": "done", "refused": 1, "sent": 1}
    assert said_to_ada(bot) == []


async def test_forgetting_waits_while_a_recall_is_under_way(bot: BotUnderTest) -> None:
    recall = await bot.recall(await told(bot))
    store = NotificationStore(bot.storage.table(NOTIFICATIONS))
    (stored,) = [page async for page in store.pages(recall)]
    await store.write_page(stored, stored.page.claimed(bot.clock.now()))
    with pytest.raises(ServiceUnavailable, match="being sent"):
        await bot.forgets("ada")
    bot.clock.advance(61)
    assert await bot.forgets("ada")
    assert not await pages_lead_to_ada(bot)


async def test_of_a_conversation_the_message_in_it_is_forgotten(bot: BotUnderTest) -> None:
    notification = await told(bot)
    assert await bot.forgets_conversation(ADA[1])
    recall = await bot.recall(notification)
    await bot.runs_queue()
    assert await bot.report(recall) == {"state": "done", "recalled": 1}
    assert not await pages_lead_to_ada(bot)


async def test_whose_conversation_has_ended_is_found_on_pages_all_the_same(
    bot: BotUnderTest,
) -> None:
    await told(bot)
    await bot.receives({"type": "installationUpdate", "action": "remove"}, user="ada")
    shown = await bot.knows_of("ada")
    assert shown is not None
    assert shown["conversations"] == []
    assert [each["state"] for each in shown["notifications"]] == ["sent"]
    assert await bot.forgets("ada")
    assert not await pages_lead_to_ada(bot)
    assert await bot.knows_of("ada") is None


async def test_nobody_is_called_forgotten(bot: BotUnderTest) -> None:
    await told(bot)
    await bot.forgets("ada")
    assert await bot.knows_of("forgotten") is None
    assert not await bot.forgets("forgotten")


async def test_whom_a_page_names_alike_is_somebody_else(bot: BotUnderTest) -> None:
    await bot.notify([{"user": "张三"}, {"user": "bob"}], "For two")
    await bot.runs_queue()
    assert await bot.knows_of("李四") is None
    assert not await bot.forgets("李四")
    assert await bot.forgets("张三")
