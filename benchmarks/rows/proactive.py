"""Proactive messages: how many a second the bot's process sends, alone and with all safeguards."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from benchmarks.activities import answers
from benchmarks.channel import Channel
from benchmarks.load import Load
from benchmarks.outcome import Outcome, compared
from benchmarks.plan import Plan
from benchmarks.programs import Program, Running, running
from benchmarks.raw_http import head_of, serving
from benchmarks.settings import SETTINGS
from benchmarks.storage import storage_emulator
from benchmarks.triggers import DELIVERED, trigger
from benchmarks.turns import check_said
from benchmarks.users import text_of

IN_FLIGHT = 24  # triggers, as many as one instance has by host.json
ENDLESS = float(sys.maxsize)  # seconds; the number of messages ends a round
UNIT = "messages/s"

PROGRAMS = {
    "peer": "benchmarks.peers.sdk_proactive",
    "ours": "benchmarks.ours.app",
    "floor": "benchmarks.peers.floor",
}
# Messages of a round, in parts of the plan's; the slow ones do not have to send as many.
SHARES = {"peer": 0.1, "trigger": 0.5, "ours": 1.0, "floor": 2.0}


@dataclass
class Speaker:
    """Rounds of having one program speak first.

    Attributes:
        rates: messages a second, one for each round.
    """

    who: str
    program: Running
    channel: Channel
    service_url: str
    connections: int = 1
    words: str = ""
    rates: list[float] = field(default_factory=list, init=False)
    _next: int = field(default=0, init=False)

    async def round(self, plan: Plan) -> None:
        """Have it say some messages to warm up, then those that count; each is checked."""
        count = max(int(plan.messages * SHARES[self.who]), 1)
        await self._seconds(max(count // 10, 1))
        self.rates.append(count / await self._seconds(count))

    def requests(self, numbers: range) -> Iterator[bytes]:
        """Order all of these messages at once; the program says them at its own pace."""
        order = {"first": numbers.start, "count": len(numbers), "serviceUrl": self.service_url}
        body = json.dumps(order).encode()
        return iter([head_of("/speak-first", len(body)) + body])

    async def _seconds(self, count: int) -> float:
        numbers, self._next = range(self._next, self._next + count), self._next + count
        self.channel.forget()
        requests, load = self.requests(numbers), Load(self.program.url, self.connections)
        started = time.perf_counter()
        await load.run(requests, ENDLESS)
        seconds = time.perf_counter() - started
        expected = answers(numbers, lambda number: self.words + text_of(number))
        check_said(self.channel, expected, self.who)
        return seconds


class TriggeredSpeaker(Speaker):
    """Speaks because of signed triggers, each delivered once."""

    def requests(self, numbers: range) -> Iterator[bytes]:
        """Sign each, before the time is taken."""
        return iter([trigger(number, self.service_url) for number in numbers])


async def measure(plan: Plan) -> list[Outcome]:
    """Measure "proactive", "proactive_floor" and "trigger" in the same rounds."""
    channel = Channel()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(channel))
        connection = await stack.enter_async_context(storage_emulator())
        settings = SETTINGS | {"AzureWebJobsStorage": connection}
        processes = {
            who: await stack.enter_async_context(running(Program(module, (), settings)))
            for who, module in PROGRAMS.items()
        }
        speakers = [Speaker(who, each, channel, url) for who, each in processes.items()]
        speakers.append(
            TriggeredSpeaker("trigger", processes["ours"], channel, url, IN_FLIGHT, DELIVERED)
        )
        for _ in range(plan.rounds):
            for speaker in speakers:
                await speaker.round(plan)
    rates = {speaker.who: speaker.rates for speaker in speakers}
    return [
        compared("proactive", UNIT, rates["ours"], rates["peer"]),
        compared("proactive_floor", UNIT, rates["ours"], rates["floor"]),
        compared("trigger", UNIT, rates["trigger"], rates["floor"]),
    ]
