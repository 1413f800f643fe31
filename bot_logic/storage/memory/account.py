"""The double of `StorageAccount`."""

from bot_logic.clock import SYSTEM_CHANCE, SYSTEM_CLOCK, Chance, Clock
from bot_logic.storage.memory.faults import Faults
from bot_logic.storage.memory.queues import MemoryQueue
from bot_logic.storage.memory.tables import MemoryTable


class MemoryStorage:
    """Queues and tables that live as long as this object."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK, chance: Chance = SYSTEM_CHANCE) -> None:
        self.faults = Faults()
        self._clock = clock
        self._chance = chance
        self._queues: dict[str, MemoryQueue] = {}
        self._tables: dict[str, MemoryTable] = {}

    def queue(self, name: str) -> MemoryQueue:
        """Return the queue of this name."""
        if name not in self._queues:
            self._queues[name] = MemoryQueue(name, self._clock, self._chance, self.faults)
        return self._queues[name]

    def table(self, name: str) -> MemoryTable:
        """Return the table of this name."""
        if name not in self._tables:
            self._tables[name] = MemoryTable(name, self.faults, self._clock)
        return self._tables[name]

    async def contents(self) -> list[tuple[str, str]]:
        """Return each row and message as text, with the name of its table or queue."""
        rows = [
            (name, f"{row.key} {row.columns}")
            for name, table in self._tables.items()
            async for row in table.rows()
        ]
        texts = [(name, text) for name, queue in self._queues.items() for text in queue.texts]
        return rows + texts

    async def close(self) -> None:
        """Do nothing: another process of a test may go on with the same storage."""
