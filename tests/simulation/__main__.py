"""Run bad days by hand: `python -m tests.simulation FIRST PAST_LAST`, or one by its seed."""

import logging
import sys
from collections import Counter

from tests.simulation.bad_day import shortest
from tests.simulation.many import run_many


def main(arguments: list[str]) -> int:
    if len(arguments) == 1:
        day, found = shortest(int(arguments[0]))
        sys.stdout.write("\n".join([*day.weather.happened, *(found or ["all is well"])]) + "\n")
        return bool(found)
    logging.disable(logging.CRITICAL)
    wrong, met = run_many(range(int(arguments[0]), int(arguments[1])))
    for report in wrong:
        sys.stdout.write(f"{report}\n")
    _print(met)
    return bool(wrong)


def _print(met: Counter[tuple[str, str]]) -> None:
    for (call, fault), count in sorted(met.items()):
        sys.stdout.write(f"{call:<32} {fault:<12} {count:>8}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
