"""The results: each row's medians, and the run they are from; as JSON and as a table."""

import json
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.goals import GOALS, Outcome
from benchmarks.programs import CORES, PEERS_PYTHON
from benchmarks.rounds import SECONDS
from local_dev.programs import ROOT

RESULTS = ROOT / "docs/benchmarks"


def line(outcome: Outcome) -> str:
    """Return an outcome for the terminal."""
    goal = GOALS[outcome.key]
    return (
        f"{outcome.key:<16} {_number(outcome.ours)} beside {_number(outcome.theirs)} "
        f"{goal.unit}: {outcome.ratio:.3g} times, {goal}: {outcome.verdict}"
    )


def write(outcomes: Sequence[Outcome], rounds: int, folder: Path = RESULTS) -> None:
    """Write results.json and results.md anew."""
    run = _run(rounds)
    document = {"run": run, "rows": {each.key: asdict(each) for each in outcomes}}
    (folder / "results.json").write_text(json.dumps(document, indent=1) + "\n")
    (folder / "results.md").write_text("\n".join(_page(run, outcomes)) + "\n")


def draw() -> None:
    """Draw the written results, with the peers' packages."""
    picture = ROOT / "docs/images/turns.png"
    subprocess.run(  # noqa: S603 - our own program
        [PEERS_PYTHON, "-m", "benchmarks.peers.plots", RESULTS / "results.json", picture],
        cwd=ROOT,
        check=True,
    )


def _page(run: Mapping[str, str], outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "# Results\n"
    yield "Written by `make bench`; [how it is measured](README.md). Medians of the rounds.\n"
    yield "| row | what | beside | unit | ours | theirs | ours / theirs | goal | met |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for each in outcomes:
        goal = GOALS[each.key]
        yield (
            f"| {each.key} | {goal.what} | {goal.other} | {goal.unit} | {_number(each.ours)} "
            f"| {_number(each.theirs)} | {each.ratio:.3g} | {goal} | {each.verdict} |"
        )
    yield "\n![Turns per CPU second](../images/turns.png)\n"
    yield from (f"- {what}: {value}" for what, value in run.items())


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004


def _run(rounds: int) -> dict[str, str]:
    processor = re.search("model name.*: (.*)", Path("/proc/cpuinfo").read_text())
    return {
        "day": time.strftime("%Y-%m-%d", time.gmtime()),
        "rounds": f"{rounds} of {SECONDS:g} s each, in turns",
        "processor": processor[1] if processor else platform.machine(),
        "cores": "two used" if len(CORES) > 1 else "one for all, the load generator included",
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
        "peers": ", ".join(sorted(_peers())),
    }


def _peers() -> Iterator[str]:
    for file in (ROOT / "benchmarks/peers").glob("requirements*.txt"):
        yield from (line for line in file.read_text().splitlines() if "==" in line)
