"""A bad day: two processes of each resource, their hosts, and what must be true in the evening."""

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

from botbuilder.core import TurnContext

from bot_logic.bot import ProactiveBot
from bot_logic.clock import Clock
from bot_logic.contract.dead_letter import read_dead_letter
from bot_logic.contract.envelope import (
    POISON_QUEUE_NAME,
    QUEUE_NAME,
    WORKER_USER_ID,
    Envelope,
)
from bot_logic.contract.status import Status
from bot_logic.delivery.dead_letter_store import TABLE_NAME as DEAD_LETTERS
from bot_logic.delivery.idempotency import TABLE_NAME as RECORDS
from bot_logic.delivery.record import Record
from bot_logic.errors import BotFailed, DirectLineDown, ProactiveBotError, ServiceUnavailable
from bot_logic.settings import Settings
from bot_logic.storage.memory import MemoryStorage, QueuedMessage
from bot_logic.storage.protocols import digest_key
from bot_logic.wiring import Wiring
from tests import virtual_time
from tests.simulation.dependencies import DIRECT_LINE, STORAGE, Channel, SeenChannel, SeenStorage
from tests.simulation.weather import Fault, Life, Storm, Weather, through

WEATHER_LASTS: Final = 120.0  # seconds
MOST_FAULTS: Final = 16  # besides storms
PATIENCE: Final = 3 * 24 * 3600.0  # seconds after which a message must have ended
LOCK: Final = 600.0  # seconds that the host hides what it has received
VISIBILITY_TIMEOUT: Final = 30.0  # seconds, as in host.json
MAX_DEQUEUE_COUNT: Final = 5
BATCH: Final = 16
RESTART: Final = 3.0  # seconds until a process that died is replaced
DIRECT_LINE_WAITS: Final = 15.0  # seconds for the bot
POISON: Final = "-poison"
MORE: Final = "more of "
_JSON: Final = {"Content-Type": "application/json"}
_SETTINGS: Final = {
    "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "DirectLineSecret": "simulated",
    "TriggerSigningKey": "a-key-that-signs-triggers-in-the-simulation",
}


class TalkativeBot(ProactiveBot):
    """Says each message, and more of it if it is told to."""

    async def on_trigger(self, turn: TurnContext, envelope: Envelope) -> None:
        for said in parts(envelope.text or "", more=bool(envelope.data)):
            await turn.send_activity(said)


def parts(name: str, *, more: bool) -> list[str]:
    """Return what is said of the message of this name."""
    return [name, MORE + name] if more else [name]


class Host:
    """The Functions host of a worker's process; some live on when that process dies.

    https://github.com/Azure/azure-functions-host: each invocation of a dead worker has failed.
    """

    def __init__(self, process: "Process", *, lives_on: bool) -> None:
        self.process, self.lives_on = process, lives_on
        self.life = Life(process.life.name)
        self.life.on_kill.append(process.life.kill)
        if not lives_on:
            process.life.on_kill.append(self.life.kill)


class SkewedClock:
    """A clock of one process, some seconds off."""

    def __init__(self, clock: Clock, skew: float) -> None:
        self._clock, self._skew = clock, skew

    def now(self) -> float:
        return self._clock.now() + self._skew

    def elapsed(self) -> float:
        return self._clock.elapsed()


class SeededChance:
    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def fraction(self) -> float:
        return self._dice.random()

    def new_id(self) -> str:
        return f"{self._dice.getrandbits(128):032x}"


class Process:
    """One instance of the app, which shares nothing with the others but the dependencies."""

    def __init__(self, day: "BadDay", name: str) -> None:
        self.life = Life(name)
        self.wiring = Wiring(
            Settings.from_environment(_SETTINGS | {"MaxDeliveryAttempts": day.max_attempts}),
            storage=SeenStorage(day.storage, day.weather, self.life),
            triggers=DirectLine(day, self.life),
            channels=SeenChannel(day.channel, day.weather, self.life),
            make_bot=TalkativeBot,
            clock=SkewedClock(day.clock, day.dice.choice((-4.0, 0.0, 0.0, 4.0))),
            chance=SeededChance(day.dice),
        )


def _direct_line_down(what: str, _retry_after: int | None) -> DirectLineDown:
    return DirectLineDown(what)


class DirectLine:
    """Carries triggers from a worker's process to a process of the bot endpoint."""

    def __init__(self, day: "BadDay", life: Life) -> None:
        self._day, self._life = day, life

    async def post(self, activity_for: Callable[[str], dict[str, Any]]) -> None:
        body = addressed("worker", WORKER_USER_ID) | activity_for("worker")
        await through(
            self._day.weather,
            self._life,
            "direct_line.post",
            DIRECT_LINE,
            lambda: self._carry(json.dumps(body).encode()),
            error=_direct_line_down,
        )

    async def _carry(self, body: bytes) -> None:
        endpoint = self._day.dice.choice(self._day.endpoints)
        turn = self._day.spawn(endpoint.wiring.endpoint.take(body, _JSON))
        done, _ = await asyncio.wait([turn], timeout=DIRECT_LINE_WAITS)
        if not done:
            raise BotFailed("Direct Line answered 504")
        if turn.exception() is not None:
            raise BotFailed("Direct Line answered 502 BotError")


class BadDay:
    """Runs a day from a seed, and looks at it in the evening."""

    def __init__(self, seed: int, most: int = MOST_FAULTS) -> None:
        self.seed = seed
        self.dice = random.Random(seed)  # noqa: S311 - weather, no secret
        self.weather = Weather(
            self.dice,
            likely=self.dice.choice((0.1, 0.25, 0.5)),
            storms=self._storms(),
            clears_at=WEATHER_LASTS,
            most=most,
        )
        self.max_attempts = self.dice.choice(("1", "2", "20"))
        self.channel = self.new_channel()
        self.excused: Counter[str] = Counter()
        self.acknowledged: dict[str, list[str]] = {}  # name: what is to be said of it
        self._tasks: set[asyncio.Task[Any]] = set()
        self._opened: list[Process] = []

    def _storms(self) -> list[Storm]:
        storms = []
        for _ in range(self.dice.choice((0, 0, 1, 2))):
            start = self.dice.uniform(0, 60)
            calls = self.dice.choice(("table", "queue", "channel", "direct_line", "host", ""))
            storms.append(Storm(calls, start, start + self.dice.choice((5, 20, 40))))
        return storms

    async def run(self) -> list[str]:
        """Return what is wrong in the evening; nothing, if all is well."""
        self.clock = virtual_time.LoopClock(asyncio.get_running_loop())
        self.storage = MemoryStorage(self.clock, SeededChance(self.dice))
        self.endpoints = [self.new_process(f"endpoint {n}") for n in range(2)]
        for number in range(2):
            self.spawn(self._host(f"worker {number}"))
        await self.begin()
        await asyncio.sleep(WEATHER_LASTS)
        await self.until_calm()
        found = await self.evening()
        await self._end()
        return found

    def new_channel(self) -> Channel:
        """Return where the bot sends to."""
        return Channel()

    async def begin(self) -> None:
        """Let other programs want something of the bot."""
        for number in range(self.dice.randint(3, 6)):
            self.spawn(self._produce(number))

    def functions(self, process: Process) -> dict[str, Any]:
        """Return what a host of a worker calls, by the queue that triggers it."""
        wiring = process.wiring
        return {
            QUEUE_NAME: wiring.worker.handle,
            POISON_QUEUE_NAME: wiring.delivery.dead_letters.file,
        }

    def spawn(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    def new_process(self, name: str) -> Process:
        process = Process(self, name)
        process.life.on_kill.append(lambda: self._replace(process))
        process.life.on_freeze.append(lambda: self._excuse(process))
        self._opened.append(process)
        return process

    def _replace(self, process: Process) -> None:
        self._excuse(process)
        if process in self.endpoints:
            self.endpoints[self.endpoints.index(process)] = self.new_process(process.life.name)

    def _excuse(self, process: Process) -> None:
        """Let what a process has sent and not noted come again: nobody else can know of it."""
        for text in self.channel.sent_by[process.life.name]:
            if not self.is_noted(text):
                self.excused[text] += 1
        self.channel.sent_by[process.life.name].clear()

    def is_noted(self, text: str) -> bool:
        """Tell whether the rows say that this was sent."""
        record = self._record(text.removeprefix(MORE))
        if record is None:
            return False
        return record.status == Status.DELIVERED or len(record.done) > text.startswith(MORE)

    def _record(self, message_id: str) -> Record | None:
        row = self.storage.table(RECORDS).peek(digest_key(message_id))
        return None if row is None else Record.of(row.columns)

    async def _produce(self, number: int) -> None:
        """Another program puts a message on the queue, sometimes twice."""
        await asyncio.sleep(self.dice.uniform(0, 60))
        name = f"m{number}"
        conversation = addressed(f"c{number % 3}", "ada")
        message = {
            "conversation": {
                "channelId": conversation["channelId"],
                "serviceUrl": conversation["serviceUrl"],
                "conversation": conversation["conversation"],
                "bot": conversation["recipient"],
            },
            "text": name,
            "id": name,
            "data": {"more": True} if (more := self.dice.random() < 0.4) else {},
        }
        for _ in range(self.dice.choice((1, 2, 2, 3))):
            await self.storage.queue(QUEUE_NAME).put(json.dumps(message))
        self.acknowledged[name] = parts(name, more=more)

    async def _host(self, name: str) -> None:
        """The Functions host: starts a worker's process again and again, and feeds it."""
        while True:
            process = self.new_process(name)
            host = Host(process, lives_on=self.dice.random() < 0.5)
            listeners = [
                self.spawn(self._listen(host, queue, function))
                for queue, function in self.functions(process).items()
            ]
            await self._end_of(process)
            if process.life.dead and not host.life.dead:
                self.weather.note(f"process of {name}", Fault.KILLED)
                await asyncio.sleep(RESTART)  # and takes messages meanwhile, which all fail
            for listener in listeners:
                listener.cancel()  # what is under way ends by itself, unless it died
            await asyncio.sleep(RESTART)

    async def _end_of(self, process: Process) -> None:
        """Wait until a host's process dies, or is told to stop: a deployment, a scale-in."""
        seconds = self.dice.choice((None, None, self.dice.uniform(5, 60)))
        if seconds is None or asyncio.get_running_loop().time() + seconds > WEATHER_LASTS:
            await process.life.death.wait()
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await process.life.death.wait()
                return
        self.weather.note(f"host of {process.life.name}", Fault.STOPPED)

    async def _listen(self, host: Host, name: str, function: Any) -> None:
        trouble_since: float | None = None
        loop = asyncio.get_running_loop()
        queue = self.storage.queue(name)
        while not host.life.dead:
            try:
                received = await through(
                    self.weather,
                    host.life,
                    "host.receive",
                    (),  # storms only
                    lambda: _now(queue.receive(lock=LOCK, most=BATCH)),
                )
                trouble_since = None
            except ServiceUnavailable:
                trouble_since = loop.time() if trouble_since is None else trouble_since
                if loop.time() - trouble_since > 25:
                    host.life.kill()
                received = []
            for message in received:
                self.spawn(self._invoke(host, name, function, message))
            idle = 2 if loop.time() < WEATHER_LASTS else 20  # the real one polls every 2 s
            await asyncio.sleep(0.1 if received else idle)

    async def _invoke(self, host: Host, name: str, function: Any, message: QueuedMessage) -> None:
        queue = self.storage.queue(name)
        try:
            await self._outlived(host, self.spawn(function(message)))
        except ProactiveBotError:
            await host.life.lives()
            if message.dequeue_count >= MAX_DEQUEUE_COUNT and not name.endswith(POISON):
                await self.storage.queue(name + POISON).put(message.text)
                queue.delete(message)
            else:
                queue.release(message, delay=VISIBILITY_TIMEOUT)
        else:
            try:
                await through(
                    self.weather,
                    host.life,
                    "host.delete",
                    STORAGE,
                    lambda: _now(queue.delete(message)),
                )
            except ServiceUnavailable:
                return  # it stays hidden until its lock has run out

    async def _outlived(self, host: Host, invocation: asyncio.Task[None]) -> None:
        """Wait for an invocation, which fails when its process dies and the host does not."""
        dies = self.spawn(host.process.life.death.wait())
        await asyncio.wait({invocation, dies}, return_when=asyncio.FIRST_COMPLETED)
        dies.cancel()
        await host.life.lives()
        if not invocation.done():
            raise ServiceUnavailable("the worker's process is gone")
        invocation.result()

    async def until_calm(self) -> None:
        """Wait until both queues are empty and stay so, or patience ends."""
        loop, queues = asyncio.get_running_loop(), (QUEUE_NAME, POISON_QUEUE_NAME)
        while loop.time() < PATIENCE and any(  # noqa: ASYNC110 - a queue has no events
            self.storage.queue(name).texts for name in queues
        ):
            await asyncio.sleep(60)
        await asyncio.sleep(LOCK)

    async def evening(self) -> list[str]:
        """Return what is wrong."""
        filed = {
            read_dead_letter(row.columns["body"], default_id="?").id: int(row.columns["sent"])
            async for row in self.storage.table(DEAD_LETTERS).rows()
        }
        found = [
            f"{name} on {len(texts)} place(s) still waits"
            for name in (QUEUE_NAME, POISON_QUEUE_NAME)
            if (texts := self.storage.queue(name).texts)
        ]
        for name, said in sorted(self.acknowledged.items()):
            found.extend(self._wrong(name, said, filed.get(name)))
        return found

    def _wrong(self, name: str, said: list[str], sent: int | None) -> Iterator[str]:
        """Yield what is wrong with a message, of which `sent` parts are in its dead letter."""
        arrived = Counter(text for texts in self.channel.arrived.values() for text in texts)
        excuses = self.excused + Counter(self.channel.unanswered)
        seen = sum(bool(arrived[part]) for part in said)
        if sent is None and seen < len(said):
            yield f"{name} is lost: {seen} of {len(said)} parts were said"
        for part in said:
            if arrived[part] > 1 + excuses[part]:
                yield f"{part} was said {arrived[part]} times, {1 + excuses[part]} excused"
        if sent is not None and not any(excuses[part] for part in said):
            if seen == len(said):
                yield f"{name} was delivered and dead-lettered"
            if seen != sent:
                yield f"{name}'s dead letter says that {sent} parts were sent, and {seen} were"

    async def _end(self) -> None:
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in tasks:
                task.cancel()  # again, where what is dead still wants to note something
            await asyncio.wait(tasks, timeout=1)
        for process in self._opened:
            await process.wiring.close()


async def _now(value: Any) -> Any:
    return value


def addressed(conversation_id: str, user: str) -> dict[str, Any]:
    return {
        "channelId": "test",
        "serviceUrl": "http://localhost:3000",
        "conversation": {"id": conversation_id},
        "from": {"id": user},
        "recipient": {"id": "bot"},
    }


def live(seed: int, most: int = MOST_FAULTS) -> tuple[BadDay, list[str]]:
    """Run the bad day of a seed; return it, and what is wrong in its evening."""
    day = BadDay(seed, most)
    return day, virtual_time.run(day.run())


def shortest(seed: int) -> tuple[BadDay, list[str]]:
    """Run the bad day of a seed with as few faults as still make it go wrong."""
    for most in range(MOST_FAULTS):
        day, found = live(seed, most)
        if found:
            return day, found
    return live(seed)
