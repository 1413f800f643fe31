"""Messages through the running app on a very bad day: what is lost, what is doubled?

    make chaos                                        1,000 messages of 50 users
    .venv/bin/python -m benchmarks.chaos --messages 60 --users 6 --kills 1 --seed 7

Users talk to the bot while everything fails at once: Direct Line and the channel as `faults` says,
the Functions host, which is killed again and again, and the storage emulator, which is restarted. A
user who sees no acknowledgement says it again, in words of their own. At the end each message that
was acknowledged must have been delivered once, or be filed as a dead letter with a reason. The seed
makes the faults' dice repeatable; the order in which messages meet them is not.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from bot_logic.dead_letters.cabinet import TABLE_NAME as DEAD_LETTERS_TABLE
from bot_logic.dead_letters.letter import read_letter
from bot_logic.envelope import POISON_QUEUE_NAME, QUEUE_NAME
from bot_logic.errors import ServiceUnavailable
from bot_logic.settings import Secret
from bot_logic.table import Table
from local_dev.ports import free_ports
from local_dev.processes import Processes
from local_dev.run import Ports, Stack, direct_line_settings, prepare

FROM_THE_TRIGGER = "This is coming back from the trigger! "
CONVERSATIONS = "/v3/directline/conversations"
LOCK_SECONDS = 10  # instead of the real host's 600, so that a killed host's messages come back soon
PATIENCE = 900.0  # seconds until everything has settled
NOTED_WITHIN = timedelta(seconds=3)  # of the channel's answer, however busy the host is
USER_PATIENCE = 5.0  # seconds in which a user wants to see the acknowledgement


def faults(seed: int) -> list[dict[str, Any]]:
    """What goes wrong, and how often: in Direct Line, before and after the bot; in the channel."""
    rules: list[dict[str, Any]] = [
        {"on": "post_activity", "status": 429, "headers": {"Retry-After": "2"}, "probability": 0.1},
        {"on": "post_activity", "status": 502, "after": True, "probability": 0.05},
        {"on": "post_activity", "delay": 25.0, "probability": 0.05},  # longer than anyone waits
        {"on": "bot_send", "status": 500, "probability": 0.05},
        {"on": "bot_send", "status": 403, "code": "MessageWritesBlocked", "probability": 0.01},
    ]
    return [rule | {"seed": seed + number} for number, rule in enumerate(rules)]


@dataclass(frozen=True)
class Plan:
    """How much of it."""

    messages: int = 1000
    users: int = 50
    kills: int = 3
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
    seconds: float
    faults_hit: dict[str, int] = field(default_factory=dict)

    def table(self) -> str:
        """The outcome as a Markdown table."""
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
            "from the first word to the last delivery": f"{self.seconds:.0f} s",
            **{f"faults: {name}": count for name, count in self.faults_hit.items()},
        }
        return "\n".join(
            ["| what | how many |", "|---|---|"] + [f"| {k} | {v} |" for k, v in rows.items()]
        )


class User:
    """Somebody who says what they have to say until the bot acknowledges it."""

    def __init__(self, direct_line: "LocalDirectLine", name: str) -> None:
        self._direct_line, self._name = direct_line, name
        self.said: list[str] = []

    async def talk(self, texts: Sequence[str]) -> list[str]:
        """Say all of it, one after the other; returns the words that were acknowledged."""
        started = await self._direct_line.call("POST", CONVERSATIONS, {"user": {"id": self._name}})
        activities = f"{CONVERSATIONS}/{started['conversationId']}/activities"
        return [await self._say(activities, text) for text in texts]

    async def _say(self, activities: str, text: str) -> str:
        for attempt in count():
            words = f"{text}, attempt {attempt}"
            self.said.append(words)
            message = {"type": "message", "from": {"id": self._name}, "text": words}
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with asyncio.timeout(USER_PATIENCE):
                    await self._direct_line.call("POST", activities, message)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(USER_PATIENCE):
                    await self._acknowledgement(activities, words)
                    return words
        raise AssertionError("count() never ends")

    async def _acknowledgement(self, activities: str, words: str) -> None:
        while True:
            seen = (await self._direct_line.call("GET", activities))["activities"]
            if any(f"You said {words}. Message added" in each.get("text", "") for each in seen):
                return
            await asyncio.sleep(0.5)


class LocalDirectLine:
    """The local Direct Line, as its clients and as tests may call it."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session, self._base = session, base
        self._headers = {"Authorization": f"Bearer {direct_line_settings()['DirectLineSecret']}"}

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """Raises aiohttp.ClientError if the answer is not a success."""
        url, headers = self._base + path, self._headers
        async with self._session.request(method, url, json=body, headers=headers) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def delivered(self) -> dict[str, list[datetime]]:
        """What the bot has said by itself, and when."""
        times = defaultdict(list)
        for conversation in await self.call("GET", "/local/conversations"):
            for activity in conversation["activities"]:
                if activity.get("text", "").startswith(FROM_THE_TRIGGER):
                    text = activity["text"].removeprefix(FROM_THE_TRIGGER)
                    times[text].append(datetime.fromisoformat(activity["timestamp"]))
        return times


class Chaos:
    """The app with all its neighbours, and the means to make them fail."""

    def __init__(self, stack: Stack, session: aiohttp.ClientSession) -> None:
        self._stack = stack
        self._processes = Processes()
        self._programs = {program.name: program for program in stack.programs()}
        self._direct_line = LocalDirectLine(session, f"http://localhost:{stack.ports.chat}")
        self._killed_at: list[datetime] = []

    async def run(self, plan: Plan) -> Outcome:
        """Carry out the plan and count."""
        texts = [f"message {number}" for number in range(plan.messages)]
        users = [User(self._direct_line, f"dl_user-{number}") for number in range(plan.users)]
        try:
            for program in self._programs.values():
                await self._processes.start(program)
            await self._direct_line.call("POST", "/local/faults", faults(plan.seed))
            started = time.monotonic()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._mistreat(plan))
                talking = [
                    group.create_task(user.talk(texts[number :: plan.users]))
                    for number, user in enumerate(users)
                ]
            acknowledged = [words for each in talking for words in each.result()]
            await self._settled(acknowledged)
            seconds = time.monotonic() - started
            return await self._outcome(acknowledged, sum(len(user.said) for user in users), seconds)
        finally:
            await self._processes.stop_all()

    async def _mistreat(self, plan: Plan) -> None:
        dice = random.Random(plan.seed)  # noqa: S311 - chance, not cryptography
        for _ in range(plan.kills):
            await asyncio.sleep(dice.uniform(3, 6))
            await self._processes.kill("functions")
            self._killed_at.append(datetime.now(UTC))
            await self._processes.start(self._programs["functions"])
        await asyncio.sleep(dice.uniform(1, 3))
        await self._processes.stop("azurite")
        await self._processes.start(self._programs["azurite"])

    async def _settled(self, acknowledged: Sequence[str]) -> None:
        """Wait until each message has come to its end and both queues are empty."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(AzureError, ServiceUnavailable):
                    ended = (
                        await self._dead_letters()
                    ).keys() | await self._direct_line.delivered()
                    if ended >= set(acknowledged) and await self._waiting() == 0:
                        return
                await asyncio.sleep(1)

    async def _outcome(self, acknowledged: Sequence[str], said: int, seconds: float) -> Outcome:
        delivered, buried = await self._direct_line.delivered(), await self._dead_letters()
        rules = await self._direct_line.call("GET", "/local/faults")
        doubled = {text: min(times) for text, times in delivered.items() if len(times) > 1}
        by_a_kill = sorted(text for text, first in doubled.items() if self._in_window(first))
        return Outcome(
            acknowledged=len(acknowledged),
            said_again=said - len(acknowledged),
            delivered=len(delivered),
            dead_lettered=dict(Counter(buried.values())),
            lost=sorted(set(acknowledged) - delivered.keys() - buried.keys()),
            doubled_by_a_kill=by_a_kill,
            doubled=sorted(doubled.keys() - set(by_a_kill)),
            delivered_and_dead_lettered=sorted(delivered.keys() & buried.keys()),
            seconds=seconds,
            faults_hit={f"{r['on']} {r['status'] or 'hangs'}": r["hits"] for r in rules},
        )

    def _in_window(self, first: datetime) -> bool:
        """Whether the host was killed before it can have noted this delivery."""
        return any(timedelta() <= kill - first <= NOTED_WITHIN for kill in self._killed_at)

    async def _dead_letters(self) -> dict[str, str]:
        """The error of each dead letter, by what was said."""
        table = Table(Secret(self._stack.storage_connection), DEAD_LETTERS_TABLE)
        try:
            letters = [read_letter(row["body"], default_id="") async for row, _ in table.rows()]
        finally:
            await table.close()
        return {letter.message["text"]: letter.error for letter in letters}

    async def _waiting(self) -> int:
        waiting = 0
        for name in (QUEUE_NAME, POISON_QUEUE_NAME):
            connection = self._stack.storage_connection
            async with QueueClient.from_connection_string(connection, name) as queue:
                with contextlib.suppress(ResourceNotFoundError):  # nothing was buried yet
                    properties = await queue.get_queue_properties()
                    waiting += properties.approximate_message_count or 0
        return waiting


async def run(plan: Plan, ports: Ports) -> Outcome:
    """Carry out a plan on programs of its own, with data that nobody keeps."""
    with tempfile.TemporaryDirectory() as data:
        stack = Stack(ports, Path(data), lock_seconds=LOCK_SECONDS)
        prepare(stack)
        async with aiohttp.ClientSession() as session:
            return await Chaos(stack, session).run(plan)


def main() -> int:
    """Print the outcome; the exit code is 1 if a message was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    for name, value in vars(Plan()).items():
        parser.add_argument(f"--{name}", type=int, default=value)
    plan = Plan(**vars(parser.parse_args()))
    outcome = asyncio.run(run(plan, Ports(*free_ports(len(vars(Ports()))))))
    sys.stdout.write(f"\n{plan}\n\n{outcome.table()}\n")
    return 1 if outcome.lost else 0


if __name__ == "__main__":
    sys.exit(main())
