"""Each message that the bot puts on the queue has a name of its own."""

import json

from bot_logic.contract.envelope import QUEUE_NAME
from bot_logic.testing import BotUnderTest


async def test_messages_that_say_the_same_have_an_id_each() -> None:
    async with BotUnderTest() as bot:
        for _ in range(100):
            await bot.hears("hello")
        texts = bot.storage.queue(QUEUE_NAME).texts
    assert len({json.loads(text)["id"] for text in texts}) == len(texts) == 100
