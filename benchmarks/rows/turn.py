"""The template's turn: typing, count, queue, acknowledgement; on a real storage emulator."""

from collections import Counter
from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass

from azure.storage.queue.aio import QueueClient

from benchmarks.activities import answers
from benchmarks.channel import Channel, Said
from benchmarks.outcome import Outcome, WrongWork, compared
from benchmarks.plan import Plan
from benchmarks.programs import Program, running
from benchmarks.raw_http import serving
from benchmarks.settings import SETTINGS
from benchmarks.storage import existing_queue, queued_texts, storage_emulator
from benchmarks.turns import Conversing, Talk, check_said, talk_in_turns
from benchmarks.users import USERS, text_of
from bot_logic.envelope import QUEUE_NAME

PEER = "benchmarks.peers.sdk_turn"


@dataclass
class QueuedTalk(Talk):
    """Rounds in which each message goes onto a queue, too."""

    queue: QueueClient

    async def check(self, numbers: range) -> None:
        """Each counted and answered, with one typing, and each once on the queue."""
        expected = answers(numbers, self.about.says)
        check_said(self.about.channel, expected, self.who, numbers_apart)
        if len(self.about.channel) != 2 * len(numbers):
            raise WrongWork(f"{self.who}: not one typing and one text for each message")
        if await queued_texts(self.queue) != Counter(map(text_of, numbers)):
            raise WrongWork(f"{self.who}: the queue does not hold what was said")


def numbers_apart(said: Counter[Said]) -> Counter[Said]:
    """The numbers and the words of each conversation: one message may overtake another."""
    apart: Counter[Said] = Counter()
    for (conversation, text), times in said.items():
        number, _, words = text.partition(": ")
        apart[conversation, number] += times
        apart[conversation, words] += times
    return apart


async def measure(keys: Collection[str], plan: Plan) -> list[Outcome]:
    """The rows "turn" and "turn_stored", both from the same rounds."""
    channel = Channel()
    async with AsyncExitStack() as stack:
        about = Conversing(channel, await stack.enter_async_context(serving(channel)), says)
        connection = await stack.enter_async_context(storage_emulator())
        settings = {**SETTINGS, "AzureWebJobsStorage": connection}
        talks = []
        for who, queue_name, program in (
            ("peer", "peer", Program(PEER, ("peer", "memory"), settings)),
            ("peer_stored", "peer-stored", Program(PEER, ("peer-stored", "blobs"), settings)),
            ("ours", QUEUE_NAME, Program("benchmarks.ours.app", (), settings)),
        ):
            queue = await stack.enter_async_context(existing_queue(connection, queue_name))
            process = await stack.enter_async_context(running(program))
            talks.append(QueuedTalk(who, process, about, queue))
        by_name = await talk_in_turns(talks, plan)
    return [
        compared(
            key,
            by_name["ours"].series,
            by_name[other].series,
            {who: by_name[who].seen() for who in (other, "ours")},
        )
        for key, other in (("turn", "peer"), ("turn_stored", "peer_stored"))
        if key in keys
    ]


def says(number: int) -> str:
    """The bot's acknowledgement, with the number of messages in this conversation."""
    count = number // USERS + 1  # users take turns
    return f"{count}: You said {text_of(number)}. Message added to the queue."
