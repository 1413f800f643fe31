"""Messages through the running app on a very bad day: what is lost, what is doubled?

    make chaos                                        1,000 messages of 50 users
    .venv/bin/python -m benchmarks.chaos --messages 60 --users 6 --kills 1 --seed 7

Users say their messages while the queue worker is switched off. Then everything starts to fail at
once, as `faults` says, while the worker is switched on, its host is killed again and again, and the
storage emulator is restarted. At the end each message must have been delivered once, or lie on the
poison queue with a reason. The seed makes the faults' dice repeatable; the order in which messages
meet them is not.
"""

import argparse
import asyncio
import contextlib
import json
import random
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import TextBase64DecodePolicy
from azure.storage.queue.aio import QueueClient

from bot_logic.envelope import POISON_QUEUE_NAME, QUEUE_NAME
from local_dev.processes import Processes, Program
from local_dev.run import Ports, Stack, direct_line_settings, prepare

FROM_THE_TRIGGER = "This is coming back from the trigger! "
LOCK_SECONDS = 10  # instead of the real host's 600, so that a killed host's messages come back soon
PATIENCE = 900.0  # seconds until everything has settled


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
    """What became of the messages."""

    sent: int
    delivered: int
    dead_lettered: dict[str, int]
    lost: list[str]
    doubled: list[str]
    delivered_and_dead_lettered: list[str]
    seconds_to_drain: float
    faults_hit: dict[str, int] = field(default_factory=dict)

    def table(self) -> str:
        """The outcome as a Markdown table."""
        reasons = ", ".join(f"{count} {name}" for name, count in self.dead_lettered.items())
        rows = {
            "sent": self.sent,
            "delivered": self.delivered,
            "dead-lettered with a reason": f"{sum(self.dead_lettered.values())} ({reasons})",
            "lost": len(self.lost),
            "delivered twice": len(self.doubled),
            "delivered and dead-lettered": len(self.delivered_and_dead_lettered),
            "time to drain": f"{self.seconds_to_drain:.0f} s",
            **{f"faults: {name}": count for name, count in self.faults_hit.items()},
        }
        return "\n".join(
            ["| what | how many |", "|---|---|"] + [f"| {k} | {v} |" for k, v in rows.items()]
        )


class Chaos:
    """The app with all its neighbours, and the means to make them fail."""

    def __init__(self, stack: Stack, session: aiohttp.ClientSession) -> None:
        self._stack, self._session = stack, session
        self._processes = Processes()
        self._programs = {program.name: program for program in stack.programs()}
        self._direct_line = f"http://localhost:{stack.ports.chat}"
        self._buried: dict[str, str] = {}  # error by text
        self._headers = {"Authorization": f"Bearer {direct_line_settings()['DirectLineSecret']}"}

    async def run(self, plan: Plan) -> Outcome:
        """Carry out the plan and count."""
        dice = random.Random(plan.seed)  # noqa: S311 - chance, not cryptography
        try:
            for name in ("azurite", "direct-line"):
                await self._processes.start(self._programs[name])
            await self._processes.start(self._without_worker())
            sent = await self._say_everything(plan)
            await self._processes.stop("functions")
            await self._call("POST", "/local/faults", faults(plan.seed))
            started = time.monotonic()
            await self._processes.start(self._programs["functions"])
            await self._mistreat(plan, dice)
            await self._settled(sent)
            return await self._outcome(sent, time.monotonic() - started)
        finally:
            await self._processes.stop_all()

    def _without_worker(self) -> Program:
        host = self._programs["functions"]
        off = {"AzureWebJobs.deliver.Disabled": "true"}
        return replace(host, environment={**host.environment, **off})

    async def _say_everything(self, plan: Plan) -> list[str]:
        texts = [f"message {number}" for number in range(plan.messages)]
        shares = [texts[number :: plan.users] for number in range(plan.users)]
        await asyncio.gather(*(self._say(f"dl_user-{n}", share) for n, share in enumerate(shares)))
        return texts

    async def _say(self, user: str, texts: Sequence[str]) -> None:
        base = "/v3/directline/conversations"
        started = await self._call("POST", base, {"user": {"id": user}})
        for text in texts:
            activity = {"type": "message", "from": {"id": user}, "text": text}
            await self._call("POST", f"{base}/{started['conversationId']}/activities", activity)

    async def _mistreat(self, plan: Plan, dice: random.Random) -> None:
        for _ in range(plan.kills):
            await asyncio.sleep(dice.uniform(1, 3))
            await self._processes.kill("functions")
            await self._processes.start(self._programs["functions"])
        await asyncio.sleep(dice.uniform(1, 3))
        await self._processes.stop("azurite")
        await self._processes.start(self._programs["azurite"])

    async def _settled(self, sent: Sequence[str]) -> None:
        """Wait until each message has come to its end and the queue is empty."""
        async with asyncio.timeout(PATIENCE):
            while True:
                await self._collect_dead_letters()
                ended = self._buried.keys() | set(await self._delivered())
                if len(ended) == len(sent) and await self._waiting() == 0:
                    return
                await asyncio.sleep(1)

    async def _outcome(self, sent: Sequence[str], seconds: float) -> Outcome:
        delivered = await self._delivered()
        rules = await self._call("GET", "/local/faults")
        return Outcome(
            sent=len(sent),
            delivered=len(delivered),
            dead_lettered=dict(Counter(self._buried.values())),
            lost=sorted(set(sent) - set(delivered) - self._buried.keys()),
            doubled=sorted(text for text, times in delivered.items() if times > 1),
            delivered_and_dead_lettered=sorted(delivered.keys() & self._buried.keys()),
            seconds_to_drain=seconds,
            faults_hit={f"{r['on']} {r['status'] or 'hangs'}": r["hits"] for r in rules},
        )

    async def _delivered(self) -> Counter[str]:
        conversations = await self._call("GET", "/local/conversations")
        return Counter(
            activity["text"].removeprefix(FROM_THE_TRIGGER)
            for conversation in conversations
            for activity in conversation["activities"]
            if activity.get("text", "").startswith(FROM_THE_TRIGGER)
        )

    async def _collect_dead_letters(self) -> None:
        async with self._queue(POISON_QUEUE_NAME) as queue:
            with contextlib.suppress(ResourceNotFoundError):  # nothing was buried yet
                async for message in queue.receive_messages():
                    letter = json.loads(message.content)
                    self._buried[letter["message"]["text"]] = letter["error"]
                    await queue.delete_message(message)

    async def _waiting(self) -> int:
        async with self._queue(QUEUE_NAME) as queue:
            return (await queue.get_queue_properties()).approximate_message_count or 0

    def _queue(self, name: str) -> QueueClient:
        policy = TextBase64DecodePolicy()
        return QueueClient.from_connection_string(
            self._stack.storage_connection, name, message_decode_policy=policy
        )

    async def _call(self, method: str, path: str, body: Any = None) -> Any:
        url = self._direct_line + path
        async with self._session.request(method, url, json=body, headers=self._headers) as answer:
            answer.raise_for_status()
            return await answer.json()


async def run(plan: Plan, ports: Ports) -> Outcome:
    """Carry out a plan on programs of its own, with data that nobody keeps."""
    with tempfile.TemporaryDirectory() as data:
        stack = Stack(ports, Path(data), lock_seconds=LOCK_SECONDS)
        prepare(stack)
        async with aiohttp.ClientSession() as session:
            return await Chaos(stack, session).run(plan)


def free_ports() -> Ports:
    """Ports on which nobody listens now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in vars(Ports())]
    ports = [listening.getsockname()[1] for listening in sockets]
    for listening in sockets:
        listening.close()
    return Ports(*ports)


def main() -> int:
    """Print the outcome; the exit code is 1 if a message was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    for name, value in vars(Plan()).items():
        parser.add_argument(f"--{name}", type=int, default=value)
    plan = Plan(**vars(parser.parse_args()))
    outcome = asyncio.run(run(plan, free_ports()))
    sys.stdout.write(f"\n{plan}\n\n{outcome.table()}\n")
    return 1 if outcome.lost else 0


if __name__ == "__main__":
    sys.exit(main())
