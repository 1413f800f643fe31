"""The double of `StorageQueue`, and of what the Functions host does with a queue."""

from dataclasses import dataclass, replace

from bot_logic.clock import Chance, Clock
from bot_logic.contract.queue_text import MAX_QUEUE_TEXT, as_put
from bot_logic.errors import MessageNotInserted
from bot_logic.storage.memory.faults import Faults
from bot_logic.storage.protocols import MAX_DELAY


@dataclass(slots=True)
class QueuedMessage:
    """A message on the queue, as the one who received it sees it.

    Attributes:
        id: the queue's; it stays through all attempts.
        text: what was put.
        visible_at: Unix time at which it can be received.
        dequeue_count: how often it was received.
        pop_receipt: which receipt holds it; it changes each time it is received.
    """

    id: str
    text: str
    visible_at: float
    dequeue_count: int = 0
    pop_receipt: int = 0

    def get_body(self) -> bytes:
        """Return the message as the host hands it to a function."""
        return as_put(self.text).encode()


class MemoryQueue:
    """A queue with visibility timeouts, as Azure's."""

    def __init__(self, name: str, clock: Clock, chance: Chance, faults: Faults) -> None:
        self._name = name
        self._clock = clock
        self._chance = chance
        self._faults = faults
        self._messages: list[QueuedMessage] = []

    async def put(self, message: str, *, delay: int = 0) -> None:
        """Put a message on the queue, hidden for `delay` seconds.

        Raises:
            MessageNotInserted: it is too large, or hidden for too long.
        """
        async with self._faults.around("queue.put"):
            if len(as_put(message).encode()) > MAX_QUEUE_TEXT:
                raise MessageNotInserted(f"{self._name}: RequestBodyTooLarge")
            if not 0 <= delay <= MAX_DELAY:
                raise MessageNotInserted(f"{self._name}: OutOfRangeQueryParameterValue")
            visible_at = self._clock.now() + delay
            self._messages.append(QueuedMessage(self._chance.new_id(), message, visible_at))

    async def check(self) -> None:
        """Do nothing: it can be read, unless it is told otherwise."""
        async with self._faults.around("queue.check"):
            return

    def receive(self, *, lock: float = 30, most: int = 32) -> list[QueuedMessage]:
        """Take messages, hidden from others for `lock` seconds, as the Functions host does."""
        now = self._clock.now()
        received = [message for message in self._messages if message.visible_at <= now][:most]
        for message in received:
            message.visible_at = now + lock
            message.dequeue_count += 1
            message.pop_receipt += 1
        return [replace(message) for message in received]

    def delete(self, message: QueuedMessage) -> bool:
        """Delete a message that was dealt with; False if somebody else has received it since."""
        held = self._held(message)
        if held is not None:
            self._messages.remove(held)
        return held is not None

    def release(self, message: QueuedMessage, *, delay: float = 0) -> bool:
        """Let a message be received again after `delay` seconds; False as with `delete`."""
        held = self._held(message)
        if held is not None:
            held.visible_at = self._clock.now() + delay
        return held is not None

    @property
    def texts(self) -> list[str]:
        """The texts of all messages, visible or not."""
        return [message.text for message in self._messages]

    def _held(self, message: QueuedMessage) -> QueuedMessage | None:
        for each in self._messages:
            if (each.id, each.pop_receipt) == (message.id, message.pop_receipt):
                return each
        return None
