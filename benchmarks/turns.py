"""One program after the other is talked to, round by round, and what each turn cost it."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.activities import Sayings, answers
from benchmarks.channel import Channel, Said
from benchmarks.load import Load
from benchmarks.outcome import Series, WrongWork
from benchmarks.plan import Plan
from benchmarks.programs import Running

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
    """Rounds of talking with one program."""

    who: str
    program: Running
    about: Conversing
    wall: list[float] = field(default_factory=list, init=False)  # turns a second
    core: list[float] = field(default_factory=list, init=False)  # turns a second of CPU time
    busy: list[float] = field(
        default_factory=list, init=False
    )  # CPU time of the program, of each second
    load: list[float] = field(default_factory=list, init=False)  # the same of the measuring process
    memory: list[float] = field(default_factory=list, init=False)  # MB after the round

    def __post_init__(self) -> None:
        """Begin counting at 0."""
        self._sayings = Sayings(self.about.service_url, self.about.token)

    async def round(self, plan: Plan) -> None:
        """Talk for a while; the warm-up is checked, but not counted."""
        load, channel = Load(self.program.url, plan.connections), self.about.channel
        channel.forget()
        first = self._sayings.said
        await load.run(self._sayings, plan.warm_up)
        warm, used, own = self._sayings.said, self.program.cpu_seconds(), time.process_time()
        seconds = await load.run(self._sayings, plan.seconds)
        used, own = self.program.cpu_seconds() - used, time.process_time() - own
        turns = self._sayings.said - warm
        self.wall.append(turns / seconds)
        self.core.append(turns / max(used, 0.001))
        self.busy.append(used / seconds)
        self.load.append(own / seconds)
        self.memory.append(self.program.memory())
        await self.check(range(first, self._sayings.said))

    async def check(self, numbers: range) -> None:
        """Raise WrongWork unless these messages were answered as they should."""
        check_said(self.about.channel, answers(numbers, self.about.says), self.who)

    @property
    def series(self) -> Series:
        """What is compared."""
        return Series(self.who, "turns per CPU second", self.core)

    def seen(self) -> dict[str, Any]:
        """All that was seen, for the results."""
        return {
            "turns_per_second": Series(self.who, "turns/s", self.wall).to_json(),
            "turns_per_cpu_second": Series(self.who, "turns/s", self.core).to_json(),
            "cpu_utilisation": self.busy,
            "load_generator_utilisation": self.load,
            "memory_mb": self.memory,
        }


async def talk_in_turns(talks: Sequence[Talk], plan: Plan) -> Mapping[str, Talk]:
    """Each round talks with each program once; by whom they are."""
    for _ in range(plan.rounds):
        for talk in talks:
            await talk.round(plan)
    return {talk.who: talk for talk in talks}


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
