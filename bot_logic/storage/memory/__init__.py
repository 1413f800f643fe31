"""A storage account in memory, for tests: yours and ours.

It is held to the same contract tests as the real account, and can be told to fail, to hang and to
be slow at a chosen call (`faults`).
"""

from bot_logic.storage.memory.account import MemoryStorage
from bot_logic.storage.memory.faults import Fault, Faults
from bot_logic.storage.memory.queues import MemoryQueue, QueuedMessage
from bot_logic.storage.memory.tables import MemoryTable

__all__ = ["Fault", "Faults", "MemoryQueue", "MemoryStorage", "MemoryTable", "QueuedMessage"]
