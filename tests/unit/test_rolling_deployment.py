"""Two versions side by side: what this one does not understand is left to the newer one."""

import pytest

from bot_logic.contract.envelope import QUEUE_NAME, VERSION
from bot_logic.contract.retry import NEWER_VERSION_PAUSE
from bot_logic.testing import BotUnderTest
from tests.expected import proactive


@pytest.mark.parametrize("text", ["hello", "x" * 60_000], ids=["short", "long"])
async def test_a_message_of_a_newer_version_is_put_back_unchanged_however_often_it_comes(
    text: str,
) -> None:
    async with BotUnderTest() as bot:
        await bot.enqueue(text, version=VERSION + 1, inventedSince=1, expires=1)
        queue = bot.storage.queue(QUEUE_NAME)
        (before,) = queue.texts
        for _ in range(50):
            assert await bot.runs_queue() == []
            assert queue.receive() == []  # hidden
            bot.clock.advance(NEWER_VERSION_PAUSE)
        assert queue.texts == [before]
        assert await bot.dead_letters() == []


async def test_a_message_of_the_version_before_is_delivered() -> None:
    async with BotUnderTest() as bot:
        await bot.enqueue("hello", attempts=3, firstFailure="Direct Line answered 502 BotError")
        assert await bot.runs_queue() == [await proactive("hello")]
