"""The Functions host's part in a simulation without weather: it feeds the queue to the bot."""

import asyncio
from collections.abc import Callable
from typing import Any

from bot_logic.contract.envelope import QUEUE_NAME
from bot_logic.errors import RetryableError
from bot_logic.notifications import QUEUE_NAME as WAKE_UPS
from bot_logic.storage.memory import MemoryQueue
from bot_logic.testing import BotUnderTest

VISIBILITY_TIMEOUT = 30  # seconds, as in host.json


async def hosted(bot: BotUnderTest, done: Callable[[], bool], patience: float) -> float:
    """Feed the queue to the bot as the Functions host does, 24 at a time; return the seconds."""
    loop, places = asyncio.get_running_loop(), asyncio.Semaphore(24)
    started = loop.time()
    running: set[asyncio.Task[None]] = set()
    functions = {
        bot.storage.queue(QUEUE_NAME): bot.hand_over,
        bot.storage.queue(WAKE_UPS): bot.wake,
    }

    async def invoke(queue: MemoryQueue, message: Any) -> None:
        async with places:
            try:
                await functions[queue](message)
            except RetryableError:
                queue.release(message, delay=VISIBILITY_TIMEOUT)
            else:
                queue.delete(message)

    while not done() and loop.time() - started < patience:
        any_more = False
        for queue in functions:
            free = 24 - len(running)
            received = queue.receive(lock=600, most=min(16, free)) if free else []
            for message in received:
                task = asyncio.create_task(invoke(queue, message))
                running.add(task)
                task.add_done_callback(running.discard)
            any_more |= bool(received)
        await asyncio.sleep(0.02 if any_more else 0.1)  # it looks again at once where there is more
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return loop.time() - started
