"""Numbers of several rounds, and what follows from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

Relation = Literal["at least", "at most"]


class WrongWork(Exception):
    """A measured program was not seen to do what it is measured for."""


@dataclass(frozen=True)
class Series:
    """The same thing measured in several rounds.

    Attributes:
        who: whom it was measured on: "ours", "peer", "floor".
        unit: of the values.
        values: one for each round.
    """

    who: str
    unit: str
    values: Sequence[float]

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return median(self.values)

    def to_json(self) -> dict[str, Any]:
        """As it stands in results.json."""
        spread = {"median": self.median, "low": min(self.values), "high": max(self.values)}
        return {"unit": self.unit, **spread, "rounds": list(self.values)}


@dataclass(frozen=True)
class Outcome:
    """One row of the results: two series, and how they compare.

    Attributes:
        key: the row's name in `goals.GOALS`.
        ours: this app.
        other: whom it is compared with.
        ratio: the median of the rounds' ratios, or what else the row compares; the goal is about
            it. A round's two sides were measured one right after the other, the medians were not.
        spread: the lowest and the highest ratio of a single round.
        more: whatever else was seen.
    """

    key: str
    ours: Series
    other: Series
    ratio: float
    spread: tuple[float, float]
    more: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it stands in results.json."""
        return {
            "ours": self.ours.to_json(),
            self.other.who: self.other.to_json(),
            "ratio": self.ratio,
            "ratio_low": self.spread[0],
            "ratio_high": self.spread[1],
            "more": dict(self.more),
        }


def compared(
    key: str, ours: Series, other: Series, more: Mapping[str, Any] | None = None
) -> Outcome:
    """How many times the other ours is; both were measured in the same rounds."""
    rounds = [mine / theirs for mine, theirs in zip(ours.values, other.values, strict=True)]
    spread = min(rounds), max(rounds)
    return Outcome(key, ours, other, median(rounds), spread, more or {})
