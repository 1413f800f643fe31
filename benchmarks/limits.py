"""How many messages one process delivers a second, the more it has in flight.

    make limits

What bounds it with few in flight is how long the channel takes; with many, the processor. This is
where the defaults in host.json and `MaxConnectionsPerHost` come from.
"""

import asyncio
import os
import sys
import time

from benchmarks.activities import answers
from benchmarks.channel import Channel
from benchmarks.load import Load
from benchmarks.programs import Program, measuring_core, running
from benchmarks.raw_http import serving
from benchmarks.settings import SETTINGS
from benchmarks.storage import storage_emulator
from benchmarks.triggers import DELIVERED, Triggers
from benchmarks.turns import check_said
from benchmarks.users import text_of

IN_FLIGHT = (1, 4, 8, 16, 24, 48, 96)
DELAYS = (0.0, 0.2)  # seconds that the channel takes to answer
EACH = 20  # messages of each that is in flight
WARM_UP = 50  # messages


async def deliveries_a_second(delay: float) -> list[float]:
    """For each of `IN_FLIGHT`, on a channel that answers after `delay` seconds."""
    channel, rates, first = Channel(), [], WARM_UP
    async with (
        serving(channel, delay=delay) as url,
        storage_emulator() as connection,
        running(
            Program("benchmarks.ours.app", (), {**SETTINGS, "AzureWebJobsStorage": connection})
        ) as app,
    ):
        triggers = Triggers(url)
        warm_up = iter([triggers.request(number) for number in range(WARM_UP)])
        await Load(app.url, WARM_UP).run(warm_up, sys.maxsize)
        for in_flight in IN_FLIGHT:
            numbers = range(first, first + in_flight * EACH)
            first = numbers.stop
            requests = iter([triggers.request(number) for number in numbers])
            channel.forget()
            started = time.perf_counter()
            await Load(app.url, in_flight).run(requests, sys.maxsize)
            rates.append(len(numbers) / (time.perf_counter() - started))
            expected = answers(numbers, lambda number: DELIVERED + text_of(number))
            check_said(channel, expected, "ours")
    return rates


def main() -> int:
    """Print a table."""
    if (core := measuring_core()) is not None:
        os.sched_setaffinity(0, {core})
    columns = [asyncio.run(deliveries_a_second(delay)) for delay in DELAYS]
    names = " | ".join(f"channel answers after {delay * 1000:.0f} ms" for delay in DELAYS)
    sys.stdout.write(f"| in flight | {names} |\n|---|---|---|\n")
    for in_flight, *rates in zip(IN_FLIGHT, *columns, strict=True):
        cells = " | ".join(f"{rate:.0f}/s" for rate in rates)
        sys.stdout.write(f"| {in_flight} | {cells} |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
