"""A message to many: a notification, a queue message each, `continue_conversation` in a loop."""

from collections import Counter
from contextlib import ExitStack

from benchmarks.channel import Channel, Said
from benchmarks.goals import Sides, WrongWork
from benchmarks.programs import measured
from benchmarks.rounds import Talk, in_turns
from benchmarks.rows.adapters import Speaker
from benchmarks.rows.turn import storage_emulator
from benchmarks.sayings import text_of
from benchmarks.wire import load, post, serving

RECIPIENTS = {0.3: 250, 1.0: 2000}  # by the seconds of a round's two parts


class Broadcaster(Talk):
    """Rounds of telling everybody; counted by CPU time, worker and bot together."""

    told: Counter[Said]

    async def prepare(self) -> None:
        """Let the bot know everybody."""
        for count in RECIPIENTS.values():
            order = {"count": count, "serviceUrl": self.channel.url}
            await load(self.program.url, iter([post("/prepare", order)]), connections=1)

    async def round(self) -> None:
        """Tell some, then many."""
        self.told = Counter()
        await super().round()

    async def talk(self, seconds: float) -> None:
        """Order one notification and wait until all have it."""
        count, text = RECIPIENTS[seconds], f"News {self.said}"
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
    async with serving(channel) as channel.url, storage_emulator() as connection:
        with ExitStack() as stack:
            ours = stack.enter_context(
                measured("benchmarks.ours.broadcast", AzureWebJobsStorage=connection)
            )
            queued = stack.enter_context(
                measured("benchmarks.ours.queued", AzureWebJobsStorage=connection)
            )
            peer = stack.enter_context(measured("benchmarks.peers.sdk_echo"))
            teller = Broadcaster("ours", ours, channel, text_of)
            await teller.prepare()
            talks = [
                teller,
                Broadcaster("queued", queued, channel, text_of),
                Looper("peer", peer, channel, text_of),
            ]
            rates = await in_turns(talks, rounds)
    return {
        "broadcast": (rates["ours"], rates["peer"]),
        "broadcast_queued": (rates["ours"], rates["queued"]),
    }
