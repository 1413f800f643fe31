"""A message to many: a notification, a queue message each, `continue_conversation` in a loop."""

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from benchmarks.channel import Channel, Said
from benchmarks.goals import Sides, WrongWork
from benchmarks.programs import measured
from benchmarks.rounds import SECONDS, WARM_UP, Talk, in_turns
from benchmarks.rows.adapters import Speaker
from benchmarks.rows.turn import storage_emulator
from benchmarks.sayings import text_of
from benchmarks.wire import load, post, serving

RECIPIENTS = {WARM_UP: 250, SECONDS: 2000}
QUICK = 10  # times fewer, to see whether it works


@dataclass
class Broadcaster(Talk):
    """Rounds of telling everybody; counted by CPU time, worker and bot together.

    Attributes:
        recipients: how many, by the seconds of a round's part.
        told: what all of them have to hear in this round.
    """

    recipients: Mapping[float, int] = field(kw_only=True)
    told: Counter[Said] = field(default_factory=Counter, init=False)

    async def prepare(self) -> None:
        """Let the bot know everybody."""
        for count in self.recipients.values():
            order = {"count": count, "serviceUrl": self.channel.url}
            await load(self.program.url, iter([post("/prepare", order)]), connections=1)

    async def round(self) -> None:
        """Tell some, then many."""
        self.told = Counter()
        await super().round()

    async def talk(self, seconds: float) -> None:
        """Order one notification and wait until all have it."""
        count, text = self.recipients[seconds], f"News {self.said}"
        self.told.update((f"c{number:07}", text) for number in range(count))
        order = {"count": count, "text": text, "serviceUrl": self.channel.url}
        await load(self.program.url, iter([post("/broadcast", order)]), connections=1)
        self.said += count

    async def check(self, numbers: range) -> None:
        """Raise WrongWork unless everybody was told once."""
        if len(self.channel) != len(numbers):
            raise WrongWork(f"{self.who}: {len(self.channel)} messages for {len(numbers)}")
        self.channel.check(self.told, self.who)


class Looper(Speaker):
    """The peer: the same number of messages one by one; counted by CPU time, too."""

    def used(self) -> float:
        """Return the CPU time."""
        return self.program.cpu_seconds()


async def measure(rounds: int) -> Sides:
    """Measure "broadcast" and "broadcast_queued" in the same rounds."""
    channel = Channel()
    fewer = 1 if rounds > 1 else QUICK
    sizes = {seconds: count // fewer for seconds, count in RECIPIENTS.items()}
    broadcaster = partial(Broadcaster, channel=channel, says=text_of, recipients=sizes)
    async with serving(channel) as channel.url, storage_emulator() as connection:
        with ExitStack() as stack:
            ours = stack.enter_context(
                measured("benchmarks.ours.broadcast", AzureWebJobsStorage=connection)
            )
            queued = stack.enter_context(
                measured("benchmarks.ours.queued", AzureWebJobsStorage=connection)
            )
            peer = stack.enter_context(measured("benchmarks.peers.sdk_echo"))
            teller = broadcaster("ours", ours)
            await teller.prepare()
            talks = [
                teller,
                broadcaster("queued", queued),
                Looper("peer", peer, channel, text_of),
            ]
            rates = await in_turns(talks, rounds)
    return {
        "broadcast": (rates["ours"], rates["peer"]),
        "broadcast_queued": (rates["ours"], rates["queued"]),
    }
