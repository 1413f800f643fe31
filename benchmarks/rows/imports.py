"""A cold start's share that is ours: importing `function_app`, in fresh processes."""

import asyncio
import json
import os
import sys

from benchmarks.outcome import Outcome, WrongWork, compared
from benchmarks.plan import Plan
from benchmarks.programs import measured_core, on_core
from benchmarks.settings import SETTINGS
from local_dev.programs import ROOT

MEMORY_LIMIT = 90.0  # MB

OURS = "import function_app"
PEER = "import azure.functions, aiohttp, botbuilder.core, botbuilder.schema"
_MEASURED = """
import time
started = time.perf_counter()
{statement}
seconds = time.perf_counter() - started
import json
status = open("/proc/self/status").read().partition("VmRSS:")[2].split()[0]
print(json.dumps([seconds, int(status) * 1024 / 1e6]))
"""


async def measure(plan: Plan) -> list[Outcome]:
    """Measure "import" and "import_memory"; the first of each, which compiles, is dropped."""
    pairs = [(await _import(OURS), await _import(PEER)) for _ in range(plan.imports + 1)][1:]
    return [
        compared("import", "s", [ours[0] for ours, _ in pairs], [peer[0] for _, peer in pairs]),
        compared(
            "import_memory", "MB", [ours[1] for ours, _ in pairs], [MEMORY_LIMIT] * len(pairs)
        ),
    ]


async def _import(statement: str) -> tuple[float, float]:
    """Return how long it took, seconds, and the memory it left behind, MB."""
    with on_core(measured_core()):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _MEASURED.format(statement=statement),
            cwd=ROOT,
            env={**os.environ, **SETTINGS, "PYTHONDONTWRITEBYTECODE": ""},
            stdout=asyncio.subprocess.PIPE,
        )
    printed, _ = await process.communicate()
    if process.returncode:
        raise WrongWork(f"{statement} failed")
    seconds, memory = json.loads(printed)
    return seconds, memory
