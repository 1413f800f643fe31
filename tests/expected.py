"""What the bot in `bot_logic/bot.py` says, asked of it in memory: so other words break no test.

Only `tests/unit/test_bot.py` tests the bot itself.
"""

import re
from typing import Any

from bot_logic.bot import ProactiveBot
from bot_logic.bot_endpoint import MakeBot
from bot_logic.errors import ServiceUnavailable
from bot_logic.storage.memory import Fault
from bot_logic.testing import BotUnderTest

_PLACE = "a-text-that-no-bot-says-by-itself"


async def welcome(*names: str) -> str:
    """Return what is said when people of these names have just joined."""
    async with BotUnderTest() as bot:
        members = [{"id": f"u{number}", "name": name} for number, name in enumerate(names)]
        joined = {"type": "conversationUpdate", "membersAdded": members}
        return (await bot.receives(joined))[-1]


async def answers(text: str, make_bot: MakeBot = ProactiveBot) -> int:
    """Return how many messages Web Chat shows of the bot's when somebody has come and said this."""
    async with BotUnderTest(make_bot) as bot:
        await bot.meets()
        await bot.receives({"type": "message", "text": text, "channelId": "directline"})
        return sum(sent.activity.type == "message" for sent in bot.channel.sent)


async def acknowledgement(text: str, number: int = 1) -> str:
    """Return the answer to the message that has this number in its conversation."""
    async with BotUnderTest() as bot:
        for _ in range(number - 1):
            await bot.hears("something")
        return (await bot.hears(text))[-1]


async def answer(message: dict[str, Any]) -> str:
    """Return the answer to a message that is more than a text, or less."""
    async with BotUnderTest() as bot:
        return (await bot.receives({"type": "message"} | message))[-1]


async def uncounted(text: str) -> str:
    """Return the answer to a message that cannot be counted."""
    async with BotUnderTest() as bot:
        bot.storage.faults.add(Fault("table.read", ServiceUnavailable("down")))
        return (await bot.hears(text))[-1]


async def refusal(text: str, error: Exception) -> str:
    """Return the answer to a message that the queue does not take."""
    async with BotUnderTest() as bot:
        bot.storage.faults.add(Fault("queue.put", error))
        return (await bot.hears(text))[-1]


async def proactive(text: str) -> str:
    """Return what is said when the queue brings a text back."""
    async with BotUnderTest() as bot:
        await bot.enqueue(text)
        return (await bot.runs_queue())[-1]


async def sends_activities() -> bool:
    """Tell whether the bot sends what a program sends instead of a text."""
    async with BotUnderTest() as bot:
        await bot.enqueue(activity={"attachments": [{"contentType": "x", "content": {}}]})
        await bot.runs_queue()
        return bool(bot.channel.sent and bot.channel.sent[-1].activity.attachments)


async def proactive_pattern() -> re.Pattern[str]:
    """Return a pattern of all that is said because of the queue; its group is the text."""
    return _around(await proactive(_PLACE))


async def acknowledgement_pattern() -> re.Pattern[str]:
    """Return a pattern of all acknowledgements; its group is the text."""
    said = await acknowledgement(_PLACE)
    return re.compile(_around(said).pattern.replace("1", r"\d+"), re.DOTALL)


def _around(said: str) -> re.Pattern[str]:
    return re.compile(re.escape(said).replace(re.escape(_PLACE), "(.*)"), re.DOTALL)
