"""Notifications in memory: who gets them, when, once, and what is said of it."""

from dataclasses import replace
from typing import Any

import pytest
from botbuilder.core import MessageFactory, TurnContext
from botbuilder.schema import Attachment

from bot_logic.bot import ProactiveBot
from bot_logic.conversations.audiences import Lane
from bot_logic.errors import (
    BadRequest,
    ConversationBlocked,
    ConversationGone,
    MessageNotInserted,
    Refused,
    ServiceUnavailable,
)
from bot_logic.notifications import NOTIFICATIONS
from bot_logic.notifications.outcomes import Outcome
from bot_logic.notifications.page import MAX_IDLE, Page, Recipient
from bot_logic.notifications.store import NotificationStore
from bot_logic.storage.memory import Fault
from bot_logic.testing import BotUnderTest


async def with_people(bot: BotUnderTest, count: int) -> None:
    for number in range(count):
        await bot.hears("hello", user=f"u{number}")
    await bot.runs_queue()


async def test_a_person_is_told(bot: BotUnderTest) -> None:
    await with_people(bot, 2)
    notification = await bot.notify({"user": "u1"}, "Your pizza is ready")
    assert await bot.runs_queue() == ["Your pizza is ready"]
    assert bot.channel.sent[-1].conversation_id == "conversation-of-u1"
    assert await bot.report(notification) == {"state": "done", "sent": 1}


@pytest.mark.parametrize(
    "to",
    [
        {"all": True, "at_most": 10},
        {"channel": "test"},
        [{"user": f"u{number}"} for number in range(7)],
        [{"conversation": f"conversation-of-u{number}"} for number in range(7)],
    ],
)
async def test_each_of_many_is_told_once(bot: BotUnderTest, to: Any) -> None:
    await with_people(bot, 7)
    before = len(bot.channel.sent)
    notification = await bot.notify(to, "News")
    assert await bot.report(notification) == {"state": "sending", "open": 7}
    assert await bot.runs_queue() == ["News"] * 7
    assert {sent.conversation_id for sent in bot.channel.sent[before:]} == {
        f"conversation-of-u{number}" for number in range(7)
    }
    assert await bot.report(notification) == {"state": "done", "sent": 7}
    await bot.wakes_what_waits()
    assert await bot.runs_queue() == []


async def test_who_is_named_twice_is_told_once(bot: BotUnderTest) -> None:
    await with_people(bot, 1)
    await bot.notify([{"user": "u0"}, {"conversation": "conversation-of-u0"}], "News")
    assert await bot.runs_queue() == ["News"]


async def test_who_is_unknown_is_an_outcome_in_a_list_and_an_error_alone(bot: BotUnderTest) -> None:
    await with_people(bot, 1)
    notification = await bot.notify([{"user": "u0"}, {"user": "nobody"}], "News")
    assert await bot.runs_queue() == ["News"]
    assert await bot.report(notification) == {"state": "done", "sent": 1, "unknown": 1}
    with pytest.raises(BadRequest) as refused:
        await bot.notify({"user": "nobody"}, "News")
    assert (refused.value.status, refused.value.field) == (404, "to")


async def test_an_activity_that_the_bot_cannot_read_comes_to_an_end(bot: BotUnderTest) -> None:
    await with_people(bot, 2)
    notification = await bot.notify({"channel": "test"}, "News")
    table = bot.storage.table(NOTIFICATIONS)
    head = await NotificationStore(table).head(notification)
    assert head is not None
    older = replace(head.notification, activity={"attachments": "from an older version"})
    await NotificationStore(table).replace(head, older)
    assert await bot.runs_queue() == []
    assert await bot.report(notification) == {"state": "done", "refused": 2}


async def test_more_than_its_author_expects_get_nothing(bot: BotUnderTest) -> None:
    await with_people(bot, 3)
    with pytest.raises(BadRequest) as refused:
        await bot.notify({"all": True, "at_most": 2}, "Oops")
    assert (refused.value.status, refused.value.field) == (409, "to.at_most")
    assert await bot.runs_queue() == []


async def test_later_means_later_and_who_comes_until_then_gets_it(bot: BotUnderTest) -> None:
    await with_people(bot, 1)
    notification = await bot.notify({"all": True, "at_most": 9}, "News", at=3600)
    assert await bot.runs_queue() == []
    assert await bot.report(notification) == {"state": "scheduled"}
    await bot.hears("hello", user="later")
    await bot.runs_queue()
    bot.clock.advance(3602)
    assert await bot.runs_queue() == ["News", "News"]


async def test_a_year_ahead_is_remembered(bot: BotUnderTest) -> None:
    await with_people(bot, 1)
    await bot.notify({"user": "u0"}, "Happy birthday", at=365 * 86400)
    for _ in range(52):
        bot.clock.advance(7 * 86400)
        assert await bot.runs_queue() == []
    bot.clock.advance(86400 + 2)
    assert await bot.runs_queue() == ["Happy birthday"]


async def test_what_is_cancelled_is_not_sent(bot: BotUnderTest) -> None:
    await with_people(bot, 3)
    notification = await bot.notify({"channel": "test"}, "Oops")
    await bot.cancel(notification)
    assert await bot.runs_queue() == []
    assert await bot.report(notification) == {"state": "cancelled", "cancelled": 3}
    with pytest.raises(BadRequest, match="it is cancelled and cannot be cancelled"):
        await bot.cancel(notification)


async def test_what_is_too_late_is_not_sent(bot: BotUnderTest) -> None:
    await with_people(bot, 3)
    notification = await bot.notify({"channel": "test"}, "Now or never", expires=60)
    bot.clock.advance(61)
    assert await bot.runs_queue() == []
    assert await bot.report(notification) == {"state": "expired", "expired": 3}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ConversationBlocked("the channel answered 403 MessageWritesBlocked"), "blocked"),
        (ConversationBlocked("the channel answered 403 BotNotInConversationRoster"), "removed"),
        (ConversationBlocked("the channel answered 403 BotDisabledByAdmin"), "switchedOff"),
    ],
)
async def test_why_somebody_did_not_get_it_is_said(
    bot: BotUnderTest, error: Exception, outcome: str
) -> None:
    await with_people(bot, 3)
    bot.channel.faults.add(Fault("channel.send", times=1, error=error))
    notification = await bot.notify({"channel": "test"}, "News")
    assert await bot.runs_queue() == ["News"] * 2
    assert await bot.report(notification) == {"state": "done", "sent": 2, outcome: 1}


GONE = ConversationGone("the channel answered 404 ConversationNotFound")


async def test_a_person_whose_conversation_is_gone_is_told_in_a_new_one(bot: BotUnderTest) -> None:
    await with_people(bot, 1)
    bot.channel.faults.add(Fault("channel.send", GONE, times=1))
    notification = await bot.notify({"user": "u0"}, "News")
    assert await bot.runs_queue() == ["News"]
    assert bot.channel.sent[-1].conversation_id == "new-with-u0"
    assert await bot.report(notification) == {"state": "done", "sent": 1}
    await bot.notify({"user": "u0"}, "More news")
    await bot.runs_queue()
    assert bot.channel.sent[-1].conversation_id == "new-with-u0"


async def test_where_the_bot_may_not_begin_a_conversation_the_person_is_gone(
    bot: BotUnderTest,
) -> None:
    await with_people(bot, 1)
    bot.channel.faults.add(Fault("channel.send", GONE, times=1))
    bot.channel.faults.add(Fault("channel.create", Refused("403"), times=1))
    notification = await bot.notify({"user": "u0"}, "News")
    assert await bot.runs_queue() == []
    assert await bot.report(notification) == {"state": "done", "gone": 1}
    with pytest.raises(BadRequest, match="nobody is known"):
        await bot.notify({"user": "u0"}, "News")


async def test_what_failed_for_a_moment_is_tried_again(bot: BotUnderTest) -> None:
    await with_people(bot, 3)
    bot.channel.faults.add(Fault("channel.send", times=2, error=ServiceUnavailable("503")))
    notification = await bot.notify({"channel": "test"}, "News")
    assert await bot.runs_queue() == ["News"] * 3
    assert await bot.report(notification) == {"state": "done", "sent": 3}


async def test_a_lost_wake_up_is_made_good_by_the_timer(bot: BotUnderTest) -> None:
    await with_people(bot, 2)
    bot.storage.faults.add(Fault("queue.put", MessageNotInserted("down"), times=1))
    notification = await bot.notify({"channel": "test"}, "News")
    assert await bot.runs_queue() == []
    await bot.wakes_what_waits()
    assert await bot.runs_queue() == ["News"] * 2
    assert await bot.report(notification) == {"state": "done", "sent": 2}


async def test_an_audience_of_many_pages_and_tenants_is_told(bot: BotUnderTest) -> None:
    for number in range(620):
        conversation = {"id": f"conversation-of-u{number}", "tenantId": f"t{number % 3}"}
        await bot.receives(
            {"type": "conversationUpdate", "membersAdded": [{"id": f"u{number}"}]}
            | {"conversation": conversation},
            user=f"u{number}",
        )
    before = len(bot.channel.sent)
    notification = await bot.notify({"all": True, "at_most": 1000}, "News")
    assert len(await bot.runs_queue()) == 620
    assert len({sent.conversation_id for sent in bot.channel.sent[before:]}) == 620
    assert await bot.report(notification) == {"state": "done", "sent": 620}


async def test_those_who_did_not_get_it_get_another_try(bot: BotUnderTest) -> None:
    await with_people(bot, 3)
    refused = ConversationBlocked("the channel answered 403 MessageWritesBlocked")
    bot.channel.faults.add(Fault("channel.send", refused, times=2))
    notification = await bot.notify({"channel": "test"}, "News")
    assert await bot.runs_queue() == ["News"]
    await bot.retry(notification)
    assert await bot.report(notification) == {"state": "sending", "sent": 1, "open": 2}
    assert await bot.runs_queue() == ["News"] * 2
    assert await bot.report(notification) == {"state": "done", "sent": 3}
    with pytest.raises(BadRequest, match="nobody is to get it again"):
        await bot.retry(notification)


async def test_a_thousand_unknown_ids_of_any_length_and_letters_fit(bot: BotUnderTest) -> None:
    await with_people(bot, 1)
    nobody = [{"user": f'"{number}' + "\U0001f355\u00e9\\" * 40} for number in range(999)]
    notification = await bot.notify([{"user": "u0"}, *nobody], "News")
    assert await bot.runs_queue() == ["News"]
    assert await bot.report(notification) == {"state": "done", "sent": 1, "unknown": 999}


async def test_a_list_that_no_row_can_hold_is_refused(bot: BotUnderTest) -> None:
    with pytest.raises(BadRequest) as refused:
        await bot.notify([{"user": f"{number}" + "é" * 1000} for number in range(300)], "News")
    assert (refused.value.status, refused.value.field) == (413, "to")


async def test_a_channels_longest_reasons_and_ids_fit_into_a_page(bot: BotUnderTest) -> None:
    for number in range(250):
        joined = {"type": "conversationUpdate", "membersAdded": [{"id": f"u{number}"}]}
        await bot.receives(joined, user=f"u{number}")
    bot.channel.faults.add(Fault("channel.send", Refused('"\u00e9\U0001f355\\' * 200), times=250))
    notification = await bot.notify({"channel": "test"}, "News")
    assert await bot.runs_queue() == []
    assert await bot.report(notification) == {"state": "done", "refused": 250}


async def test_a_page_that_its_senders_die_of_is_given_up(bot: BotUnderTest) -> None:
    page = Page(Lane("test", ""), (Recipient("a/b"), Recipient("a/c")))
    for _ in range(MAX_IDLE):
        page = page.claimed(bot.clock.now())
        assert page.open == 2
    page = page.claimed(bot.clock.now())
    assert [each.outcome for each in page.recipients] == [Outcome.GIVEN_UP] * 2
    assert not page.is_leased(bot.clock.now())


async def test_a_broadcast_asks_little_of_storage(bot: BotUnderTest) -> None:
    for number in range(1000):
        joined = {"type": "conversationUpdate", "membersAdded": [{"id": f"u{number}"}]}
        await bot.receives(joined, user=f"u{number}")
    asked = bot.storage.faults.add(Fault(""))  # which counts, and does no harm
    await bot.notify({"all": True, "at_most": 1000}, "News")
    assert len(await bot.runs_queue()) == 1000
    assert asked.met < 0.1 * 1000


@pytest.fixture
async def bot() -> Any:
    async with BotUnderTest() as under_test:
        yield under_test


class Kitchen(ProactiveBot):
    """Tells somebody else, and everybody, when it is told to."""

    async def on_message_activity(self, turn: TurnContext) -> None:
        if turn.activity.text == "oops":
            with pytest.raises(BadRequest):
                await self.notifications.send({"all": True}, "Oops")
        elif turn.activity.text == "ready":
            await self.notifications.send({"user": "grace"}, "Your pizza is ready.", at=600)
        elif turn.activity.text == "news":
            card = Attachment(content_type="application/vnd.microsoft.card.hero", content={})
            await self.notifications.send({"channel": "test"}, MessageFactory.attachment(card))


async def test_a_bot_notifies_others_later_and_with_a_card() -> None:
    async with BotUnderTest(Kitchen) as bot:
        for user in ("grace", "ada"):
            await bot.meets(user)
        await bot.hears("oops", user="ada")
        await bot.hears("ready", user="ada")
        assert await bot.runs_queue() == []
        bot.clock.advance(602)
        assert await bot.runs_queue() == ["Your pizza is ready."]
        assert bot.channel.sent[-1].conversation_id == "conversation-of-grace"
        before = len(bot.channel.sent)
        await bot.hears("news", user="ada")
        await bot.runs_queue()
        cards = [each.activity.attachments for each in bot.channel.sent[before:]]
        assert [each[0].content_type for each in cards] == [
            "application/vnd.microsoft.card.hero"
        ] * 2


async def test_what_a_bot_ordered_is_ordered_although_planning_hangs() -> None:
    async with BotUnderTest(Kitchen) as bot:
        for user in ("grace", "ada"):
            await bot.meets(user)
        bot.storage.faults.add(Fault("table.transact", hangs=True, times=1))
        await bot.hears("news", user="ada")  # which does not raise, so nobody orders it again
        before = len(bot.channel.sent)
        await bot.wakes_what_waits()
        await bot.runs_queue()
        await bot.runs_queue()
        assert len(bot.channel.sent) == before + 2


async def test_an_order_plans_its_first_pages_only(bot: BotUnderTest) -> None:
    for number in range(50):
        await bot.receives(
            {"type": "conversationUpdate", "membersAdded": [{"id": f"u{number}"}]}
            | {"conversation": {"id": f"c{number}", "tenantId": f"t{number}"}},
            user=f"u{number}",
        )
    notification = await bot.notify({"channel": "test"}, "News")
    assert await bot.report(notification) == {"state": "sending", "open": 20}
    told = await bot.runs_queue()
    told += await bot.runs_queue()
    told += await bot.runs_queue()
    assert told == ["News"] * 50
    assert await bot.report(notification) == {"state": "done", "sent": 50}


async def test_an_error_that_nobody_foresaw_is_one_persons_failed_attempt(
    bot: BotUnderTest,
) -> None:
    for name in ("ada", "bob", "cyd"):
        await bot.meets(name)
    bot.channel.faults.add(Fault("channel.send", error=ValueError("unforeseen"), times=1))
    notification = await bot.notify({"channel": "test"}, "News")
    await bot.runs_queue()
    await bot.runs_queue()
    assert await bot.report(notification) == {"state": "done", "sent": 3}
    told = [each.conversation_id for each in bot.channel.sent if each.activity.text == "News"]
    assert len(told) == len(set(told)) == 3
