"""One program after the other is talked to, round by round, and what each turn cost it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.activities import Sayings, answers
from benchmarks.channel import Channel, Said
from benchmarks.load import Load
from benchmarks.outcome import WrongWork
from benchmarks.plan import Plan
from benchmarks.programs import Running

UNIT = "turns per CPU second"
MAX_SHOWN = 3  # wrong texts in an error message


@dataclass(frozen=True)
class Conversing:
    """What all programs of a row are told, and have to say to it."""

    channel: Channel
    service_url: str
    says: Callable[[int], str]
    token: str = ""


@dataclass
class Talk:
    """Rounds of talking with one program.

    Attributes:
        rates: turns a second of the program's CPU time, one for each round.
    """

    who: str
    program: Running
    about: Conversing
    rates: list[float] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Begin counting at 0."""
        self._sayings = Sayings(self.about.service_url, self.about.token)

    async def round(self, plan: Plan) -> None:
        """Talk for a while; the warm-up is checked, but not counted."""
        load = Load(self.program.url, plan.connections)
        self.about.channel.forget()
        first = self._sayings.said
        await load.run(self._sayings, plan.warm_up)
        warm, used = self._sayings.said, self.program.cpu_seconds()
        await load.run(self._sayings, plan.seconds)
        used = self.program.cpu_seconds() - used
        self.rates.append((self._sayings.said - warm) / max(used, 0.001))
        await self.check(range(first, self._sayings.said))

    async def check(self, numbers: range) -> None:
        """Raise WrongWork unless these messages were answered as they should."""
        check_said(self.about.channel, answers(numbers, self.about.says), self.who)


async def talk_in_turns(talks: Sequence[Talk], plan: Plan) -> Mapping[str, Sequence[float]]:
    """Let each round talk with each program once; return their rates, by who they are."""
    for _ in range(plan.rounds):
        for talk in talks:
            await talk.round(plan)
    return {talk.who: talk.rates for talk in talks}


def check_said(
    channel: Channel,
    expected: Counter[Said],
    who: str,
    read: Callable[[Counter[Said]], Counter[Said]] = Counter,
) -> None:
    """Raise WrongWork unless exactly this was said, and by nobody but the bot.

    Args:
        channel: what was said.
        expected: what should have been.
        who: should have said it.
        read: what matters of it.
    """
    said, expected = read(channel.said()), read(expected)
    if said != expected:
        missing, surplus = expected - said, said - expected
        raise WrongWork(
            f"{who}: {missing.total()} texts are missing, {surplus.total()} too many: "
            f"{list(missing)[:MAX_SHOWN]}, {list(surplus)[:MAX_SHOWN]}"
        )
    if stranger := channel.without_token():
        raise WrongWork(f"{who}: {stranger} activities came without the bot's access token")
