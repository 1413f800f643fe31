"""Bad weather: what goes wrong at each call of a dependency, decided by one seed."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from bot_logic.errors import AskedToWait, ProactiveBotError, Refused, ServiceUnavailable

T = TypeVar("T")
FROZEN_FOR = 240.0  # seconds
MakeError = Callable[[str, int | None], ProactiveBotError]


class Fault(StrEnum):
    """What can go wrong at a call."""

    SLOW = "slow"  # it takes seconds, and is done
    REFUSED = "refused"  # it is not done, and says so
    LOST_ANSWER = "lost answer"  # it is done, and says that it failed
    THROTTLED = "throttled"  # it is not done, and asks to wait
    HANGS = "hangs"  # it is not done, and nothing is said for as long as the caller waits
    REFUSED_FOR_GOOD = "refused for good"  # it is not done, and never will be
    FROZEN = "frozen"  # the process stands still for longer than a lease, and goes on
    STOPPED = "stopped"  # the process takes no more, ends what it has begun, and is replaced
    KILLED = "killed"  # it is done, or not, and the process that called is gone


@dataclass
class Storm:
    """Some dependency is out of order for some time."""

    calls: str  # how their names begin
    starts: float
    ends: float


@dataclass
class Weather:
    """Decides at each call, until it clears.

    Attributes:
        likely: how likely a fault is at a call.
        happened: the schedule: when, which call, which fault.
        met: how often each kind of fault has met each call.
    """

    dice: random.Random
    likely: float
    storms: list[Storm]
    clears_at: float
    most: int
    happened: list[str] = field(default_factory=list)
    met: Counter[tuple[str, Fault]] = field(default_factory=Counter)
    _thrown: int = 0

    def next(self, call: str, kinds: tuple[Fault, ...]) -> Fault | None:
        """Return what goes wrong at this call, if anything does."""
        now = asyncio.get_running_loop().time()
        if now >= self.clears_at:
            return None
        if any(
            storm.starts <= now < storm.ends and call.startswith(storm.calls)
            for storm in self.storms
        ):
            return self._note(now, call, Fault.REFUSED)
        if not kinds or self._thrown >= self.most or self.dice.random() >= self.likely:
            return None
        self._thrown += 1
        return self._note(now, call, self.dice.choice(kinds))

    def note(self, call: str, fault: Fault) -> None:
        """Write down what went wrong by other hands."""
        self._note(asyncio.get_running_loop().time(), call, fault)

    def _note(self, now: float, call: str, fault: Fault) -> Fault:
        self.met[call, fault] += 1
        if len(self.happened) < 100:
            self.happened.append(f"{now:9.3f} s  {call}: {fault}")
        return fault


def unavailable(what: str, retry_after: int | None) -> ServiceUnavailable:
    return ServiceUnavailable(what, retry_after=retry_after)


class Life:
    """Whether a process lives. Nothing that a dead process asks for is done, or answered."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.death = asyncio.Event()
        self.on_kill: list[Callable[[], None]] = []
        self.on_freeze: list[Callable[[], None]] = []

    def kill(self) -> None:
        """End the process between two instructions."""
        if not self.dead:
            self.dead = True
            for note in self.on_kill:
                note()
            self.death.set()

    async def freeze(self) -> None:
        """Stand still, while others take over what this process had begun."""
        for note in self.on_freeze:
            note()
        await asyncio.sleep(FROZEN_FOR)

    async def lives(self) -> None:
        """Return if the process lives; else never."""
        if self.dead:
            await asyncio.Event().wait()


async def through(
    weather: Weather,
    life: Life,
    call: str,
    kinds: tuple[Fault, ...],
    work: Callable[[], Awaitable[T]],
    *,
    error: MakeError = unavailable,
) -> T:
    """Do what a process asks of a dependency, in this weather."""
    await life.lives()
    fault = weather.next(call, kinds)
    dice = weather.dice
    await asyncio.sleep(0.002 + 0.01 * dice.random())
    match fault:
        case Fault.REFUSED:
            raise error(f"{call}: refused", None)
        case Fault.THROTTLED:
            raise AskedToWait(f"{call}: asked to wait", retry_after=dice.choice((0, 1, 5, 60)))
        case Fault.HANGS:
            await asyncio.sleep(dice.choice((4.9, 9.9)))
            raise error(f"{call}: no answer", None)
        case Fault.SLOW:
            await asyncio.sleep(dice.choice((0.5, 2.0, 4.5)))
        case Fault.REFUSED_FOR_GOOD:
            raise Refused(f"{call}: never")
        case Fault.FROZEN:
            await life.freeze()
        case Fault.KILLED if dice.random() < 0.5:
            life.kill()
    await life.lives()
    result = await work()
    if fault == Fault.KILLED:
        life.kill()
    await life.lives()
    if fault == Fault.LOST_ANSWER:
        raise error(f"{call}: the answer was lost", None)
    return result
