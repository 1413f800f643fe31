"""Who blocks the bot stays known, marked, until something is heard from there again."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot_logic import conversations
from bot_logic.conversations import Blocked, Conversation, Conversations
from bot_logic.conversations.blocked import MAX_REASON
from bot_logic.conversations.seen import KNOWN_FOR
from bot_logic.errors import ConversationBlocked, ConversationGone, ServiceUnavailable
from bot_logic.storage.memory import Fault, MemoryStorage
from bot_logic.storage.protocols import RowConflict
from bot_logic.testing import SERVICE_URL, BotUnderTest, ManualClock

REASON = "the channel answered 403 ConversationBlockedByUser"
REFERENCE: dict[str, Any] = {
    "channelId": "test",
    "serviceUrl": SERVICE_URL,
    "conversation": {"id": "conversation-of-ada"},
}


@pytest.fixture
async def bot() -> AsyncIterator[BotUnderTest]:
    async with BotUnderTest() as bot:
        yield bot


async def blocks(bot: BotUnderTest, error: Exception | None = None) -> None:
    """Let Ada write and then block the bot, which finds out."""
    await bot.hears("hello")
    bot.channel.faults.add(Fault("channel.send", error=error or ConversationBlocked(REASON)))
    await bot.runs_queue()
    bot.channel.faults.clear()


async def known(bot: BotUnderTest) -> Conversation | None:
    """Ada's conversation as another process sees it."""
    another_process = conversations.build(bot.storage, bot.clock)
    return await another_process.find("test", "conversation-of-ada")


async def is_blocked(bot: BotUnderTest) -> bool:
    found = await known(bot)
    assert found is not None
    return found.blocked is not None


async def test_who_blocked_the_bot_stays_known_with_reason_and_time(bot: BotUnderTest) -> None:
    await blocks(bot)
    found = await known(bot)
    assert found is not None
    assert found.reference["conversation"]["id"] == "conversation-of-ada"
    assert found.blocked == Blocked(REASON, int(bot.clock.now()))


async def test_the_message_becomes_a_dead_letter_with_the_same_reason(bot: BotUnderTest) -> None:
    await blocks(bot)
    await bot.runs_queue()
    (dead_letter,) = await bot.dead_letters()
    assert (dead_letter.error, dead_letter.reason) == ("ConversationBlocked", REASON)


async def test_nothing_is_skipped_because_of_the_mark(bot: BotUnderTest) -> None:
    await blocks(bot)
    await bot.enqueue("are you back?")
    assert len(await bot.runs_queue()) == 1


async def test_a_conversation_that_is_gone_is_forgotten_marked_or_not(bot: BotUnderTest) -> None:
    await blocks(bot)
    bot.channel.faults.add(Fault("channel.send", error=ConversationGone("404")))
    await bot.enqueue("are you back?")
    await bot.runs_queue()
    assert await known(bot) is None


@pytest.mark.parametrize(
    "activity",
    [
        {"type": "message", "text": "I am back"},
        {"type": "installationUpdate", "action": "add"},
        {"type": "conversationUpdate", "membersAdded": [{"id": "ada"}]},
        {"type": "messageReaction", "reactionsAdded": [{"type": "like"}]},
        {"type": "messageUpdate", "text": "I meant yes"},
        {"type": "messageDelete"},
        {"type": "invoke", "name": "task/fetch", "value": {}},
        {"type": "event", "name": "a button of the web page"},
        {"type": "typing"},
    ],
    ids=lambda activity: str(activity["type"]),
)
async def test_whatever_somebody_does_there_takes_the_mark_off(
    bot: BotUnderTest, activity: dict[str, Any]
) -> None:
    await blocks(bot)
    assert await is_blocked(bot)
    await bot.receives(activity)
    assert not await is_blocked(bot)


async def test_what_comes_from_an_unknown_conversation_does_not_make_it_known(
    bot: BotUnderTest,
) -> None:
    await bot.receives({"type": "invoke", "name": "composeExtension/query", "value": {}})
    assert await known(bot) is None


async def test_who_removes_the_bot_after_blocking_it_is_forgotten(bot: BotUnderTest) -> None:
    await blocks(bot)
    await bot.receives({"type": "installationUpdate", "action": "remove"})
    assert await known(bot) is None


async def test_a_mark_that_cannot_be_written_keeps_nothing_from_its_end(bot: BotUnderTest) -> None:
    bot.storage.faults.add(Fault("table.replace", error=ServiceUnavailable("down"), times=1))
    await blocks(bot)
    await bot.runs_queue()
    assert not await is_blocked(bot)
    assert [letter.error for letter in await bot.dead_letters()] == ["ConversationBlocked"]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def storage(clock: ManualClock) -> MemoryStorage:
    return MemoryStorage(clock)


@pytest.fixture
async def ours(storage: MemoryStorage, clock: ManualClock) -> Conversations:
    ours = conversations.build(storage, clock)
    await ours.remember(REFERENCE)
    return ours


async def mark(of: Conversations) -> Blocked | None:
    found = await of.find("test", "conversation-of-ada")
    assert found is not None
    return found.blocked


async def test_the_mark_says_since_when_the_reason_holds(
    ours: Conversations, clock: ManualClock
) -> None:
    first = int(clock.now())
    await ours.mark_blocked(REFERENCE, REASON)
    clock.advance(60)
    await ours.mark_blocked(REFERENCE, REASON)
    assert await mark(ours) == Blocked(REASON, first)
    await ours.mark_blocked(REFERENCE, "removed")
    assert await mark(ours) == Blocked("removed", first + 60)


async def test_a_reason_without_an_end_is_cut(ours: Conversations) -> None:
    await ours.mark_blocked(REFERENCE, "x" * 100_000)
    blocked = await mark(ours)
    assert blocked is not None
    assert blocked.reason == "x" * MAX_REASON


async def test_a_reference_that_has_come_since_is_not_marked(ours: Conversations) -> None:
    await ours.remember(REFERENCE | {"serviceUrl": "https://elsewhere.example"})
    await ours.mark_blocked(REFERENCE, REASON)
    assert await mark(ours) is None


async def test_a_conversation_that_is_not_stored_is_not_marked(ours: Conversations) -> None:
    await ours.forget(REFERENCE)
    await ours.mark_blocked(REFERENCE, REASON)
    assert await ours.find("test", "conversation-of-ada") is None


async def test_who_writes_while_the_mark_is_being_written_is_not_marked(
    ours: Conversations, storage: MemoryStorage
) -> None:
    storage.faults.add(Fault("table.replace", times=1))  # lets others go first
    outcome, _ = await asyncio.gather(
        ours.mark_blocked(REFERENCE, REASON), ours.remember(REFERENCE), return_exceptions=True
    )
    assert isinstance(outcome, RowConflict)
    assert await mark(ours) is None


async def test_another_process_takes_the_mark_off_when_it_looks_again(
    ours: Conversations, storage: MemoryStorage, clock: ManualClock
) -> None:
    theirs = conversations.build(storage, clock)
    await theirs.remember(REFERENCE)
    await ours.mark_blocked(REFERENCE, REASON)
    clock.advance(KNOWN_FOR)
    await theirs.remember(REFERENCE)
    assert await mark(ours) is None


async def test_a_conversation_that_is_well_known_is_not_looked_at_again(
    ours: Conversations, storage: MemoryStorage
) -> None:
    reads = storage.faults.add(Fault("table.read"))
    await ours.heard_from("test", "conversation-of-ada", SERVICE_URL)
    assert reads.met == 0


async def test_a_conversation_is_looked_at_once_in_a_while(
    ours: Conversations, storage: MemoryStorage, clock: ManualClock
) -> None:
    clock.advance(KNOWN_FOR)
    reads = storage.faults.add(Fault("table.read"))
    for _ in range(3):
        await ours.heard_from("test", "conversation-of-ada", SERVICE_URL)
    assert reads.met == 1
    assert ours.knows(REFERENCE)
