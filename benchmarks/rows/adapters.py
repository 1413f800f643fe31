"""What an adapter takes: echo turns and proactive messages, by the SDK's, by ours, and by none."""

import time
from collections.abc import Callable
from contextlib import ExitStack

from benchmarks.channel import Channel
from benchmarks.goals import Sides
from benchmarks.programs import measured
from benchmarks.rounds import Rates, Talk, in_turns
from benchmarks.sayings import echo_of, text_of
from benchmarks.wire import load, post, serving

PROGRAMS = {
    "peer": ("benchmarks.peers.sdk_echo",),
    "ours": ("benchmarks.ours.app", "echo"),
    "floor": ("benchmarks.peers.floor",),
}
MESSAGES = {"peer": 100, "ours": 1000, "floor": 2000}  # proactive, for each second of a round


class Speaker(Talk):
    """Rounds of having one program speak first; counted by the clock."""

    async def talk(self, seconds: float) -> None:
        """Order all messages of a round at once; the program says them at its own pace."""
        first, count = self.said, int(MESSAGES[self.who] * seconds)
        self.said += count
        order = {"first": first, "count": count, "serviceUrl": self.channel.url}
        await load(self.program.url, iter([post("/speak-first", order)]), connections=1)

    def used(self) -> float:
        """Return the time."""
        return time.perf_counter()


async def measure_echo(rounds: int) -> Sides:
    """Measure "echo" and "floor" in the same rounds: nobody is authenticated."""
    rates = await _rates(Talk, echo_of, rounds)
    return {"echo": (rates["ours"], rates["peer"]), "floor": (rates["ours"], rates["floor"])}


async def measure_authenticated(rounds: int) -> Sides:
    """Measure "echo_auth": each request carries a token that is checked, in both directions."""
    rates = await _rates(Talk, echo_of, rounds, authenticated=True)
    return {"echo_auth": (rates["ours"], rates["peer"])}


async def measure_proactive(rounds: int) -> Sides:
    """Measure "proactive" and "proactive_floor" in the same rounds."""
    rates = await _rates(Speaker, text_of, rounds)
    return {
        "proactive": (rates["ours"], rates["peer"]),
        "proactive_floor": (rates["ours"], rates["floor"]),
    }


async def _rates(
    talk: type[Talk], says: Callable[[int], str], rounds: int, *, authenticated: bool = False
) -> Rates:
    channel = Channel()
    async with serving(channel) as channel.url:
        settings = channel.authenticate() if authenticated else {}
        with ExitStack() as stack:
            talks = [
                talk(who, stack.enter_context(measured(*command, **settings)), channel, says)
                for who, command in PROGRAMS.items()
                if who != "floor" or not authenticated
            ]
            return await in_turns(talks, rounds)
