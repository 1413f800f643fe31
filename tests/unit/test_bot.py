"""Your bot: what it does at each occasion. Edit this beside `bot_logic/bot.py`.

It holds for whatever you add. When you take away that the bot puts on the queue what a user says,
take the tests of that away, too.
"""

from typing import Any

import pytest
from botbuilder.core import TurnContext

from bot_logic.bot import ProactiveBot
from bot_logic.bot_endpoint import MessageCounter, Outbox
from bot_logic.bot_endpoint.recipient_commands import Texts
from bot_logic.contract.envelope import QUEUE_NAME, WORKER_USER_ID, Envelope
from bot_logic.errors import MessageNotInserted, QueueNotCreated, ServiceUnavailable
from bot_logic.storage.memory import Fault
from bot_logic.testing import BotUnderTest


async def test_whoever_joins_is_welcomed_but_not_the_queue_worker() -> None:
    async with BotUnderTest() as bot:
        assert len(await bot.meets("Ada")) == 1
        assert await bot.meets(WORKER_USER_ID) == []


async def test_what_a_user_says_is_acknowledged_and_comes_back() -> None:
    async with BotUnderTest() as bot:
        assert "hello" in (await bot.hears("hello"))[-1]
        assert "hello" in (await bot.runs_queue())[-1]


async def test_who_says_stop_and_start_is_answered_and_nothing_is_queued() -> None:
    async with BotUnderTest() as bot:
        assert await bot.hears("stop") == [Texts().stopped]
        assert await bot.hears("start") == [Texts().started]
        assert await bot.runs_queue() == []


async def test_what_another_program_puts_on_the_queue_is_said() -> None:
    async with BotUnderTest() as bot:
        await bot.enqueue("Your pizza is ready.")
        assert "Your pizza is ready." in (await bot.runs_queue())[-1]


async def test_an_activity_is_sent_as_it_is() -> None:
    async with BotUnderTest() as bot:
        card = {"contentType": "application/vnd.microsoft.card.hero", "content": {"title": "x"}}
        await bot.enqueue(activity={"attachments": [card]})
        await bot.runs_queue()
        (attachment,) = bot.channel.sent[-1].activity.attachments
        assert attachment.content == {"title": "x"}


@pytest.mark.parametrize("error", [QueueNotCreated("no"), MessageNotInserted("no")])
async def test_a_user_whose_message_was_not_queued_is_told_so(error: Exception) -> None:
    async with BotUnderTest() as bot, BotUnderTest() as well:
        bot.storage.faults.add(Fault("queue.put", error))
        assert len(said := await bot.hears("hello")) == 1
        assert said != await well.hears("hello")
        assert bot.storage.queue(QUEUE_NAME).texts == []


class CannotCount(MessageCounter):
    def __init__(self) -> None:
        pass

    async def next(self, turn: TurnContext) -> int:  # noqa: ARG002
        raise ServiceUnavailable("down")


def without_a_count(outbox: Outbox, counter: MessageCounter) -> ProactiveBot:  # noqa: ARG001
    return ProactiveBot(outbox, CannotCount())


async def test_a_message_that_cannot_be_counted_is_acknowledged_all_the_same() -> None:
    async with BotUnderTest(without_a_count) as bot:
        assert "hello" in (await bot.hears("hello"))[-1]
        assert len(bot.storage.queue(QUEUE_NAME).texts) == 1


@pytest.mark.parametrize(
    "activity",
    [
        {"text": ""},
        {"text": "  "},
        {},
        {"value": {"size": "L"}},
        {"attachments": [{"contentType": "image/png", "contentUrl": "x"}]},
        {"text": "x" * 45_000},
    ],
    ids=["empty", "blank", "none", "card submit", "attachment", "too long"],
)
async def test_what_cannot_be_queued_gets_an_answer(activity: dict[str, Any]) -> None:
    async with BotUnderTest() as bot:
        assert len(await bot.receives({"type": "message"} | activity)) == 1
        assert bot.storage.queue(QUEUE_NAME).texts == []


class Broken(ProactiveBot):
    async def on_message_activity(self, turn: TurnContext) -> None:  # noqa: ARG002
        raise RuntimeError("a fault")


async def test_a_user_is_told_when_the_bot_fails() -> None:
    async with BotUnderTest(Broken) as bot:
        with pytest.raises(RuntimeError):
            await bot.hears("hello")
        assert len(bot.channel.sent) == 1


async def test_what_the_bot_puts_on_the_queue_can_carry_data() -> None:
    class Kitchen(ProactiveBot):
        async def on_message_activity(self, turn: TurnContext) -> None:
            await self._outbox.put(turn, "pizza", data={"size": "L"})

        async def on_trigger(self, turn: TurnContext, envelope: Envelope) -> None:
            await turn.send_activity(f"{envelope.text} {(envelope.data or {})['size']}")

    async with BotUnderTest(Kitchen) as bot:
        await bot.hears("hello")
        assert await bot.runs_queue() == ["pizza L"]


@pytest.mark.parametrize("days", [1, 10])  # the queue itself hides a message for 7 at most
async def test_a_reminder_comes_when_it_is_due_and_not_before(days: int) -> None:
    delay = days * 24 * 3600

    class Reminding(ProactiveBot):
        async def on_message_activity(self, turn: TurnContext) -> None:
            await self._outbox.put(turn, "stand up", delay=delay)

    async with BotUnderTest(Reminding) as bot:
        await bot.hears("remind me")
        for _ in range(days):
            assert await bot.runs_queue() == []
            bot.clock.advance(24 * 3600 - 1)
        bot.clock.advance(days + 1)
        assert "stand up" in (await bot.runs_queue())[-1]
        assert await bot.dead_letters() == []
