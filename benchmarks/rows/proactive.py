"""Proactive messages: how many a second the bot's process sends, alone and with all safeguards."""

import json
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

from benchmarks.activities import answers
from benchmarks.channel import Channel
from benchmarks.load import Load
from benchmarks.outcome import Outcome, Series, compared
from benchmarks.plan import Plan
from benchmarks.programs import Program, Running, running
from benchmarks.raw_http import head_of, serving
from benchmarks.settings import SETTINGS
from benchmarks.storage import storage_emulator
from benchmarks.triggers import DELIVERED, Triggers
from benchmarks.turns import check_said
from benchmarks.users import text_of

IN_FLIGHT = 24  # triggers, as many as one instance has by host.json
ENDLESS = float(sys.maxsize)  # seconds; the number of messages ends a round

# Messages of a round, in parts of the plan's; the slow ones do not have to send as many.
SHARES = {"peer": 0.1, "trigger": 0.5, "ours": 1.0, "floor": 2.0}
PROGRAMS = {
    "peer": "benchmarks.peers.sdk_proactive",
    "ours": "benchmarks.ours.app",
    "floor": "benchmarks.peers.floor_proactive",
}


@dataclass
class Speaker:
    """Rounds of having one program speak first."""

    who: str
    program: Running
    channel: Channel
    service_url: str
    wall: list[float] = field(default_factory=list, init=False)  # messages a second
    core: list[float] = field(default_factory=list, init=False)  # messages a second of CPU time
    _next: int = field(default=0, init=False)

    async def round(self, plan: Plan) -> None:
        """Some messages to warm up, then those that count; each is checked."""
        count = max(int(plan.messages * SHARES[self.who]), 1)
        await self._measure(max(count // 10, 1))
        seconds, used = await self._measure(count)
        self.wall.append(count / seconds)
        self.core.append(count / max(used, 0.001))

    async def send(self, numbers: range) -> None:
        """Have the program say these messages, at its own pace."""
        order = {"first": numbers.start, "count": len(numbers), "serviceUrl": self.service_url}
        body = json.dumps(order).encode()
        request = head_of("/speak-first", len(body)) + body
        await Load(self.program.url, 1).run(iter([request]), ENDLESS)

    def says(self, number: int) -> str:
        """What the user reads."""
        return text_of(number)

    @property
    def series(self) -> Series:
        """What is compared."""
        return Series(self.who, "messages/s", self.wall)

    async def _measure(self, count: int) -> tuple[float, float]:
        numbers, self._next = range(self._next, self._next + count), self._next + count
        self.channel.forget()
        self.prepare(numbers)
        started, used = time.perf_counter(), self.program.cpu_seconds()
        await self.send(numbers)
        seconds, used = time.perf_counter() - started, self.program.cpu_seconds() - used
        check_said(self.channel, answers(numbers, self.says), self.who)
        return seconds, used

    def prepare(self, numbers: range) -> None:
        """Whatever the measured time is not to hold."""


class TriggeredSpeaker(Speaker):
    """Speaks because of signed triggers: verified, claimed, said, noted."""

    _requests: Iterator[bytes]

    def prepare(self, numbers: range) -> None:
        """Sign."""
        triggers = Triggers(self.service_url)
        self._requests = iter([triggers.request(number) for number in numbers])

    async def send(self, numbers: range) -> None:  # noqa: ARG002 - prepared
        """Post them to the bot's endpoint."""
        await Load(self.program.url, IN_FLIGHT).run(self._requests, ENDLESS)

    def says(self, number: int) -> str:
        """What the bot says when the queue brings something back."""
        return DELIVERED + text_of(number)


async def measure(keys: Collection[str], plan: Plan) -> list[Outcome]:
    """The rows "proactive", "proactive_floor" and "trigger", all from the same rounds."""
    others = {"proactive": "peer", "proactive_floor": "floor", "trigger": "floor"}
    speakers = await _speak_in_turns(plan)
    seen = {who: {"messages_per_cpu_second": speaker.core} for who, speaker in speakers.items()}
    return [
        compared(
            key,
            replace(speakers["trigger" if key == "trigger" else "ours"].series, who="ours"),
            speakers[other].series,
            seen,
        )
        for key, other in others.items()
        if key in keys
    ]


async def _speak_in_turns(plan: Plan) -> dict[str, Speaker]:
    channel = Channel()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(channel))
        connection = await stack.enter_async_context(storage_emulator())
        settings = {**SETTINGS, "AzureWebJobsStorage": connection}
        processes = {
            who: await stack.enter_async_context(running(Program(module, (), settings)))
            for who, module in PROGRAMS.items()
        }
        speakers = {who: Speaker(who, each, channel, url) for who, each in processes.items()}
        speakers["trigger"] = TriggeredSpeaker("trigger", processes["ours"], channel, url)
        for _ in range(plan.rounds):
            for speaker in speakers.values():
                await speaker.round(plan)
        return speakers
