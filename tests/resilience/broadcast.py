"""A broadcast through the running app on a very bad day: who is left out, who is told twice?

    make chaos-broadcast                                   5,000 people, three kills
    make chaos-broadcast CHAOS="--recipients 500 --seed 7"  other sizes, other dice
    make chaos-broadcast CHAOS="--faults 0 --kills 0 --blips 0 --rate 48"  a quiet day, for its pace

A tenant of Teams is told something, on the stand-in connector with Teams' limits, while everything
fails at once: Direct Line and the channel as `faults` says, two Functions hosts, which are killed
in turns, and the storage emulator, which is stopped for seconds. At the end each recipient must
have been told once, or have an outcome that says why not; twice only who was told in the moment
before a kill.

The timer that wakes lanes with nobody at work comes every 10 seconds here, not every five minutes.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot_logic.errors import ServiceUnavailable
from bot_logic.notifications.notification import State
from bot_logic.notifications.orders import Report
from bot_logic.notifications.outcomes import Outcome
from bot_logic.settings import Settings
from bot_logic.wiring import Wiring
from local_dev import programs, settings_file
from local_dev.direct_line.faults import Faults, Rule
from local_dev.ports import free_ports
from local_dev.processes import Processes
from local_dev.readiness import listening
from local_dev.run import TRACES, Ports, Stack, prepare
from local_dev.teams_connector import TeamsConnector, running
from local_dev.teams_connector.limits import OVERALL, Limits
from local_dev.teams_connector.refusals import Refusal
from tests.functional import teams
from tests.resilience import chaos
from tests.resilience.local_direct_line import LocalDirectLine

PATIENCE: Final = 1800.0  # seconds until everyone has an outcome
WOKEN_EVERY: Final = 10.0  # seconds
JUST_BEFORE: Final = 2.0  # seconds before a kill: a note is due every second, and takes its time
FLOWING: Final = 0.2  # seconds since the last message
POLLED_EVERY: Final = 0.05  # seconds
UNLIMITED: Final = 10**6  # requests a second
UNLIMITED_GUESS: Final = 500  # deliveries a second, for spreading what happens meanwhile
OF_THE_CHANNEL: Final = "bot_send"


@dataclass(frozen=True)
class Plan:
    """How much of it; `rate` is in messages a second, and 0 is without a limit."""

    recipients: int = 5000
    rate: int = 45
    kills: int = 3
    blips: int = 3
    faults: int = 1
    seed: int = 1

    @property
    def seconds(self) -> float:
        """About how long it takes in good weather."""
        return self.recipients / (self.rate or UNLIMITED_GUESS)


@dataclass
class Told:
    """What became of the broadcast; lists hold conversations."""

    state: str
    counts: dict[str, int]
    left_out: list[str]
    doubled_by_a_kill: list[str]
    doubled: list[str]
    widest_window: float
    seconds: float
    per_second: float
    busiest_second: int
    violations: dict[str, int]
    storage_requests: int
    faults_hit: dict[str, int]

    def table(self) -> str:
        """Return it as a Markdown table."""
        rows = {
            "state": self.state,
            "outcomes": ", ".join(f"{count} {name}" for name, count in self.counts.items()),
            "left out": len(self.left_out),
            "told twice, a host killed in between": len(self.doubled_by_a_kill),
            "told twice for another reason": len(self.doubled),
            "longest time from the first of two to the kill": f"{self.widest_window:.2f} s",
            "from the order to the last outcome": f"{self.seconds:.1f} s",
            "messages a second, from the first to the last": f"{self.per_second:.1f}",
            "requests in the busiest second": self.busiest_second,
            "requests above a limit": sum(self.violations.values()),
            "storage requests, all hosts' polling among them": self.storage_requests,
            **{f"faults: {name}": count for name, count in self.faults_hit.items()},
        }
        return "\n".join(
            ["| what | how many |", "|---|---|"] + [f"| {k} | {v} |" for k, v in rows.items()]
        )


class Storage:
    """The storage emulator, which says how many requests it was sent."""

    def __init__(self, stack: Stack) -> None:
        azurite = stack.programs()[0]
        command = [each for each in azurite.command if each != "--silent"]
        self._program = replace(azurite, command=command)
        self._before = 0
        self._running = programs.start(self._program)

    @property
    def requests(self) -> int:
        """How many it has answered so far."""
        return self._before + self._running.printed.count("HTTP/1.1")

    def stop(self) -> None:
        """End it; what is stored stays."""
        self._running.stop()
        self._before = self.requests

    def start(self) -> None:
        """Start it again."""
        self._before = self.requests
        self._running = programs.start(self._program)


class Broadcast:
    """The app with all that it depends on, one notification, and the means to make them fail."""

    def __init__(self, stack: Stack, plan: Plan, teams_connector: TeamsConnector) -> None:
        self._plan, self._connector = plan, teams_connector
        self._storage = Storage(stack)
        self._processes = Processes()
        _, direct_line, host = stack.programs()
        rates = {"ChannelRates": f"msteams={plan.rate}" if plan.rate else "none=1", TRACES: "none"}
        host = replace(
            host,
            ready=listening(stack.ports.functions),
            environment={**host.environment, **rates},
        )
        self._hosts = (host, chaos.without_http(host, free_ports(1)[0]))
        self._programs = (direct_line, *self._hosts)
        self._direct_line_url = f"http://localhost:{stack.ports.chat}"
        self._api = f"http://localhost:{stack.ports.functions}/api/notifications"
        environ = {**settings_file.read(), **host.environment}
        self._wiring = Wiring(Settings.from_environment(environ))
        self._kills: list[tuple[float, float]] = []
        self._done = False

    async def run(self, session: aiohttp.ClientSession) -> Told:
        """Carry out the plan and count.

        Raises:
            TimeoutError: somebody has no outcome in time.
        """
        plan = self._plan
        try:
            await teams.met(self._wiring.conversations, self._connector.url, plan.recipients)
            for program in self._programs:
                await self._processes.start(program)
            direct_line = LocalDirectLine(session, self._direct_line_url)
            if plan.faults:
                await direct_line.call("POST", "/local/faults", _of_direct_line(plan.seed))
            requests, started = self._storage.requests, time.monotonic()
            notification = await self._order(session)
            async with self._woken():
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._mistreat())
                    ending = group.create_task(self._until_done(notification))
                report, seconds = ending.result(), time.monotonic() - started
            requests = self._storage.requests - requests
            hits = await direct_line.call("GET", "/local/faults")
            return await self._told(report, seconds, requests, hits)
        finally:
            await self._processes.stop_all()
            await self._wiring.close()
            await asyncio.to_thread(self._storage.stop)

    async def _order(self, session: aiohttp.ClientSession) -> str:
        body = {"to": {"channel": "msteams"}, "text": "News"}
        async with session.post(self._api, json=body) as answer:
            answer.raise_for_status()
            return str((await answer.json())["id"])

    async def _mistreat(self) -> None:
        plan, dice = self._plan, random.Random(self._plan.seed)  # noqa: S311 - not cryptography
        kills = [self._kill] * plan.kills
        misfortunes = [*kills, *[self._interrupt_storage] * plan.blips]
        dice.shuffle(misfortunes)
        for misfortune in misfortunes:
            await asyncio.sleep(plan.seconds / len(misfortunes) * dice.uniform(0.4, 0.9))
            await misfortune(dice)

    async def _kill(self, _dice: random.Random) -> None:
        host = self._hosts[len(self._kills) % len(self._hosts)]
        await self._sending()
        before = time.time()
        await self._processes.kill(host.name)
        self._kills.append((before, time.time()))
        await self._processes.start(host)

    async def _sending(self) -> None:
        """Wait until messages flow, as a kill at another time proves nothing; or until the end."""
        taken = self._connector.taken
        while True:
            if self._done or (taken and time.time() - taken[-1].at < FLOWING):
                return
            await asyncio.sleep(POLLED_EVERY)

    async def _interrupt_storage(self, dice: random.Random) -> None:
        await asyncio.to_thread(self._storage.stop)
        await asyncio.sleep(dice.uniform(0, 4))
        await asyncio.to_thread(self._storage.start)

    @asynccontextmanager
    async def _woken(self) -> AsyncIterator[None]:
        """Do what the app's timer does, more often."""

        async def wake() -> None:
            while True:
                await asyncio.sleep(WOKEN_EVERY)
                with contextlib.suppress(ServiceUnavailable):
                    await self._wiring.wake_ups.wake_what_waits()

        waking = asyncio.create_task(wake())
        try:
            yield
        finally:
            waking.cancel()

    async def _until_done(self, notification: str) -> Report:
        async with asyncio.timeout(PATIENCE):
            while True:
                await asyncio.sleep(1)
                with contextlib.suppress(ServiceUnavailable):
                    report = await self._wiring.notifications.orders.report(notification)
                    if report is not None and report.state == State.DONE:
                        self._done = True
                        return report

    async def _told(
        self, report: Report, seconds: float, requests: int, hits: list[dict[str, Any]]
    ) -> Told:
        times = defaultdict[str, list[float]](list)
        for taken in self._connector.taken:
            times[taken.conversation].append(taken.at)
        failed = await self._failed(report.notification.id)
        everyone = {teams.conversation_of(number) for number in range(self._plan.recipients)}
        twice = {name: min(each) for name, each in times.items() if len(each) > 1}
        windows = {name: self._until_a_kill(first) for name, first in twice.items()}
        by_a_kill = {name: each for name, each in windows.items() if each is not None}
        span = self._connector.taken[-1].at - self._connector.taken[0].at
        return Told(
            state=report.state,
            counts={name: count for name, count in report.counts.items() if count},
            left_out=sorted(everyone - times.keys() - failed),
            doubled_by_a_kill=sorted(by_a_kill),
            doubled=sorted(twice.keys() - by_a_kill.keys()),
            widest_window=max(by_a_kill.values(), default=0.0),
            seconds=seconds,
            per_second=len(self._connector.taken) / span,
            busiest_second=self._connector.limits.busiest,
            violations=dict(self._connector.violations),
            storage_requests=requests,
            faults_hit={chaos.name_of(rule): rule["hits"] for rule in hits},
        )

    async def _failed(self, notification: str) -> set[str]:
        """Return the conversations whose outcome says why they were not told."""
        names = {
            teams.key_of(number): teams.conversation_of(number)
            for number in range(self._plan.recipients)
        }
        return {
            names[each.key]
            async for _, page in self._wiring.notifications.orders.recipients(notification)
            for each in page
            if each.outcome.is_failure and each.outcome != Outcome.GIVEN_UP
        }

    def _until_a_kill(self, at: float) -> float | None:
        """Return how long before a kill this was, if it was just before one."""
        for before, after in self._kills:
            if before - JUST_BEFORE <= at <= after:
                return max(0.0, before - at)
        return None


def _of_direct_line(seed: int) -> list[dict[str, Any]]:
    return [rule for rule in chaos.faults(seed) if rule["on"] != OF_THE_CHANNEL]


def of_the_channel(seed: int) -> list[dict[str, Any]]:
    """Say what goes wrong in the channel; its 429 are rarer, as each holds the whole lane."""
    rules = [rule for rule in chaos.faults(seed) if rule["on"] == OF_THE_CHANNEL]
    return [
        rule | {"probability": 0.01}
        if rule.get("status") == web.HTTPTooManyRequests.status_code
        else rule
        for rule in rules
    ]


def failing(faults: Faults) -> Middleware:
    """Make the middleware that lets a connector fail by these rules."""

    @web.middleware
    async def fail(request: web.Request, handler: Handler) -> web.StreamResponse:
        rule = faults.pick(OF_THE_CHANNEL if request.path.startswith("/v3/") else "")
        if rule is None:
            return await handler(request)
        await asyncio.sleep(rule.delay)
        if not rule.status:
            return await handler(request)
        body = {"error": {"code": rule.code}}
        if rule.code == Refusal.BLOCKED:
            body = Refusal.BLOCKED.body()
        return web.json_response(body, status=rule.status, headers=dict(rule.headers))

    return fail


async def run(plan: Plan) -> Told:
    """Carry out a plan on programs of its own, with data that nobody keeps.

    Raises:
        ProcessError: a program is missing or does not start.
        TimeoutError: somebody has no outcome in time.
    """
    faults = Faults()
    if plan.faults:
        faults.rules += [Rule(**rule) for rule in of_the_channel(plan.seed)]
    limits = Limits(OVERALL) if plan.rate else Limits(UNLIMITED)
    with tempfile.TemporaryDirectory() as data:
        ports = Ports(*free_ports(len(vars(Ports()))))
        stack = Stack(ports, Path(data), lock_seconds=chaos.LOCK_SECONDS)
        prepare(stack)
        async with (
            running(TeamsConnector(limits), failing(faults)) as connector,
            aiohttp.ClientSession() as session,
        ):
            told = await Broadcast(stack, plan, connector).run(session)
    told.faults_hit |= {chaos.name_of(rule): rule["hits"] for rule in faults.listing()}
    return told


def main() -> int:
    """Print what became of it; return 1 if somebody was left out or told twice without a kill."""
    parser = argparse.ArgumentParser(prog="make chaos-broadcast", description=__doc__)
    for name, value in vars(Plan()).items():
        parser.add_argument(f"--{name}", type=int, default=value)
    plan = Plan(**vars(parser.parse_args()))
    told = asyncio.run(run(plan))
    sys.stdout.write(f"\n{plan}\n\n{told.table()}\n")
    return 1 if told.left_out or told.doubled else 0


if __name__ == "__main__":
    sys.exit(main())
