"""A queue on which a number of messages wait while some of them are delivered."""

import asyncio
import json
from collections import Counter

from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from benchmarks.activities import answers
from benchmarks.channel import Channel, Said
from benchmarks.load import Load
from benchmarks.outcome import WrongWork
from benchmarks.programs import Running
from benchmarks.raw_http import head_of
from benchmarks.triggers import DELIVERED, Triggers
from benchmarks.users import text_of

PATIENCE = 600.0  # seconds for one drain
AT_ONCE = 16  # puts side by side
_ENCODE = TextBase64EncodePolicy()


class Backlog:
    """Keeps the queue filled, has the program drain it, and checks what was delivered."""

    def __init__(
        self, queue: QueueClient, channel: Channel, program: Running, service_url: str
    ) -> None:
        self._queue = queue
        self._channel = channel
        self._program = program
        self._triggers = Triggers(service_url)
        self._waiting: Counter[Said] = Counter()
        self._next = 0

    async def cost_of_a_message(self, size: int, count: int) -> float:
        """CPU seconds of the program for one message, over so many, with `size` waiting."""
        used, left = 0.0, count
        while left:
            await self._fill(size)
            drained = min(size, left)
            before = self._program.cpu_seconds()
            await self._drain(drained)
            used, left = used + self._program.cpu_seconds() - before, left - drained
        return used / count

    async def _fill(self, size: int) -> None:
        numbers = range(self._next, self._next + size - self._waiting.total())
        self._next = numbers.stop
        self._waiting += answers(numbers, lambda number: DELIVERED + text_of(number))
        following = iter(numbers)

        async def put() -> None:
            for number in following:
                message = self._triggers.envelope(number).to_json()
                await self._queue.send_message(_ENCODE.encode(message))

        await asyncio.gather(*(put() for _ in range(AT_ONCE)))

    async def _drain(self, count: int) -> None:
        self._channel.forget()
        body = json.dumps({"count": count}).encode()
        request = head_of("/drain", len(body)) + body
        await Load(self._program.url, 1).run(iter([request]), PATIENCE)
        said = self._channel.said()
        if said.total() != count or said - self._waiting:
            raise WrongWork(f"{count} messages were to be delivered, {said.total()} were")
        self._waiting -= said
