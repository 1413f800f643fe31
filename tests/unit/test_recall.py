"""Recalls and edits in memory: what another notification has sent is deleted, or replaced."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.schema import Activity, ResourceResponse

from bot_logic.bot import ProactiveBot
from bot_logic.bot_endpoint.memory_channel import MemoryChannel
from bot_logic.bot_endpoint.sdk.refusals import meaning_of
from bot_logic.conversations.audiences import Lane
from bot_logic.errors import (
    AskedToWait,
    BadRequest,
    ConversationBlocked,
    Refused,
    ServiceUnavailable,
)
from bot_logic.notifications import NOTIFICATIONS
from bot_logic.notifications.page import LEASE, MAX_DETAIL, Message, Page, Recipient
from bot_logic.notifications.store import NotificationStore
from bot_logic.queue_worker import Triggers
from bot_logic.storage.memory import Fault
from bot_logic.testing import BotUnderTest

EVERYONE = {"all": True, "at_most": 1000}


@pytest.fixture
async def bot() -> AsyncIterator[BotUnderTest]:
    async with BotUnderTest() as under_test:
        yield under_test


async def with_people(bot: BotUnderTest, count: int, *, tenants: int = 1) -> None:
    for number in range(count):
        tenant = f"t{number % tenants}"
        await joins(bot, f"u{number}", {"id": f"conversation-of-u{number}", "tenantId": tenant})


async def joins(bot: BotUnderTest, user: str, conversation: dict[str, str]) -> None:
    """Let somebody open a conversation, who is welcomed there."""
    joined = {"type": "conversationUpdate", "membersAdded": [{"id": user}]}
    await bot.receives({**joined, "conversation": conversation}, user=user)


async def sent_to_everyone(bot: BotUnderTest, text: str = "Oops") -> str:
    notification = await bot.notify(EVERYONE, text)
    await bot.runs_queue()
    return notification


def shown(bot: BotUnderTest) -> list[str]:
    """What of the notifications is still to be seen, in all conversations."""
    texts = (sent.activity.text for sent in bot.channel.sent if sent.activity.text)
    return [text for text in texts if not text.startswith("Welcome")]


async def test_what_was_sent_is_deleted_everywhere(bot: BotUnderTest) -> None:
    await with_people(bot, 3)
    notification = await sent_to_everyone(bot)
    assert shown(bot) == ["Oops"] * 3
    recall = await bot.recall(notification)
    await bot.runs_queue()
    assert shown(bot) == []
    assert await bot.report(recall) == {"state": "done", "recalled": 3}
    assert await bot.report(notification) == {"state": "done", "sent": 3}


async def test_a_recall_of_many_pages_and_tenants_reaches_each_once(bot: BotUnderTest) -> None:
    await with_people(bot, 620, tenants=3)
    recall = await bot.recall(await sent_to_everyone(bot))
    await bot.runs_queue()
    assert shown(bot) == []
    assert await bot.report(recall) == {"state": "done", "recalled": 620}


async def test_what_was_not_sent_yet_is_not_sent_any_more(bot: BotUnderTest) -> None:
    await with_people(bot, 2)
    notification = await bot.notify(EVERYONE, "Oops")
    recall = await bot.recall(notification)
    assert await bot.runs_queue() == []
    assert await bot.report(notification) == {"state": "cancelled", "cancelled": 2}
    assert await bot.report(recall) == {"state": "done"}


async def test_what_is_scheduled_is_never_sent(bot: BotUnderTest) -> None:
    await with_people(bot, 1)
    notification = await bot.notify(EVERYONE, "Oops", at=3600)
    await bot.recall(notification)
    bot.clock.advance(3602)
    assert await bot.runs_queue() == []
    assert await bot.report(notification) == {"state": "cancelled"}


async def test_a_recall_waits_for_a_page_that_is_being_sent(bot: BotUnderTest) -> None:
    await with_people(bot, 2)
    notification = await bot.notify(EVERYONE, "Oops")
    store = NotificationStore(bot.storage.table(NOTIFICATIONS))
    (stored,) = [page async for page in store.pages(notification)]
    claimed = await store.write_page(stored, stored.page.claimed(bot.clock.now()))
    recall = await bot.recall(notification)
    await bot.runs_queue()
    assert await bot.report(recall) == {"state": "sending"}
    sent = [
        each.sent(Message.taken("", str(number)))
        for number, each in enumerate(claimed.page.recipients, 1)
    ]
    await store.write_page(claimed, Page(claimed.page.lane, tuple(sent)))
    bot.clock.advance(1)
    await bot.runs_queue()  # it is planned
    await bot.runs_queue()
    report = await bot.report(recall)
    assert report == {"state": "done", "recalled": 2}


async def test_a_recall_does_not_wait_for_a_sender_that_has_died(bot: BotUnderTest) -> None:
    await with_people(bot, 1)
    notification = await bot.notify(EVERYONE, "Oops")
    store = NotificationStore(bot.storage.table(NOTIFICATIONS))
    (stored,) = [page async for page in store.pages(notification)]
    await store.write_page(stored, stored.page.claimed(bot.clock.now()))
    recall = await bot.recall(notification)
    bot.clock.advance(LEASE)
    await bot.runs_queue()
    assert await bot.report(recall) == {"state": "done"}


class RecallsAtTheClaim:
    """Has what is sent recalled while the bot, who has seen no recall, claims the page."""

    def __init__(self, real: Triggers) -> None:
        self._real = real
        self.recall: Callable[[], Coroutine[Any, Any, str]] | None = None

    async def post(self, activity_for: Callable[[str], dict[str, Any]]) -> None:
        recall, self.recall = self.recall, None
        if recall is None:
            await self._real.post(activity_for)
            return
        async with asyncio.TaskGroup() as both:
            both.create_task(self._real.post(activity_for))
            both.create_task(recall())


async def test_a_recall_misses_nobody_whose_page_is_being_claimed() -> None:
    ways = list[RecallsAtTheClaim]()

    def way_of(real: Triggers) -> RecallsAtTheClaim:
        ways.append(RecallsAtTheClaim(real))
        return ways[0]

    async with BotUnderTest(direct_line=way_of) as bot:
        await with_people(bot, 2)
        notification = await bot.notify(EVERYONE, "Oops")

        async def recall() -> str:
            asyncio.get_running_loop().call_later(0.1, bot.clock.advance, 3)  # the pump looks again
            return await bot.recall(notification)

        ways[0].recall = recall
        bot.storage.faults.add(Fault("table.replace", times=1))  # the lane's lease
        bot.storage.faults.add(Fault("table.replace", delay=0.01, times=1))  # the claim
        await bot.runs_queue()
        assert shown(bot) == []
        assert await bot.report(notification) == {"state": "cancelled", "cancelled": 2}


async def test_a_second_recall_is_the_first_one(bot: BotUnderTest) -> None:
    await with_people(bot, 2)
    notification = await sent_to_everyone(bot)
    recall = await bot.recall(notification)
    await bot.runs_queue()
    deletions = bot.channel.faults.add(Fault("channel.delete"))  # which counts, and does no harm
    assert await bot.recall(notification) == recall
    await bot.runs_queue()
    assert deletions.met == 0


async def test_a_recall_after_a_cancelled_one_goes_on_with_the_others(bot: BotUnderTest) -> None:
    await with_people(bot, 3)
    notification = await sent_to_everyone(bot)
    bot.channel.faults.add(Fault("channel.delete", times=1))
    bot.channel.faults.add(Fault("channel.delete", AskedToWait("429", retry_after=60)))
    first = await bot.recall(notification)
    await bot.runs_queue()
    await bot.cancel(first)
    assert await bot.report(first) == {"state": "cancelled", "cancelled": 2, "recalled": 1}
    bot.channel.faults.clear()
    deletions = bot.channel.faults.add(Fault("channel.delete"))
    second = await bot.recall(notification)
    bot.clock.advance(61)
    await bot.runs_queue()
    assert second != first
    assert await bot.report(second) == {"state": "done", "recalled": 3}
    assert deletions.met == 2
    assert shown(bot) == []


async def test_what_was_sent_is_replaced_everywhere(bot: BotUnderTest) -> None:
    await with_people(bot, 3)
    notification = await sent_to_everyone(bot, "At 9")
    edit = await bot.edit(notification, "At 10")
    await bot.runs_queue()
    assert shown(bot) == ["At 10"] * 3
    assert await bot.report(edit) == {"state": "done", "edited": 3}


async def test_what_was_edited_can_be_recalled(bot: BotUnderTest) -> None:
    await with_people(bot, 2)
    notification = await sent_to_everyone(bot)
    await bot.edit(notification, "At 10")
    await bot.runs_queue()
    recall = await bot.recall(notification)
    await bot.runs_queue()
    assert shown(bot) == []
    assert await bot.report(recall) == {"state": "done", "recalled": 2}


async def test_of_two_edits_the_later_one_stays(bot: BotUnderTest) -> None:
    await with_people(bot, 2)
    notification = await sent_to_everyone(bot, "At 9")
    first = await bot.edit(notification, "At 10")
    second = await bot.edit(notification, "At 11")
    await bot.runs_queue()
    assert shown(bot) == ["At 11"] * 2
    assert await bot.report(first) == {"state": "cancelled", "cancelled": 2}
    assert await bot.report(second) == {"state": "done", "edited": 2}


async def test_after_an_edit_a_retry_sends_the_new_text(bot: BotUnderTest) -> None:
    await with_people(bot, 2)
    bot.channel.faults.add(Fault("channel.send", Refused("400"), times=1))
    notification = await sent_to_everyone(bot, "At 9")
    await bot.edit(notification, "At 10")
    await bot.runs_queue()
    await bot.retry(notification)
    await bot.runs_queue()
    assert shown(bot) == ["At 10"] * 2


async def test_what_is_still_being_sent_cannot_be_edited(bot: BotUnderTest) -> None:
    await with_people(bot, 1)
    later = await bot.notify(EVERYONE, "At 9", at=60)
    now = await bot.notify(EVERYONE, "At 9")
    for notification, state in ((later, "scheduled"), (now, "sending")):
        with pytest.raises(BadRequest, match=f"it is {state}: edit it when all is sent") as no:
            await bot.edit(notification, "At 10")
        assert no.value.status == 409


async def test_what_was_recalled_cannot_be_edited_nor_sent_again(bot: BotUnderTest) -> None:
    await with_people(bot, 1)
    notification = await sent_to_everyone(bot)
    await bot.recall(notification)
    with pytest.raises(BadRequest, match="it was recalled and cannot be edited"):
        await bot.edit(notification, "At 10")
    with pytest.raises(BadRequest, match="it was recalled and cannot be sent again"):
        await bot.retry(notification)


async def test_a_recall_and_an_edit_cannot_be_recalled(bot: BotUnderTest) -> None:
    await with_people(bot, 1)
    notification = await sent_to_everyone(bot)
    edit = await bot.edit(notification, "At 10")
    recall = await bot.recall(notification)
    for change, kind in ((edit, "an edit"), (recall, "a recall")):
        with pytest.raises(BadRequest, match=f"it is {kind} of {notification}") as no:
            await bot.recall(change)
        assert no.value.status == 409
        with pytest.raises(BadRequest, match=f"it is {kind} of"):
            await bot.edit(change, "again")


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (405, "BadArgument", "cannotBeRecalled"),  # Azure's Web Chat and Direct Line
        (400, "NotSupported", "cannotBeRecalled"),
        (501, "", "cannotBeRecalled"),
        (403, "Forbidden", "cannotBeRecalled"),
        (403, "MessageWritesBlocked", "blocked"),
        (404, "ActivityNotFoundInConversation", "gone"),
        (404, "ConversationNotFound", "gone"),
    ],
)
async def test_why_a_message_stays_is_said(
    bot: BotUnderTest, status: int, code: str, outcome: str
) -> None:
    await with_people(bot, 2)
    notification = await sent_to_everyone(bot)
    no = meaning_of(status, code, None)
    bot.channel.faults.add(Fault("channel.delete", no, times=1))
    recall = await bot.recall(notification)
    await bot.runs_queue()
    assert await bot.report(recall) == {"state": "done", "recalled": 1, outcome: 1}


async def test_a_channel_that_replaces_nothing_is_an_outcome(bot: BotUnderTest) -> None:
    await with_people(bot, 1)
    notification = await sent_to_everyone(bot)
    no = meaning_of(405, "BadArgument", None)
    bot.channel.faults.add(Fault("channel.update", no, times=1))
    edit = await bot.edit(notification, "At 10")
    await bot.runs_queue()
    assert await bot.report(edit) == {"state": "done", "cannotBeEdited": 1}


async def test_what_could_not_be_recalled_is_tried_again_on_request(bot: BotUnderTest) -> None:
    await with_people(bot, 2)
    notification = await sent_to_everyone(bot)
    blocked = ConversationBlocked("the channel answered 403 MessageWritesBlocked")
    bot.channel.faults.add(Fault("channel.delete", blocked, times=1))
    bot.channel.faults.add(Fault("channel.delete", ServiceUnavailable("503"), times=1))
    recall = await bot.recall(notification)
    await bot.runs_queue()
    assert await bot.report(recall) == {"state": "done", "recalled": 1, "blocked": 1}
    await bot.retry(recall)
    await bot.runs_queue()
    assert await bot.report(recall) == {"state": "done", "recalled": 2}


class Forgetful(MemoryChannel):
    """Says of no message by which id it is found."""

    async def send_to_conversation(
        self, conversation_id: str, activity: Activity
    ) -> ResourceResponse:
        await super().send_to_conversation(conversation_id, activity)
        return ResourceResponse(id="")


async def test_a_message_without_an_id_cannot_be_recalled() -> None:
    async with BotUnderTest(channel=Forgetful()) as bot:
        await with_people(bot, 1)
        recall = await bot.recall(await sent_to_everyone(bot))
        await bot.runs_queue()
        assert await bot.report(recall) == {"state": "done", "cannotBeRecalled": 1}


async def test_a_message_is_deleted_where_it_was_sent(bot: BotUnderTest) -> None:
    await with_people(bot, 1)
    notification = await sent_to_everyone(bot)
    await joins(bot, "u0", {"id": "a-newer-one", "tenantId": "t0"})
    recall = await bot.recall(notification)
    await bot.runs_queue()
    assert shown(bot) == []
    assert await bot.report(recall) == {"state": "done", "recalled": 1}


class Foreman(ProactiveBot):
    """Edits and recalls what it is told to."""

    async def on_message_activity(self, turn: TurnContext) -> None:
        word, _, notification = turn.activity.text.partition(" ")
        match word:
            case "edit":
                await self.notifications.edit(notification, "At 10")
            case "recall":
                await self.notifications.recall(notification)


async def test_a_bot_edits_and_recalls() -> None:
    async with BotUnderTest(Foreman) as bot:
        await with_people(bot, 2)
        notification = await sent_to_everyone(bot, "At 9")
        await bot.hears(f"edit {notification}")
        await bot.runs_queue()
        assert shown(bot) == ["At 10"] * 2
        await bot.hears(f"recall {notification}")
        await bot.runs_queue()
        assert shown(bot) == []
        with pytest.raises(BadRequest, match="there is no such notification"):
            await bot.hears(f"recall {'0' * 32}")


def test_an_id_that_a_page_has_no_room_for_is_none() -> None:
    assert Message.taken("", "x" * MAX_DETAIL).activity
    assert Message.taken("", "x" * (MAX_DETAIL + 1)).activity == ""
    assert Message.taken("", "é").activity == ""


def test_what_an_older_version_has_noted_is_read() -> None:
    page = Page(Lane("test", ""), (Recipient("a/b").sent(Message("", "7")), Recipient("a/c")))
    row = {name: value for name, value in page.to_row().items() if name != "messages"}
    assert Page.of({**row, "outcomes": '[["sent","7",0],["open","",0]]'}) == page
