"""A page that is handed to the bot twice, or whose sender is slower than Direct Line waits."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botbuilder.schema import Activity, ResourceResponse

from bot_logic.bot_endpoint.memory_channel import MemoryChannel
from bot_logic.errors import BotFailed, DirectLineDown, ServiceUnavailable
from bot_logic.queue_worker import Triggers
from bot_logic.storage.memory import Fault
from bot_logic.testing import BotUnderTest
from tests import virtual_time
from tests.simulation.bad_day import SeededChance
from tests.simulation.hosting import hosted

PEOPLE = 60


class SlowChannel(MemoryChannel):
    """Takes seconds for each message."""

    async def send_to_conversation(
        self, conversation_id: str, activity: Activity
    ) -> ResourceResponse:
        await asyncio.sleep(3 if activity.text == "News" else 0)
        return await super().send_to_conversation(conversation_id, activity)


class Twice:
    """Carries each trigger twice, at the same time."""

    def __init__(self, real: Triggers) -> None:
        self._real = real

    async def post(self, activity_for: Callable[[str], dict[str, Any]]) -> None:
        await asyncio.gather(self._real.post(activity_for), self._real.post(activity_for))


class Impatient:
    """Says after a second that the bot has failed, while it goes on."""

    def __init__(self, real: Triggers) -> None:
        self._real = real
        self._going_on: set[asyncio.Task[None]] = set()

    async def post(self, activity_for: Callable[[str], dict[str, Any]]) -> None:
        task = asyncio.create_task(self._real.post(activity_for))
        self._going_on.add(task)
        done, _ = await asyncio.wait([task], timeout=1)
        if not done:
            raise BotFailed("Direct Line answered 504")
        await task


@pytest.mark.parametrize("direct_line", [Twice, Impatient])
def test_nobody_is_told_twice(direct_line: Callable[[Triggers], Triggers]) -> None:
    async def scenario() -> None:
        channel, loop = SlowChannel(), asyncio.get_running_loop()
        async with BotUnderTest(
            channel=channel,
            clock=virtual_time.LoopClock(loop),
            chance=SeededChance(random.Random(1)),  # noqa: S311 - jitter
            direct_line=direct_line,
        ) as bot:
            for number in range(PEOPLE):
                joined = {"type": "conversationUpdate", "membersAdded": [{"id": f"u{number}"}]}
                await bot.receives(joined, user=f"u{number}")
            for write in ("table.put", "table.replace"):
                bot.storage.faults.add(Fault(write, delay=0.05))  # in which others read
            before = len(channel.sent)
            notification = await bot.notify({"all": True, "at_most": PEOPLE}, "News")
            await hosted(bot, lambda: loop.time() > 200, 300)
            told = Counter(each.conversation_id for each in channel.sent[before:])
            assert set(told.values()) == {1}
            assert len(told) == PEOPLE
            assert await bot.report(notification) == {"state": "done", "sent": PEOPLE}

    virtual_time.run(scenario())


class Down:
    """Is not there for some time, and then carries."""

    def __init__(self, real: Triggers) -> None:
        self._real = real

    async def post(self, activity_for: Callable[[str], dict[str, Any]]) -> None:
        if asyncio.get_running_loop().time() < 600:
            raise DirectLineDown("Direct Line: ClientConnectorError")
        await self._real.post(activity_for)


def test_after_direct_line_was_down_all_are_told_and_it_was_asked_seldom() -> None:
    async def scenario() -> None:
        loop, asked = asyncio.get_running_loop(), 0

        class Counted(Down):
            async def post(self, activity_for: Callable[[str], dict[str, Any]]) -> None:
                nonlocal asked
                asked += 1
                await super().post(activity_for)

        async with BotUnderTest(
            clock=virtual_time.LoopClock(loop),
            chance=SeededChance(random.Random(1)),  # noqa: S311 - jitter
            direct_line=Counted,
        ) as bot:
            for number in range(PEOPLE):
                joined = {"type": "conversationUpdate", "membersAdded": [{"id": f"u{number}"}]}
                await bot.receives(joined, user=f"u{number}")
            notification = await bot.notify({"all": True, "at_most": PEOPLE}, "News")
            await hosted(bot, lambda: loop.time() > 700, 1000)
            assert await bot.report(notification) == {"state": "done", "sent": PEOPLE}
            assert asked < 60

    virtual_time.run(scenario())


def test_a_note_whose_answer_was_lost_is_known_again() -> None:
    class Losing(SlowChannel):
        async def send_to_conversation(
            self, conversation_id: str, activity: Activity
        ) -> ResourceResponse:
            if activity.text == "News" and not lost:
                down = ServiceUnavailable("made to fail")
                lost.append(
                    bots[0].storage.faults.add(Fault("table.replace", down, after=True, times=1))
                )
            return await super().send_to_conversation(conversation_id, activity)

    lost: list[Fault] = []
    bots: list[BotUnderTest] = []
    channel = Losing()

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with BotUnderTest(
            channel=channel,
            clock=virtual_time.LoopClock(loop),
            chance=SeededChance(random.Random(1)),  # noqa: S311 - jitter
        ) as bot:
            for number in range(PEOPLE):
                joined = {"type": "conversationUpdate", "membersAdded": [{"id": f"u{number}"}]}
                await bot.receives(joined, user=f"u{number}")
            bots.append(bot)
            before = len(channel.sent)
            notification = await bot.notify({"all": True, "at_most": PEOPLE}, "News")
            await hosted(bot, lambda: loop.time() > 200, 300)
            told = Counter(each.conversation_id for each in channel.sent[before:])
            assert lost[0].met == 1
            assert set(told.values()) == {1}
            assert await bot.report(notification) == {"state": "done", "sent": PEOPLE}

    virtual_time.run(scenario())
