"""The examples of docs/testing-your-bot.md, word for word."""

import re
from pathlib import Path

from botbuilder.core import TurnContext

from bot_logic.bot import ProactiveBot
from bot_logic.contract.envelope import Envelope
from bot_logic.errors import ConversationBlocked, MessageNotInserted, ServiceUnavailable
from bot_logic.storage.memory import Fault
from bot_logic.testing import BotUnderTest

PAGE = Path(__file__).parents[2] / "docs" / "testing-your-bot.md"


async def test_the_bot_comes_back_to_the_user() -> None:
    async with BotUnderTest() as bot:
        (answer,) = await bot.hears("hello")
        assert "hello" in answer
        (proactive,) = await bot.runs_queue()
        assert "hello" in proactive


class Kitchen(ProactiveBot):
    async def on_trigger(self, turn: TurnContext, envelope: Envelope) -> None:
        order = (envelope.data or {}).get("order")
        await turn.send_activity(f"🍕 {envelope.text} (order {order})")


async def test_another_program_speaks_through_the_kitchens_bot() -> None:
    async with BotUnderTest(Kitchen) as bot:
        await bot.enqueue("Your pizza is ready.", user="grace", data={"order": 7})
        assert await bot.runs_queue() == ["🍕 Your pizza is ready. (order 7)"]
        assert bot.channel.sent[-1].conversation_id == "conversation-of-grace"


class Alarm(ProactiveBot):
    async def on_message_activity(self, turn: TurnContext) -> None:
        if turn.activity.text == "wake me":
            here = {"conversation": turn.activity.conversation.id}
            await self.notifications.send(here, "Wake up!", at=600)
            return
        await super().on_message_activity(turn)


async def test_an_alarm_rings_in_ten_minutes() -> None:
    async with BotUnderTest(Alarm) as bot:
        await bot.meets("ada")
        await bot.hears("wake me", user="ada")
        assert await bot.runs_queue() == []
        bot.clock.advance(601)
        assert await bot.runs_queue() == ["Wake up!"]


async def test_a_user_learns_that_the_queue_is_down() -> None:
    async with BotUnderTest() as bot:
        bot.storage.faults.add(Fault("queue.put", error=MessageNotInserted("it is full")))
        assert len(await bot.hears("hello")) == 1
        assert bot.storage.queue("bot-queue").texts == []


async def test_a_blocked_bot_leaves_a_dead_letter() -> None:
    async with BotUnderTest() as bot:
        bot.channel.faults.add(Fault("channel.send", error=ConversationBlocked("blocked")))
        await bot.enqueue("Your pizza is ready.")
        assert await bot.runs_queue() == []
        (dead_letter,) = await bot.dead_letters()
        assert (dead_letter.error, dead_letter.reason) == ("ConversationBlocked", "blocked")


async def test_a_message_waits_for_its_time() -> None:
    async with BotUnderTest() as bot:
        in_an_hour = int(bot.clock.now()) + 3600  # Unix time, seconds
        await bot.enqueue("Your shift starts.", at=in_an_hour)
        assert await bot.runs_queue() == []
        bot.clock.advance(3601)
        (proactive,) = await bot.runs_queue()
        assert "Your shift starts." in proactive


async def test_a_channel_that_was_down_gets_the_message_later() -> None:
    async with BotUnderTest() as bot:
        bot.channel.faults.add(Fault("channel.send", error=ServiceUnavailable("down"), times=1))
        await bot.enqueue("Your pizza is ready.")
        assert await bot.runs_queue() == []
        bot.clock.advance(10)  # the pause before the second attempt is 4 to 6 seconds
        assert len(await bot.runs_queue()) == 1


def test_the_page_shows_these_examples() -> None:
    shown = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(shown) == 5
    for line in "\n".join(shown).splitlines():
        assert line in Path(__file__).read_text().splitlines()


def test_the_page_names_all_that_a_bot_under_test_does() -> None:
    calls = {name for name in vars(BotUnderTest) if not name.startswith("_")}
    page = PAGE.read_text()
    assert {name for name in calls if not re.search(rf"\b{name}\(|bot\.{name}\b", page)} == set()


class Chatty(ProactiveBot):
    """Says what the queue brings back, once more by the queue and once by a notification."""

    async def on_trigger(self, turn: TurnContext, envelope: Envelope) -> None:
        await turn.send_activity(envelope.text)
        if envelope.text == "one":
            await self._outbox.put(turn, "two")
            await self.notifications.send({"user": "ada"}, "three")


async def test_one_call_hands_over_all_that_is_due_but_not_what_the_bot_adds_to_the_queue() -> None:
    async with BotUnderTest(Chatty) as bot:
        await bot.meets("ada")
        await bot.enqueue("one")
        assert await bot.runs_queue() == ["one", "three"]
        assert await bot.runs_queue() == ["two"]
        for number in range(40):
            await bot.enqueue(f"{number}")
        assert len(await bot.runs_queue()) == 40
