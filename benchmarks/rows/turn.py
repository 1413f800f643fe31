"""The template's turn: typing, count, queue, acknowledgement; on a real storage emulator."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from azure.storage.queue.aio import QueueClient

from benchmarks.activities import answers
from benchmarks.channel import Channel, Said
from benchmarks.outcome import Outcome, WrongWork, compared
from benchmarks.plan import Plan
from benchmarks.programs import Program, Running, running
from benchmarks.raw_http import serving
from benchmarks.settings import SETTINGS
from benchmarks.storage import existing_queue, queued_texts, storage_emulator
from benchmarks.turns import UNIT, Conversing, Talk, check_said, talk_in_turns
from benchmarks.users import USERS, text_of
from bot_logic.contract.envelope import QUEUE_NAME

PEER = "benchmarks.peers.sdk_turn"


@dataclass
class QueuedTalk(Talk):
    """Rounds in which each message goes onto a queue, too."""

    queue: QueueClient

    async def check(self, numbers: range) -> None:
        """Raise WrongWork unless each was answered, with one typing, and is on the queue once."""
        expected = answers(numbers, self.about.says)
        check_said(self.about.channel, expected, self.who, _numbers_apart)
        if len(self.about.channel) != 2 * len(numbers):
            raise WrongWork(f"{self.who}: not one typing and one text for each message")
        if await queued_texts(self.queue) != Counter(map(text_of, numbers)):
            raise WrongWork(f"{self.who}: the queue does not hold what was said")


@dataclass(frozen=True)
class TurnScene:
    """A channel and a storage emulator, and the programs that are started on them."""

    about: Conversing
    settings: Mapping[str, str]
    stack: AsyncExitStack

    async def run(self, program: Program) -> Running:
        """Start a program, until the scene ends."""
        return await self.stack.enter_async_context(running(program))

    async def talk(self, who: str, module: str, queue_name: str, *arguments: str) -> QueuedTalk:
        """Start a program that puts what it hears on this queue."""
        connection = self.settings["AzureWebJobsStorage"]
        queue = await self.stack.enter_async_context(existing_queue(connection, queue_name))
        process = await self.run(Program(module, arguments, self.settings))
        return QueuedTalk(who, process, self.about, queue)


@asynccontextmanager
async def turn_scene() -> AsyncIterator[TurnScene]:
    """Set the scene as long as the block lasts."""
    async with (
        serving(channel := Channel()) as url,
        storage_emulator() as connection,
        AsyncExitStack() as stack,
    ):
        settings = SETTINGS | {"AzureWebJobsStorage": connection}
        yield TurnScene(Conversing(channel, url, _acknowledgement), settings, stack)


async def measure(plan: Plan) -> list[Outcome]:
    """Measure "turn" and "turn_stored" in the same rounds."""
    async with turn_scene() as scene:
        talks = [
            await scene.talk("peer", PEER, "peer", "peer", "memory"),
            await scene.talk("peer, stored", PEER, "peer-stored", "peer-stored", "blobs"),
            await scene.talk("ours", "benchmarks.ours.app", QUEUE_NAME),
        ]
        rates = await talk_in_turns(talks, plan)
    return [
        compared("turn", UNIT, rates["ours"], rates["peer"]),
        compared("turn_stored", UNIT, rates["ours"], rates["peer, stored"]),
    ]


def _acknowledgement(number: int) -> str:
    """Return what the bot says, with the number of messages in this conversation."""
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
