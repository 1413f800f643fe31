"""Slow dependencies: a user whose message was queued never sees "Send failed"."""

import asyncio
import itertools
from collections.abc import Coroutine
from typing import Any

import pytest
from botbuilder.core import TurnContext

from bot_logic.bot import ProactiveBot
from bot_logic.bot_endpoint.endpoint import TURN_TIMEOUT
from bot_logic.bot_endpoint.trigger import DELIVERY_TIMEOUT
from bot_logic.contract.envelope import QUEUE_NAME, Envelope
from bot_logic.delivery.idempotency import LEASE
from bot_logic.storage.memory import Fault
from bot_logic.testing import BotUnderTest
from tests import virtual_time
from tests.expected import proactive

DELAYS = (0.0, 0.9, 2.5, 4.9, 30.0)  # seconds


async def timed(call: Coroutine[Any, Any, Any]) -> tuple[Any, float]:
    """What a call returned or raised, and how long it took."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    (outcome,) = list(await asyncio.gather(call, return_exceptions=True))
    return outcome, loop.time() - started


@pytest.mark.parametrize("queue", DELAYS)
@pytest.mark.parametrize("table", DELAYS)
def test_a_turn_ends_in_time_and_is_no_failure_once_the_message_is_queued(
    queue: float, table: float
) -> None:
    async def scenario() -> None:
        for channel in DELAYS:
            async with BotUnderTest() as bot:
                bot.storage.faults.add(Fault("queue.put", delay=queue))
                for call in ("table.read", "table.insert", "table.replace", "table.put"):
                    bot.storage.faults.add(Fault(call, delay=table))
                bot.channel.faults.add(Fault("channel.send", delay=channel))
                outcome, seconds = await timed(bot.hears("hello"))
                assert seconds <= TURN_TIMEOUT
                if bot.storage.queue(QUEUE_NAME).texts:
                    assert not isinstance(outcome, Exception), (channel, outcome)

    virtual_time.run(scenario())


class SlowBot(ProactiveBot):
    """Says something, and then does something else."""

    async def on_trigger(self, turn: TurnContext, envelope: Envelope) -> None:
        if envelope.text == "speak, then hang":
            await turn.send_activity("spoken")
        await asyncio.sleep(3600)


@pytest.mark.parametrize(("text", "said"), [("speak, then hang", ["spoken"]), ("hang", [])])
def test_an_on_trigger_that_hangs_is_cut_short_and_what_was_said_is_not_said_again(
    text: str, said: list[str]
) -> None:
    async def scenario() -> None:
        async with BotUnderTest(SlowBot) as bot:
            await bot.enqueue(text)
            outcome, seconds = await timed(bot.runs_queue())
            assert (outcome, seconds) == (said, DELIVERY_TIMEOUT)
            bot.clock.advance(60)
            outcome, seconds = await timed(bot.runs_queue())
            assert (outcome, seconds) == ([], DELIVERY_TIMEOUT)

    virtual_time.run(scenario())


@pytest.mark.parametrize("channel", [0.5, 9.0, DELIVERY_TIMEOUT - 0.5, DELIVERY_TIMEOUT + 8.0])
def test_once_the_channel_was_asked_what_it_did_is_noted_however_long_it_takes(
    channel: float,
) -> None:
    async def scenario() -> None:
        async with BotUnderTest() as bot:
            await bot.enqueue("hello", id="m1")
            await bot.enqueue("hello", id="m1")  # the same message, twice
            bot.channel.faults.add(Fault("channel.send", delay=channel, times=1))
            said, seconds = await timed(bot.runs_queue())
            assert said == [await proactive("hello")]
            assert seconds < LEASE
            bot.clock.advance(LEASE)
            assert await bot.runs_queue() == []
            assert bot.storage.queue(QUEUE_NAME).texts == []

    virtual_time.run(scenario())


def test_every_combination_of_slow_parts_of_a_delivery_ends_within_its_lease() -> None:
    async def scenario() -> None:
        for table, channel in itertools.product((0.0, 2.0, 4.9), (0.0, 5.0, 9.9)):
            async with BotUnderTest() as bot:
                await bot.enqueue("hello")
                for call in ("table.insert", "table.replace"):
                    bot.storage.faults.add(Fault(call, delay=table))
                bot.channel.faults.add(Fault("channel.send", delay=channel))
                said, seconds = await timed(bot.runs_queue())
                assert len(said) == 1
                assert seconds < LEASE

    virtual_time.run(scenario())
