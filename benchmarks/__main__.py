"""This app beside what a user would pick instead, in one run on one machine.

    make bench                                all rows; writes docs/benchmarks
    make bench ROWS="--only echo,floor"       some rows; writes nothing
    make bench ROWS="--only turn --write"     some rows, into the written results
    make bench ROWS=--quick                   whether it all works; writes nothing

The exit code is 1 if a row could not be measured, or a measured program did not do its work; and 0
whether or not goals are met.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace

from benchmarks import report
from benchmarks.goals import GOALS
from benchmarks.load import UnexpectedAnswer
from benchmarks.outcome import Outcome, WrongWork
from benchmarks.plan import QUICK, Plan
from benchmarks.programs import CannotMeasure, measuring_core
from benchmarks.rows import echo, imports, proactive, turn, worker
from local_dev.programs import ProcessError

Measure = Callable[[Plan], Awaitable[list[Outcome]]]

MEASURES: Sequence[tuple[tuple[str, ...], Measure]] = (
    (("echo", "floor"), echo.measure_open),
    (("echo_auth",), echo.measure_authenticated),
    (("turn", "turn_stored"), turn.measure),
    (("turn_worker",), worker.measure),
    (("proactive", "proactive_floor", "trigger"), proactive.measure),
    (("import", "import_memory"), imports.measure),
)


async def measure(keys: Collection[str], plan: Plan) -> tuple[list[Outcome], bool]:
    """Print each row as soon as it is there; return all, and whether all could be measured."""
    if (core := measuring_core()) is not None:
        os.sched_setaffinity(0, {core})
    outcomes: list[Outcome] = []
    all_well = True
    for served, of_these in MEASURES:
        if wanted := [key for key in served if key in keys]:
            try:
                measured = [each for each in await of_these(plan) if each.key in wanted]
            except (CannotMeasure, ProcessError, WrongWork, UnexpectedAnswer) as error:
                all_well = False
                sys.stdout.write(f"{', '.join(wanted)}: {error}\n")
            else:
                outcomes += measured
                sys.stdout.write("".join(report.line(outcome) + "\n" for outcome in measured))
            sys.stdout.flush()
    return outcomes, all_well


def main() -> int:
    """Measure, print, and write what was measured in full."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="as small as can be")
    parser.add_argument("--only", default=",".join(GOALS), help="keys of rows, with commas")
    parser.add_argument("--rounds", type=int, help="how often each is measured")
    parser.add_argument("--write", action="store_true", help="write also some rows only")
    options = parser.parse_args()
    plan, keys = QUICK if options.quick else Plan(), options.only.split(",")
    if unknown := set(keys) - GOALS.keys():
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    if options.rounds is not None:
        plan = replace(plan, rounds=options.rounds)
    outcomes, all_well = asyncio.run(measure(keys, plan))
    if outcomes and not options.quick and (options.write or set(keys) == GOALS.keys()):
        report.write(outcomes, plan)
        report.draw()
    return 0 if all_well else 1


if __name__ == "__main__":
    sys.exit(main())
