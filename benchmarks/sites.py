"""The app with storage of its own, which can be given more to hold; for the growth rows."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from benchmarks.backlog import Backlog
from benchmarks.channel import Channel
from benchmarks.direct_line import passing_direct_line
from benchmarks.plan import Plan
from benchmarks.programs import Program, Running, running
from benchmarks.rows.turn import QueuedTalk, says
from benchmarks.settings import SETTINGS
from benchmarks.storage import existing_queue, storage_emulator
from benchmarks.stored import Stored
from benchmarks.turns import Conversing
from bot_logic.envelope import QUEUE_NAME

MS = 1000.0  # in a second
SHARE = 4  # the plan's messages are divided by this for one round of deliveries
PROGRAM = "benchmarks.ours.app"


class Site(Protocol):
    """A place where a message can be measured, among so many others."""

    @property
    def program(self) -> Running:
        """The app."""

    async def grow_to(self, size: int) -> None:
        """Hold so many."""

    async def cost(self, plan: Plan) -> float:
        """CPU time that the app needs for a message now, ms."""


@dataclass
class StoredSite:
    """Turns, with so many conversations in the tables."""

    program: Running
    talk: QueuedTalk
    stored: Stored

    async def grow_to(self, size: int) -> None:
        """Store conversations."""
        await self.stored.grow_to(size)

    async def cost(self, plan: Plan) -> float:
        """Of a turn."""
        await self.talk.round(plan)
        return MS / self.talk.core[-1]


@dataclass
class QueuedSite:
    """Deliveries by worker and bot, with so many messages on the queue."""

    program: Running
    backlog: Backlog
    size: int = 0

    async def grow_to(self, size: int) -> None:
        """From now on."""
        self.size = size

    async def cost(self, plan: Plan) -> float:
        """Of a delivery."""
        count = max(plan.messages // SHARE, 1)
        return await self.backlog.cost_of_a_message(self.size, count) * MS


@asynccontextmanager
async def stored_site(channel: Channel, url: str) -> AsyncIterator[StoredSite]:
    """As long as the block lasts, with nothing stored."""
    async with (
        storage_emulator() as connection,
        existing_queue(connection, QUEUE_NAME) as queue,
        running(Program(PROGRAM, (), SETTINGS | {"AzureWebJobsStorage": connection})) as program,
    ):
        talk = QueuedTalk("ours", program, Conversing(channel, url, says), queue)
        yield StoredSite(program, talk, Stored(connection, url))


@asynccontextmanager
async def queued_site(channel: Channel, url: str) -> AsyncIterator[QueuedSite]:
    """As long as the block lasts, with an empty queue."""
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(storage_emulator())
        direct_line, endpoint = await stack.enter_async_context(passing_direct_line(url))
        neighbours = {"AzureWebJobsStorage": connection, "DirectLineEndpoint": endpoint}
        program = await stack.enter_async_context(
            running(Program(PROGRAM, (), SETTINGS | neighbours))
        )
        direct_line.bot_url = f"{program.url}/api/messages"
        queue = await stack.enter_async_context(existing_queue(connection, QUEUE_NAME))
        yield QueuedSite(program, Backlog(queue, channel, program, url))
