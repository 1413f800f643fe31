"""A cold start's share that is ours: importing `function_app`, in fresh processes."""

import sys

from benchmarks.goals import Sides, WrongWork
from benchmarks.programs import SETTINGS, on_its_core
from local_dev.programs import Program, Running

OURS = "import function_app"
PEER = "import azure.functions, aiohttp, botbuilder.core, botbuilder.schema"
MEASURED = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"


async def measure(rounds: int) -> Sides:
    """Measure "import"; the first of each, which compiles, is dropped."""
    seconds = [(_import(OURS), _import(PEER)) for _ in range(rounds + 1)][1:]
    ours, theirs = zip(*seconds, strict=True)
    return {"import": (ours, theirs)}


def _import(statement: str) -> float:
    """Return how long it took, seconds."""
    command = on_its_core([sys.executable, "-c", MEASURED.format(statement)])
    settings = SETTINGS | {"PYTHONDONTWRITEBYTECODE": ""}
    program = Running(Program(statement, command, environment=settings))
    if program.ends():
        raise WrongWork(f"{statement} failed: {program.printed}")
    return float(program.printed)
