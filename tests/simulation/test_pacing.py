"""How fast a broadcast goes: never above the channel's limit, and nobody waits for all of it."""

import asyncio
import random
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

import pytest
from botbuilder.schema import Activity, ResourceResponse

from bot_logic.bot_endpoint.memory_channel import MemoryChannel
from bot_logic.errors import AskedToWait
from bot_logic.testing import BotUnderTest
from tests import virtual_time
from tests.simulation.bad_day import SeededChance
from tests.simulation.hosting import hosted

RATE, LIMIT = 45.0, 50  # messages a second: what is sent, and what Teams takes


class Limited(MemoryChannel):
    """Takes so many messages in any second and answers 429 to others; notes when each came."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []
        self.texts: list[str] = []
        self.refused: list[float] = []
        self.closed_until = 0.0
        self.hangs_every = 0

    async def send_to_conversation(
        self, conversation_id: str, activity: Activity
    ) -> ResourceResponse:
        now = asyncio.get_running_loop().time()
        in_window = len(self.times) - bisect_left(self.times, now - 1)
        if in_window >= LIMIT or now < self.closed_until:
            self.refused.append(now)
            wait = max(1, round(self.closed_until - now))
            raise AskedToWait("the channel answered 429", retry_after=wait)
        self.times.append(now)
        self.texts.append(activity.text)
        await asyncio.sleep(random.Random(len(self.times)).uniform(0.02, 0.3))  # noqa: S311
        if self.hangs_every and len(self.times) % self.hangs_every == 0:
            await asyncio.sleep(9)  # and is taken in the end
        return await super().send_to_conversation(conversation_id, activity)

    def when(self, text: str) -> list[float]:
        return [at for at, each in zip(self.times, self.texts, strict=True) if each == text]


def in_virtual_time(scenario: Callable[[BotUnderTest, Limited], Any], people: int) -> None:
    async def run() -> None:
        channel = Limited()
        async with BotUnderTest(
            channel=channel,
            clock=virtual_time.LoopClock(asyncio.get_running_loop()),
            chance=SeededChance(random.Random(1)),  # noqa: S311 - jitter
            settings={"ChannelRates": f"test={RATE}"},
        ) as bot:
            for number in range(people):
                joined = {"type": "conversationUpdate", "membersAdded": [{"id": f"u{number}"}]}
                await bot.receives(joined, user=f"u{number}")
            await asyncio.sleep(10)
            channel.times.clear()
            channel.texts.clear()
            channel.refused.clear()
            await scenario(bot, channel)

    virtual_time.run(run())


def test_a_broadcast_goes_evenly_and_never_above_the_limit() -> None:
    async def scenario(bot: BotUnderTest, channel: Limited) -> None:
        notification = await bot.notify({"all": True, "at_most": 2000}, "News")
        seconds = await hosted(bot, lambda: len(channel.times) >= 2000, 600)
        assert channel.refused == []
        assert seconds < 2000 / RATE * 1.04  # between two pages the bot is asked anew
        await asyncio.sleep(3)
        assert await bot.report(notification) == {"state": "done", "sent": 2000}
        assert len({sent.conversation_id for sent in channel.sent}) == 2000

    in_virtual_time(scenario, 2000)


def test_one_person_does_not_wait_for_a_broadcast_nor_do_two_broadcasts_for_each_other() -> None:
    async def scenario(bot: BotUnderTest, channel: Limited) -> None:
        for text in ("one", "two"):
            await bot.notify({"all": True, "at_most": 1500}, text)
        running = asyncio.create_task(hosted(bot, lambda: len(channel.times) >= 3001, 600))
        await asyncio.sleep(20)
        asked = asyncio.get_running_loop().time()
        await bot.notify({"user": "u7"}, "Your pizza is ready")
        await running
        (told,) = channel.when("Your pizza is ready")
        assert told - asked < 2
        half = channel.times[1500]
        for text in ("one", "two"):
            assert sum(at < half for at in channel.when(text)) > 400
        assert channel.refused == []

    in_virtual_time(scenario, 1500)


@pytest.mark.parametrize("hangs_every", [0, 40])
@pytest.mark.parametrize("wait", [3, 20])
def test_after_a_retry_after_it_goes_on_within_a_second(wait: int, hangs_every: int) -> None:
    async def scenario(bot: BotUnderTest, channel: Limited) -> None:
        channel.hangs_every = hangs_every
        await bot.notify({"all": True, "at_most": 1000}, "News")
        running = asyncio.create_task(hosted(bot, lambda: len(channel.times) >= 1000, 600))
        await asyncio.sleep(5)
        channel.closed_until = asyncio.get_running_loop().time() + wait
        await running
        assert 1 <= len(channel.refused) <= 32  # what was under way
        early = [at for at in channel.refused if at < channel.closed_until - 1]
        assert early[-1] - early[0] < 1  # nor does the next page begin while this one drains
        again = next(at for at in channel.times if at >= channel.closed_until)
        asked_for = channel.closed_until + 0.5  # Retry-After is a whole number of seconds
        assert again - asked_for < 1
        assert len(channel.times) == 1000

    in_virtual_time(scenario, 1000)


def test_a_page_whose_last_messages_hang_does_not_keep_the_next_one_waiting() -> None:
    async def scenario(bot: BotUnderTest, channel: Limited) -> None:
        channel.hangs_every = 125  # twice a page
        await bot.notify({"all": True, "at_most": 2000}, "News")
        begun = asyncio.get_running_loop().time()
        await hosted(bot, lambda: len(channel.sent) >= 2000 + 2000, 600)
        assert channel.times[-1] - begun < 2000 / RATE + 8 * 2  # it would be 8 times 9
        assert channel.refused == []

    in_virtual_time(scenario, 2000)


@pytest.mark.parametrize("people", [1, 5, 10])
@pytest.mark.parametrize("orders", [1, 2, 7])
def test_a_few_and_many_at_the_same_time_stay_below_the_limit(people: int, orders: int) -> None:
    async def scenario(bot: BotUnderTest, channel: Limited) -> None:
        few = [{"user": f"u{number}"} for number in range(people)]
        for _ in range(orders):
            await bot.notify(few, "For you")
        await bot.notify({"all": True, "at_most": 1000}, "News")
        for _ in range(orders):
            await bot.notify(few, "And for you")
        most = 1000 + 2 * orders * people
        await hosted(bot, lambda: len(channel.times) >= most, 600)
        assert channel.refused == []

    in_virtual_time(scenario, 1000)
