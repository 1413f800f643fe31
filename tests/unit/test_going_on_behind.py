"""What a user has seen does not come again: an attempt goes on behind those that failed."""

import asyncio
from typing import Any, ClassVar

import pytest
from botbuilder.core import TurnContext
from botbuilder.schema import Activity

from bot_logic.bot import ProactiveBot
from bot_logic.clock import SYSTEM_CHANCE
from bot_logic.contract.envelope import Envelope
from bot_logic.delivery import build
from bot_logic.errors import Refused, ServiceUnavailable
from bot_logic.storage.memory import Fault
from bot_logic.testing import BotUnderTest
from tests import virtual_time

AN_HOUR = 3600  # seconds; longer than any pause


class Failing(ProactiveBot):
    """Says what it is told to, typing in between, and fails where it is told to."""

    plan: ClassVar[list[str | Exception]] = []
    ids: ClassVar[list[list[str]]] = []

    async def on_trigger(self, turn: TurnContext, envelope: Envelope) -> None:  # noqa: ARG002
        ids: list[str] = []
        self.ids.append(ids)
        for step in self.plan:
            if isinstance(step, Exception):
                raise step
            await turn.send_activity(Activity(type="typing"))
            response = await turn.send_activity(step)
            ids.append(response.id)


class InOneCall(ProactiveBot):
    """Says two things in one call."""

    async def on_trigger(self, turn: TurnContext, envelope: Envelope) -> None:  # noqa: ARG002
        await turn.send_activities([Activity(text="one"), Activity(text="two")])


class AnsweringForTheBot:
    """Direct Line, which says 502 when the bot raises."""

    def __init__(self, real: Any) -> None:
        self._real = real

    async def post(self, activity_for: Any) -> None:
        try:
            await self._real.post(activity_for)
        except RuntimeError:
            raise ServiceUnavailable("Direct Line answered 502 BotError") from None


@pytest.fixture(autouse=True)
def plan() -> list[str | Exception]:
    Failing.ids.clear()
    Failing.plan[:] = ["one", "two"]
    return Failing.plan


def texts(bot: BotUnderTest) -> list[str]:
    return [sent.activity.text for sent in bot.channel.sent if sent.activity.type == "message"]


async def wear_out(bot: BotUnderTest) -> None:
    """Run the queue until nothing is left to do."""
    for _ in range(100):
        await bot.runs_queue()
        bot.clock.advance(AN_HOUR)


def fail_at_send(bot: BotUnderTest, number: int, error: Exception, *, times: int = 1) -> None:
    bot.channel.faults.add(Fault("channel.send", times=number - 1))
    bot.channel.faults.add(Fault("channel.send", error, times=times))


@pytest.mark.parametrize("error", [RuntimeError("a fault"), ServiceUnavailable("busy")])
async def test_a_bot_that_speaks_and_then_always_fails_is_heard_once(
    plan: list[str | Exception], error: Exception
) -> None:
    plan[:] = ["one", error]
    async with BotUnderTest(Failing, direct_line=AnsweringForTheBot) as bot:
        await bot.enqueue("hello", expires=4_000_000_000)
        await wear_out(bot)
        assert texts(bot) == ["one"]
        (letter,) = await bot.dead_letters()
        assert letter.attempts == 20


@pytest.mark.parametrize("make_bot", [Failing, InOneCall])
async def test_a_second_activity_that_fails_once_comes_alone_the_next_time(make_bot: Any) -> None:
    async with BotUnderTest(make_bot) as bot:
        await bot.enqueue("hello")
        fail_at_send(bot, 4 if make_bot is Failing else 2, ServiceUnavailable("500"))
        await wear_out(bot)
        assert texts(bot) == ["one", "two"]
        assert await bot.dead_letters() == []


async def test_the_next_attempt_is_told_the_ids_of_what_was_sent_before() -> None:
    async with BotUnderTest(Failing) as bot:
        await bot.enqueue("hello")
        fail_at_send(bot, 4, ServiceUnavailable("500"))
        await wear_out(bot)
        first, second = Failing.ids
        assert second[: len(first)] == first
        assert len(second) == len(set(second)) == 2


async def test_a_dead_letter_says_how_much_was_sent_and_a_replay_goes_on_behind_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with BotUnderTest(Failing) as bot:
        await bot.enqueue("hello")
        fail_at_send(bot, 4, Refused("the channel answered 400"))
        await wear_out(bot)
        store = build(bot.storage, bot.clock, SYSTEM_CHANCE, max_attempts=1).dead_letters
        (filed,) = [each async for each in store.all()]
        assert filed.sent == 1
        assert " sent=1" in caplog.text
        assert await store.replay(filed)
        await wear_out(bot)
        assert texts(bot) == ["one", "two"]


def test_what_cannot_be_noted_is_remembered_by_the_process() -> None:
    async def scenario() -> None:
        clock = virtual_time.LoopClock(asyncio.get_running_loop())
        async with BotUnderTest(Failing, clock=clock) as bot:
            await bot.enqueue("hello")
            fail_at_send(bot, 4, ServiceUnavailable("500"))
            lost = bot.storage.faults.add(Fault("table.replace", ServiceUnavailable("down")))
            await bot.runs_queue()
            assert lost.met > 1
            bot.storage.faults.clear()
            await asyncio.sleep(AN_HOUR)
            await bot.runs_queue()
            assert texts(bot) == ["one", "two"]

    virtual_time.run(scenario())


async def test_another_message_begins_at_its_beginning() -> None:
    async with BotUnderTest(Failing) as bot:
        await bot.enqueue("hello", id="a")
        fail_at_send(bot, 4, ServiceUnavailable("500"))
        await bot.runs_queue()
        await bot.enqueue("hello", id="b")
        await wear_out(bot)
        assert texts(bot) == ["one", "one", "two", "two"]
