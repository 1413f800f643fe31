"""How messages end: what the channel took, what is filed as a dead letter, what still waits."""

import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from bot_logic.contract.dead_letter import read_dead_letter
from bot_logic.contract.envelope import POISON_QUEUE_NAME, QUEUE_NAME
from bot_logic.delivery.dead_letter_store import TABLE_NAME as DEAD_LETTERS
from bot_logic.settings import storage_location
from bot_logic.storage.account import StorageAccount
from tests.resilience.local_direct_line import LocalDirectLine

NOTED_WITHIN = timedelta(seconds=3)  # of the channel's answer, however busy the host is


@dataclass(frozen=True)
class Ends:
    """What has become of the messages, by their texts.

    Attributes:
        delivered: when the channel took each, however often.
        dead_lettered: the error of each dead letter.
    """

    delivered: dict[str, list[datetime]]
    dead_lettered: dict[str, str]

    def hold(self, texts: Sequence[str]) -> bool:
        """Tell whether each of these has come to an end."""
        return not self.lost(texts)

    def lost(self, texts: Sequence[str]) -> list[str]:
        """Return those of these that have come to no end."""
        return sorted(set(texts) - self.delivered.keys() - self.dead_lettered.keys())

    def doubled(self, kills: Sequence[datetime]) -> tuple[list[str], list[str]]:
        """Return what was delivered twice: with a kill before it can have been noted, and without.

        Args:
            kills: when the host was killed.
        """
        first = {text: min(times) for text, times in self.delivered.items() if len(times) > 1}
        by_a_kill = {text for text, at in first.items() if _in_window(at, kills)}
        return sorted(by_a_kill), sorted(first.keys() - by_a_kill)

    def twice_ended(self) -> list[str]:
        """Return what was delivered and filed as a dead letter, too."""
        return sorted(self.delivered.keys() & self.dead_lettered.keys())

    def errors(self) -> dict[str, int]:
        """Return how many dead letters each error has made."""
        return dict(Counter(self.dead_lettered.values()))


async def ends(direct_line: LocalDirectLine, connection: str) -> Ends:
    """Return what has become of all messages until now.

    Raises:
        ServiceUnavailable, aiohttp.ClientError: not all can be asked just now.
    """
    dead_lettered = {}
    account = StorageAccount(storage_location({"AzureWebJobsStorage": connection}))
    try:
        async for row in account.table(DEAD_LETTERS).rows():
            letter = read_dead_letter(row.columns["body"], default_id="")
            dead_lettered[letter.message["text"]] = letter.error
    finally:
        await account.close()
    return Ends(await direct_line.delivered(), dead_lettered)


async def waiting(connection: str) -> int:
    """Return how many messages are on the two queues.

    Raises:
        AzureError: they cannot be asked just now.
    """
    total = 0
    for name in (QUEUE_NAME, POISON_QUEUE_NAME):
        async with QueueClient.from_connection_string(connection, name) as queue:
            with contextlib.suppress(ResourceNotFoundError):  # nothing was put there yet
                properties = await queue.get_queue_properties()
                total += properties.approximate_message_count or 0
    return total


def _in_window(at: datetime, kills: Sequence[datetime]) -> bool:
    return any(timedelta() <= kill - at <= NOTED_WITHIN for kill in kills)
