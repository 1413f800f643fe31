"""The template's turn: typing, count, queue, acknowledgement; on a real storage emulator."""

import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from azure.storage.queue import TextBase64DecodePolicy
from azure.storage.queue.aio import QueueClient

from benchmarks.channel import Channel, Said
from benchmarks.goals import Sides, WrongWork
from benchmarks.programs import measured
from benchmarks.rounds import Talk, in_turns
from benchmarks.sayings import USERS, text_of
from benchmarks.wire import serving
from bot_logic.contract.envelope import QUEUE_NAME
from local_dev import azurite
from local_dev.ports import free_ports
from local_dev.programs import running

PROGRAMS = {  # by the queue that they put messages on
    "peer-memory": ("benchmarks.peers.sdk_turn", "memory"),
    "peer-blobs": ("benchmarks.peers.sdk_turn", "blobs"),
    QUEUE_NAME: ("benchmarks.ours.app",),
}
AT_ONCE = 32  # messages that a queue hands out in one call
OUT_OF_SIGHT = 600  # seconds that a message once read is not read again


@dataclass
class QueuedTalk(Talk):
    """Rounds in which each message goes onto a queue, too."""

    queue: QueueClient

    async def check(self, numbers: range) -> None:
        """Raise WrongWork unless each was answered, with one typing, and is on the queue once."""
        self.channel.check(self.answers(numbers), self.who, _numbers_apart)
        if len(self.channel) != 2 * len(numbers):
            raise WrongWork(f"{self.who}: not one typing and one text for each message")
        if await self._queued() != Counter(map(text_of, numbers)):
            raise WrongWork(f"{self.who}: the queue does not hold what was said")

    async def _queued(self) -> Counter[str]:
        messages = self.queue.receive_messages(
            messages_per_page=AT_ONCE, visibility_timeout=OUT_OF_SIGHT
        )
        texts = Counter([json.loads(message.content)["text"] async for message in messages])
        await self.queue.clear_messages()
        return texts


async def measure(rounds: int) -> Sides:
    """Measure "turn" and "turn_stored" in the same rounds."""
    channel = Channel()
    async with (
        serving(channel) as channel.url,
        storage_emulator() as connection,
        AsyncExitStack() as stack,
    ):
        talks = []
        for name, command in PROGRAMS.items():
            queue = await stack.enter_async_context(_queue(connection, name))
            await queue.create_queue()
            program = stack.enter_context(measured(*command, AzureWebJobsStorage=connection))
            talks.append(QueuedTalk(name, program, channel, _says, queue))
        rates = await in_turns(talks, rounds)
    return {
        "turn": (rates[QUEUE_NAME], rates["peer-memory"]),
        "turn_stored": (rates[QUEUE_NAME], rates["peer-blobs"]),
    }


@asynccontextmanager
async def storage_emulator() -> AsyncIterator[str]:
    """Run Azurite with no data as long as the block lasts; yield the connection string.

    It is two of them, for each stops for seconds at one half of the work: in memory it sweeps the
    queues' messages once a minute, on disk it writes all the tables' rows every few seconds.
    """
    ports = free_ports(6)
    with (
        tempfile.TemporaryDirectory() as folder,
        running(azurite.program(Path(folder), ports[:3])),
        running(azurite.program(None, ports[3:])),
    ):
        yield azurite.connection_string(ports[0], ports[1], ports[5])


def _queue(connection: str, name: str) -> QueueClient:
    policy = TextBase64DecodePolicy()
    return QueueClient.from_connection_string(connection, name, message_decode_policy=policy)


def _says(number: int) -> str:
    """Return the acknowledgement, with the number of messages in this conversation."""
    count = number // USERS + 1  # users take turns
    return f"{count}: You said {text_of(number)}. Message added to the queue."


def _numbers_apart(said: Counter[Said]) -> Counter[Said]:
    """Take numbers and words apart: one message of a conversation may overtake another."""
    apart: Counter[Said] = Counter()
    for (conversation, text), times in said.items():
        number, _, words = text.partition(": ")
        apart[conversation, number] += times
        apart[conversation, words] += times
    return apart
