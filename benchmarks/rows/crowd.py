"""Notifications to ever more people: what each of them costs, and the memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from benchmarks.channel import Channel
from benchmarks.goals import Sides, WrongWork
from benchmarks.programs import Measured, measured
from benchmarks.rows.turn import storage_emulator
from benchmarks.wire import serving

PLANNED = (10_000, 1_000_000)  # recipients
TOLD = (100, 100_000)
TIMES = 20  # that a small notification is repeated in each round
QUICK = 50  # times fewer, and repeated once, to see whether it works
PATIENCE: Final = aiohttp.ClientTimeout(total=900)


async def measure_planning(rounds: int) -> Sides:
    """Measure "planning" and "planning_memory": the large one once, in a process of its own."""
    (some, few_peak), (many, peak) = await _rates("/plan", PLANNED, rounds, "open")
    return {"planning": ([many], [some]), "planning_memory": ([peak], [few_peak])}


async def measure_telling(rounds: int) -> Sides:
    """Measure "broadcast_grown", likewise."""
    (some, _), (many, _) = await _rates("/broadcast", TOLD, rounds, "sent")
    return {"broadcast_grown": ([many], [some])}


async def _rates(
    path: str, sizes: tuple[int, int], rounds: int, outcome: str
) -> list[tuple[float, float]]:
    """Return recipients a CPU second and the highest memory, in MB, for either size.

    Raises:
        WrongWork: somebody was left out, or told twice.
    """
    few, many = sizes
    rounds_of = [(few, TIMES * rounds), (many, 1)] if rounds > 1 else [(few, 1), (many // QUICK, 1)]
    rates = []
    for count, times in rounds_of:
        async with _crowd() as (program, channel, session):
            used = peak = 0.0
            for _ in range(times):
                channel.forget()
                order = {"count": count, "serviceUrl": channel.url}
                async with session.post(f"{program.url}{path}", json=order) as answer:
                    took = await answer.json()
                told = count if outcome == "sent" else 0
                if (took["counts"].get(outcome), len(channel)) != (count, told):
                    raise WrongWork(f"{took['counts']} and {len(channel)} messages for {count}")
                used, peak = used + took["cpu"], took["peak"]
            rates.append((count * times / used, peak))
    return rates


@asynccontextmanager
async def _crowd() -> AsyncIterator[tuple[Measured, Channel, aiohttp.ClientSession]]:
    """Run the app on an Azurite with nothing in it."""
    channel = Channel()
    async with (
        serving(channel) as channel.url,
        storage_emulator() as connection,
        aiohttp.ClientSession(timeout=PATIENCE) as session,
    ):
        with measured("benchmarks.ours.crowd", AzureWebJobsStorage=connection) as program:
            yield program, channel, session
