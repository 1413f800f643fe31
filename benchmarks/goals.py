"""What each row compares, what it has to reach, and what came out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

Sides = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""By row, ours and theirs in the same rounds."""


@dataclass(frozen=True)
class Goal:
    """What a row compares, in which unit, and the ratio of ours to theirs that it has to reach."""

    what: str
    unit: str
    other: str
    at_least: float = 0
    at_most: float = math.inf

    def __str__(self) -> str:
        at_least = f"at least {self.at_least:g}"
        return at_least if self.at_least else f"at most {self.at_most:g}"


TURNS: Final = "turns per CPU second"
PLANNED: Final = "recipients per CPU second"
GOALS: Final = {
    "echo": Goal("echo turns", TURNS, "the SDK's CloudAdapter", at_least=12),
    "floor": Goal("echo turns", TURNS, "aiohttp, no SDK", at_least=0.45),
    "echo_auth": Goal("the same, with tokens", TURNS, "the SDK's CloudAdapter", at_least=12),
    "turn": Goal("the template's turns", TURNS, "naively on the SDK, state in memory", at_least=6),
    "turn_stored": Goal("the template's turns", TURNS, "the same, state in blobs", at_least=6),
    "proactive": Goal("proactive messages", "a second", "continue_conversation", at_least=20),
    "proactive_floor": Goal("proactive messages", "a second", "bare posts", at_least=0.7),
    "broadcast": Goal("recipients told", "a CPU second", "continue_conversation", at_least=20),
    "broadcast_queued": Goal("recipients told", "a CPU second", "a message each", at_least=9),
    "broadcast_grown": Goal("telling 100,000", PLANNED, "100 at a time", at_least=0.9),
    "planning": Goal("planning 1,000,000 recipients", PLANNED, "10,000 of them", at_least=0.9),
    "planning_memory": Goal("memory for that", "MB", "for 10,000", at_most=1.1),
    "paced": Goal("held under a limit of 50", "a second", "the pace that is set", at_least=0.979),
    "paced_loop": Goal("held under a limit of 50", "a second", "a loop that sleeps", at_least=1),
    "import": Goal("importing function_app", "s", "the SDK and azure.functions", at_most=1.15),
}


class WrongWork(Exception):
    """A measured program was not seen to do what it is measured for."""


@dataclass(frozen=True)
class Outcome:
    """One row of the results: medians of the rounds, `ratio` of the rounds' ratios.

    A round's two sides were measured one right after the other; the medians of each side were not.
    """

    key: str
    ours: float
    theirs: float
    ratio: float

    @property
    def verdict(self) -> str:
        """Whether the goal is met, in a word."""
        goal = GOALS[self.key]
        return "yes" if goal.at_least <= self.ratio <= goal.at_most else "no"


def compared(key: str, ours: Sequence[float], theirs: Sequence[float]) -> Outcome:
    """Say how many times theirs ours is; both were measured in the same rounds."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return Outcome(key, median(ours), median(theirs), median(ratios))
