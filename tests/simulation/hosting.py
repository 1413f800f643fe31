"""The Functions host's part in a simulation without weather: it feeds the queue to the bot."""

import asyncio
from collections.abc import Callable
from typing import Any

from bot_logic.contract.envelope import QUEUE_NAME
from bot_logic.testing import BotUnderTest


async def hosted(bot: BotUnderTest, done: Callable[[], bool], patience: float) -> float:
    """Feed the queue to the bot as the Functions host does, 24 at a time; return the seconds."""
    loop, places = asyncio.get_running_loop(), asyncio.Semaphore(24)
    started = loop.time()
    running: set[asyncio.Task[None]] = set()
    queue = bot.storage.queue(QUEUE_NAME)

    async def invoke(message: Any) -> None:
        async with places:
            await bot.hand_over(message)
            queue.delete(message)

    while not done() and loop.time() - started < patience:
        free = 24 - len(running)
        received = queue.receive(lock=600, most=min(16, free)) if free else []
        for message in received:
            task = asyncio.create_task(invoke(message))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.sleep(0.02 if received else 0.1)  # it looks again at once where there is more
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return loop.time() - started
