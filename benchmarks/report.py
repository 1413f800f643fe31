"""The results: each row's medians, and in which run it was measured; as JSON and as a table."""

import json
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.goals import GOALS
from benchmarks.outcome import Outcome
from benchmarks.plan import Plan
from benchmarks.programs import PEERS_PYTHON, measured_core
from local_dev.programs import ROOT

RESULTS = ROOT / "docs/benchmarks"
PACKAGES = (
    "aiohttp",
    "azure-functions",
    "azure-storage-queue",
    "botbuilder-core",
    "orjson",
    "PyJWT",
)


def line(outcome: Outcome) -> str:
    """Return an outcome for the terminal."""
    goal = GOALS[outcome.key]
    sign = {"yes": ": met", "no": ": NOT MET", "": ""}[goal.verdict(outcome.ratio)]
    low, high = goal.shown(outcome.ratio_low), goal.shown(outcome.ratio_high)
    return (
        f"{outcome.key:<16} {_number(outcome.ours)} beside {_number(outcome.theirs)} "
        f"{outcome.unit}: {goal.shown(outcome.ratio)} ({low} to {high}), {goal.sentence}{sign}"
    )


def write(outcomes: Sequence[Outcome], plan: Plan, folder: Path = RESULTS) -> None:
    """Put these rows into results.json and results.md; others stay as they were measured."""
    path = folder / "results.json"
    old = json.loads(path.read_text()) if path.exists() else {"runs": {}, "rows": {}}
    machine = _machine(plan)
    run = f"{time.strftime('%Y-%m-%d', time.gmtime())}, Python {machine['python']}"
    new = {each.key: {**asdict(each), "run": run} for each in outcomes}
    rows = {key: (old["rows"] | new)[key] for key in GOALS if key in old["rows"] | new}
    used = {row["run"] for row in rows.values()}
    runs = {name: of_it for name, of_it in (old["runs"] | {run: machine}).items() if name in used}
    path.write_text(json.dumps({"runs": runs, "rows": rows}, indent=1) + "\n")
    (folder / "results.md").write_text("\n".join(_page(runs, rows)) + "\n")


def draw() -> None:
    """Draw the written results, with the peers' packages."""
    picture = ROOT / "docs/images/turns.png"
    subprocess.run(  # noqa: S603 - our own program
        [PEERS_PYTHON, "-m", "benchmarks.peers.plots", RESULTS / "results.json", picture],
        cwd=ROOT,
        check=True,
    )


def _page(runs: Mapping[str, Any], rows: Mapping[str, Any]) -> Iterator[str]:
    yield "# Results\n"
    yield "Written by `make bench`; [how it is measured](README.md). Medians of the rounds, and"
    yield "from the lowest to the highest round in brackets.\n"
    yield "| row | what | ours | compared with | theirs | ratio | goal | met | run |"
    yield "|---|---|---|---|---|---|---|---|---|"
    numbers = {name: number for number, name in enumerate(runs, 1)}
    for key, row in rows.items():
        goal = GOALS[key]
        low, high = goal.shown(row["ratio_low"]), goal.shown(row["ratio_high"])
        yield (
            f"| {key} | {goal.what}, {row['unit']} | {_number(row['ours'])} | {goal.other} "
            f"| {_number(row['theirs'])} | {goal.shown(row['ratio'])} ({low} to {high}) "
            f"| {goal.sentence} | {goal.verdict(row['ratio'])} | {numbers[row['run']]} |"
        )
    yield "\n![Turns per CPU second](../images/turns.png)"
    for name, machine in runs.items():
        yield f"\n## Run {numbers[name]}: {name}\n"
        yield from (f"- {what}: {value}" for what, value in machine.items())


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004


def _machine(plan: Plan) -> dict[str, str]:
    one_core = measured_core() is None
    return {
        "rounds": f"{plan.rounds} of {plan.seconds:g} s each, in turns",
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
