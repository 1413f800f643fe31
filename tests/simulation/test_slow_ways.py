"""A lane keeps its pace when the way to the bot is slow or cut, or when the tables fail."""

import asyncio
import random
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

import pytest
from botbuilder.schema import Activity, ResourceResponse

from bot_logic.bot_endpoint.memory_channel import MemoryChannel
from bot_logic.errors import BotFailed, ServiceUnavailable
from bot_logic.notifications import QUEUE_NAME as WAKE_UPS
from bot_logic.queue_worker import Triggers
from bot_logic.storage.memory import Fault
from bot_logic.testing import BotUnderTest
from tests import virtual_time
from tests.simulation.bad_day import SeededChance
from tests.simulation.hosting import hosted

RATE = 45  # messages a second
PEOPLE = 1000
DIRECT_LINE_WAITS = 15.0  # seconds for the bot


class Timed(MemoryChannel):
    """Notes when each message came; every so many fail, if that is wanted, and succeed later."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []
        self.fails_every = 0

    async def send_to_conversation(
        self, conversation_id: str, activity: Activity
    ) -> ResourceResponse:
        self.times.append(asyncio.get_running_loop().time())
        number = len(self.times)
        await asyncio.sleep(0.1)
        if self.fails_every and number % self.fails_every == 0:
            raise ServiceUnavailable("the channel answered 503")
        return await super().send_to_conversation(conversation_id, activity)

    def in_the_busiest_second(self) -> int:
        return max(
            number + 1 - bisect_left(self.times, at - 1 + 1e-6)
            for number, at in enumerate(self.times)
        )


class SlowWay:
    """Brings some triggers to the bot late, and waits for its answer for a time only.

    Attributes:
        under_way: triggers that are waited for.
        late: seconds, by the trigger's number.
        waits: seconds, by the trigger's number.
    """

    def __init__(self, way: Triggers) -> None:
        self._way = way
        self._posts = self.under_way = 0
        self.late: dict[int, float] = {}
        self.waits: dict[int, float] = {}
        self._brought = set[asyncio.Task[None]]()

    async def post(self, activity_for: Callable[[str], dict[str, Any]]) -> None:
        self._posts += 1
        number = self._posts
        task = asyncio.create_task(self._bring(self.late.get(number, 0), activity_for))
        self._brought.add(task)
        self.under_way += 1
        done, _ = await asyncio.wait({task}, timeout=self.waits.get(number, DIRECT_LINE_WAITS))
        self.under_way -= 1
        if not done:
            raise BotFailed("Direct Line answered 504 BotTimedOut")
        task.result()

    async def _bring(self, late: float, activity_for: Callable[[str], dict[str, Any]]) -> None:
        await asyncio.sleep(late)
        await self._way.post(activity_for)


Scenario = Callable[[BotUnderTest, Timed, SlowWay], Any]


def in_virtual_time(scenario: Scenario, rates: str = f"test={RATE}") -> None:
    async def run() -> None:
        channel, ways = Timed(), list[SlowWay]()

        def slow(way: Triggers) -> Triggers:
            ways.append(SlowWay(way))
            return ways[0]

        async with BotUnderTest(
            channel=channel,
            clock=virtual_time.LoopClock(asyncio.get_running_loop()),
            chance=SeededChance(random.Random(1)),  # noqa: S311 - jitter
            settings={"ChannelRates": rates},
            direct_line=slow,
        ) as bot:
            for number in range(PEOPLE):
                await bot.meets(f"u{number}")
            await asyncio.sleep(10)
            channel.times.clear()
            channel.sent.clear()
            await scenario(bot, channel, ways[0])

    virtual_time.run(run())


async def all_are_told(bot: BotUnderTest, channel: Timed) -> None:
    notification = await bot.notify({"all": True, "at_most": PEOPLE}, "News")
    await hosted(bot, lambda: len(channel.sent) >= PEOPLE, 600)
    await asyncio.sleep(3)
    assert await bot.report(notification) == {"state": "done", "sent": PEOPLE}


@pytest.mark.parametrize("late", [8, 12, 14.9])
def test_a_page_that_the_bot_begins_late_is_not_sent_beside_the_next_one(late: float) -> None:
    async def scenario(bot: BotUnderTest, channel: Timed, way: SlowWay) -> None:
        way.late = {1: late}
        await all_are_told(bot, channel)
        assert channel.in_the_busiest_second() == RATE

    in_virtual_time(scenario)


def test_nor_is_one_of_which_nothing_is_heard_any_more() -> None:
    async def scenario(bot: BotUnderTest, channel: Timed, way: SlowWay) -> None:
        way.late, way.waits = {2: 0.3}, {1: 1.0, 2: 0.1, 3: 2.0}
        await all_are_told(bot, channel)
        assert channel.in_the_busiest_second() == RATE

    in_virtual_time(scenario)


def test_nor_is_one_whose_sender_before_had_only_waited_for_the_last_messages() -> None:
    async def scenario(bot: BotUnderTest, channel: Timed, way: SlowWay) -> None:
        channel.fails_every = 5
        way.late = dict.fromkeys(range(1, 99, 2), 11.0)
        await all_are_told(bot, channel)
        assert channel.in_the_busiest_second() == RATE

    in_virtual_time(scenario)


def test_a_pump_whose_tables_fail_goes_when_nothing_of_it_is_under_way_any_more() -> None:
    async def scenario(bot: BotUnderTest, channel: Timed, way: SlowWay) -> None:  # noqa: ARG001
        way.late = dict.fromkeys(range(1, 5), 3.0)
        way.waits = {1: 1.0, 2: 1.0}
        await bot.notify({"all": True, "at_most": PEOPLE}, "News")
        (woken,) = bot.storage.queue(WAKE_UPS).receive()
        running = asyncio.create_task(bot.wake(woken))
        await asyncio.sleep(0.9)
        assert way.under_way == 4  # pages, as the channel has no limit
        bot.storage.faults.add(Fault("table.read", ServiceUnavailable("down"), times=2))
        with pytest.raises(ServiceUnavailable):
            await running
        assert way.under_way == 0

    in_virtual_time(scenario, "another=1")
