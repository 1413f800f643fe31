"""How many messages a conversation has had: one row for each, counted up by all instances."""

import asyncio
from collections import OrderedDict, defaultdict
from typing import Final

from botbuilder.core import TurnContext

from bot_logic.clock import Chance
from bot_logic.errors import ServiceUnavailable
from bot_logic.storage.protocols import Key, RowConflict, Table, digest_key

ATTEMPTS: Final = 20
PAUSE: Final = 0.02  # seconds, times the attempt, times chance
MAX_KNOWN: Final = 10_000  # conversations whose count is remembered, about 3 MB

Number = asyncio.Future[int]


class MessageCounter:
    """Gives each message of a conversation a number of its own.

    Messages that come in together are counted in one write, so that those of one process never
    stand in each other's way; between processes, the row's ETag decides who was first.
    """

    def __init__(self, table: Table, chance: Chance) -> None:
        self._table = table
        self._chance = chance
        self._known: OrderedDict[Key, tuple[int, str]] = OrderedDict()  # count and ETag
        self._waiting: defaultdict[Key, list[Number]] = defaultdict(list)
        self._counting: dict[Key, asyncio.Task[None]] = {}

    async def next(self, turn: TurnContext) -> int:
        """Return this message's number in its conversation, from 1; it is stored then.

        Raises:
            ServiceUnavailable: the table could not be reached.
        """
        activity = turn.activity
        key = digest_key(f"{activity.channel_id}/messageCount/{activity.conversation.id}")
        number: Number = asyncio.get_running_loop().create_future()
        self._waiting[key].append(number)
        if key not in self._counting:
            self._counting[key] = asyncio.create_task(self._count(key))
        return await number

    async def _count(self, key: Key) -> None:
        """Count all who wait, and those who come meanwhile."""
        try:
            while numbers := self._waiting.pop(key, None):
                await self._give(key, numbers)
        finally:
            del self._counting[key]

    async def _give(self, key: Key, numbers: list[Number]) -> None:
        try:
            last = await self._add(key, len(numbers))
        except ServiceUnavailable as error:
            for number in numbers:
                if not number.done():  # or its turn has ended meanwhile
                    number.set_exception(ServiceUnavailable(str(error)))
            return
        for value, number in enumerate(numbers, last - len(numbers) + 1):
            if not number.done():
                number.set_result(value)

    async def _add(self, key: Key, count: int) -> int:
        """Add to a conversation's count, and return it."""
        for attempt in range(ATTEMPTS):
            known = self._known.pop(key) if key in self._known else None
            so_far, etag = known or await self._read(key)
            total = so_far + count
            try:
                self._remember(key, total, await self._write(key, total, etag))
            except RowConflict:  # another instance was faster
                await asyncio.sleep(self._chance.fraction() * PAUSE * (attempt + 1))
            else:
                return total
        raise ServiceUnavailable("the conversation's count changed too often")

    async def _read(self, key: Key) -> tuple[int, str]:
        found = await self._table.read(key)
        return (0, "") if found is None else (int(found.columns["count"]), found.etag)

    async def _write(self, key: Key, total: int, etag: str) -> str:
        row = {"count": total}
        return await (self._table.replace(key, row, etag) if etag else self._table.insert(key, row))

    def _remember(self, key: Key, total: int, etag: str) -> None:
        self._known[key] = total, etag
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
