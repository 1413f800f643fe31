"""What several rounds of two sides come to."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


class WrongWork(Exception):
    """A measured program was not seen to do what it is measured for."""


@dataclass(frozen=True)
class Outcome:
    """One row of the results.

    Attributes:
        key: the row's name in `goals.GOALS`.
        unit: of `ours` and `theirs`.
        ours: the median of this app's rounds.
        theirs: the median of what it is compared with.
        ratio: the median of the rounds' ratios; the goal is about it. A round's two sides were
            measured one right after the other, the medians were not.
        ratio_low: the lowest ratio of a single round.
        ratio_high: the highest.
    """

    key: str
    unit: str
    ours: float
    theirs: float
    ratio: float
    ratio_low: float
    ratio_high: float


def compared(key: str, unit: str, ours: Sequence[float], theirs: Sequence[float]) -> Outcome:
    """Say how many times theirs ours is; both were measured in the same rounds."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return Outcome(
        key, unit, median(ours), median(theirs), median(ratios), min(ratios), max(ratios)
    )
