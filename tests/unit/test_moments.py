"""When something is to be said, as a bot says it in Python, and by which clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from botbuilder.core import TurnContext

from bot_logic.bot import ProactiveBot
from bot_logic.contract.envelope import QUEUE_NAME, Envelope
from bot_logic.errors import BadRequest
from bot_logic.testing import BotUnderTest, ManualClock

When = Callable[[datetime], dict[str, Any]]  # by the bot's clock


def reminding(when: When) -> type[ProactiveBot]:
    """A bot that puts a reminder on the queue, and says it."""

    class Reminding(ProactiveBot):
        async def on_message_activity(self, turn: TurnContext) -> None:
            await self._outbox.put(turn, "stand up", **when(self.now()))

        async def on_trigger(self, turn: TurnContext, envelope: Envelope) -> None:
            await turn.send_activity(envelope.text)

    return Reminding


def notifying(when: When) -> type[ProactiveBot]:
    """A bot that notifies those on its channel."""

    class Notifying(ProactiveBot):
        async def on_message_activity(self, turn: TurnContext) -> None:
            to = {"conversation": turn.activity.conversation.id}
            await self.notifications.send(to, "stand up", **when(self.now()))

    return Notifying


WEEK = timedelta(days=7)
IN_A_WEEK = [
    lambda now: now + WEEK,
    lambda now: (now + WEEK).astimezone(timezone(timedelta(hours=-5))),
    lambda now: (now + WEEK).isoformat(),
    lambda _now: WEEK,
    lambda _now: WEEK.total_seconds(),
]
IN_PYTHON = ["a datetime", "another offset", "a text", "a timedelta", "seconds"]
NO_TIME = [
    (datetime(2030, 1, 31, 9), "with its offset"),  # noqa: DTZ001 - which is refused
    ("tomorrow", "with its offset"),
    (timedelta(seconds=-1), "0 or more"),
    (datetime(9999, 1, 2, tzinfo=UTC), "before the year 9999"),
]
WHY = ["no time zone", "no time", "before now", "too late"]


@pytest.mark.parametrize("make_bot", [reminding, notifying])
@pytest.mark.parametrize("moment", IN_A_WEEK, ids=IN_PYTHON)
async def test_it_comes_when_a_bot_says_so(
    make_bot: Callable[[When], type[ProactiveBot]], moment: Callable[[datetime], Any]
) -> None:
    async with BotUnderTest(make_bot(lambda now: {"at": moment(now)})) as bot:
        await bot.meets()
        await bot.hears("remind me")
        bot.clock.advance(WEEK.total_seconds() - 1)
        await bot.wakes_what_waits()
        assert await bot.runs_queue() == []
        bot.clock.advance(1)
        await bot.wakes_what_waits()
        said = await bot.runs_queue() + await bot.runs_queue()
        assert said == ["stand up"]


@pytest.mark.parametrize("make_bot", [reminding, notifying])
@pytest.mark.parametrize(("moment", "why"), NO_TIME, ids=WHY)
async def test_what_is_no_time_is_refused_by_its_field(
    make_bot: Callable[[When], type[ProactiveBot]], moment: Any, why: str
) -> None:
    async with BotUnderTest(make_bot(lambda _now: {"at": moment})) as bot:
        with pytest.raises(BadRequest, match=why) as refused:
            await bot.hears("remind me")
        assert refused.value.field == "at"
        assert bot.storage.queue(QUEUE_NAME).texts == []


async def test_a_reminder_has_one_time() -> None:
    async with BotUnderTest(reminding(lambda now: {"at": now + WEEK, "delay": 60})) as bot:
        with pytest.raises(BadRequest, match="without delay"):
            await bot.hears("remind me")


async def test_a_reminder_for_a_time_that_is_past_comes_now() -> None:
    async with BotUnderTest(reminding(lambda now: {"at": now - 100 * WEEK})) as bot:
        await bot.hears("remind me")
        assert await bot.runs_queue() == ["stand up"]


async def test_a_reminder_for_a_time_without_a_date_in_seconds_waits() -> None:
    far = datetime(6000, 1, 1, tzinfo=UTC)  # as a number of seconds it could be milliseconds
    async with BotUnderTest(reminding(lambda _now: {"at": far})) as bot:
        await bot.hears("remind me")
        assert await bot.runs_queue() == []
        bot.clock.advance(8 * 24 * 3600)
        assert await bot.runs_queue() == []
        assert await bot.dead_letters() == []


@pytest.mark.parametrize("moment", IN_A_WEEK, ids=IN_PYTHON)
async def test_a_notification_expires_when_a_bot_says_so(moment: Callable[[datetime], Any]) -> None:
    clock = ManualClock()
    expires = moment(datetime.fromtimestamp(clock.now(), UTC))
    async with BotUnderTest(clock=clock) as bot:
        await bot.meets("ada")
        notification = await bot.notify({"user": "ada"}, "stand up", expires=expires)
        bot.clock.advance(WEEK.total_seconds())
        assert await bot.runs_queue() == []
        assert await bot.report(notification) == {"state": "expired", "expired": 1}


async def test_the_bots_clock_is_that_of_the_test() -> None:
    class Clock(ProactiveBot):
        async def on_message_activity(self, turn: TurnContext) -> None:
            await turn.send_activity(f"It is {self.now():%d %B %Y, %H:%M} {self.now().tzname()}.")

    async with BotUnderTest(Clock, clock=ManualClock(1_900_000_000.5)) as bot:
        assert await bot.hears("What time is it?") == ["It is 17 March 2030, 17:46 UTC."]
        bot.clock.advance(3600)
        assert await bot.hears("And now?") == ["It is 17 March 2030, 18:46 UTC."]
        assert bot.wiring.notifier.now().timestamp() == bot.clock.now()
