"""A cold start's share that is ours: importing `function_app`, in fresh processes."""

import asyncio
import json
import os
import sys
from collections.abc import Collection, Sequence

from benchmarks.outcome import Outcome, Series, WrongWork, compared
from benchmarks.plan import Plan
from benchmarks.programs import ROOT, measured_core, on_core
from benchmarks.settings import SETTINGS

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


async def measure(keys: Collection[str], plan: Plan) -> list[Outcome]:
    """The rows "import" and "import_memory"; the first of each, which compiles, is dropped."""
    ours, peer = [], []
    for _ in range(plan.imports + 1):
        peer.append(await _import(PEER))
        ours.append(await _import(OURS))
    limit = Series("limit", "MB", [MEMORY_LIMIT] * plan.imports)
    peers_memory = {"peer": _memory("peer", peer).to_json()}
    outcomes = [
        compared("import", _seconds("ours", ours), _seconds("peer", peer)),
        compared("import_memory", _memory("ours", ours), limit, peers_memory),
    ]
    return [outcome for outcome in outcomes if outcome.key in keys]


def _seconds(who: str, imports: Sequence[tuple[float, float]]) -> Series:
    return Series(who, "s", [seconds for seconds, _ in imports[1:]])


def _memory(who: str, imports: Sequence[tuple[float, float]]) -> Series:
    return Series(who, "MB", [memory for _, memory in imports[1:]])


async def _import(statement: str) -> tuple[float, float]:
    """How long it took, seconds, and the memory it left behind, MB."""
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
