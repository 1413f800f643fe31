"""A notification on a bad day: at each call of storage once something goes wrong.

Whatever it is, nobody is left out, nobody is told twice without cause, and it comes to its end.
"""

import asyncio
import random
from collections import Counter

import pytest

from bot_logic.errors import ServiceUnavailable
from bot_logic.storage.memory import Fault
from bot_logic.testing import BotUnderTest
from tests import virtual_time
from tests.simulation.bad_day import SeededChance
from tests.simulation.hosting import hosted

PEOPLE = 60  # of three tenants, so in three lanes, each with a page of 20
OF_A_PAGE = 20
ENOUGH = 1000.0  # seconds; a lease is over after 60, and the timer has come three times
DOWN = ServiceUnavailable("made to fail")
WEATHER = {
    "refused": lambda: Fault("", DOWN, times=1),
    "lost answer": lambda: Fault("", DOWN, after=True, times=1),
    "refused for a while": lambda: Fault("", DOWN, times=9),
    "dies": lambda: Fault("", hangs=True, times=1),
}


class Day:
    """Sends one notification while the weather is bad from some call of storage on."""

    def __init__(self, at_call: int, weather: str) -> None:
        self.at_call, self.weather = at_call, weather
        self.met = False
        self.told: Counter[str] = Counter()
        self.report: dict[str, int | str] = {}

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        clock, chance = virtual_time.LoopClock(loop), SeededChance(random.Random(1))  # noqa: S311
        async with BotUnderTest(clock=clock, chance=chance) as bot:
            for number in range(PEOPLE):
                where = {"id": f"c{number}", "tenantId": f"t{number % 3}"}
                joined = {"type": "conversationUpdate", "membersAdded": [{"id": f"u{number}"}]}
                await bot.receives({**joined, "conversation": where}, user=f"u{number}")
            before = len(bot.channel.sent)
            notification = await bot.notify(
                {"all": True, "at_most": PEOPLE}, "News", at=10, expires=2 * ENOUGH
            )
            bot.storage.faults.add(Fault("", times=self.at_call))
            fault = bot.storage.faults.add(WEATHER[self.weather]())
            timer = asyncio.create_task(every_five_minutes(bot))
            await hosted(bot, lambda: loop.time() >= ENOUGH, 2 * ENOUGH)
            timer.cancel()
            self.met = fault.met > 0
            bot.storage.faults.clear()
            self.told.update(each.conversation_id for each in bot.channel.sent[before:])
            self.report = await bot.report(notification)
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()


async def every_five_minutes(bot: BotUnderTest) -> None:
    while True:
        await asyncio.sleep(300)
        try:
            await bot.wakes_what_waits()
        except ServiceUnavailable:
            continue


@pytest.mark.parametrize("weather", WEATHER)
def test_whichever_call_fails_everybody_is_told_once_and_it_ends(weather: str) -> None:
    calls = 0
    while True:
        day = Day(calls, weather)
        virtual_time.run(day.run())
        if not day.met:
            break
        where = f"{weather} at call {calls}"
        assert len(day.told) == PEOPLE, where
        assert day.report == {"state": "done", "sent": PEOPLE}, where
        twice = sum(count > 1 for count in day.told.values())
        assert twice <= (OF_A_PAGE if weather == "dies" else 0), where
        calls += 1
    assert calls > 40
