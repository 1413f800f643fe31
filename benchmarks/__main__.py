"""This app beside what a user would pick instead, in one run on one machine.

    make bench                                            all rows; writes docs/benchmarks
    .venv/bin/python -m benchmarks --only echo,floor      some rows; writes nothing
    .venv/bin/python -m benchmarks --quick                whether it all works; writes nothing

The exit code is 1 if a measured program did not do its work, and 0 whether or not goals are met.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import report
from benchmarks.goals import GOALS
from benchmarks.load import UnexpectedAnswer
from benchmarks.outcome import Outcome, WrongWork
from benchmarks.plan import QUICK, Plan
from benchmarks.programs import CannotMeasure, measuring_core
from benchmarks.rows import calls, echo, growth, imports, latency, proactive, turn

Measure = Callable[[Collection[str], Plan], Awaitable[list[Outcome]]]

MEASURES: Sequence[tuple[tuple[str, ...], Measure]] = (
    (("echo", "floor"), echo.measure_open),
    (("echo_auth",), echo.measure_authenticated),
    (("turn", "turn_stored"), turn.measure),
    (("proactive", "proactive_floor", "trigger"), proactive.measure),
    (("calls",), calls.measure),
    (("latency",), latency.measure),
    (("import", "import_memory"), imports.measure),
    (("growth_stored", "growth_stored_memory"), growth.measure_stored),
    (("growth_queued", "growth_queued_memory"), growth.measure_queued),
)


async def measure(keys: Collection[str], plan: Plan) -> tuple[list[Outcome], int]:
    """The outcomes of these rows, each printed as soon as it is there, and how many failed.

    Raises:
        CannotMeasure: something is missing on this machine.
    """
    if (core := measuring_core()) is not None:
        os.sched_setaffinity(0, {core})
    outcomes: list[Outcome] = []
    failed = 0
    for served, of_these in MEASURES:
        if wanted := [key for key in served if key in keys]:
            try:
                measured = await of_these(wanted, plan)
            except (WrongWork, UnexpectedAnswer) as error:
                failed += len(wanted)
                sys.stdout.write(f"{', '.join(wanted)}: {error}\n")
            else:
                outcomes += measured
                sys.stdout.write("".join(report.line(outcome) + "\n" for outcome in measured))
            sys.stdout.flush()
    return outcomes, failed


def main() -> int:
    """Measure, print, and write if all rows were measured in full."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="as small as can be")
    parser.add_argument("--only", default=",".join(GOALS), help="keys of rows, with commas")
    parser.add_argument("--rounds", type=int, help="how often each is measured")
    parser.add_argument("--json", type=Path, help="write all that was seen to this file")
    options = parser.parse_args()
    plan, keys = QUICK if options.quick else Plan(), options.only.split(",")
    if unknown := set(keys) - GOALS.keys():
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    if options.rounds is not None:
        plan = replace(plan, rounds=options.rounds)
    try:
        outcomes, failed = asyncio.run(measure(keys, plan))
    except CannotMeasure as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if options.json is not None:
        report.write_json(options.json, outcomes, plan)
    if not failed and not options.quick and set(keys) == GOALS.keys():
        report.write(outcomes, plan)
        report.draw()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
