"""A broadcast just below the channel's limit, through the running app; and a loop that sleeps.

The channel is the stand-in for Teams' connector, which takes 50 in any second, and refuses others.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.goals import Sides, WrongWork
from benchmarks.programs import CORES, measured
from benchmarks.sayings import PACE
from benchmarks.wire import load, post
from local_dev.teams_connector import TeamsConnector, running
from local_dev.teams_connector.limits import OVERALL, Limits
from tests.resilience import broadcast

RECIPIENTS = 2000
QUICK = 150  # instead, to see whether it works


async def measure(rounds: int) -> Sides:
    """Measure "paced" and "paced_loop", once: by the clock, so nothing else should run."""
    recipients = RECIPIENTS if rounds > 1 else QUICK
    with _on_all_cores():
        ours = await _broadcast(recipients)
        theirs = await _loop(recipients)
    return {"paced": ([ours], [PACE]), "paced_loop": ([ours], [theirs])}


@contextmanager
def _on_all_cores() -> Iterator[None]:
    """Let the app's five programs use the machine as they do where it is their own."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, CORES)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def _broadcast(recipients: int) -> float:
    plan = broadcast.Plan(recipients=recipients, rate=PACE, kills=0, blips=0, faults=0)
    told = await broadcast.run(plan)
    if told.left_out or told.doubled or any(told.violations.values()):
        raise WrongWork(f"ours: {told}")
    return told.per_second


async def _loop(recipients: int) -> float:
    async with running(TeamsConnector(Limits(OVERALL))) as connector:
        with measured("benchmarks.peers.sdk_echo") as program:
            order = {"first": 0, "count": recipients, "serviceUrl": connector.url}
            await load(program.url, iter([post("/speak-paced", order)]), connections=1)
        times = [each.at for each in connector.taken]
    if len(times) != recipients:
        raise WrongWork(f"a loop: {len(times)} messages for {recipients}")
    return len(times) / (times[-1] - times[0])
