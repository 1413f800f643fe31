"""A channel that takes little is not hammered, and copies of a message do not multiply."""

import asyncio
import random
from collections import Counter
from typing import Any

import pytest
from botbuilder.schema import Activity, ResourceResponse

from bot_logic.bot_endpoint.memory_channel import MemoryChannel
from bot_logic.contract.envelope import QUEUE_NAME
from bot_logic.errors import AskedToWait, BotFailed, ServiceUnavailable
from bot_logic.storage.memory import Fault
from bot_logic.testing import BotUnderTest
from tests import virtual_time
from tests.simulation.bad_day import SeededChance
from tests.simulation.hosting import hosted


class SlowlyTaking(MemoryChannel):
    """Takes so many messages a second, and answers 429 to all others."""

    def __init__(self, per_second: float, retry_after: int | None) -> None:
        super().__init__()
        self._per_second, self._retry_after = per_second, retry_after
        self._next = 0.0
        self.requests = 0

    async def send_to_conversation(
        self, conversation_id: str, activity: Activity
    ) -> ResourceResponse:
        self.requests += 1
        await asyncio.sleep(0.02)
        now = asyncio.get_running_loop().time()
        if now < self._next:
            raise AskedToWait("429", retry_after=self._retry_after)
        self._next = max(now, self._next) + 1 / self._per_second
        return await super().send_to_conversation(conversation_id, activity)


@pytest.mark.parametrize(
    ("retry_after", "most_seconds"), [(0, 240), (1, 240), (5, 480), (None, 240)]
)
def test_a_channel_that_takes_two_a_second_gets_all_and_is_not_hammered(
    retry_after: int | None, most_seconds: int
) -> None:
    async def scenario() -> None:
        clock = virtual_time.LoopClock(asyncio.get_running_loop())
        channel = SlowlyTaking(2, retry_after)
        chance = SeededChance(random.Random(1))  # noqa: S311 - jitter
        async with BotUnderTest(channel=channel, clock=clock, chance=chance) as bot:
            for number in range(200):
                await bot.enqueue(f"m{number}", user=f"u{number}")
            seconds = await hosted(bot, lambda: len(channel.sent) >= 200, 3600)
            assert await bot.dead_letters() == []
            assert len(channel.sent) == 200
            assert channel.requests <= 400, channel.requests
            assert seconds <= most_seconds, seconds

    virtual_time.run(scenario())


def test_forty_seconds_of_throttling_kill_nothing() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        channel = SlowlyTaking(0.001, 0)
        async with BotUnderTest(channel=channel, clock=virtual_time.LoopClock(loop)) as bot:
            for number in range(50):
                await bot.enqueue(f"m{number}", user=f"u{number}")
            await hosted(bot, lambda: loop.time() > 40, 40)
            recovered = MemoryChannel()
            channel.send_to_conversation = recovered.send_to_conversation  # type: ignore[method-assign]
            await hosted(bot, lambda: len(recovered.sent) + len(channel.sent) >= 50, 600)
            assert await bot.dead_letters() == []
            assert len(recovered.sent) + len(channel.sent) == 50

    virtual_time.run(scenario())


class FailingAfterwards:
    """Direct Line that answers 502 after the bot has done its work."""

    def __init__(self, real: Any) -> None:
        self._real = real

    async def post(self, activity_for: Any) -> None:
        await self._real.post(activity_for)
        raise BotFailed("Direct Line answered 502")


def test_copies_do_not_multiply_when_both_resources_put_a_message_back() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        most: Counter[str] = Counter()
        clock = virtual_time.LoopClock(loop)
        async with BotUnderTest(clock=clock, direct_line=FailingAfterwards) as bot:
            bot.channel.faults.add(Fault("channel.send", ServiceUnavailable("500")))
            await bot.enqueue("hello", id="m1")

            def note() -> bool:
                most["m1"] = max(most["m1"], len(bot.storage.queue(QUEUE_NAME).texts))
                return False

            await hosted(bot, note, 330)
            assert 1 <= most["m1"] <= 3

    virtual_time.run(scenario())
