"""One program after the other is talked to, round by round, and what each turn cost it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.channel import Channel, Said
from benchmarks.programs import Measured
from benchmarks.sayings import activity, conversation_of
from benchmarks.wire import load, post

SECONDS = 1.0  # of a round
WARM_UP = 0.3  # seconds before it
CONNECTIONS = 16  # of the load generator, one request under way on each

Rates = Mapping[str, Sequence[float]]  # by who


@dataclass
class Talk:
    """Rounds of talking with one program.

    Attributes:
        says: what it has to say to a message of this number.
        rates: turns a second of its CPU time, one for each round.
        said: how many messages there were; their numbers are below this.
    """

    who: str
    program: Measured
    channel: Channel
    says: Callable[[int], str]
    rates: list[float] = field(default_factory=list, init=False)
    said: int = field(default=0, init=False)

    async def round(self) -> None:
        """Talk for a while; the warm-up is checked, but not counted."""
        self.channel.forget()
        first = self.said
        await self.talk(WARM_UP)
        warm, used = self.said, self.used()
        await self.talk(SECONDS)
        self.rates.append((self.said - warm) / max(self.used() - used, 0.001))
        await self.check(range(first, self.said))

    async def talk(self, seconds: float) -> None:
        """Say one thing after the other."""
        await load(self.program.url, self._requests(), CONNECTIONS, seconds)

    def used(self) -> float:
        """Return what the work is counted by, seconds."""
        return self.program.cpu_seconds()

    async def check(self, numbers: range) -> None:
        """Raise WrongWork unless these messages were answered as they should."""
        self.channel.check(self.answers(numbers), self.who)

    def answers(self, numbers: range) -> Counter[Said]:
        """Return what it has to have said to these messages, and where."""
        return Counter((conversation_of(number), self.says(number)) for number in numbers)

    def _requests(self) -> Iterator[bytes]:
        token = self.channel.token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        while True:
            number, self.said = self.said, self.said + 1
            yield post("/api/messages", activity(number, self.channel.url), **headers)


async def in_turns(talks: Sequence[Talk], rounds: int) -> Rates:
    """Let each round talk with each program once; return their rates."""
    for _ in range(rounds):
        for talk in talks:
            await talk.round()
    return {talk.who: talk.rates for talk in talks}
