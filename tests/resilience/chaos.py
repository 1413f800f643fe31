"""Messages through the running app on a very bad day: what is lost, what is doubled?

    make chaos                             1,000 messages of 50 users
    make chaos CHAOS="--seed 7 --kills 1"  other dice, other sizes
    make chaos CHAOS="--outages 1"         and storage away for 40 s, which ends the hosts
    make chaos CHAOS="--queue-host PATH"   with Microsoft's queue listener; takes 15 minutes

Users talk to the bot while everything fails at once: Direct Line and the channel as `faults` says,
two Functions hosts, one of which is killed again and again, and the storage emulator, which is
stopped for seconds. A user who sees no acknowledgement says it again, in words of their own. At the
end each message that was acknowledged must have been delivered once, or be filed as a dead letter
with a reason. The seed makes the faults' dice repeatable; the order in which messages meet them is
not.

With Microsoft's listener it is that listener, or the process in which it calls the functions, that
is killed. It hides what it has received for ten minutes, so the messages of a killed one take as
long.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from azure.core.exceptions import AzureError

from bot_logic.contract.envelope import POISON_QUEUE_NAME, QUEUE_NAME
from bot_logic.errors import ServiceUnavailable
from local_dev import settings_file
from local_dev.ports import free_ports
from local_dev.processes import Processes
from local_dev.programs import ROOT, Program
from local_dev.readiness import listening
from local_dev.run import Ports, Stack, prepare
from tests.resilience.ends import ends, waiting
from tests.resilience.local_direct_line import LocalDirectLine
from tests.resilience.users import User

OUTAGE = 40.0  # seconds; longer than a Functions host bears
LOCK_SECONDS = 10  # instead of the real host's 600, so that a killed host's messages come back soon
PATIENCE = 900.0  # seconds until everything has settled


def faults(seed: int) -> list[dict[str, Any]]:
    """Say what goes wrong, and how often: before the bot, after it, and in the channel."""
    rules: list[dict[str, Any]] = [
        {"on": "post_activity", "status": 429, "headers": {"Retry-After": "2"}, "probability": 0.1},
        {"on": "post_activity", "status": 502, "after": True, "probability": 0.05},
        {"on": "post_activity", "delay": 25.0, "probability": 0.05},  # longer than anyone waits
        {"on": "bot_send", "status": 500, "probability": 0.05},
        {"on": "bot_send", "status": 429, "headers": {"Retry-After": "1"}, "probability": 0.1},
        {"on": "bot_send", "delay": 4.0, "probability": 0.05},
        {"on": "bot_send", "delay": 25.0, "probability": 0.02},
        {"on": "bot_send", "status": 403, "code": "MessageWritesBlocked", "probability": 0.01},
    ]
    return [rule | {"seed": seed + number} for number, rule in enumerate(rules)]


@dataclass(frozen=True)
class Plan:
    """How much of it."""

    messages: int = 1000
    users: int = 50
    kills: int = 3
    blips: int = 3
    outages: int = 0
    seed: int = 1


@dataclass
class Outcome:
    """What became of the messages; lists hold their texts."""

    acknowledged: int
    said_again: int
    delivered: int
    dead_lettered: dict[str, int]
    lost: list[str]
    doubled_by_a_kill: list[str]
    doubled: list[str]
    delivered_and_dead_lettered: list[str]
    restarts: int
    seconds: float
    faults_hit: dict[str, int]

    def table(self) -> str:
        """Return the outcome as a Markdown table."""
        reasons = ", ".join(f"{count} {name}" for name, count in self.dead_lettered.items())
        rows = {
            "acknowledged": self.acknowledged,
            "said again, for want of an acknowledgement": self.said_again,
            "delivered": self.delivered,
            "dead-lettered with a reason": f"{sum(self.dead_lettered.values())} ({reasons})",
            "lost": len(self.lost),
            "delivered twice, the host killed in between": len(self.doubled_by_a_kill),
            "delivered twice for another reason": len(self.doubled),
            "delivered and dead-lettered": len(self.delivered_and_dead_lettered),
            "hosts that ended for want of storage": self.restarts,
            "from the first word to the last delivery": f"{self.seconds:.0f} s",
            **{f"faults: {name}": count for name, count in self.faults_hit.items()},
        }
        return "\n".join(
            ["| what | how many |", "|---|---|"] + [f"| {k} | {v} |" for k, v in rows.items()]
        )


class Chaos:
    """The app with all that it depends on, and the means to make them fail."""

    def __init__(
        self, stack: Stack, session: aiohttp.ClientSession, queue_host: str | None
    ) -> None:
        self._connection = stack.storage_connection
        self._processes = Processes()
        azurite, direct_line, host = stack.programs()
        # Asked for its health, a host that was started again would be given up during an outage.
        host = replace(host, ready=listening(stack.ports.functions))
        host = replace(host, command=[*host.command, "--end-on-storage-trouble"])
        if queue_host is None:
            killed = (host, without_http(host, free_ports(1)[0]))
        else:
            host = _without(host, "hand_to_bot", "file_dead_letter", "sweep")
            killed = _microsofts(queue_host, stack, free_ports(1)[0])
        programs = (azurite, direct_line, host, *killed)
        self._programs = {each.name: each for each in programs}
        self._killed = tuple(each.name for each in killed)
        self._direct_line = LocalDirectLine(session, f"http://localhost:{stack.ports.chat}")
        self._kills: list[datetime] = []
        self._restarts = 0

    async def run(self, plan: Plan) -> Outcome:
        """Carry out the plan and count.

        Raises:
            TimeoutError: a message has not come to an end in time.
        """
        texts = [f"message {number}" for number in range(plan.messages)]
        users = [User(self._direct_line, f"dl_user-{number}") for number in range(plan.users)]
        try:
            for program in self._programs.values():
                await self._processes.start(program)
            await self._direct_line.call("POST", "/local/faults", faults(plan.seed))
            started = time.monotonic()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._mistreat(plan))
                keeping = asyncio.create_task(self._keep_alive())
                talking = [
                    group.create_task(user.talk(texts[number :: plan.users]))
                    for number, user in enumerate(users)
                ]
            acknowledged = [words for each in talking for words in each.result()]
            await self._settled(acknowledged)
            keeping.cancel()
            seconds = time.monotonic() - started
            return await self._outcome(acknowledged, sum(len(user.said) for user in users), seconds)
        finally:
            await self._processes.stop_all()

    async def _mistreat(self, plan: Plan) -> None:
        dice = random.Random(plan.seed)  # noqa: S311 - chance, not cryptography
        misfortunes = [self._kill] * plan.kills
        misfortunes += [self._interrupt_storage] * plan.blips + [self._take_storage] * plan.outages
        dice.shuffle(misfortunes)
        for misfortune in misfortunes:
            await asyncio.sleep(dice.uniform(2, 6))
            await misfortune(dice)

    async def _kill(self, dice: random.Random) -> None:
        name = dice.choice(self._killed)
        await self._processes.kill(name)
        self._kills.append(datetime.now(UTC))
        await self._processes.start(self._programs[name])

    async def _interrupt_storage(self, dice: random.Random) -> None:
        await self._without_storage(dice.uniform(0, 4))

    async def _take_storage(self, dice: random.Random) -> None:  # noqa: ARG002 - as the others
        await self._without_storage(OUTAGE)

    async def _without_storage(self, seconds: float) -> None:
        await self._processes.stop("azurite")
        await asyncio.sleep(seconds)
        await self._processes.start(self._programs["azurite"])

    async def _keep_alive(self) -> None:
        """Start again what has ended by itself, as Azure does."""
        while True:
            for name in self._killed:
                if self._processes.has_ended(name):
                    await self._processes.stop(name)
                    self._restarts += 1
                    await self._processes.start(self._programs[name])
            await asyncio.sleep(1)

    async def _settled(self, acknowledged: Sequence[str]) -> None:
        """Wait until each message has come to its end and both queues are empty."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(AzureError, ServiceUnavailable):
                    so_far = await ends(self._direct_line, self._connection)
                    if so_far.hold(acknowledged) and await waiting(self._connection) == 0:
                        return
                await asyncio.sleep(1)

    async def _outcome(self, acknowledged: Sequence[str], said: int, seconds: float) -> Outcome:
        ended = await ends(self._direct_line, self._connection)
        rules = await self._direct_line.call("GET", "/local/faults")
        by_a_kill, doubled = ended.doubled(self._kills)
        return Outcome(
            acknowledged=len(acknowledged),
            said_again=said - len(acknowledged),
            delivered=len(ended.delivered),
            dead_lettered=ended.errors(),
            lost=ended.lost(acknowledged),
            doubled_by_a_kill=by_a_kill,
            doubled=doubled,
            delivered_and_dead_lettered=ended.twice_ended(),
            restarts=self._restarts,
            seconds=seconds,
            faults_hit={name_of(rule): rule["hits"] for rule in rules},
        )


def name_of(rule: dict[str, Any]) -> str:
    """Return what a fault is called in a table."""
    return f"{rule['on']} {rule['status'] or 'takes {:g} s'.format(rule['delay'])}"


def without_http(host: Program, port: int) -> Program:
    """Return a second host beside the first: it takes queue messages, and serves no channel."""
    command = list(host.command)
    command[command.index("--port") + 1] = str(port)
    return replace(
        _without(host, "messages"), name="functions-2", command=command, ready=listening(port)
    )


def _without(host: Program, *functions: str) -> Program:
    disabled = {f"AzureWebJobs.{name}.Disabled": "true" for name in functions}
    return replace(host, environment={**host.environment, **disabled})


def _microsofts(path: str, stack: Stack, port: int) -> tuple[Program, Program]:
    """Return the functions in a process of their own, and Microsoft's listener, which calls it."""
    environment = {
        **settings_file.read(environ={}),
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
        "AzureWebJobsStorage": stack.storage_connection,
        "DirectLineEndpoint": f"http://localhost:{stack.ports.chat}",
    }
    command = [sys.executable, "-m", "tests.functional.queue_functions", str(port)]
    functions = Program("queue-worker", command, listening(port), environment)
    command = [path, "--queues", f"{QUEUE_NAME},{POISON_QUEUE_NAME}"]
    command += ["--callback", f"http://127.0.0.1:{port}", "--host-json", str(ROOT / "host.json")]
    return functions, Program("queue-host", command, environment=environment)


async def run(plan: Plan, queue_host: str | None = None) -> Outcome:
    """Carry out a plan on programs of its own, with data that nobody keeps.

    Args:
        plan: how much of it.
        queue_host: Microsoft's listener, if it is to feed the functions.

    Raises:
        ProcessError: a program is missing or does not start.
        TimeoutError: a message has not come to an end in time.
    """
    with tempfile.TemporaryDirectory() as data:
        ports = Ports(*free_ports(len(vars(Ports()))))
        stack = Stack(ports, Path(data), lock_seconds=LOCK_SECONDS)
        prepare(stack)
        async with aiohttp.ClientSession() as session:
            return await Chaos(stack, session, queue_host).run(plan)


def main() -> int:
    """Print the outcome; return 1 if a message was lost or doubled without a kill, else 0."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    for name, value in vars(Plan()).items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--queue-host", help="Microsoft's queue listener, as a program")
    options = vars(parser.parse_args())
    queue_host = options.pop("queue_host")
    plan = Plan(**options)
    outcome = asyncio.run(run(plan, queue_host))
    sys.stdout.write(f"\n{plan}\n\n{outcome.table()}\n")
    return 1 if outcome.lost or outcome.doubled else 0


if __name__ == "__main__":
    sys.exit(main())
