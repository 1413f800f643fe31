"""After an outage, what waits comes soon, and nobody was asked by everyone meanwhile."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
from botbuilder.schema import Activity, ResourceResponse

from bot_logic.bot_endpoint.memory_channel import MemoryChannel
from bot_logic.delivery.host import LONGEST_PROBE
from bot_logic.errors import DirectLineDown, ServiceUnavailable
from bot_logic.queue_worker import Triggers
from bot_logic.testing import BotUnderTest
from tests import virtual_time
from tests.simulation.bad_day import SeededChance
from tests.simulation.hosting import hosted

AN_HOUR = 3600.0  # seconds
MESSAGES = 200


class Outage:
    """A dependency that is down until some time, and notes who asks.

    Attributes:
        asked: how often it was asked while it was down.
        back_at: when it first answered; None until then.
    """

    def __init__(self, until: float, takes: float) -> None:
        self._until, self._takes = until, takes
        self.asked = 0
        self.back_at: float | None = None

    async def passes(self) -> bool:
        """Tell whether it works, after some time."""
        loop = asyncio.get_running_loop()
        works = loop.time() >= self._until
        await asyncio.sleep(0.02 if works else self._takes)
        if works:
            self.back_at = self.back_at or loop.time()
        else:
            self.asked += 1
        return works


class FailingChannel(MemoryChannel):
    """Takes nothing until its outage is over, and then all."""

    def __init__(self, outage: Outage) -> None:
        super().__init__()
        self._outage = outage
        self.times: list[float] = []

    async def send_to_conversation(
        self, conversation_id: str, activity: Activity
    ) -> ResourceResponse:
        if not await self._outage.passes():
            raise ServiceUnavailable("the channel answered 503")
        self.times.append(asyncio.get_running_loop().time())
        return await super().send_to_conversation(conversation_id, activity)


class FailingDirectLine:
    """Takes no trigger until its outage is over."""

    def __init__(self, real: Triggers, outage: Outage) -> None:
        self._real, self._outage = real, outage

    async def post(self, activity_for: Callable[[str], dict[str, Any]]) -> None:
        if not await self._outage.passes():
            raise DirectLineDown("Direct Line answered 503")
        await self._real.post(activity_for)


def failing(outage: Outage) -> Callable[[Triggers], Triggers]:
    return lambda real: FailingDirectLine(real, outage)


@pytest.mark.parametrize(
    ("who", "lasts", "takes"),
    [
        ("Direct Line", 180.0, 0.02),
        ("Direct Line", 180.0, 5.0),
        ("Direct Line", AN_HOUR, 5.0),
        ("the channel", 180.0, 0.02),
        ("the channel", 180.0, 5.0),
    ],
)
def test_200_messages_come_within_ten_seconds_of_the_first_after_an_outage(
    who: str, lasts: float, takes: float
) -> None:
    async def scenario() -> None:
        outage, works = Outage(lasts, takes), Outage(0, 0)
        channel = FailingChannel(outage if who == "the channel" else works)
        loop = asyncio.get_running_loop()
        async with BotUnderTest(
            channel=channel,
            clock=virtual_time.LoopClock(loop),
            chance=SeededChance(random.Random(1)),  # noqa: S311 - jitter
            direct_line=failing(outage if who == "Direct Line" else works),
        ) as bot:
            for number in range(MESSAGES):
                await bot.enqueue(f"m{number}", user=f"u{number}")
            await hosted(bot, lambda: len(channel.times) >= MESSAGES, lasts + 600)
            assert await bot.dead_letters() == []
            assert len(channel.times) == MESSAGES
            assert outage.back_at is not None
            assert outage.back_at - lasts < LONGEST_PROBE + takes + 1
            assert channel.times[-1] - outage.back_at < 10
            assert outage.asked < 40 + lasts / 4

    virtual_time.run(scenario())
