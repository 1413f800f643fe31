"""Who receives may stop, start and subscribe; who said stop or blocks the bot is left out."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, ClassVar

import pytest
from botbuilder.core import TurnContext
from hypothesis import given
from hypothesis import strategies as st

from bot_logic import conversations
from bot_logic.bot import ProactiveBot
from bot_logic.bot_endpoint import MessageCounter, Outbox
from bot_logic.bot_endpoint.recipient_commands import NO_TEXTS, RecipientCommands, Texts
from bot_logic.conversations.skips import BLOCKED_FOR
from bot_logic.errors import ConversationBlocked, ConversationGone, ServiceUnavailable
from bot_logic.storage.memory import Fault
from bot_logic.storage.protocols import RowRefused
from bot_logic.testing import BotUnderTest
from tests.expected import acknowledgement

STOPPED, STARTED = Texts().stopped, Texts().started
GERMAN = Texts(stop="Stopp", stopped="Es kommt nichts mehr.")
BLOCKED = ConversationBlocked("the channel answered 403 ConversationBlockedByUser")
ALL = {"all": True, "at_most": 99}


class Polite(ProactiveBot):
    """A bot that people can stop, as docs/recipients.md has it."""

    topics: ClassVar[Sequence[str]] = ()
    texts: ClassVar[Mapping[str, Texts]] = NO_TEXTS

    def __init__(self, outbox: Outbox, counter: MessageCounter) -> None:
        super().__init__(outbox, counter)
        self._said = RecipientCommands(outbox.subscriber, topics=self.topics, texts=self.texts)

    async def on_message_activity(self, turn: TurnContext) -> None:
        if await self._said.answer(turn):
            return
        await super().on_message_activity(turn)


class Kitchen(Polite):
    """A bot whose author lets people subscribe, and who speaks German, too."""

    topics = ("Pizza", "Daily specials")
    texts: ClassVar = {"de": GERMAN}


@pytest.fixture
async def bot() -> AsyncIterator[BotUnderTest]:
    async with BotUnderTest(Polite) as bot:
        yield bot


@pytest.fixture
async def kitchen() -> AsyncIterator[BotUnderTest]:
    async with BotUnderTest(Kitchen) as bot:
        yield bot


async def told(bot: BotUnderTest, to: Any = ALL) -> dict[str, Any]:
    """What has become of a notification, by outcome."""
    await bot.runs_queue()
    notification = await bot.notify(to, "News")
    await bot.runs_queue()
    await bot.runs_queue()  # an audience of people and groups is planned in two steps
    return await bot.report(notification)


async def test_who_said_stop_is_skipped_until_they_say_start(bot: BotUnderTest) -> None:
    await bot.meets("grace")
    assert await bot.hears("stop") == [STOPPED]
    assert await told(bot) == {"state": "done", "sent": 1, "optedOut": 1}
    assert await bot.hears("Start!") == [STARTED]
    assert await told(bot) == {"state": "done", "sent": 2}


@pytest.mark.parametrize("to", [{"user": "ada"}, [{"conversation": "conversation-of-ada"}]])
async def test_who_said_stop_still_gets_what_is_for_them_by_name(
    bot: BotUnderTest, to: Any
) -> None:
    await bot.hears("stop")
    assert await told(bot, to) == {"state": "done", "sent": 1}


async def test_who_said_stop_is_reached_by_an_edit_and_a_recall(bot: BotUnderTest) -> None:
    await bot.meets()
    notification = await bot.notify(ALL, "News")
    await bot.runs_queue()
    await bot.hears("stop")
    edit = await bot.edit(notification, text="Better news")
    await bot.runs_queue()
    assert await bot.report(edit) == {"state": "done", "edited": 1}
    recall = await bot.recall(notification)
    await bot.runs_queue()
    assert await bot.report(recall) == {"state": "done", "recalled": 1}


async def test_stop_outlives_a_new_conversation_and_one_that_is_gone(bot: BotUnderTest) -> None:
    await bot.hears("stop")
    await bot.receives({"type": "message", "text": "hi", "conversation": {"id": "another"}})
    await bot.runs_queue()
    assert await told(bot) == {"state": "done", "optedOut": 1}
    bot.channel.faults.add(Fault("channel.send", ConversationGone("404"), times=1))
    assert await told(bot, {"user": "ada"}) == {"state": "done", "sent": 1}
    assert await told(bot) == {"state": "done", "optedOut": 1}


async def test_a_topic_in_an_older_conversation_is_skipped_as_well(kitchen: BotUnderTest) -> None:
    await kitchen.hears("subscribe pizza")
    await kitchen.receives({"type": "message", "text": "stop", "conversation": {"id": "another"}})
    assert await told(kitchen, {"topic": "Pizza"}) == {"state": "done", "optedOut": 1}


async def test_who_uninstalls_is_forgotten_and_begins_anew(bot: BotUnderTest) -> None:
    await bot.hears("stop")
    await bot.receives({"type": "installationUpdate", "action": "remove"})
    await bot.receives({"type": "installationUpdate", "action": "add"})
    assert await told(bot) == {"state": "done", "sent": 1}


async def test_who_says_stop_after_the_planning_does_not_get_it(bot: BotUnderTest) -> None:
    await bot.meets()
    notification = await bot.notify(ALL, "News")
    await bot.hears("stop")
    await bot.runs_queue()
    assert await bot.report(notification) == {"state": "done", "optedOut": 1}


async def test_stop_that_is_not_stored_is_not_promised(bot: BotUnderTest) -> None:
    bot.storage.faults.add(Fault("table.insert", ServiceUnavailable("down"), times=1))
    assert await bot.hears("stop") == [Texts().not_now]


async def test_nobody_says_stop_for_a_person_of_another_channel(bot: BotUnderTest) -> None:
    await bot.meets("ada")
    stop = {"type": "message", "text": "stop", "channelId": "directline"}
    here = {"conversation": {"id": "elsewhere"}}
    assert await bot.receives(stop | here, user="ada") == [STOPPED]
    assert await told(bot, {"channel": "test"}) == {"state": "done", "sent": 1}
    assert await told(bot, {"channel": "directline"}) == {"state": "done", "optedOut": 1}


async def test_a_group_stops_by_a_mention_of_the_bot(bot: BotUnderTest) -> None:
    mention = {"type": "mention", "mentioned": {"id": "bot"}, "text": "<at>Bot</at>"}
    group = {"id": "g1", "isGroup": True}
    stop = {"type": "message", "text": "<at>Bot</at> Stop.", "entities": [mention]}
    assert await bot.receives(stop | {"conversation": group}) == [STOPPED]
    everyone = {**ALL, "groups": True}
    assert await told(bot, everyone) == {"state": "done", "optedOut": 1}


async def test_the_recipients_language_is_spoken_where_there_are_texts(
    kitchen: BotUnderTest,
) -> None:
    for text, locale, answer in (
        ("STOPP!", "de-AT", GERMAN.stopped),
        ("stop", "de", GERMAN.stopped),
        ("stop", "fr", STOPPED),
    ):
        stop = {"type": "message", "text": text, "locale": locale}
        assert await kitchen.receives(stop) == [answer]


async def test_only_topics_of_the_author_can_be_subscribed_to(kitchen: BotUnderTest) -> None:
    (which,) = await kitchen.hears("subscribe to everything")
    assert "Pizza, Daily specials" in which
    await kitchen.hears("Subscribe:  daily SPECIALS!")
    assert await told(kitchen, {"topic": "Daily specials"}) == {"state": "done", "sent": 1}
    await kitchen.hears("unsubscribe daily specials")
    assert await told(kitchen, {"topic": "Daily specials"}) == {"state": "done"}


async def test_who_was_forgotten_by_another_process_can_subscribe(kitchen: BotUnderTest) -> None:
    await kitchen.meets()
    known = await kitchen.wiring.conversations.find("test", "conversation-of-ada")
    assert known is not None
    another = conversations.build(kitchen.storage, kitchen.clock)
    await another.forget_stale(known.reference)
    await kitchen.hears("subscribe pizza")
    assert await told(kitchen, {"topic": "Pizza"}) == {"state": "done", "sent": 1}


async def test_a_subscription_is_kept_while_another_process_writes_the_conversation(
    kitchen: BotUnderTest,
) -> None:
    await kitchen.meets()
    known = await kitchen.wiring.conversations.find("test", "conversation-of-ada")
    assert known is not None
    another = conversations.build(kitchen.storage, kitchen.clock)
    kitchen.storage.faults.add(Fault("table.put", delay=0.1, times=1))
    writing = asyncio.create_task(another.remember({**known.reference, "locale": "de"}))
    await asyncio.sleep(0.02)
    assert await kitchen.wiring.conversations.subscribe(known.reference, "Pizza")
    await writing
    now = await another.find("test", "conversation-of-ada")
    assert now is not None
    assert (now.topics, now.reference["locale"]) == (("Pizza",), "de")
    await another.forget(known.reference)
    assert await told(kitchen, {"topic": "Pizza"}) == {"state": "done"}


async def test_a_subscription_that_no_table_takes_is_not_promised(kitchen: BotUnderTest) -> None:
    await kitchen.meets()
    kitchen.storage.faults.add(Fault("table.replace", RowRefused("too large"), times=1))
    assert await kitchen.hears("subscribe pizza") == [Texts().not_now]


async def test_without_topics_subscribe_is_no_command(bot: BotUnderTest) -> None:
    assert await bot.hears("subscribe pizza") == [await acknowledgement("subscribe pizza")]


async def test_who_blocked_the_bot_is_not_asked_again_for_a_week(bot: BotUnderTest) -> None:
    await bot.meets()
    refusal = bot.channel.faults.add(Fault("channel.send", BLOCKED))
    for _ in range(3):
        assert await told(bot) == {"state": "done", "blocked": 1}
    assert refusal.met == 1
    assert await told(bot, {"user": "ada"}) == {"state": "done", "blocked": 1}
    assert refusal.met == 2
    bot.clock.advance(BLOCKED_FOR + 1)
    bot.channel.faults.clear()
    assert await told(bot) == {"state": "done", "sent": 1}


async def test_a_retry_asks_the_channel_again_but_not_who_said_stop(bot: BotUnderTest) -> None:
    await bot.meets()
    await bot.hears("stop", user="grace")
    bot.channel.faults.add(Fault("channel.send", BLOCKED, times=1))
    await told(bot)
    notification = await bot.notify(ALL, "News")
    await bot.runs_queue()
    assert await bot.report(notification) == {"state": "done", "blocked": 1, "optedOut": 1}
    await bot.retry(notification)
    assert await bot.runs_queue() == ["News"]
    assert await bot.report(notification) == {"state": "done", "sent": 1, "optedOut": 1}


async def test_a_topic_tells_a_conversation_once_whoever_spoke_there(kitchen: BotUnderTest) -> None:
    await kitchen.hears("subscribe pizza")
    here = {"type": "message", "text": "hi", "conversation": {"id": "conversation-of-ada"}}
    await kitchen.receives(here, user="grace")
    assert await told(kitchen, {"topic": "Pizza"}) == {"state": "done", "sent": 1}


async def test_who_blocked_the_bot_and_writes_again_is_back(bot: BotUnderTest) -> None:
    await bot.meets()
    bot.channel.faults.add(Fault("channel.send", BLOCKED, times=1))
    assert await told(bot) == {"state": "done", "blocked": 1}
    await bot.hears("I am back")
    assert await told(bot) == {"state": "done", "sent": 1}


@given(
    spaces=st.text(" \t\n.!?,;:-_/*", max_size=8),
    letters=st.lists(st.booleans(), min_size=4, max_size=4),
)
async def test_case_punctuation_and_space_do_not_matter(spaces: str, letters: list[bool]) -> None:
    word = "".join(c.upper() if up else c for c, up in zip("stop", letters, strict=True))
    async with BotUnderTest(Polite) as bot:
        assert await bot.hears(f"{spaces}{word}{spaces}") == [STOPPED]


@given(text=st.text(min_size=1, max_size=30))
async def test_what_only_contains_a_command_is_none(text: str) -> None:
    async with BotUnderTest(Polite) as bot:
        assert await bot.hears(f"stop it {text}") != [STOPPED]


@pytest.mark.parametrize("topics", [("Pizza", "pizza!"), ("🍕",)])
def test_topics_that_nobody_could_tell_apart_are_refused(topics: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="each topic needs a name"):
        RecipientCommands(None, topics=topics)  # type: ignore[arg-type]


async def test_who_takes_ever_new_names_leaves_a_row_for_one_of_them(bot: BotUnderTest) -> None:
    for number in range(5):
        activity = {"type": "message", "text": "stop", "conversation": {"id": "one"}}
        await bot.receives(activity, user=f"name{number}")
    contents = [text for _, text in await bot.storage.contents()]
    assert sum(text.count("-optedOut") for text in contents) == 1
