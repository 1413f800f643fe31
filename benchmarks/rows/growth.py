"""Whether a message costs more the more conversations are stored, or messages are waiting."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from statistics import median

from benchmarks.backlog import Backlog
from benchmarks.channel import Channel
from benchmarks.direct_line import passing_direct_line
from benchmarks.outcome import Outcome, Series, compared
from benchmarks.plan import Plan
from benchmarks.programs import Program, running
from benchmarks.raw_http import serving
from benchmarks.rows.turn import QueuedTalk, says
from benchmarks.settings import SETTINGS
from benchmarks.storage import existing_queue, storage_emulator
from benchmarks.stored import Stored
from benchmarks.turns import Conversing
from bot_logic.envelope import QUEUE_NAME

MS = 1000.0  # in a second
PROGRAM = "benchmarks.ours.app"
SHARE = 4  # the plan's messages are divided by this for one round of deliveries


@dataclass(frozen=True)
class Sizes:
    """What was measured at each size.

    Attributes:
        cost: CPU time of one message in each round, ms.
        memory: of the program afterwards, MB.
    """

    cost: dict[int, Sequence[float]] = field(default_factory=dict)
    memory: dict[int, float] = field(default_factory=dict)

    def outcomes(self, key: str) -> list[Outcome]:
        """The largest size beside the smallest, for what a message costs and for memory."""
        more = {"cost_ms": _named(self.cost), "memory_mb": _named(self.memory)}
        costs = {size: [median(rounds)] for size, rounds in self.cost.items()}
        memory = {size: [value] for size, value in self.memory.items()}
        return [
            _first_and_last(key, "CPU ms a message", costs, more),
            _first_and_last(f"{key}_memory", "MB", memory, more),
        ]


async def measure_stored(keys: Collection[str], plan: Plan) -> list[Outcome]:
    """The rows "growth_stored…": turns, with ever more conversations in the tables."""
    channel, sizes = Channel(), Sizes()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(channel))
        connection = await stack.enter_async_context(storage_emulator())
        settings = {**SETTINGS, "AzureWebJobsStorage": connection}
        program = await stack.enter_async_context(running(Program(PROGRAM, (), settings)))
        queue = await stack.enter_async_context(existing_queue(connection, QUEUE_NAME))
        talk = QueuedTalk("ours", program, Conversing(channel, url, says), queue)
        await talk.round(replace(plan, seconds=plan.warm_up))
        stored = Stored(connection, url)
        for size in plan.conversations:
            await stored.grow_to(size)
            for _ in range(plan.rounds):
                await talk.round(plan)
            sizes.cost[size] = [MS / turns for turns in talk.core[-plan.rounds :]]
            sizes.memory[size] = program.memory()
    return [outcome for outcome in sizes.outcomes("growth_stored") if outcome.key in keys]


async def measure_queued(keys: Collection[str], plan: Plan) -> list[Outcome]:
    """The rows "growth_queued…": deliveries by worker and bot, with ever more waiting."""
    channel, sizes = Channel(), Sizes()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(channel))
        connection = await stack.enter_async_context(storage_emulator())
        direct_line, endpoint = await stack.enter_async_context(passing_direct_line(url))
        neighbours = {"AzureWebJobsStorage": connection, "DirectLineEndpoint": endpoint}
        settings = {**SETTINGS, **neighbours}
        program = await stack.enter_async_context(running(Program(PROGRAM, (), settings)))
        direct_line.bot_url = f"{program.url}/api/messages"
        queue = await stack.enter_async_context(existing_queue(connection, QUEUE_NAME))
        backlog = Backlog(queue, channel, program, url)
        count = max(plan.messages // SHARE, 1)
        await backlog.cost_of_a_message(plan.backlog[0], count)
        for size in plan.backlog:
            costs = [await backlog.cost_of_a_message(size, count) for _ in range(plan.rounds)]
            sizes.cost[size] = [cost * MS for cost in costs]
            sizes.memory[size] = program.memory()
    return [outcome for outcome in sizes.outcomes("growth_queued") if outcome.key in keys]


def _first_and_last(
    key: str, unit: str, values: Mapping[int, Sequence[float]], more: Mapping[str, object]
) -> Outcome:
    sizes = sorted(values)
    largest = Series("ours", unit, values[sizes[-1]])
    smallest = Series(f"at {sizes[0]}", unit, values[sizes[0]])
    ratios = [value / smallest.median for size in sizes for value in values[size]]
    return replace(compared(key, largest, smallest, more), spread=(min(ratios), max(ratios)))


def _named(values: Mapping[int, object]) -> dict[str, object]:
    return {str(size): value for size, value in values.items()}
