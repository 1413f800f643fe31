"""This app beside what a user would pick instead, in one run on one machine.

    make bench                            all rows; writes docs/benchmarks
    make bench ROWS="--only echo,floor"   some rows; writes nothing
    make bench ROWS=--quick               one round, to see whether it all works; writes nothing

The exit code is 1 if a row could not be measured, or a measured program did not do its work; and 0
whether or not goals are met.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Collection, Sequence

from benchmarks import report
from benchmarks.goals import GOALS, Outcome, Sides, WrongWork, compared
from benchmarks.programs import bind_this_process
from benchmarks.rows import adapters, broadcast, crowd, imports, paced, turn
from benchmarks.wire import UnexpectedAnswer
from local_dev.programs import ProcessError

ROUNDS = 11  # in which each program is measured, in turns with the others

Measure = Callable[[int], Awaitable[Sides]]

MEASURES: Sequence[tuple[tuple[str, ...], Measure]] = (
    (("echo", "floor"), adapters.measure_echo),
    (("echo_auth",), adapters.measure_authenticated),
    (("turn", "turn_stored"), turn.measure),
    (("proactive", "proactive_floor"), adapters.measure_proactive),
    (("broadcast", "broadcast_queued"), broadcast.measure),
    (("broadcast_grown",), crowd.measure_telling),
    (("planning", "planning_memory"), crowd.measure_planning),
    (("paced", "paced_loop"), paced.measure),
    (("import",), imports.measure),
)


async def measure(keys: Collection[str], rounds: int) -> list[Outcome]:
    """Print each row as soon as it is there, or why it is not; return those that are."""
    outcomes: list[Outcome] = []
    for served, of_these in MEASURES:
        if wanted := [key for key in served if key in keys]:
            try:
                sides = await of_these(rounds)
            except (ProcessError, WrongWork, UnexpectedAnswer) as error:
                sys.stdout.write(f"{', '.join(wanted)}: {error}\n")
            else:
                outcomes += (measured := [compared(key, *sides[key]) for key in wanted])
                sys.stdout.writelines(report.line(outcome) + "\n" for outcome in measured)
            sys.stdout.flush()
    return outcomes


def main() -> int:
    """Measure, print, and write what was measured in full."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--only", default=",".join(GOALS), help="keys of rows, with commas")
    options = parser.parse_args()
    keys = set(options.only.split(","))
    if unknown := keys - GOALS.keys():
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    bind_this_process()
    outcomes = asyncio.run(measure(keys, 1 if options.quick else ROUNDS))
    if len(outcomes) == len(GOALS) and not options.quick:
        report.write(outcomes, ROUNDS)
        report.draw()
    return 0 if len(outcomes) == len(keys) else 1


if __name__ == "__main__":
    sys.exit(main())
