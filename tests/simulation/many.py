"""Many bad days, one after the other."""

from collections import Counter
from collections.abc import Iterable

from tests.simulation.bad_day import live, shortest


def run_many(
    seeds: Iterable[int], *, enough: int = 3
) -> tuple[list[str], Counter[tuple[str, str]]]:
    """Run the days of these seeds, until so many have gone wrong.

    Returns:
        a report of each that went wrong, and how often each kind of fault met each call.
    """
    wrong: list[str] = []
    met: Counter[tuple[str, str]] = Counter()
    for seed in seeds:
        day, found = live(seed)
        met.update({(call, fault.value): n for (call, fault), n in day.weather.met.items()})
        if found:
            wrong.append(report(seed))
        if len(wrong) == enough:
            break
    return wrong, met


def report(seed: int) -> str:
    """Say what went wrong on a day, and its schedule, shortened; run it again by its seed."""
    day, found = shortest(seed)
    schedule = "\n    ".join(day.weather.happened)
    return f"python -m tests.simulation {seed}: {'; '.join(found)}\n    {schedule}"
