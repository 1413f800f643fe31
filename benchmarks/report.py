"""The results as a table and as JSON, with where and on what they were measured."""

import json
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.goals import GOALS
from benchmarks.outcome import Outcome, Series
from benchmarks.plan import Plan
from benchmarks.programs import PEERS_PYTHON, ROOT, measured_core

RESULTS = ROOT / "docs/benchmarks"
PACKAGES = (
    "aiohttp",
    "azure-functions",
    "azure-storage-queue",
    "botbuilder-core",
    "orjson",
    "PyJWT",
)
SIGNS = {True: "yes", False: "no", None: ""}


def line(outcome: Outcome) -> str:
    """An outcome for the terminal."""
    goal = GOALS[outcome.key]
    sign = {True: "met", False: "NOT MET", None: ""}[goal.is_met(outcome)]
    low, high = map(goal.shown, outcome.spread)
    return (
        f"{outcome.key:<16} ours {_number(outcome.ours)}, {outcome.other.who} "
        f"{_number(outcome.other)} {outcome.ours.unit}: {goal.shown(outcome.ratio)} "
        f"({low} to {high}), {goal.sentence}: {sign}".rstrip(": ")
    )


def write(outcomes: Sequence[Outcome], plan: Plan) -> None:
    """Write both forms into docs/benchmarks."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    write_json(RESULTS / "results.json", outcomes, plan)
    (RESULTS / "results.md").write_text("\n".join(_page(outcomes, plan)) + "\n")


def write_json(path: Path, outcomes: Sequence[Outcome], plan: Plan) -> None:
    """Write all that was seen, also of some rows only."""
    where = {**_machine(), "plan": asdict(plan)}
    rows = {
        each.key: {"goal": GOALS[each.key].sentence, "met": GOALS[each.key].is_met(each)}
        | each.to_json()
        for each in outcomes
    }
    document = json.dumps({"measured": where, "rows": rows}, indent=1)
    path.write_text(document + "\n")


def draw() -> None:
    """Draw the written results, with the peers' packages."""
    pictures = (str(RESULTS / "results.json"), str(ROOT / "docs/images"))
    subprocess.run(  # noqa: S603 - our own program
        [PEERS_PYTHON, "-m", "benchmarks.peers.plots", *pictures], cwd=ROOT, check=True
    )


def _page(outcomes: Sequence[Outcome], plan: Plan) -> Iterator[str]:
    yield "# Results\n"
    yield "Written by `make bench`; [how it is measured](README.md). Medians of the rounds, and"
    yield "from the lowest to the highest round in brackets.\n"
    yield "| row | what | ours | compared with | theirs | ratio | goal | met |"
    yield "|---|---|---|---|---|---|---|---|"
    for each in outcomes:
        goal = GOALS[each.key]
        low, high = map(goal.shown, each.spread)
        yield (
            f"| {each.key} | {goal.what}, {each.ours.unit} | {_number(each.ours)} | {goal.other} "
            f"| {_number(each.other)} | {goal.shown(each.ratio)} ({low} to {high}) "
            f"| {goal.sentence} | {SIGNS[goal.is_met(each)]} |"
        )
    yield "\n![Turns per CPU second](../images/turns.png)\n"
    yield "![What a message costs as things grow](../images/growth.png)"
    yield "\n## In wall time\n"
    yield "| row | who | turns/s | its core was busy | the load generator's |"
    yield "|---|---|---|---|---|"
    for each in outcomes:
        yield from _in_wall_time(each)
    yield "\n## Where\n"
    yield f"Rounds: {plan.rounds} of {plan.seconds:g} s each, in turns.\n"
    yield from (f"- {name}: {value}" for name, value in _machine().items())


def _in_wall_time(outcome: Outcome) -> Iterator[str]:
    for who, seen in outcome.more.items():
        if isinstance(seen, dict) and "turns_per_second" in seen:
            busy, load = map(median, (seen["cpu_utilisation"], seen["load_generator_utilisation"]))
            rate = seen["turns_per_second"]["median"]
            yield f"| {outcome.key} | {who} | {rate:.0f} | {busy:.0%} | {load:.0%} |"


def _number(series: Series) -> str:
    return f"{series.median:.0f}" if series.median >= 100 else f"{series.median:.3g}"  # noqa: PLR2004


def _machine() -> dict[str, Any]:
    one_core = measured_core() is None
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "processor": _processor(),
        "cores": "one for all, so the load generator takes part of it" if one_core else "two used",
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
        **{package: version(package) for package in PACKAGES},
        "peers": _peers(),
    }


def _processor() -> str:
    for info in Path("/proc/cpuinfo").read_text().splitlines():
        if info.startswith("model name"):
            return info.partition(":")[2].strip()
    return platform.machine()


def _peers() -> str:
    files = sorted((ROOT / "benchmarks/peers").glob("requirements*.txt"))
    lines = [line for file in files for line in file.read_text().splitlines()]
    return ", ".join(sorted(line for line in lines if "==" in line))
