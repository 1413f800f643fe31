"""A channel that never answers does not hold up the others."""

import asyncio

import pytest
from botbuilder.schema import Activity, ResourceResponse

from bot_logic.bot_endpoint.memory_channel import MemoryChannel
from bot_logic.delivery.host_gate import MAX_SLOW
from bot_logic.testing import BotUnderTest
from tests import virtual_time
from tests.simulation.hosting import hosted

HANGING = "http://127.0.0.1:9"
LATENCY = 0.05  # seconds


class TwoChannels(MemoryChannel):
    """Takes at once what goes to one service URL, and nothing, ever, of what goes to another."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []
        self.most_at_once = self._at_once = 0

    async def create(self, service_url: str, audience: str | None = None) -> MemoryChannel:
        return Hanging() if service_url == HANGING else await super().create(service_url, audience)

    async def send_to_conversation(
        self, conversation_id: str, activity: Activity
    ) -> ResourceResponse:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(LATENCY)
        self._at_once -= 1
        self.times.append(asyncio.get_running_loop().time())
        return await super().send_to_conversation(conversation_id, activity)


class Hanging(MemoryChannel):
    async def send_to_conversation(
        self,
        conversation_id: str,  # noqa: ARG002
        activity: Activity,  # noqa: ARG002
    ) -> ResourceResponse:
        await asyncio.sleep(10)  # until the connector's own timeout
        raise TimeoutError


async def to_the_hanging_one(bot: BotUnderTest, number: int) -> None:
    conversation = {
        "channelId": "test",
        "serviceUrl": HANGING,
        "conversation": {"id": f"h{number}"},
    }
    await bot.enqueue(f"h{number}", conversation=conversation)


def test_twenty_good_messages_behind_240_hanging_ones_come_within_three_seconds() -> None:
    async def scenario() -> None:
        channel = TwoChannels()
        clock = virtual_time.LoopClock(asyncio.get_running_loop())
        async with BotUnderTest(channel=channel, clock=clock) as bot:
            for number in range(240):
                await to_the_hanging_one(bot, number)
            for number in range(20):
                await bot.enqueue(f"good {number}", user=f"u{number}")
            await hosted(bot, lambda: len(channel.times) >= 20, 60)
            assert max(channel.times) < 3

    virtual_time.run(scenario())


@pytest.mark.parametrize("messages", [24, 200])
def test_a_good_channel_is_asked_by_all_at_once_as_soon_as_it_has_answered(messages: int) -> None:
    async def scenario() -> None:
        channel = TwoChannels()
        clock = virtual_time.LoopClock(asyncio.get_running_loop())
        async with BotUnderTest(channel=channel, clock=clock) as bot:
            for number in range(messages):
                await bot.enqueue(f"good {number}", user=f"u{number}")
            seconds = await hosted(bot, lambda: len(channel.times) >= messages, 60)
            assert seconds < 0.5 + messages * LATENCY / 10
            assert channel.most_at_once > MAX_SLOW

    virtual_time.run(scenario())
