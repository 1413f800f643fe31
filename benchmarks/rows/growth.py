"""Whether a message costs more the more conversations are stored, or messages are waiting.

At each size the app is measured in turns with another of its kind that stays as small as can be,
so that what else the machine does meanwhile slows both.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.channel import Channel
from benchmarks.outcome import Outcome, Series, compared
from benchmarks.plan import Plan
from benchmarks.raw_http import serving
from benchmarks.sites import Site, queued_site, stored_site

OpenSite = Callable[[Channel, str], AbstractAsyncContextManager[Site]]


@dataclass(frozen=True)
class Growth:
    """What was measured at each size, and meanwhile at the smallest.

    Attributes:
        unit: of all values.
        grown: each round's value, by size.
        small: the same, of the one that stays small.
    """

    unit: str
    grown: dict[int, Sequence[float]] = field(default_factory=dict)
    small: dict[int, Sequence[float]] = field(default_factory=dict)

    def outcome(self, key: str) -> Outcome:
        """The largest size beside the smallest."""
        largest, smallest = max(self.grown), min(self.grown)
        return compared(
            key,
            Series("ours", self.unit, self.grown[largest]),
            Series(f"at {smallest}", self.unit, self.small[largest]),
            {"at_each_size": _named(self.grown), "at_the_smallest_meanwhile": _named(self.small)},
        )


async def measure_stored(keys: Collection[str], plan: Plan) -> list[Outcome]:
    """The rows "growth_stored…": turns, with ever more conversations in the tables."""
    outcomes = await _measure("growth_stored", stored_site, plan.conversations, plan)
    return [outcome for outcome in outcomes if outcome.key in keys]


async def measure_queued(keys: Collection[str], plan: Plan) -> list[Outcome]:
    """The rows "growth_queued…": deliveries by worker and bot, with ever more waiting."""
    outcomes = await _measure("growth_queued", queued_site, plan.backlog, plan)
    return [outcome for outcome in outcomes if outcome.key in keys]


async def _measure(
    key: str, open_site: OpenSite, sizes: Sequence[int], plan: Plan
) -> list[Outcome]:
    cost, memory, channel = Growth("CPU ms a message"), Growth("MB"), Channel()
    async with (
        serving(channel) as url,
        open_site(channel, url) as small,
        open_site(channel, url) as growing,
    ):
        for site in (small, growing):
            await site.grow_to(sizes[0])
            await site.cost(plan)  # does not count
        for size in sizes:
            await growing.grow_to(size)
            rounds = [
                (await small.cost(plan), await growing.cost(plan)) for _ in range(plan.rounds)
            ]
            cost.small[size] = [of_small for of_small, _ in rounds]
            cost.grown[size] = [of_growing for _, of_growing in rounds]
            memory.small[size] = [small.program.memory()]
            memory.grown[size] = [growing.program.memory()]
    return [cost.outcome(key), memory.outcome(f"{key}_memory")]


def _named(values: Mapping[int, Any]) -> dict[str, Any]:
    return {str(size): value for size, value in values.items()}
